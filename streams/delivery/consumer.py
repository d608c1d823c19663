"""Faust's consumer, made read_committed, bounded in bytes, and tolerant of what strangers write.

Faust reads read_committed only in its own exactly_once mode, which loses events, and counts what it buffers in records,
whatever their size. Faust's own extension points are used: `app.transport`, `Transport.Consumer`,
`Consumer._new_consumer_thread`, `._getmany` and `._to_message`, `ConsumerThread._create_worker_consumer`,
`._fetch_records` and `.seek_to_committed` (faust-streaming 0.15.3, `faust/transport/drivers/aiokafka.py`). Only
`BoundedConsumer` and `has_given_up` look inside aiokafka (0.14), which has no other way.
"""

import asyncio
import time
import weakref
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, cast

from aiokafka import AIOKafkaConsumer
from aiokafka.client import AIOKafkaClient
from aiokafka.consumer.fetcher import Fetcher, FetchResult
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.errors import GroupCoordinatorNotAvailableError, NotCoordinatorForGroupError, for_code
from aiokafka.protocol.commit import OffsetFetchRequest
from aiokafka.protocol.fetch import FetchRequest
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from streams import kafka
from streams.delivery.record_batches import use_for_fetching
from streams.settings import Settings

BUFFERED_BYTES = 64 * 1024 * 1024
"""Once fetch responses of this many bytes wait in aiokafka's buffers, nothing more is fetched."""
IN_HAND_BYTES = 32 * 1024 * 1024
"""Once the records that a worker has in hand, of all its stages, have this many bytes, no more are taken."""
TAKEN_BYTES = 4 * 1024 * 1024
"""Once this many bytes are taken in one go, the next go is waited for."""
RECORD_BYTES = 1024
"""What a record in hand costs besides its content, as Python objects: a batch may inflate to millions of empty ones."""
HEADER_BYTES = 128
"""The same of a header."""
PAUSE = 0.01
"""Seconds between two looks whether there is room for more."""

Record = Any
"""aiokafka's ConsumerRecord; aiokafka ships no types."""


def size(record: Record) -> int:
    """Return about how many bytes a record takes in memory."""
    headers = sum(HEADER_BYTES + len(name) + len(value or b"") for name, value in record.headers)
    return RECORD_BYTES + len(record.key or b"") + len(record.value or b"") + headers


def heartbeat_interval(settings: Settings) -> float:
    """Return seconds between heartbeats: a third of the session timeout, as Kafka advises."""
    return settings.session_timeout / 3


class _FetchesInBounds:
    """A client that waits with a fetch until what was fetched before has been taken, bar `BUFFERED_BYTES`."""

    def __init__(self, client: AIOKafkaClient, fetcher: Fetcher) -> None:
        self._client = client
        self._fetcher = fetcher

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # all else is the client's
        return getattr(self._client, name)

    def _buffered(self) -> int:
        """Return the bytes of the responses with records that were not taken yet."""
        results = self._fetcher._records.values()
        return sum(r._partition_records._records.size_in_bytes() for r in results if _has_more(r))

    async def send(self, node_id: int, request: Any, **options: Any) -> Any:  # noqa: ANN401  # aiokafka ships no types
        if isinstance(request, FetchRequest):
            while self._buffered() >= BUFFERED_BYTES:
                await asyncio.sleep(PAUSE)
        return await self._client.send(node_id, request, **options)


def _has_more(result: Any) -> bool:  # noqa: ANN401  # aiokafka ships no types
    return isinstance(result, FetchResult) and bool(result.has_more())


async def _answer(coordinator: Any, send: Callable[[Any], Awaitable[Any]], request: Any) -> Any:  # noqa: ANN401  # aiokafka ships no types
    """Send a consumer's request to its group's coordinator, return the answer.

    aiokafka takes the answer of a coordinator that is loading or moving for "no offset is committed": the whole topic
    would be read again. Raised, the error has it ask again.
    """
    response = await send(request)
    if isinstance(request, OffsetFetchRequest) and (code := getattr(response, "error_code", 0)):
        error = for_code(code)
        if error in (GroupCoordinatorNotAvailableError, NotCoordinatorForGroupError):
            coordinator.coordinator_dead()
        raise error("the committed offsets are not to be had")
    return response


class BoundedConsumer(AIOKafkaConsumer):  # type: ignore[misc]  # aiokafka ships no types
    """aiokafka's consumer, which buffers one response per partition, however many partitions and bytes that is."""

    async def start(self) -> None:
        """Start the consumer; nothing is fetched before it is assigned partitions."""
        await super().start()
        self._fetcher._client = _FetchesInBounds(self._client, self._fetcher)
        if self._group_id is not None:
            self._coordinator._send_req = partial(_answer, self._coordinator, self._coordinator._send_req)

    async def stop(self) -> None:
        """Stop the consumer; aiokafka's own breaks off where a fetch from a lost broker waits to be tried again."""
        try:
            await super().stop()
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            # It is the fetch that was cancelled; the group has been left before.
            await self._client.close()


