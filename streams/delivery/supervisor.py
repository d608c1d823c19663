"""Worker processes under one parent: started, restarted with back-off, stopped with a deadline.

In a container with one process per container the orchestrator does this; see `docker-compose.yml`.
"""

import logging
import multiprocessing
import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess

from streams.delivery.worker_process import run_worker
from streams.errors import UserError
from streams.log import configure_logging
from streams.parent_death import die_with_parent
from streams.settings import Settings

log = logging.getLogger(__name__)

FIRST_BACKOFF = 0.5
"""Seconds before the first restart of a child; doubled with each further one in a row."""
LONGEST_BACKOFF = 30.0
"""Longest pause before a restart, seconds."""
STABLE_AFTER = 60.0
"""A child that ran this long, seconds, starts with the first back-off again."""
EXIT_USER_ERROR = 2
"""Exit code of a child that met something only the user can put right: not restarted."""


@dataclass
class _Child:
    number: int
    process: BaseProcess | None = None
    started: float = 0.0
    failures: int = 0
    restart_at: float = field(default=0.0)


def _child(settings: Settings, stages: Sequence[str], number: int, parent: int) -> None:
    die_with_parent(parent)
    # A terminal sends Ctrl-C to the whole group; the parent turns it into SIGTERM for its children.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    configure_logging(settings)
    try:
        run_worker(settings, stages, number)
    except UserError as error:
        log.critical("%s", error)
        os._exit(EXIT_USER_ERROR)


class Supervisor:
    """Runs N worker processes until `stop` is called from a signal handler, then returns the exit code."""

    def __init__(self, settings: Settings, stages: Sequence[str], processes: int) -> None:
        self._settings = settings
        self._stages = tuple(stages)
        self._children = [_Child(number) for number in range(processes)]
        # spawn: each child is a process as if started by hand, whatever the parent has loaded
        self._context = multiprocessing.get_context("spawn")
        self._stopping = False

    def stop(self, *_: object) -> None:
        """Begin to stop; fits as a signal handler."""
        self._stopping = True

    def run(self) -> int:
        """Keep the children running; return 0 after a stop that was asked for, 2 where a child met a user error."""
        code = 0
        while not self._stopping:
            now = time.monotonic()
            for child in self._children:
                if child.process is None:
                    if now >= child.restart_at:
                        self._start(child)
                elif child.process.exitcode is not None:
                    exit_code = child.process.exitcode
                    child.process = None
                    if exit_code == EXIT_USER_ERROR:
                        code = EXIT_USER_ERROR
                        self._stopping = True
                    else:
                        self._plan_restart(child, exit_code)
            time.sleep(0.1)
        self._stop_children()
        return code

    def _start(self, child: _Child) -> None:
        child.process = self._context.Process(
            target=_child,
            args=(self._settings, self._stages, child.number, os.getpid()),
            name=f"worker-{child.number + 1}",
        )
        child.process.start()
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
            process.join(max(0.0, deadline - time.monotonic()))
            if process.exitcode is None:
                log.warning("%s did not stop in time, killing it", process.name)
                process.kill()
                process.join()
