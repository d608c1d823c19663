"""`newsflow` in a process whose clock is off by `NEWSFLOW_CLOCK_OFFSET` seconds; its enriching process is, too.

Programs ask for the time of day through three functions that the kernel maps into each process (the vDSO), C code of
libraries as well as Python's. They are overwritten in this process, before anything else is imported. The monotonic
clocks, by which deadlines are kept, stay as they are. What the process sees is in its log, and in the timestamps of the
records that it writes. Linux on x86-64 only.
"""

import ctypes
import os
import platform
import struct
import sys
import time
from datetime import UTC, datetime

OFFSET = "NEWSFLOW_CLOCK_OFFSET"


def shift(seconds: int) -> None:
    """Shift this process's clock."""
    assert platform.machine() == "x86_64", "the machine code below is for x86-64"
    off = struct.pack("<i", seconds)
    # Each asks the kernel, then adds the offset to the seconds in its answer.
    patches = {
        # mov eax, SYS_clock_gettime; syscall; test eax, eax; jnz end; test edi, edi; jnz end; add qword [rsi], off
        "__vdso_clock_gettime": b"\xb8\xe4\0\0\0\x0f\x05\x85\xc0\x75\x0b\x85\xff\x75\x07\x48\x81\x06" + off + b"\xc3",
        # mov eax, SYS_gettimeofday; syscall; test rdi, rdi; jz end; add qword [rdi], off
        "__vdso_gettimeofday": b"\xb8\x60\0\0\0\x0f\x05\x48\x85\xff\x74\x07\x48\x81\x07" + off + b"\xc3",
        # mov eax, SYS_time; syscall (its argument is out of use and null)
        "__vdso_time": b"\xb8\xc9\0\0\0\x0f\x05\x48\x05" + off + b"\xc3",
    }
    functions = ctypes.CDLL("linux-vdso.so.1")
    # The pages may not be written to; through this file, as a debugger does, they may.
    memory = os.open("/proc/self/mem", os.O_RDWR)
    try:
        for name, code in patches.items():
            address = ctypes.cast(getattr(functions, name), ctypes.c_void_p).value
            assert address is not None
            os.pwrite(memory, code, address)
    finally:
        os.close(memory)


def seen() -> str:
    """Return what this process takes for the time of day, asked in three ways."""
    return f"clock: {time.time():.0f} {datetime.now(UTC):%H:%M:%S} {time.strftime('%H:%M:%S', time.gmtime())}"


if __name__ == "__main__":
    shift(int(os.environ[OFFSET]))
    sys.stderr.write(seen() + "\n")
    sys.stderr.flush()
    from streams.commands import main

    main()
