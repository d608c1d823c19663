"""A line that runs on a real Kafka: topics of its own, a worker of its own, records in, outcomes out."""

import asyncio
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from streams import topics
from streams.line import newsflow_line
from streams.settings import Settings
from streams.worker_child import WorkerChild

PATIENCE = 90.0
"""Seconds that a test waits for a record; reached only when it will not come."""


@dataclass(frozen=True)
class Outcome:
    """A committed record of `articles.enriched` or `articles.dead`."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]

    @property
    def header(self) -> dict[str, str]:
        return {name: (value or b"").decode("utf-8", "replace") for name, value in self.headers}

    @property
    def is_dead(self) -> bool:
        return self.topic.endswith("articles.dead")

    @property
    def event(self) -> dict[str, Any]:
        assert not self.is_dead, self.header
        assert self.value is not None
        return dict(orjson.loads(self.value))


@dataclass
class Sent:
    """A record for `articles.raw`; each is told from the others by a `traceparent` of its own."""

    value: bytes | None
    key: bytes | None = None
    headers: tuple[tuple[str, bytes | None], ...] = ()
    trace: str = field(default_factory=lambda: f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01")


class RunningLine:
    """Topics with a prefix of their own on the given broker, and a worker for them."""

    def __init__(self, brokers: str, home: Path, program: Sequence[str] = ("-m", "streams"), **changed: Any) -> None:
        name = f"t{secrets.token_hex(3)}"
        given = {"web_port": 0} | changed
        self.settings = Settings(brokers=brokers, home=home, topic_prefix=f"{name}.", app_id=name, **given)
        self.worker = WorkerChild(self.settings, home / f"{name}.log", program=program)

    def create_topics(self) -> None:
        asyncio.run(topics.create(self.settings, newsflow_line(self.settings)))

    def limit_topic(self, topic: str, max_message_bytes: int) -> None:
        self.configure_topic(topic, {"max.message.bytes": str(max_message_bytes)})

    def configure_topic(self, topic: str, configs: dict[str, str]) -> None:
        """Give a topic these settings; all others of it fall back to the broker's."""

        async def run() -> None:
            admin = AIOKafkaAdminClient(bootstrap_servers=self.settings.brokers)
            await admin.start()
            name = self.settings.topic(topic)
            resource = ConfigResource(ConfigResourceType.TOPIC, name, configs=configs)
            await admin.alter_configs([resource])
            await admin.close()

        asyncio.run(run())

    def process(self, *records: Sent, compression: str | None = None) -> list[Outcome]:
        """Publish the records and return the outcome of each, in the order of the records."""
        return asyncio.run(self._process(records, compression))

    async def _process(self, records: Sequence[Sent], compression: str | None) -> list[Outcome]:
        outputs = [self.settings.topic("articles.enriched"), self.settings.topic("articles.dead")]
        consumer = AIOKafkaConsumer(
            *outputs,
            bootstrap_servers=self.settings.brokers,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
        )
        await consumer.start()
        found: dict[str, Outcome] = {}
        try:
            await self.publish(records, compression)
            wanted = {record.trace for record in records}
            deadline = time.monotonic() + PATIENCE
            while wanted - set(found):
                assert time.monotonic() < deadline, (
                    f"{len(wanted - set(found))} of {len(records)} records did not come through;\n"
                    + self.worker.log_text()[-3000:]
                )
                self.worker.check()
                for batch in (await consumer.getmany(timeout_ms=200)).values():
                    for r in batch:
                        trace = dict(r.headers).get("traceparent", b"").decode()
                        assert trace not in found or trace not in wanted, f"doubled: {r}"
                        found[trace] = Outcome(r.topic, r.partition, r.offset, r.key, r.value, tuple(r.headers))
        finally:
            await consumer.stop()
        return [found[record.trace] for record in records]

    async def publish(self, records: Sequence[Sent], compression: str | None = None) -> None:
        """Append the records to `articles.raw` in their order; all of them are acknowledged afterwards."""
        producer = AIOKafkaProducer(
            bootstrap_servers=self.settings.brokers,
            enable_idempotence=True,
            max_request_size=2**25,
            compression_type=compression,
        )
        await producer.start()
        topic = self.settings.topic("articles.raw")
        try:
            acknowledged = [
                await producer.send(
                    topic, record.value, record.key, headers=[*record.headers, ("traceparent", record.trace.encode())]
                )
                for record in records
            ]
            await asyncio.gather(*acknowledged)
        finally:
            await producer.stop()

    def __enter__(self) -> "RunningLine":
        self.create_topics()
        self.worker.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.worker.stop()
