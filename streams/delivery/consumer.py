"""Faust's consumer, made read_committed. Faust sets that only in its own exactly_once mode, which loses events.

Faust's own extension points are used: `app.transport`, `Transport.Consumer`, `Consumer._new_consumer_thread`,
`ConsumerThread._create_worker_consumer` and `.seek_to_committed` (faust-streaming 0.15.3,
`faust/transport/drivers/aiokafka.py`). Only `has_given_up` looks inside aiokafka, which has no other way to tell.
"""

from collections.abc import Mapping
from typing import Any, cast

from aiokafka import AIOKafkaConsumer
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from streams import kafka
from streams.settings import Settings


def heartbeat_interval(settings: Settings) -> float:
    """Return seconds between heartbeats: a third of the session timeout, as Kafka advises."""
    return settings.session_timeout / 3


class ReadCommittedThread(driver.AIOKafkaConsumerThread):
    """The thread that polls Kafka, with a consumer of our own making."""

    def _create_worker_consumer(self, transport: driver.Transport) -> AIOKafkaConsumer:
        settings = cast(ReadCommittedTransport, transport).settings
        return AIOKafkaConsumer(
            **kafka.connection(settings),
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
    """Faust's consumer with that thread."""

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
