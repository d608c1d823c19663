"""A `newsflow worker` as a child process, with its log in a file: what the demo, the bench and the tests start."""

import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from streams.errors import DemoIncomplete
from streams.parent_death import child_environment
from streams.settings import Settings

LOG_TAIL = 15
"""Lines of the log that an error message shows."""


def environment(settings: Settings) -> dict[str, str]:
    """Return the environment of a child of this process, with the settings as NEWSFLOW_ variables."""
    variables = child_environment()
    for name in settings.model_fields_set | {"brokers"}:
        value = getattr(settings, name)
        if value is not None:
            secret = getattr(value, "get_secret_value", None)
            variables[f"NEWSFLOW_{name.upper()}"] = str(secret() if secret else value)
    return variables


class WorkerChild:
    """Starts on entering, is stopped with SIGTERM (SIGKILL after the drain deadline) on leaving."""

    def __init__(
        self,
        settings: Settings,
        log: Path,
        processes: int = 1,
        arguments: Sequence[str] = (),
        extra: Mapping[str, str] | None = None,
        program: Sequence[str] = ("-m", "streams"),
    ) -> None:
        self.log = log
        self._settings = settings
        self._command = [sys.executable, *program, "worker", "--processes", str(processes), *arguments]
        self._extra = dict(extra or {})
        self._process: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    @property
    def pid(self) -> int:
        """Process id of the worker (of its supervisor where it has several processes)."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start the process; the log file is appended to."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._log_start = log.tell()
            self._process = subprocess.Popen(  # noqa: S603  # our own command
                self._command,
                env=environment(self._settings) | self._extra,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C in the terminal is for the parent, which then stops its worker.
                start_new_session=True,
            )

    def poll(self) -> int | None:
        """Return the exit code, None while it runs."""
        return self._process.poll() if self._process else None

    def check(self) -> None:
        """Raise DemoIncomplete with the end of the log where the worker has ended by itself."""
        code = self.poll()
        if code is not None:
            tail = "\n".join(self.log_text().splitlines()[-LOG_TAIL:])
            raise DemoIncomplete(f"the worker ended by itself with code {code}; the end of {self.log}:\n{tail}")

    def log_text(self) -> str:
        """Return what this start of the worker has written to its log so far."""
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode("utf-8", "replace")

    def kill(self) -> None:
        """End it with SIGKILL."""
        if self._process and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> int | None:
        """Stop it with SIGTERM, with SIGKILL where it outlives its drain deadline; return its exit code."""
        if self._process is None:
            return None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(self._settings.drain_timeout + 5)
            except subprocess.TimeoutExpired:
                self.kill()
        return self._process.returncode

    def __enter__(self) -> "WorkerChild":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
