"""The Faust app: one agent per stage, each feeding the partitions it is given. No decision about delivery is made here.

Faust's part is the consumer group, fetching and flow control. It never commits (its topics are declared with
`acks=False`) and never produces; both are `InputPartition`'s. An exception that reached Faust would acknowledge the
event, so none may: what `InputPartition` cannot handle ends the process.
"""

import asyncio
import logging
import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from typing import Any, cast

import faust
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata
from faust.auth import SASLCredentials, SSLCredentials
from faust.streams import Stream
from faust.types import EventT

from schemas.headers import DEAD
from streams import kafka
from streams.delivery import health
from streams.delivery.breaker import Breaker
from streams.delivery.consumer import ReadCommittedConsumer, ReadCommittedTransport, heartbeat_interval
from streams.delivery.enricher import Enricher
from streams.delivery.partition import InputPartition, Process
from streams.delivery.records import Headers, Incoming, Outgoing, fitting
from streams.errors import BreakerOpen
from streams.line import AnyStage, Line
from streams.settings import Settings
from streams.topics import TopicState

log = logging.getLogger(__name__)

EXIT_MUST_RESTART = 75
"""Exit code of a worker that met the unforeseen (EX_TEMPFAIL of sysexits.h); whoever started it starts it again."""
EXIT_BREAKER_OPEN = 78
"""Exit code of a worker whose stage dead-letters too much (EX_CONFIG of sysexits.h); a restart does not help."""
TRANSACTION_SECONDS = 0.5
"""After this long what is done of a batch is committed: it bounds latency, and what a rebalance has to wait for."""
TRANSACTION_BYTES = 1_048_576
"""Once the outputs of a transaction have this many bytes, it is committed: over a slow link, many of them must come
through at a time, each before our patience (`kafka.patience`) is over."""
MAX_BATCH_BYTES = 1_048_576
"""Largest record batch: one produce request for a transaction's output of a partition instead of one per article."""


def end_process(error: BaseException) -> None:
    """End this process at once, without giving Faust a chance to commit anything."""
    is_open = isinstance(error, BreakerOpen)
    log.critical("breaker open: %s" if is_open else "worker ends to be restarted: %s", error)
    logging.shutdown()
    sys.stderr.flush()
    os._exit(EXIT_BREAKER_OPEN if is_open else EXIT_MUST_RESTART)


class QuietMonitor(faust.Monitor):
    """Faust's monitor without its work per event; what we count is in `streams/metrics.py`."""

    def on_message_in(self, *_: Any) -> None:  # noqa: ANN401  # Faust's signature
        """Count nothing."""

    def on_message_out(self, *_: Any) -> None:  # noqa: ANN401  # Faust's signature
        """Count nothing."""

    def on_stream_event_in(self, *_: Any) -> None:  # noqa: ANN401  # Faust's signature
        """Count nothing."""

    def on_stream_event_out(self, *_: Any) -> None:  # noqa: ANN401  # Faust's signature
        """Count nothing."""


