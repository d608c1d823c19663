"""Rows of the fault ledger in which the load is the fault: floods, giants, wrong clocks, nonsense, hours of work."""

import asyncio
import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import psutil
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import MessageSizeTooLargeError
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from schemas import DeadLetterReason
from schemas import headers as h
from streams import breaker_state
from streams.broker import LocalBroker
from streams.delivery.records import Incoming, process
from streams.errors import BrokerFailed
from streams.line import newsflow_line
from streams.parent_death import die_with_parent
from streams.settings import Settings
from streams.worker_child import WorkerChild
from tests.account import read_records
from tests.chaos.arena import DELETED, FAULTY, TEXTS, Arena, Outcome
from tests.chaos.fuzzed_records import fuzzed, sample_texts, try_in_processes
from tests.clock_worker import OFFSET
from tests.faulty_worker import FAIL_ENTITIES
from tests.running_line import Sent

BREAKER_OPEN = 78


def poison_flood(broker: LocalBroker, home: Path, count: int = 4_000, starts: int = 8) -> Outcome:
    """Every article makes a stage fail. The workers end with 78, none of the starts after that, with one worker, with
    two, with three, drains one article more; the stage is mended, the breaker closed, and the rest comes through."""
    arena = Arena(broker, home, FAULTY)
    arena.publish(count, lambda _: FAIL_ENTITIES)
    codes = _codes([arena.worker() for _ in range(2)])
    drained = asyncio.run(_position(arena, "articles.prepared"))
    # Each of the two workers may have seen a breaker's worth, and as much again was in its hands.
    bound = 2 * 2 * (arena.line.settings.breaker_records + arena.line.settings.batch_size)
    stopped = set(codes) == {BREAKER_OPEN} and drained <= bound
    arena.struck = int(stopped)
    for start in range(starts):
        codes = _codes([arena.worker() for _ in range(1 + start % 3)])
        now = asyncio.run(_position(arena, "articles.prepared"))
        arena.struck += stopped and set(codes) == {BREAKER_OPEN} and now == drained
        drained = max(drained, now)
    asyncio.run(breaker_state.close(arena.line.settings))
    arena._program = ("-m", "streams")
    mended = arena.worker()
    arena.settle()
    result = arena.finish("poison-flood", 1 + starts, [mended])
    result.notes += f"{result.account.dead} of {count} dead before it stopped; "
    return result


def _codes(workers: Sequence[WorkerChild], seconds: float = 60) -> list[int | None]:
    """Wait until the workers have ended by themselves; one that does not is stopped, its code is None."""
    deadline = time.monotonic() + seconds
    while any(worker.poll() is None for worker in workers) and time.monotonic() < deadline:
        time.sleep(0.1)
    codes = [worker.poll() for worker in workers]
    for worker in workers:
        worker.stop()
    return codes


async def _position(arena: Arena, topic: str) -> int:
    """Return how many records of a topic the line has done with: the group's committed offsets, added up."""
    admin = AIOKafkaAdminClient(bootstrap_servers=arena.broker.bootstrap_servers)
    await admin.start()
    try:
        offsets = await admin.list_consumer_group_offsets(arena.line.settings.app_id)
    finally:
        await admin.close()
    name = arena.line.settings.topic(topic)
    return sum(max(0, offset.offset) for partition, offset in offsets.items() if partition.topic == name)


LIMIT = 1_048_576
"""`max.message.bytes` in the row `big`."""
TEXT_LIMIT = 20_000
"""Longest text in the row `big`; HTML may be ten times as long."""
OVER = 3 * LIMIT
"""What only a compressed record can hold."""
HALF_JSON = b'{"text": "'


@dataclass(frozen=True)
class Big:
    """A record at a limit, and what must become of it: `enriched`, or the stage and the reason of its death."""

    what: str
    sent: Sent
    outcome: str
    compression: str | None = None
    truncated: bool = False


