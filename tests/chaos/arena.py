"""A line under load: numbered articles go in at a steady rate, a reader that knows nothing of our code watches."""

import asyncio
import json
import os
import random
import threading
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.broker import LocalBroker
from streams.worker_child import WorkerChild
from tests.account import Account, account
from tests.chaos.cluster import LocalCluster
from tests.chaos.recovery import Progress
from tests.running_line import RunningLine, Sent

TEXTS = (
    "Правительство Японии выделит помощь Турции после землетрясения, сообщили в Токио. Решение принято в среду.",
    "Міністерство оборони України повідомило про нову допомогу від Польщі та Литви. Рішення ухвалили у Києві.",
    "The European Commission said on Monday that Poland and Hungary had agreed to a new budget for the year.",
)
KEYS = 50
DELETED = 51
"""One record in so many is a tombstone, of another key each time."""
QUIET = 60.0
"""Seconds without an outcome after which none is waited for: longer than any recovery."""
WORK_WITHIN = 3.0
"""Seconds within which there is work for a fault where articles still go in."""
FAULTY = (str(Path(__file__).parent.parent / "faulty_worker.py"),)
"""The worker whose stages fail on marked articles, and whose delivery has the bug that NEWSFLOW_PLANT names."""

Ending = Callable[[int], str]
"""What is added to the text of the n-th article."""


def nothing(_number: int) -> str:
    """Add nothing to any article's text."""
    return ""


@dataclass
class Outcome:
    """What a row found; `struck` counts the faults that met work in flight."""

    row: str
    planned: int
    struck: int
    account: Account
    recovery: list[float] = field(default_factory=list)
    seconds: float = 0.0
    notes: str = ""
    recovery_limit: float = float("inf")
    """Seconds that the longest recovery may take: until every partition with work has progressed."""

    @property
    def green(self) -> bool:
        longest = max(self.recovery, default=0.0)
        in_time = isfinite(longest) and longest <= self.recovery_limit
        return self.account.clean and self.account.complete and in_time and self.struck >= self.planned


class _WatchedLine(RunningLine):
    """A line that notes what was published; `published` counts what the broker has acknowledged."""

    progress: Progress
    published = 0

    async def publish(self, records: Sequence[Sent], compression: str | None = None) -> None:
        await super().publish(records, compression)
        self.progress.went_in(record.key for record in records)
        self.published += len(records)


class Load:
    """Articles that go in by and by, in a thread; for faults that leave a broker to publish to.

    `steps` says how many, and how many seconds after the start; it may go on until `end`, so that work is there for the
    last fault however slow the machine.
    """

    def __init__(self, publish: Callable[[int], Awaitable[object]], steps: Iterable[tuple[float, int]]) -> None:
        self._publish = publish
        self._steps = steps
        self._ended = threading.Event()
        self._failed: Exception | None = None
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def _work(self) -> None:
        try:
            asyncio.run(self._run())
        except Exception as error:  # noqa: BLE001  # for whoever waits for the thread
            self._failed = error

    async def _run(self) -> None:
        began = time.monotonic()
        for seconds, count in self._steps:
            await asyncio.sleep(max(0.0, began + seconds - time.monotonic()))
            if self._ended.is_set():
                break
            await self._publish(count)

    def is_alive(self) -> bool:
        """Whether more is to come."""
        return self._thread.is_alive()

    def join(self) -> None:
        """Wait until all is published; raise what came in between."""
        self._thread.join()
        if self._failed:
            raise self._failed

    def end(self) -> None:
        """Publish no more."""
        self._ended.set()
        self.join()


def steady(per_second: float, count: int | None) -> Iterator[tuple[float, int]]:
    """Yield the steps of a load at that rate: of so many articles, or for ever."""
    at_once, done = max(1, round(per_second / 3)), 0
    while count is None or done < count:
        some = at_once if count is None else min(at_once, count - done)
        yield done / per_second, some
        done += some


