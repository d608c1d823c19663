"""A child process that never outlives its parent, whatever ends the parent.

Linux sends the child SIGKILL when the *thread* that forked it ends (prctl PR_SET_PDEATHSIG). So each child is forked by
a thread of its own that does nothing but wait for it: it ends when the child has ended, or with the whole process,
never in between. Whoever calls may therefore be any thread, a short-lived one of a pool as well.

The child has its own session: Ctrl-C in the terminal reaches the parent only, which stops the child when it is ready.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import BinaryIO

# Runs in the child before the real program takes its place: `preexec_fn` would do the same but may deadlock in a
# process with threads. The parent may have died before the prctl, hence the second look at who it is.
_LAUNCH = """
import ctypes, os, sys
if ctypes.CDLL(None, use_errno=True).prctl(1, 9, 0, 0, 0):
    sys.exit(f"prctl: {os.strerror(ctypes.get_errno())}")
if os.getppid() != int(sys.argv[1]):
    sys.exit("the parent is gone")
os.execv(sys.argv[2], sys.argv[2:])
"""


class Child:
    """A running program; `output` gets its standard output and error, `keep_open` its inherited descriptors."""

    def __init__(self, command: Sequence[str | Path], output: BinaryIO, keep_open: Sequence[int] = ()) -> None:
        started: Future[subprocess.Popen[bytes]] = Future()
        self._ended = threading.Event()

        def run() -> None:
            try:
                process = subprocess.Popen(  # noqa: S603  # the command is ours
                    [sys.executable, "-I", "-S", "-c", _LAUNCH, str(os.getpid()), *map(str, command)],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    pass_fds=keep_open,
                )
            except BaseException as error:  # noqa: BLE001  # handed to the thread that asked
                started.set_exception(error)
                return
            started.set_result(process)
            process.wait()
            self._ended.set()

        threading.Thread(target=run, name="child-of-newsflow", daemon=True).start()
        self._process = started.result()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the program has not ended yet."""
        return not self._ended.is_set()

    @property
    def exit_code(self) -> int | None:
        """The exit code, minus the signal's number when a signal ended it, None while it runs."""
        return self._process.returncode if self._ended.is_set() else None

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the program has ended, at most `timeout` seconds; return whether it has."""
        return self._ended.wait(timeout)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the program and all its children; nothing happens when it has ended."""
        # It leads its own process group. The waiting thread may reap it between the look and the signal, but the
        # number of a group is not given away again at once.
        if self.is_running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, number)
