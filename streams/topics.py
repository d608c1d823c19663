"""The line's topics on a broker: created with their settings, checked before anything runs on them."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TopicAlreadyExistsError, for_code

from schemas.headers import DEAD, RAW
from streams import kafka
from streams.errors import TopicsMissing
from streams.line import Line
from streams.settings import Settings

DEAD_LETTER_HEADERS = 65_536
"""Bytes by which dead letters may outgrow their original: the headers that say what happened."""

KNOWN_WITHIN = 15.0
"""Seconds that a new topic may take to appear in the metadata."""


@dataclass(frozen=True, slots=True)
class TopicState:
    """A topic as the broker has it; `max_message_bytes` is its `max.message.bytes`."""

    name: str
    partitions: int
    max_message_bytes: int


async def create(settings: Settings, line: Line) -> list[str]:
    """Create those of the line's topics that do not exist; return the names of the created ones.

    Raises:
        BrokerUnavailable: no broker answers.
        TopicsMissing: the broker refuses to create one.
    """
    created = []
    async with kafka.admin(settings) as admin:
        for topic in line.topics:
            name = settings.topic(topic)
            response = await admin.create_topics([_new_topic(settings, topic)])
            _, code, *message = response.topic_errors[0]
            if code == 0:
                created.append(name)
            elif code != TopicAlreadyExistsError.errno:
                raise TopicsMissing(
                    f"The broker refuses to create {name}: {for_code(code).__name__} {message[0] or ''}. "
                    "Look at NEWSFLOW_PARTITIONS and NEWSFLOW_REPLICATION."
                )
        await _wait_until_known(admin, created)
    return created


async def _wait_until_known(admin: AIOKafkaAdminClient, names: list[str]) -> None:
    """Wait for the metadata of topics just created: brokers learn of them a moment after the controller."""
    deadline = time.monotonic() + KNOWN_WITHIN
    while names and any(topic["error_code"] for topic in await admin.describe_topics(names)):
        if time.monotonic() > deadline:
            raise TopicsMissing(
                f"Created, but still unknown to the broker after {KNOWN_WITHIN:.0f} s: {', '.join(names)}."
            )
        await asyncio.sleep(0.1)


def _new_topic(settings: Settings, topic: str) -> NewTopic:
    extra = DEAD_LETTER_HEADERS if topic == DEAD else 0
    retention = -1 if settings.retention_days < 0 else round(settings.retention_days * 86_400_000)
    replication = settings.replication
    # What workers write is stamped by the broker: Kafka refuses records of a clock that is an hour fast, and a worker
    # with such a clock could write nothing at all. Raw records keep the time that their publisher gave them.
    stamped = "CreateTime" if topic == RAW else "LogAppendTime"
    return NewTopic(
        name=settings.topic(topic),
        num_partitions=settings.partitions,
        replication_factor=replication,
        topic_configs={
            "cleanup.policy": "delete",
            "message.timestamp.type": stamped,
            "max.message.bytes": str(settings.max_message_bytes + extra),
            "min.insync.replicas": str(max(1, replication - 1)),
            "retention.ms": str(retention),
        },
    )


async def require(settings: Settings, *topics: str) -> dict[str, Any]:
    """Make sure that those of the line's topics exist; return what the broker says of them, by full name.

    Raises:
        BrokerUnavailable: no broker answers.
        TopicsMissing: one does not exist.
    """
    async with kafka.admin(settings) as admin:
        return await _described(settings, admin, topics)


async def max_message_bytes(settings: Settings, topic: str) -> int:
    """Return the `max.message.bytes` of one of the line's topics.

    Raises:
        BrokerUnavailable: no broker answers.
        TopicsMissing: it does not exist, or the broker does not tell.
    """
    async with kafka.admin(settings) as admin:
        await _described(settings, admin, [topic])
        return await _max_message_bytes(admin, settings.topic(topic))


async def _described(settings: Settings, admin: AIOKafkaAdminClient, topics: Sequence[str]) -> dict[str, Any]:
    """Return what the broker says of the line's topics, by their names with prefix; raise TopicsMissing."""
    # Of all topics: asked for by its name, a missing one is created by brokers that are so set, in their own way.
    known = {topic["topic"]: topic for topic in await admin.describe_topics() if not topic["error_code"]}
    names = [settings.topic(topic) for topic in topics]
    if missing := [name for name in names if name not in known]:
        raise TopicsMissing(
            f"Missing on {settings.brokers}: {', '.join(sorted(missing))}. Create them with `newsflow topics`."
        )
    return {name: known[name] for name in names}


async def check(settings: Settings, line: Line) -> dict[str, TopicState]:
    """Return the state of each of the line's topics, by the line's name.

    Raises:
        BrokerUnavailable: no broker answers.
        TopicsMissing: one does not exist, or dead letters could not hold what another topic holds.
    """
    async with kafka.admin(settings) as admin:
        described = await _described(settings, admin, line.topics)
        states = {
            topic: TopicState(
                settings.topic(topic),
                len(described[settings.topic(topic)]["partitions"]),
                await _max_message_bytes(admin, settings.topic(topic)),
            )
            for topic in line.topics
        }
    largest = max(state.max_message_bytes for topic, state in states.items() if topic != DEAD)
    if states[DEAD].max_message_bytes < largest + DEAD_LETTER_HEADERS:
        raise TopicsMissing(
            f"{settings.topic(DEAD)} must be able to hold every other topic's records and {DEAD_LETTER_HEADERS} bytes "
            f"of headers: raise its max.message.bytes from {states[DEAD].max_message_bytes} to at least "
            f"{largest + DEAD_LETTER_HEADERS}."
        )
    return states


async def _max_message_bytes(admin: AIOKafkaAdminClient, topic: str) -> int:
    responses = await admin.describe_configs(
        [ConfigResource(ConfigResourceType.TOPIC, topic, configs={"max.message.bytes": ""})]
    )
    for response in responses:
        for _, _, _, _, entries in response.resources:
            for name, value, *_ in entries:
                if name == "max.message.bytes":
                    return int(value)
    raise TopicsMissing(f"The broker does not tell max.message.bytes of {topic}; DescribeConfigs must be allowed.")