class ReadCommittedThread(driver.AIOKafkaConsumerThread):
    """The thread that polls Kafka, with a consumer of our own making."""

    def _create_worker_consumer(self, transport: driver.Transport) -> AIOKafkaConsumer:
        settings = cast(ReadCommittedTransport, transport).settings
        use_for_fetching()
        return BoundedConsumer(
            **kafka.connection(settings),
            **kafka.fetching(settings),
            client_id=settings.app_id,
            group_id=settings.app_id,
            # Round robin lets workers of one group run different stages (`--stages`).
            partition_assignment_strategy=[RoundRobinPartitionAssignor],
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=int(settings.session_timeout * 1000),
            heartbeat_interval_ms=int(heartbeat_interval(settings) * 1000),
            # A rebalance waits this long for members that are at work; their batches are short and yield.
            rebalance_timeout_ms=int(settings.session_timeout * 1000),
            # Whether a worker makes progress is for liveness to judge, not for the group.
            max_poll_interval_ms=86_400_000,
        )

    async def _fetch_records(
        self,
        consumer: AIOKafkaConsumer,
        active_partitions: set[TP],
        timeout: float | None = None,
        max_records: int | None = None,  # noqa: ARG002  # Faust's signature
    ) -> dict[TP, list[Record]]:
        """Return what is there, one record after the other until it is much: a small batch may inflate to a large one.

        `timeout` is for the first one, seconds; Faust leaves `max_records` unset.
        """
        taken: dict[TP, list[Record]] = defaultdict(list)
        bytes_taken = 0
        while bytes_taken < TAKEN_BYTES:
            # aiokafka would wait for the new assignment here: records of the old one would come out as of the new one.
            if taken and consumer._subscription.reassignment_in_progress:
                break
            one = await super()._fetch_records(consumer, active_partitions, 0 if taken else timeout, max_records=1)
            if not one:
                break
            for partition, records in one.items():
                taken[partition] += records
                bytes_taken += sum(map(size, records))
        return taken

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Rewind every assigned partition to what the group has committed, to the beginning where that is nothing.

        aiokafka's own leaves partitions without a commit where they are. A fetch that was under way during the
        rebalance may have moved them on, and Faust has dropped what it brought: those records would be lost.
        """
        rewound: Mapping[TP, int] = await self.call_thread(self._rewind)
        return rewound

    async def _rewind(self) -> dict[Any, int | None]:
        consumer = self._ensure_consumer()
        offsets = {partition: await consumer.committed(partition) for partition in consumer.assignment()}
        # Without its coordinator's broker that takes so long that the next rebalance may have taken some away.
        still_assigned = consumer.assignment()
        offsets = {partition: offset for partition, offset in offsets.items() if partition in still_assigned}
        for partition, offset in offsets.items():
            if offset is not None:
                consumer.seek(partition, offset)
        if missing := [partition for partition, offset in offsets.items() if offset is None]:
            # One call for all: each waits for its answer.
            await consumer.seek_to_beginning(*missing)
        return offsets

    def has_given_up(self) -> bool:
        """Whether aiokafka's background work has ended for good, e.g. after a fatal error of the group."""
        consumer = self._consumer
        if consumer is None or consumer._coordinator is None:
            return False
        tasks = (
            getattr(consumer._coordinator, "_coordination_task", None),
            getattr(consumer._fetcher, "_fetch_task", None),
        )
        return any(task is not None and task.done() for task in tasks)


class ReadCommittedConsumer(driver.Consumer):
    """Faust's consumer with that thread, which takes no more records while it has too many bytes in hand.

    A record is in hand for as long as its message lives: in Faust's buffers, in a stage's batch.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  # Faust's signature
        super().__init__(*args, **kwargs)
        self._in_hand = 0

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> Mapping[TP, list[Record]]:
        until = time.monotonic() + timeout
        while self._in_hand >= IN_HAND_BYTES:
            if time.monotonic() > until:
                return {}
            await asyncio.sleep(PAUSE)
        taken: Mapping[TP, list[Record]] = await super()._getmany(active_partitions, timeout)
        return taken

    def _to_message(self, tp: TP, record: Record) -> Any:  # noqa: ANN401  # Faust's signature
        message = super()._to_message(tp, record)
        count = size(record)
        self._in_hand += count
        weakref.finalize(message, self._let_go, count).atexit = False
        return message

    def _let_go(self, count: int) -> None:
        self._in_hand -= count

    def _new_consumer_thread(self) -> ReadCommittedThread:
        return ReadCommittedThread(self, loop=self.loop, beacon=self.beacon)

    def has_given_up(self) -> bool:
        """Whether aiokafka's background work has ended for good: Faust would not notice."""
        return cast(ReadCommittedThread, self._thread).has_given_up()


class ReadCommittedTransport(driver.Transport):
    """Faust's transport with that consumer."""

    Consumer = ReadCommittedConsumer

    def __init__(self, *args: Any, settings: Settings, **kwargs: Any) -> None:  # noqa: ANN401  # Faust's signature
        super().__init__(*args, **kwargs)
        self.settings = settings
