"""What one Kafka node on a developer's machine is told: server.properties and the options of its Java."""

from collections.abc import Mapping
from pathlib import Path

LOG_CONFIGURATION = Path(__file__).with_name("log4j2.properties")
CONTROLLER_HOST = "127.0.0.1"  # it is the same process that asks
STORAGE = "kafka"  # the directory of Kafka's own files inside the data directory
LARGEST_MESSAGE = 32 * 1024 * 1024  # bytes; above what the line's topics allow, so that the topic's limit decides


def server_properties(
    data_dir: Path, host: str, port: int, controller_port: int, node_id: int, extra: Mapping[str, str]
) -> dict[str, str]:
    """Return the settings of a node that is broker and only controller at once; `extra` wins over ours."""
    return {
        "process.roles": "broker,controller",
        "node.id": str(node_id),
        # A static quorum: its address stands here only, so that kept data starts on other ports, too.
        "controller.quorum.voters": f"{node_id}@{CONTROLLER_HOST}:{controller_port}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://{host}:{port},CONTROLLER://{CONTROLLER_HOST}:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://{host}:{port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": str(data_dir / STORAGE),
        # One node: nothing can have a second replica.
        "offsets.topic.replication.factor": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "default.replication.factor": "1",
        # 50 each by default: files, memory and start-up time for nothing.
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.num.partitions": "8",
        "share.coordinator.state.topic.num.partitions": "1",
        # A group of one member need not wait for others.
        "group.initial.rebalance.delay.ms": "0",
        # A topic that is spelled wrong is an error, not a new topic.
        "auto.create.topics.enable": "false",
        "message.max.bytes": str(LARGEST_MESSAGE),
        "replica.fetch.max.bytes": str(LARGEST_MESSAGE),
        "socket.request.max.bytes": str(4 * LARGEST_MESSAGE),
        # Topics decide how long they keep records.
        "log.retention.ms": "-1",
        "log.retention.bytes": "-1",
        # By default a group that rests for a week forgets where it was, and would do all its records again.
        "offsets.retention.minutes": str(2**31 - 1),
        # After a crash the controller, which is the same process, takes the node back only when this time is over: the
        # default of 9 s would make every restart after a kill wait for so long.
        "broker.session.timeout.ms": "4000",
        "broker.heartbeat.interval.ms": "500",
        "num.network.threads": "2",
        "num.io.threads": "4",
        "num.replica.fetchers": "1",
        "background.threads": "2",
        "num.recovery.threads.per.data.dir": "2",
        # The cleaner's buffer is 128 MiB by default, a quarter of our heap; compacted topics here are small.
        "log.cleaner.dedupe.buffer.size": str(16 * 1024 * 1024),
        **extra,
    }


def java_options(heap_mb: int) -> list[str]:
    """Return the options of the Java that runs the node, with a heap of at most `heap_mb` MiB."""
    return [
        f"-Xmx{heap_mb}m",
        f"-Xms{min(heap_mb, 128)}m",
        # Least memory and fewest threads; the pauses of half a gigabyte are short.
        "-XX:+UseSerialGC",
        "-XX:-UsePerfData",
        # A broker out of memory lives on half dead otherwise.
        "-XX:+ExitOnOutOfMemoryError",
        # Kafka's compression libraries are native, and its metrics use Unsafe: no warnings in the log for that.
        "--enable-native-access=ALL-UNNAMED",
        "--sun-misc-unsafe-memory-access=allow",
        "-Djava.awt.headless=true",
        f"-Dlog4j2.configurationFile={LOG_CONFIGURATION}",
    ]


def write_properties(properties: Mapping[str, str], path: Path) -> None:
    """Write `properties` in Java's format (backslashes and everything but ASCII escaped)."""
    text = "".join(f"{_escaped(name)}={_escaped(value)}\n" for name, value in properties.items())
    path.write_text(text, encoding="ascii")


def _escaped(text: str) -> str:
    """Return `text` so that java.util.Properties reads it back as it is, on either side of the equals sign."""
    special = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", " ": "\\ ", "=": "\\=", ":": "\\:", "#": "\\#"}
    special["!"] = "\\!"
    return "".join(
        special.get(c) or (c if 32 < ord(c) < 127 else "".join(f"\\u{u:04x}" for u in _utf16(c))) for c in text
    )


def _utf16(character: str) -> list[int]:
    raw = character.encode("utf-16-be")
    return [int.from_bytes(raw[i : i + 2]) for i in range(0, len(raw), 2)]
