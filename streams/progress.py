"""What is being done, on standard error: one line that renews itself on a terminal, a line now and then elsewhere."""

import sys
import time

EVERY = 2.0
"""Seconds between two lines where standard error is no terminal (a log, CI)."""


class Progress:
    """Shows `what: done / total`; use as a context manager so that the last state always appears."""

    def __init__(self, what: str, total: int | None = None) -> None:
        self._what = what
        self._total = total
        self._done = 0
        self._last = 0.0
        self._terminal = sys.stderr.isatty()
        self._shown = ""

    def __enter__(self) -> "Progress":
        self._show(final=False)
        return self

    def __exit__(self, *_: object) -> None:
        self._show(final=True)

    def advance(self, by: int = 1, note: str = "") -> None:
        """Count `by` more as done."""
        self._done += by
        if self._terminal or time.monotonic() - self._last > EVERY:
            self._show(final=False, note=note)

    def clear(self) -> None:
        """Take the line off the terminal, so that something else can be printed."""
        if self._terminal:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def _show(self, final: bool, note: str = "") -> None:
        self._last = time.monotonic()
        total = "" if self._total is None else f" / {self._total}"
        line = f"{self._what}: {self._done}{total}{note}"
        if self._terminal:
            sys.stderr.write(f"\r\x1b[K{line}" + ("\n" if final else ""))
        elif line != self._shown:
            sys.stderr.write(line + "\n")
        self._shown = line
        sys.stderr.flush()


def say(line: str) -> None:
    """Show one step."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()
