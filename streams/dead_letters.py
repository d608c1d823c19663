"""Dead letters: listed, and sent back to where they failed.

A replay is a transaction like the line's own: the record goes back to its source topic and the replay's offset on
`articles.dead` moves on, together or not at all. So no dead letter is replayed twice by accident, also when a replay is
killed half-way. Refused ones (replayed too often) stay in the topic and are passed over.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from schemas import headers as h
from streams import kafka, topics
from streams.delivery.records import Headers, Incoming
from streams.line import newsflow_line
from streams.settings import Settings

BATCH = 100
"""Dead letters in one transaction of a replay at most."""
DEAD_LETTER_ONLY = frozenset(
    {
        h.ERROR_TOPIC,
        h.ERROR_PARTITION,
        h.ERROR_OFFSET,
        h.ERROR_STAGE,
        h.ERROR_CLASS,
        h.ERROR_EXCEPTION_CLASS,
        h.ERROR_EXCEPTION_MESSAGE,
        h.ERROR_EXCEPTION_STACKTRACE,
        h.REASON,
        h.REPLAYS,
        h.TRUNCATED,
    }
)
"""Headers that a replay takes off again."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record of `articles.dead`; `topic` to `message` say what failed, `waiting` that no replay has passed it."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    reason: str
    topic: str
    stage: str
    source: str
    message: str
    replays: int
    waiting: bool


@dataclass(frozen=True, slots=True)
class Replayed:
    """How a replay went: counts of records sent back and refused."""

    sent: int
    refused: int


def _group(settings: Settings) -> str:
    return f"{settings.app_id}-dead-replay"


def _dead_letter(record: ConsumerRecord, position: int) -> DeadLetter:
    read = Incoming(
        h.DEAD, record.partition, record.offset, record.timestamp, record.key, record.value, tuple(record.headers)
    )
    replays = read.header(h.REPLAYS) or "0"
    place = (read.header(h.ERROR_TOPIC) or "?", read.header(h.ERROR_PARTITION), read.header(h.ERROR_OFFSET))
    return DeadLetter(
        partition=record.partition,
        offset=record.offset,
        key=record.key,
        value=record.value,
        headers=read.headers,
        reason=read.header(h.REASON) or "?",
        topic=place[0],
        stage=read.header(h.ERROR_STAGE) or "?",
        source=f"{place[0]}/{place[1]}/{place[2]}",
        message=read.header(h.ERROR_EXCEPTION_MESSAGE) or "",
        replays=int(replays) if replays.isdecimal() and len(replays) < 10 else 0,
        waiting=record.offset >= position,
    )


async def _partitions(settings: Settings) -> list[TopicPartition]:
    topic = settings.topic(h.DEAD)
    description = (await topics.require(settings, h.DEAD))[topic]
    return [TopicPartition(topic, number) for number in sorted(p["partition"] for p in description["partitions"])]


async def _positions(settings: Settings, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
    """Return where the replays have come to. A consumer would take a coordinator that is loading for "nowhere"."""
    async with kafka.admin(settings) as admin:
        committed = await kafka.committed(admin, _group(settings), partitions)
    return {partition: max(offset.offset, 0) for partition, offset in committed.items()}


async def _until_end(
    consumer: AIOKafkaConsumer, ends: dict[TopicPartition, int]
) -> AsyncIterator[list[ConsumerRecord]]:
    """Yield batches until every partition's position has reached its end."""
    open_ = set(ends)
    while open_:
        batches = await consumer.getmany(*open_, timeout_ms=200, max_records=BATCH)
        records = [r for tp, part in batches.items() for r in part if r.offset < ends[tp]]
        if records:
            yield records
        open_ = {tp for tp in open_ if await consumer.position(tp) < ends[tp]}


async def listed(settings: Settings) -> AsyncIterator[DeadLetter]:
    """Yield every dead letter that is in the topic now, partition by partition, oldest first.

    Raises:
        BrokerUnavailable: no broker answers.
        TopicsMissing: the topic does not exist.
    """
    async with kafka.consumer(settings) as consumer:
        partitions = await _partitions(settings)
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        ends = await consumer.end_offsets(partitions)
        passed = {tp.partition: position for tp, position in (await _positions(settings, partitions)).items()}
        async for records in _until_end(consumer, ends):
            for record in records:
                yield _dead_letter(record, passed[record.partition])


async def replay(settings: Settings) -> Replayed:
    """Send every waiting dead letter back to its source topic; stop at the ends seen at the start.

    Raises:
        BrokerUnavailable: no broker answers.
        TopicsMissing: the topic does not exist.
    """
    sent = refused = 0
    sources = frozenset(newsflow_line(settings).topics)
    # Starting the producer ends a replay that another process has open; only then are the offsets final.
    async with (
        kafka.producer(settings, f"{settings.app_id}-dead-replay") as producer,
        kafka.consumer(settings) as consumer,
    ):
        partitions = await _partitions(settings)
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        for tp, position in (await _positions(settings, partitions)).items():
            consumer.seek(tp, position)
        async for records in _until_end(consumer, ends):
            letters = [_dead_letter(record, 0) for record in records]
            back = [letter for letter in letters if letter.topic in sources and _can_go_back(letter, settings)]
            async with producer.transaction():
                futures = [
                    await producer.send(
                        settings.topic(letter.topic), letter.value, letter.key, headers=list(_original_headers(letter))
                    )
                    for letter in back
                ]
                await asyncio.gather(*futures)
                await producer.send_offsets_to_transaction(_next_offsets(records), _group(settings))
            sent += len(back)
            refused += len(letters) - len(back)
    return Replayed(sent, refused)


def _can_go_back(letter: DeadLetter, settings: Settings) -> bool:
    """Whether the letter may be replayed: not too often already, and all of the original is there."""
    return letter.replays < settings.max_replays and all(name != h.TRUNCATED for name, _ in letter.headers)


def _next_offsets(records: Iterable[ConsumerRecord]) -> dict[TopicPartition, int]:
    return {TopicPartition(r.topic, r.partition): r.offset + 1 for r in records}


def _original_headers(letter: DeadLetter) -> Headers:
    kept = tuple((name, value) for name, value in letter.headers if name not in DEAD_LETTER_ONLY)
    return (*kept, (h.REPLAYS, str(letter.replays + 1).encode()))
