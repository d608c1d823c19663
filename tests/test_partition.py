"""One input partition on a real broker: what it does when another owner has taken its place."""

import asyncio
import gc
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from unittest.mock import Mock

import pytest
from aiokafka import TopicPartition
from aiokafka.structs import OffsetAndMetadata

from streams import kafka as clients
from streams.broker import LocalBroker
from streams.delivery import consumer
from streams.delivery.breaker import Breaker
from streams.delivery.partition import InputPartition
from streams.delivery.records import Incoming, Outgoing
from streams.errors import WorkerMustStop
from streams.settings import Settings
from tests import planted_bugs
from tests.account import read_topic
from tests.running_line import RunningLine


class Owner:
    """A worker as far as its partition sees it; `generation` is what it knows of the group."""

    def __init__(
        self, settings: Settings, committed: Callable[..., Awaitable[dict[TopicPartition, OffsetAndMetadata]]]
    ) -> None:
        self.generation = 1
        self.partition = InputPartition(
            settings,
            "prepare",
            "articles.raw",
            0,
            max_batch_bytes=100_000,
            breaker=Breaker(settings, "prepare", "articles.raw"),
            process=self._process,
            committed=committed,
            current_generation=lambda: self.generation,
        )

    async def _process(self, records: Sequence[Incoming]) -> list[Outgoing]:
        return [Outgoing("articles.prepared", record.key, record.value, ()) for record in records]

    async def handle(self, offset: int) -> None:
        record = Incoming("articles.raw", 0, offset, 0, b"key", b"%d" % offset, ())
        await self.partition.handle([record], self.generation)


@pytest.mark.kafka
@pytest.mark.parametrize("news", [True, False])
def test_a_fenced_owner_waits_for_news_of_the_group(kafka: LocalBroker, tmp_path: Path, news: bool) -> None:
    line = RunningLine(kafka.bootstrap_servers, tmp_path, session_timeout=1, partitions=1)
    line.create_topics()
    settings = line.settings

    async def run() -> None:
        async with clients.admin(settings) as admin:

            async def committed(partition: TopicPartition) -> dict[TopicPartition, OffsetAndMetadata]:
                return await clients.committed(admin, settings.app_id, [partition])

            old, new = Owner(settings, committed), Owner(settings, committed)
            await old.handle(0)
            new.generation = 2
            await new.handle(1)
            handling = asyncio.create_task(old.handle(2))
            if news:
                await asyncio.sleep(0.5)
                old.generation = 2
                await handling
            else:
                with pytest.raises(WorkerMustStop, match="fenced although this worker still owns the partition"):
                    await handling
            await old.partition.close()
            await new.partition.close()

    asyncio.run(run())
    # What aiokafka's fenced producer leaves behind logs when it is collected; inside pytest's own work, that breaks
    # CPython 3.11's parser ("AST constructor recursion depth mismatch").
    gc.collect()
    written = asyncio.run(read_topic(kafka.bootstrap_servers, settings.topic("articles.prepared")))
    assert [value for _, value, _ in written] == [b"0", b"1"]


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