def big(broker: LocalBroker, home: Path, rounds: int = 3) -> Outcome:
    """Records just under, at and over every limit: the raw record's, the text's, HTML's, and each stage's output; giant
    keys and headers, compressed giants. Each must come out as it must, the dead with their original bytes."""
    arena = Arena(broker, home, max_message_bytes=LIMIT, max_text_length=TEXT_LIMIT, breaker_share=1)
    worker = arena.worker()
    made: list[Big] = []
    refused = 0
    for turn in range(rounds):
        arena.publish(20)
        some = _at_the_limits(arena, TEXTS[turn % len(TEXTS)])
        for one in some:
            asyncio.run(arena.line.publish([one.sent], one.compression))
        made += some
        try:
            asyncio.run(arena.line.publish([_raw_of(LIMIT + 1)]))
        except MessageSizeTooLargeError:
            refused += 1
    arena.settle()
    found = {}
    for topic in ("articles.enriched", "articles.dead"):
        for record in asyncio.run(read_records(broker.bootstrap_servers, arena.line.settings.topic(topic))):
            found[(dict(record.headers).get("traceparent") or b"").decode()] = record
    wrong = Counter(one.what for one in made if (record := found.get(one.sent.trace)) and not _is_right(one, record))
    result = arena.finish(
        "big", (len(made) // rounds + 1) * rounds, [worker], f"wrong: {dict(wrong)}; " if wrong else ""
    )
    result.struck = len(made) - wrong.total() + refused
    return result


def _is_right(one: Big, record: object) -> bool:
    headers = dict(record.headers)  # type: ignore[attr-defined]  # aiokafka ships no types
    value, key = record.value, record.key  # type: ignore[attr-defined]  # aiokafka ships no types
    if h.REASON not in headers:
        return one.outcome == "enriched" and key == one.sent.key
    reason = f"{headers[h.ERROR_STAGE].decode()} {headers[h.REASON].decode()}"
    if one.outcome != reason:
        return False
    if one.truncated:
        whole = one.sent.value or b""
        return bool(
            headers[h.TRUNCATED].decode() == str(len(whole)) and whole.startswith(value) and len(value) > LIMIT / 2
        )
    # Between stages the original is that stage's input.
    return bool(h.TRUNCATED not in headers and (value == one.sent.value or not one.outcome.startswith("prepare ")))


def _at_the_limits(arena: Arena, text: str) -> list[Big]:
    settings = arena.line.settings
    made: list[Big] = []

    def add(what: str, outcome: str, value: dict[str, str] | bytes, **changed: object) -> None:
        # A key of its own goes its own way: order holds within a key.
        name = f"{'own' if 'key' in changed else 'big'}{len(arena.names) % 3}#{len(arena.names)}"
        body = value if isinstance(value, bytes) else _json({"id": name} | value)
        key = bytes(changed.pop("key", name.partition("#")[0].encode()))  # type: ignore[call-overload]  # given as bytes
        headers = changed.pop("headers", ())
        sent = Sent(body, key, headers)  # type: ignore[arg-type]  # given as headers
        arena.names.append(name)
        arena.traced[sent.trace] = name
        made.append(Big(what, sent, outcome, **changed))  # type: ignore[arg-type]  # given by name

    for more in (-1, 0, 1):
        reason = "prepare too_large" if more > 0 else "enriched"
        add(f"text {more:+}", reason, {"text": _text(text, TEXT_LIMIT + more)})
        page = f"<html><body><p>{text}</p><!--"
        add(f"html {more:+}", reason, (page + "x" * (10 * TEXT_LIMIT + more - len(page) - 3) + "-->").encode())
    probe = Sent(_json({"id": f"big0#{len(arena.names)}", "text": text, "m": ""}), b"big0")
    sizes = _sizes(settings, probe)
    for stage, size in sizes.items():
        for more in (-1, 0, 1):
            padding = LIMIT - size + more
            fails = next((f"{s} output_too_large" for s, its in sizes.items() if its + padding > LIMIT), "enriched")
            number = len(str(len(arena.names))) - len(str(len(arena.names) - len(made)))
            # Where the article's number has become longer meanwhile, so has its id.
            add(f"output of {stage} {more:+}", fails, {"text": text, "m": "x" * (padding - number)})
    add("raw at the limit", "prepare broken_json", _raw_of(LIMIT).value or b"", key=b"")
    add("giant key", "enriched", {"text": text}, key=b"k" * 300_000)
    add("giant header", "enriched", {"text": text}, headers=(("foreign", b"x" * 900_000),))
    add("giant header of a broken one", "prepare broken_json", b"{", headers=(("foreign", b"x" * 900_000),))
    add("giant tracestate", "enriched", {"text": text}, headers=(("tracestate", b"x" * 900_000),))
    add("giant tracestate, giant text", "prepare output_too_large", {"text": text, "m": "x" * 122_300},
        headers=(("tracestate", b"x" * 925_000),))  # fmt: skip
    over = {"compression": "gzip", "truncated": True}
    add("compressed html", "prepare too_large", (f"<html><p>{text}</p><!--" + "x" * OVER + "-->").encode(), **over)
    add("compressed json", "prepare output_too_large", {"text": text, "m": "x" * OVER}, **over)
    add(
        "compressed, small in the end",
        "enriched",
        {"text": text, "text_": " " * 10, "m": "x" * 900_000},
        compression="gzip",
    )
    return made


def _json(body: dict[str, str]) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode()


def _text(sentence: str, length: int) -> str:
    """Return a text of so many code points."""
    return (" ".join([sentence] * (length // len(sentence) + 1)))[: length - 2] + "ж."


def _raw_of(size: int) -> Sent:
    """Return a record that makes a batch of so many bytes; its value is no JSON."""
    probe = Sent(b"", b"")

    def batch_size(length: int) -> int:
        builder = DefaultRecordBatchBuilder(2, 0, 1, 1, 0, 1, 2**31 - 1)
        headers = [("traceparent", probe.trace.encode())]
        builder.append(0, 0, b"", HALF_JSON + b"x" * (length - len(HALF_JSON)), headers)
        return len(builder.build())

    length = size - 200
    assert batch_size(length) < size
    while batch_size(length) < size:
        length += 1
    return Sent(HALF_JSON + b"x" * (length - len(HALF_JSON)), b"")


def _sizes(settings: Settings, sent: Sent) -> dict[str, int]:
    """Return the size of each stage's output as the line counts it, for a raw record whose `m` is empty."""
    line = newsflow_line(settings)
    line.load()
    record = Incoming(
        "articles.raw", 0, 0, 1_700_000_000_000, sent.key, sent.value, (("traceparent", sent.trace.encode()),)
    )
    sizes = {}
    for stage in line.stages:
        out = process(line, stage, record, 2**30)
        assert out.reason is None, out
        sizes[stage.name] = out.size
        record = Incoming(out.topic, 0, 0, record.timestamp, out.key, out.value, out.headers)
    return sizes


DISK_BYTES = 256 * 1024 * 1024
"""Size of the disk in the row `disk-full`."""
HALT_SECONDS = 30.0
"""Within this the broker must have met the end of the disk."""


def disk_full(broker: LocalBroker, home: Path, fillings: int = 3) -> Outcome:
    """The disk of the only broker fills up while the line writes, and is free again after 10 s. Kafka halts when it
    cannot write, so it is started again, as a supervisor would: in vain while the disk is full, then for good."""
    # The disk is a tmpfs in a mount namespace; so everything that sees it is one process tree, this row's own.
    broker.stop()
    namespace = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"])]
    program = [sys.executable, "-m", "tests.chaos.load_rows", str(os.getpid()), str(home), str(fillings)]
    subprocess.run([*namespace, *program], check=True)
    outcome: Outcome = pickle.loads((home / "outcome.pickle").read_bytes())
    return outcome


def _fill_disks(home: Path, fillings: int) -> Outcome:
    broker = LocalBroker(home / "small")
    storage = _put_on_small_disk(broker)
    broker.start()
    try:
        arena = Arena(broker, home)
        worker = arena.worker(processes=2)
        per_filling = 4_000
        back, halted, vain = [], 0, 0
        for filling in range(fillings):
            # However fast the machine, work waits now and when the broker is back.
            arena.publish(per_filling)
            arena.settle(filling * per_filling + 20)
            left = arena.under_way > 0
            _fill(storage)
            # Halted or not, what counts is that it could not write.
            halted += broker.wait(HALT_SECONDS)
            before = arena.come
            time.sleep(5)
            arena.struck += left and arena.come == before
            if not broker.is_running:
                vain += not _is_started(broker)
            time.sleep(5)
            (storage / FILL).unlink()
            deadline = time.monotonic() + 120
            while not _is_started(broker) and time.monotonic() < deadline:
                time.sleep(1)
            back.append(time.monotonic())
            # All partitions are to be back before the next filling, on a slow machine, too.
            time.sleep(12)
        arena.faults = back
        arena.settle(seconds=600)
        notes = f"the broker halted {halted} times, {vain} starts on the full disk failed; "
        result = arena.finish("disk-full", fillings, [worker], notes)
        result.recovery_limit = 30
        return result
    finally:
        broker.stop()


FILL = "fill"


def _put_on_small_disk(broker: LocalBroker) -> Path:
    """Move a new broker's storage to a disk of its own; its log, which says what happened, stays where it is."""
    broker.start()
    broker.stop()
    storage = broker.data_dir / "kafka"
    aside = storage.rename(storage.with_name("kafka.aside"))
    storage.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", storage], check=True)
    shutil.copytree(aside, storage, dirs_exist_ok=True)
    return storage


def _fill(disk: Path) -> None:
    """Take all that is free, also what becomes free a moment later."""
    with (disk / FILL).open("wb") as file:
        for size in (1 << 20, 1 << 12):
            with suppress(OSError):
                while True:
                    os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), size)


def _is_started(broker: LocalBroker) -> bool:
    try:
        broker.start()
    except BrokerFailed:
        return False
    return True


CLOCKS = (3_600, -3_600)
"""Seconds by which the workers' clocks are off in the row `clock`."""
CLOCK_WORKER = (str(Path(__file__).parent.parent / "clock_worker.py"),)


def clock(broker: LocalBroker, home: Path, count: int = 2_000) -> Outcome:
    """Two workers whose clocks are an hour fast and an hour slow share the work and take it over from each other; then
    a worker with the right clock does the same raw records again: the same keys, values and headers."""
    wrong = Arena(broker, home, CLOCK_WORKER, max_text_length=10_000)
    for topic in ("articles.prepared", "articles.annotated", "articles.enriched"):
        # The broker stamps them otherwise: the workers' stamps show that their clocks are wrong.
        limit = str(wrong.line.settings.max_message_bytes)
        wrong.line.configure_topic(topic, {"message.timestamp.type": "CreateTime", "max.message.bytes": limit})
    log = home / "clocks"
    workers = [
        WorkerChild(wrong.line.settings, log / f"{offset:+}.log", extra={OFFSET: str(offset)}, program=CLOCK_WORKER)
        for offset in CLOCKS
    ]
    for worker in workers:
        worker.start()
    loading = wrong.load(40, count, lambda number: " слово" * 2_000 if number % 50 == 25 else "")
    for turn, victim in enumerate(workers):
        wrong.settle(count * (2 * turn + 1) // 5)
        victim.kill()
        wrong.settle(count * (2 * turn + 2) // 5)
        victim.start()
    loading.join()
    wrong.settle()
    result = wrong.finish("clock", 0, workers)
    right = Arena(broker, home, max_text_length=10_000)
    right.names, right.tombstones, right.traced = wrong.names, wrong.tombstones, wrong.traced
    asyncio.run(_copy_raw(wrong, right))
    control = right.worker()
    right.settle()
    compared = right.finish("clock", 0, [control])
    off = Counter[int]()
    for topic in ("articles.prepared", "articles.annotated", "articles.enriched", "articles.dead"):
        one, other = (_records(arena, topic) for arena in (wrong, right))
        different = {trace for trace in one.keys() | other.keys() if _said(one.get(trace)) != _said(other.get(trace))}
        result.account.differing += sorted(f"{topic} {trace}" for trace in different)
        now = time.time()
        off.update(round((r.timestamp / 1000 - now) / 3_600) for r in one.values() if topic != "articles.dead")
    fast, slow = off[1], off[-1]
    result.planned = off.total()
    result.struck = fast + slow if fast and slow and compared.account.clean and compared.account.complete else 0
    result.notes += f"written with a clock that is fast: {fast}, slow: {slow}; "
    return result


def _records(arena: Arena, topic: str) -> dict[str, Any]:
    """Return a topic's records by traceparent."""
    records = asyncio.run(read_records(arena.broker.bootstrap_servers, arena.line.settings.topic(topic)))
    return {dict(r.headers)["traceparent"].decode(): r for r in records}


def _said(record: Any) -> object:
    """Return all of a record that is the line's: its place in the log and its timestamp are not."""
    return record and (record.key, record.value, record.headers)


async def _copy_raw(source: Arena, target: Arena) -> None:
    """Append all raw records to another line's topic, at the same places and with the same timestamps."""
    producer = AIOKafkaProducer(bootstrap_servers=target.broker.bootstrap_servers, enable_idempotence=True)
    await producer.start()
    try:
        name, brokers = target.line.settings.topic("articles.raw"), source.broker.bootstrap_servers
        for r in await read_records(brokers, source.line.settings.topic("articles.raw")):
            await producer.send(
                name, r.value, r.key, partition=r.partition, timestamp_ms=r.timestamp, headers=list(r.headers)
            )
    finally:
        await producer.stop()


def fuzz(broker: LocalBroker, home: Path, in_process: int = 100_000, through: int = 5_000) -> Outcome:
    """100,000 records of nonsense through `prepare` in two processes, 5,000 through the line: as many out as in, none
    for 20 s, no exception that was not foreseen, no memory kept."""
    half = in_process // 2
    tried = try_in_processes([1, 2], half, frozenset({half // 2, half}), limit=20)
    arena = Arena(broker, home, breaker_share=1)
    workers = [arena.worker() for _ in range(2)]
    sent = []
    for number, record in enumerate(fuzzed(3, through)):
        one = Sent(record.value, record.key, record.headers)
        name = f"fuzz-{number}" if record.key is None else f"{record.key.hex()[:40]}#{number}"
        arena.names.append(name)
        arena.traced[one.trace] = name
        sent.append(one)
    asyncio.run(arena.line.publish(sent))
    arena.settle(through, 400)
    reasons = Counter(dict(r.headers)[h.REASON].decode() for r in _records(arena, "articles.dead").values())
    unforeseen = reasons[DeadLetterReason.ENRICHER_FAILED] + reasons[DeadLetterReason.TOO_SLOW]
    wrong = [line for one in tried for line in one.wrong]
    (home / "fuzz-findings.txt").write_text("\n".join(wrong))
    slowest = max((one.slowest[0] for one in tried if one.slowest), default=(0.0, "none"))
    grown = [one.memory.get(half, 0.0) / one.memory.get(half // 2, 1.0) for one in tried]
    notes = f"in process {sum(one.prepared for one in tried)} prepared, {sum(one.dead.total() for one in tried)} dead, "
    notes += (
        f"slowest {slowest[0]:.2f} s ({slowest[1]}), memory after all is {max(grown):.2f} of that at half the way; "
    )
    result = arena.finish("fuzz", in_process + through, workers, notes + "; ".join(wrong[:3]))
    flat = all(0 < growth < 1.1 for growth in grown)
    result.struck = sum(one.done for one in tried) - len(wrong) + arena.come - unforeseen if flat else 0
    return result


SOAK_MINUTES = "NEWSFLOW_SOAK_MINUTES"
RATE = 60
"""Articles a second in the row `soak`; four times as many in the first five seconds of each minute."""


def soak(broker: LocalBroker, home: Path, rate: int = RATE) -> Outcome:
    """20 minutes (NEWSFLOW_SOAK_MINUTES) at full load. Of three workers two are killed, stopped, frozen and robbed of
    their enriching process again and again; the third lives through it and must not grow: memory, files, connections.
    """
    seconds = round(60 * float(os.environ.get(SOAK_MINUTES, "20")))
    arena = Arena(broker, home)
    steady, *others = (arena.worker() for _ in range(3))
    rates = [rate * (4 if second % 60 < 5 else 1) for second in range(seconds)]
    loading = arena.load_in_steps(enumerate(rates), _piece_of_a_sample)
    arena.settle(20)
    samples: list[_Sample] = []
    kinds = Counter[str]()
    next_fault = time.monotonic() + 10
    while loading.is_alive():
        samples.append(_Sample.of(steady, arena.under_way))
        if time.monotonic() > next_fault:
            victim = arena.random.choice(others)
            kind = arena.random.choice(tuple(SOAK_FAULTS))
            arena.strike(partial(SOAK_FAULTS[kind], victim))
            kinds[kind] += 1
            next_fault = time.monotonic() + arena.random.uniform(6, 14)
        time.sleep(1)
    loading.join()
    arena.settle()
    quarter = len(samples) // 4
    early, late = (_Sample.median(part) for part in (samples[quarter : 2 * quarter], samples[-quarter:]))
    died = steady.poll() is not None
    (home / "soak.json").write_text(json.dumps([asdict(sample) for sample in samples]))
    notes = f"{dict(kinds)}; second quarter {early}; last quarter {late}; "
    result = arena.finish(
        "soak", seconds // 30, [steady, *others], notes + ("the steady worker ended; " if died else "")
    )
    if died or late.has_grown_since(early):
        result.struck = 0
    return result


def _piece_of_a_sample(number: int) -> str:
    """Return other words for each article, so that what the stages remember of words can grow; none for a tombstone."""
    if number % DELETED == DELETED - 1:
        return ""
    text = sample_texts()[number % len(sample_texts())]
    start = number * 37 % max(1, len(text) - 300)
    return " " + text[start : start + 300]


@dataclass(frozen=True)
class _Sample:
    """What the steady worker holds, MiB and counts; `enricher_mb` is its child's, `lag` what the line has yet to do."""

    worker_mb: float
    enricher_mb: float
    files: float
    connections: float
    threads: float
    lag: float

    @classmethod
    def of(cls, worker: WorkerChild, lag: int) -> "_Sample":
        try:
            process = psutil.Process(worker.pid)
            children = process.children(recursive=True)
            everyone = [process, *children]
            return cls(
                process.memory_info().rss / 2**20,
                sum(child.memory_info().rss for child in children) / 2**20,
                sum(one.num_fds() for one in everyone),
                sum(len(one.net_connections("tcp")) for one in everyone),
                sum(one.num_threads() for one in everyone),
                lag,
            )
        except psutil.NoSuchProcess:
            return cls(0, 0, 0, 0, 0, lag)

    @classmethod
    def median(cls, samples: Sequence["_Sample"]) -> "_Sample":
        return cls(*(round(median(getattr(one, field.name) for one in samples), 1) for field in fields(cls)))

    def has_grown_since(self, before: "_Sample") -> bool:
        memory = any(getattr(self, name) > 1.1 * getattr(before, name) + 5 for name in ("worker_mb", "enricher_mb"))
        # Around a rebalance there are some more for a moment.
        counts = any(getattr(self, name) > getattr(before, name) + 5 for name in ("files", "connections", "threads"))
        return memory or counts or self.lag > 2 * before.lag + 10 * RATE

    def __str__(self) -> str:
        return ", ".join(f"{name} {value:g}" for name, value in asdict(self).items())


def _kill(worker: WorkerChild) -> None:
    worker.kill()
    worker.start()


def _roll(worker: WorkerChild) -> None:
    worker.stop()
    worker.start()


def _freeze(worker: WorkerChild) -> None:
    os.kill(worker.pid, signal.SIGSTOP)
    time.sleep(9)
    os.kill(worker.pid, signal.SIGCONT)
    time.sleep(2)
    if worker.poll() is not None:
        worker.start()


def _rob(worker: WorkerChild) -> None:
    with suppress(psutil.NoSuchProcess):
        for child in psutil.Process(worker.pid).children():
            child.kill()


SOAK_FAULTS: dict[str, Callable[[WorkerChild], None]] = {
    "kill -9": _kill,
    "SIGTERM": _roll,
    "SIGSTOP": _freeze,
    "kill -9 of an enricher": _rob,
}

LOAD_ROWS: dict[str, Callable[[LocalBroker, Path], Outcome]] = {
    "poison-flood": poison_flood,
    "big": big,
    "disk-full": disk_full,
    "clock": clock,
    "fuzz": fuzz,
    "soak": soak,
}

if __name__ == "__main__":
    # The row `disk-full` in its own mount namespace; see there.
    die_with_parent(int(sys.argv[1]))
    place = Path(sys.argv[2])
    (place / "outcome.pickle").write_bytes(pickle.dumps(_fill_disks(place, int(sys.argv[3]))))