class Arena:
    """Topics and workers of one row on a broker of its own or the shared one."""

    def __init__(
        self,
        broker: LocalBroker | LocalCluster,
        home: Path,
        program: Sequence[str] = ("-m", "streams"),
        **changed: Any,
    ) -> None:
        self.broker = broker
        if os.environ.get("NEWSFLOW_PLANT"):
            program = FAULTY
        self.line = _WatchedLine(broker.bootstrap_servers, home, **changed)
        self.progress = self.line.progress = Progress(self.line.settings.partitions)
        self.line.create_topics()
        self.random = random.Random(20)
        self.names: list[str] = []
        self.tombstones: set[str] = set()
        self.traced: dict[str, str] = {}
        self.struck = 0
        self.faults: list[float] = []
        self._numbering = threading.Lock()
        self._come = 0
        self._program = program
        self._home = home
        self._count = 0
        self._stop = threading.Event()
        self._watcher = threading.Thread(target=lambda: asyncio.run(self._watch()), daemon=True)
        self._watcher.start()

    def worker(self, processes: int = 1, **changed: Any) -> WorkerChild:
        """Start one more worker, with settings of its own where they are given."""
        self._count += 1
        settings = self.line.settings.model_copy(update=changed)
        worker = WorkerChild(settings, self._home / f"worker-{self._count}.log", processes, program=self._program)
        worker.start()
        return worker

    def articles(self, count: int, ending: Ending = nothing, keys: Sequence[int] = range(KEYS)) -> list[Sent]:
        """Return the next numbered articles; `ending` may add something to the text of the n-th one.

        Among those to which it adds nothing are tombstones.
        """
        sent = []
        with self._numbering:
            for number in range(len(self.names), len(self.names) + count):
                name = f"k{keys[number % len(keys)]}#{number}"
                addition = ending(number)
                text = TEXTS[number % len(TEXTS)] + addition
                value = json.dumps({"id": name, "text": text}, ensure_ascii=False).encode()
                deletes = number % DELETED == DELETED - 1 and not addition
                article = Sent(None if deletes else value, name.partition("#")[0].encode())
                if deletes:
                    self.tombstones.add(name)
                    self.traced[article.trace] = name
                self.names.append(name)
                sent.append(article)
        return sent

    def publish(self, count: int, ending: Ending = nothing) -> None:
        """Publish the next articles at once; they are with the broker afterwards."""
        asyncio.run(self.line.publish(self.articles(count, ending)))

    def load(
        self,
        per_second: float,
        count: int | None = None,
        ending: Ending = nothing,
        keys: Sequence[int] = range(KEYS),
    ) -> Load:
        """Begin to publish the next articles at a steady rate: so many, or until the load is ended."""
        return self.load_in_steps(steady(per_second, count), ending, keys)

    def load_in_steps(
        self, steps: Iterable[tuple[float, int]], ending: Ending = nothing, keys: Sequence[int] = range(KEYS)
    ) -> Load:
        """Begin to publish the next articles: at each step's seconds after the start, its number of them."""
        return Load(lambda some: self.line.publish(self.articles(some, ending, keys)), steps)

    @property
    def come(self) -> int:
        """How many outcomes have come so far."""
        return self._come

    @property
    def under_way(self) -> int:
        """How many articles the broker has of which no outcome has come yet."""
        return self.line.published - self._come

    def strike(self, fault: Callable[[], object]) -> None:
        """Do the fault and count it where it meets work under way, for which it waits a moment."""
        until = time.monotonic() + WORK_WITHIN
        while self.under_way <= 0 and time.monotonic() < until:
            time.sleep(0.02)
        self.struck += self.under_way > 0
        fault()
        self.faults.append(time.monotonic())

    def settle(self, count: int | None = None, seconds: float = 240) -> None:
        """Wait until that many outcomes have come, by default one of each article, or none has for long; then a little
        for what should not come."""
        count = len(self.names) if count is None else count
        deadline = time.monotonic() + seconds
        last, since = self.come, time.monotonic()
        while self.come < count and time.monotonic() < min(deadline, since + QUIET):
            time.sleep(0.2)
            if self.come > last:
                last, since = self.come, time.monotonic()
        time.sleep(2)

    def finish(
        self,
        row: str,
        planned: int,
        workers: Sequence[WorkerChild],
        notes: str = "",
        replayed: Collection[str] = (),
    ) -> Outcome:
        """Stop the workers and let the checker read the topics; `replayed` are the articles that were sent back."""
        codes = [worker.stop() for worker in workers]
        assert self._watcher.is_alive(), "nobody has watched"
        self._stop.set()
        self._watcher.join(10)
        prefix = self.line.settings.topic_prefix
        found = asyncio.run(
            account(self.broker.bootstrap_servers, prefix, self.names, self.tombstones, self.traced, replayed)
        )
        recovery = self.progress.recovery(self.faults)
        odd = [code for code in codes if code not in (0, None)]
        return Outcome(row, planned, self.struck, found, recovery, notes=notes + (f"exit codes {odd}" if odd else ""))

    async def _watch(self) -> None:
        settings = self.line.settings
        outputs = [settings.topic(name) for name in ("articles.enriched", "articles.dead")]
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.broker.bootstrap_servers,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
        )
        await consumer.start()
        # Given, not found: a broker of several may not know a new topic yet, and who subscribes then may miss it.
        consumer.assign([TopicPartition(topic, number) for topic in outputs for number in range(settings.partitions)])
        try:
            while not self._stop.is_set():
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    self.progress.came_out(record.key for record in records)
                    self._come += len(records)
        finally:
            await consumer.stop()