class Worker:
    """The stages that this process runs, on Faust.

    `enricher` runs their pure part; whoever makes the worker starts and stops it. `topics` is how the broker has the
    line's topics, by the line's names.
    """

    def __init__(
        self,
        settings: Settings,
        line: Line,
        stages: Sequence[AnyStage],
        enricher: Enricher,
        topics: dict[str, TopicState],
        web_port: int,
    ) -> None:
        self.settings = settings
        self.line = line
        self.stages = tuple(stages)
        self.partitions: dict[tuple[str, int], InputPartition] = {}
        self._topics = topics
        self._limits = {name: topic.max_message_bytes for name, topic in topics.items()}
        # One partition after the other, each committing while the next is at work: side by side, they would all finish
        # late, and in more transactions.
        self._turns = {stage.name: asyncio.Lock() for stage in stages}
        self._breakers = {stage.name: Breaker(settings, stage.name, line.reads(stage)) for stage in stages}
        self._admin = AIOKafkaAdminClient(**kafka.connection(settings))
        self._enricher = enricher
        self.app = self._new_app(web_port)
        for stage in self.stages:
            self._add_agent(stage)
        health.add_pages(self)

    def _new_app(self, web_port: int) -> faust.App:
        settings = self.settings
        brokers = ";".join(f"aiokafka://{address.strip()}" for address in settings.brokers.split(","))
        app = faust.App(
            settings.app_id,
            broker=brokers,
            broker_credentials=self._credentials(),
            broker_session_timeout=settings.session_timeout,
            broker_heartbeat_interval=heartbeat_interval(settings),
            Monitor=QuietMonitor,
            web_stats_enabled=False,
            web_graph_enabled=False,
            web_tables_enabled=False,
            web_router_enabled=False,
            web_metrics_enabled=False,
            store="memory://",
            # Faust makes a folder for tables, which the line has none of; not in the user's current one.
            datadir=tempfile.gettempdir() + "/newsflow-faust",
            topic_allow_declare=False,
            topic_disable_leader=True,
            stream_buffer_maxsize=max(64, 4 * settings.batch_size),
            stream_wait_empty=False,
            producer_linger=0.005,
            web_enabled=web_port > 0,
            web_host=settings.web_host,
            web_port=web_port or 6066,
            web_bind=settings.web_host,
            loop=asyncio.get_running_loop(),
        )
        app.transport = ReadCommittedTransport(app.conf.broker, app, settings=settings)
        return app

    def _credentials(self) -> SASLCredentials | SSLCredentials | None:
        settings = self.settings
        context = kafka.tls_context(settings)
        if settings.security_protocol.startswith("SASL"):
            # kafka.connection has checked that both are there.
            assert settings.sasl_password is not None
            return SASLCredentials(
                username=settings.sasl_username,
                password=settings.sasl_password.get_secret_value(),
                ssl_context=context,
                mechanism=settings.sasl_mechanism,
            )
        return SSLCredentials(context) if context else None

    def _add_agent(self, stage: AnyStage) -> None:
        channel = self.app.topic(
            self.settings.topic(self.line.reads(stage)), key_serializer="raw", value_serializer="raw", acks=False
        )
        self.app.agent(channel, name=stage.name)(partial(self._run, stage))

    async def _run(self, stage: AnyStage, stream: Stream[Any]) -> None:
        async for events in stream.take_events(self.settings.batch_size, within=self.settings.batch_wait):
            try:
                await self._handle(stage, events)
            except Exception as error:  # noqa: BLE001  # nothing may reach Faust, it would acknowledge the events
                end_process(error)

    async def _handle(self, stage: AnyStage, events: Sequence[EventT[Any]]) -> None:
        batches: dict[tuple[int, int], list[Incoming]] = defaultdict(list)
        topic = self.line.reads(stage)
        for event in events:
            message = event.message
            batches[message.partition, message.generation_id or 0].append(
                Incoming(
                    topic=topic,
                    partition=message.partition,
                    offset=message.offset,
                    timestamp=round((message.timestamp or 0) * 1000),
                    key=message.key,
                    value=message.value,
                    headers=tuple(cast(Headers, message.headers or ())),
                )
            )
        # Generations of one partition go one after another, partitions side by side.
        by_partition: dict[int, list[tuple[int, list[Incoming]]]] = defaultdict(list)
        for (partition, generation), records in sorted(batches.items(), key=lambda item: item[0]):
            by_partition[partition].append((generation, records))
        await asyncio.gather(
            *(self._handle_partition(stage, topic, partition, todo) for partition, todo in by_partition.items())
        )

    async def _handle_partition(
        self, stage: AnyStage, topic: str, partition: int, todo: list[tuple[int, list[Incoming]]]
    ) -> None:
        owner = self.partitions.get((topic, partition))
        if owner is None:
            owner = self.partitions[topic, partition] = InputPartition(
                self.settings,
                stage.name,
                topic,
                partition,
                max_batch_bytes=min(MAX_BATCH_BYTES, self._limits[stage.writes], self._limits[DEAD]),
                breaker=self._breakers[stage.name],
                process=self._processor(stage),
                committed=partial(self._committed, self._topics[topic].partitions),
                current_generation=lambda: int(self.app.consumer_generation_id),
            )
        for generation, records in todo:
            await owner.handle(records, generation)

    def _processor(self, stage: AnyStage) -> Process:
        limit = self._limits[stage.writes]
        turn = self._turns[stage.name]

        async def some(records: Sequence[Incoming]) -> list[Outgoing]:
            outgoing: list[Outgoing] = []
            size = 0
            async with turn:
                until = time.monotonic() + TRANSACTION_SECONDS
                while not outgoing or (
                    len(outgoing) < len(records) and time.monotonic() < until and size < TRANSACTION_BYTES
                ):
                    more = await self._enricher.enrich(stage, limit, records[len(outgoing) :])
                    size += sum(record.size for record in more)
                    outgoing += more
            return [fitting(record, self._limits[DEAD]) if record.reason else record for record in outgoing]

        return some

    async def _committed(self, count: int, own: TopicPartition) -> dict[TopicPartition, OffsetAndMetadata]:
        # A partition that was added after the start is `own` only.
        every = {own, *(TopicPartition(own.topic, number) for number in range(count))}
        return await kafka.committed(self._admin, self.settings.app_id, sorted(every))

    async def _until_consumer_gives_up(self) -> None:
        seen = 0
        while seen < 3:
            await asyncio.sleep(1)
            seen = seen + 1 if cast(ReadCommittedConsumer, self.app.consumer).has_given_up() else 0

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set, then leave the group; batches in hand are abandoned, their transactions aborted."""
        try:
            await self._admin.start()
        except (KafkaError, OSError) as error:
            # The broker went while the models were loaded.
            end_process(kafka.unavailable(self.settings, error))
        await self.app.start()
        stopped = asyncio.create_task(stop.wait())
        crashed = asyncio.create_task(self.app.wait_until_stopped())
        given_up = asyncio.create_task(self._until_consumer_gives_up())
        await asyncio.wait({stopped, crashed, given_up}, return_when=asyncio.FIRST_COMPLETED)
        if not stop.is_set():
            end_process(self.app.crash_reason or RuntimeError("the Kafka consumer or Faust stopped by itself"))
        for task in (stopped, crashed, given_up):
            task.cancel()
        await self.app.stop()
        await asyncio.gather(*(partition.close() for partition in self.partitions.values()))
        await self._admin.close()
