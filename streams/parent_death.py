"""A process that ends with its parent, whatever ends the parent (Linux)."""

import ctypes
import os
import signal

PR_SET_PDEATHSIG = 1
"""From linux/prctl.h: the signal that the kernel sends when the parent's forking thread ends."""


def child_environment() -> dict[str, str]:
    """Return this process's environment for a `newsflow` that it starts and that shall end with it."""
    return dict(os.environ) | {"NEWSFLOW_PARENT": str(os.getpid())}


def die_with_parent(parent: int | None) -> None:
    """Ask the kernel to kill this process when its parent ends; end at once where `parent` (a pid) is gone already.

    Does nothing where there is no such parent: a process that was started by hand lives on its own.
    """
    if parent is None:
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)
