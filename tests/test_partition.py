"""One input partition on a real broker: what it does when another owner has taken its place."""

import asyncio
import gc
from collections.abc import Iterator, Sequence
from pathlib import Path
from unittest.mock import Mock

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.structs import OffsetAndMetadata

from streams import kafka as clients
from streams.broker import LocalBroker
from streams.delivery import consumer
from streams.delivery.breaker import Breaker
from streams.delivery.partition import Committed, InputPartition, transactional_id
from streams.delivery.records import Incoming, Outgoing
from streams.errors import WorkerMustStop
from streams.settings import Settings
from tests import planted_bugs
from tests.account import read_topic
from tests.running_line import RunningLine


class Owner:
    """A worker as far as its partition sees it; `generation` is what it knows of the group."""

    def __init__(self, settings: Settings, committed: Committed) -> None:
        self.generation = 1
        self.breaker = Breaker(settings, "prepare", "articles.raw")
        self.partition = InputPartition(
            settings,
            "prepare",
            "articles.raw",
            0,
            max_batch_bytes=100_000,
            breaker=self.breaker,
            process=self._process,
            committed=committed,
            current_generation=lambda: self.generation,
        )

    async def _process(self, records: Sequence[Incoming]) -> list[Outgoing]:
        return [Outgoing("articles.prepared", record.key, record.value, ()) for record in records]

    async def handle(self, *offsets: int) -> None:
        records = [Incoming("articles.raw", 0, offset, 0, b"key", b"%d" % offset, ()) for offset in offsets]
        await self.partition.handle(records, self.generation)


@pytest.fixture
def line(kafka: LocalBroker, tmp_path: Path) -> Iterator[RunningLine]:
    """A line without workers; a group's silence is short."""
    line = RunningLine(kafka.bootstrap_servers, tmp_path, session_timeout=1, partitions=1)
    line.create_topics()
    yield line
    # What aiokafka's fenced producer leaves behind logs when it is collected; inside pytest's own work, that breaks
    # CPython 3.11's parser ("AST constructor recursion depth mismatch").
    gc.collect()


def written(line: RunningLine) -> list[bytes | None]:
    topic = line.settings.topic("articles.prepared")
    return [value for _, value, _ in asyncio.run(read_topic(line.settings.brokers, topic))]


def commits_of(settings: Settings, admin: AIOKafkaAdminClient) -> Committed:
    return lambda partition: clients.committed(admin, settings.app_id, [partition])


@pytest.mark.kafka
def test_a_fenced_owner_that_hears_of_a_new_generation_drops_its_batch(line: RunningLine) -> None:
    async def run() -> None:
        async with clients.admin(line.settings) as admin:
            old, new = (Owner(line.settings, commits_of(line.settings, admin)) for _ in range(2))
            await old.handle(0)
            new.generation = 2
            await new.handle(1)
            handling = asyncio.create_task(old.handle(2))
            await asyncio.sleep(0.5)
            old.generation = 2
            await handling
            await old.partition.close()
            await new.partition.close()

    asyncio.run(run())
    assert written(line) == [b"0", b"1"]


@pytest.mark.kafka
def test_an_owner_fenced_by_one_that_died_since_takes_over_once_more(line: RunningLine) -> None:
    async def run() -> None:
        async with clients.admin(line.settings) as admin:
            committed = commits_of(line.settings, admin)
            owner, zombie = Owner(line.settings, committed), Owner(line.settings, committed)
            await owner.handle(0)
            await zombie.handle(1)
            # Offset 1 was committed by the zombie: it is not to be done again.
            await owner.handle(1, 2)
            await owner.handle(3)
            await owner.partition.close()
            await zombie.partition.close()
            # What was done twice is counted once.
            once = Breaker(line.settings, "prepare", "articles.raw")
            once.record(await owner._process([Incoming("articles.raw", 0, n, 0, None, None, ()) for n in range(4)]))
            assert owner.breaker.metadata() == once.metadata()

    asyncio.run(run())
    assert written(line) == [b"0", b"1", b"2", b"3"]


@pytest.mark.kafka
def test_an_owner_that_is_fenced_again_and_again_ends_the_worker(line: RunningLine) -> None:
    async def run() -> None:
        async with clients.admin(line.settings) as admin:
            rivals = []

            async def committed(partition: TopicPartition) -> dict[TopicPartition, OffsetAndMetadata]:
                # In the middle of the take-over: the owner's producer has just started.
                rivals.append(clients.new_producer(line.settings, transactional_id(line.settings, partition), 100_000))
                await rivals[-1].start()
                return await clients.committed(admin, line.settings.app_id, [partition])

            owner = Owner(line.settings, committed)
            with pytest.raises(WorkerMustStop, match="fenced twice although this worker still owns the partition"):
                await owner.handle(0)
            await owner.partition.close()
            for rival in rivals:
                await rival.stop()

    asyncio.run(run())
    assert written(line) == []


def test_the_bug_read_uncommitted_reaches_the_workers_consumer(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given back after the test.
    monkeypatch.setattr(consumer, "BoundedConsumer", consumer.BoundedConsumer)
    monkeypatch.setattr(InputPartition, "_commit", InputPartition._commit)

    async def isolation() -> str:
        thread = object.__new__(consumer.ReadCommittedThread)
        made = thread._create_worker_consumer(Mock(settings=Settings()))
        return str(made._isolation_level)

    assert asyncio.run(isolation()) == "read_committed"
    planted_bugs.read_uncommitted()
    assert asyncio.run(isolation()) == "read_uncommitted"
