"""Worker processes under one parent: started, restarted with back-off, stopped with a deadline.

In a container with one process per container the orchestrator does this; see `docker-compose.yml`.
"""

import logging
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass

from streams.parent_death import child_environment
from streams.settings import Settings

log = logging.getLogger(__name__)

FIRST_BACKOFF = 0.5
"""Seconds before the first restart of a child; doubled with each further one in a row."""
LONGEST_BACKOFF = 30.0
"""Longest pause before a restart, seconds."""
STABLE_AFTER = 60.0
"""A child that ran this long, seconds, starts with the first back-off again."""
NOT_RESTARTED = (2, 78)
"""Exit codes of a child that met what only a person can put right: a user error, an open breaker."""


@dataclass
class _Child:
    number: int
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    failures: int = 0
    restart_at: float = 0.0


class Supervisor:
    """Runs `command` (a worker in one process) N times, until `stop` is called from a signal handler."""

    def __init__(self, settings: Settings, command: Sequence[str], processes: int) -> None:
        self._settings = settings
        self._command = tuple(command)
        self._children = [_Child(number) for number in range(processes)]
        self._stopping = False

    def stop(self, *_: object) -> None:
        """Begin to stop; fits as a signal handler."""
        self._stopping = True

    def run(self) -> int:
        """Keep the children running; return 0 after a stop asked for, else the code that ended a child for good."""
        code = 0
        while not self._stopping:
            now = time.monotonic()
            for child in self._children:
                if child.process is None:
                    if now >= child.restart_at:
                        self._start(child)
                elif (exit_code := child.process.poll()) is not None:
                    child.process = None
                    if exit_code in NOT_RESTARTED:
                        code = exit_code
                        self._stopping = True
                    else:
                        self._plan_restart(child, exit_code)
            time.sleep(0.1)
        self._stop_children()
        return code

    def _start(self, child: _Child) -> None:
        child.process = subprocess.Popen(  # noqa: S603  # our own command
            [*self._command, "--number", str(child.number)],
            env=child_environment(),
            # Ctrl-C in a terminal goes to the whole group; the parent turns it into SIGTERM for its children.
            start_new_session=True,
        )
        child.started = time.monotonic()

    def _plan_restart(self, child: _Child, exit_code: int) -> None:
        now = time.monotonic()
        child.failures = 1 if now - child.started > STABLE_AFTER else child.failures + 1
        pause = min(FIRST_BACKOFF * 2 ** (child.failures - 1), LONGEST_BACKOFF)
        child.restart_at = now + pause
        log.warning("worker %s ended with code %s; restarting in %.1f s", child.number + 1, exit_code, pause)

    def _stop_children(self) -> None:
        running = [child.process for child in self._children if child.process is not None]
        for process in running:
            process.terminate()
        # Each child ends itself at its drain deadline; the parent's is a little later and does not ask.
        deadline = time.monotonic() + self._settings.drain_timeout + 2
        for process in running:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.warning("process %s did not stop in time, killing it", process.pid)
                process.kill()
                process.wait()
