"""Raw articles onto `articles.raw`: idempotent, in the order given."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from schemas.headers import RAW
from streams import kafka, topics
from streams.article_files import ArticleFile
from streams.errors import InputError
from streams.settings import Settings

IN_FLIGHT = 200
"""Records that are sent before the first of them must be acknowledged, at most."""
IN_FLIGHT_BYTES = 32 * 1024 * 1024
"""Bytes of which the same holds; a broker takes no request of more than 100 MiB (`socket.request.max.bytes`)."""
BATCH_HEAD = 61
"""Bytes of a batch before its records."""
PATIENCE = 120.0
"""Seconds within which a record must be acknowledged."""

Headers = list[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class _Record:
    """An article as it is sent; `size` is that of a batch with it alone, bytes."""

    place: str
    key: bytes | None
    value: bytes
    headers: Headers
    size: int


async def publish(
    settings: Settings,
    articles: Sequence[ArticleFile],
    done: Callable[[int], None] = lambda _: None,
    headers: Callable[[int], Headers] = lambda _: [],
) -> None:
    """Append the articles to `articles.raw`; `done` hears how many more are acknowledged.

    `headers` gives extra headers for the article at an index. Nothing is sent where one of the articles is too large.

    Raises:
        BrokerUnavailable: no broker answers (any more).
        TopicsMissing: `articles.raw` does not exist.
        InputError: an article is larger than the topic takes.
    """
    limit = await topics.max_message_bytes(settings, RAW)
    records = [_record(article, headers(index)) for index, article in enumerate(articles)]
    _refuse_giants([record for record in records if record.size > limit], settings.topic(RAW), limit)
    async with kafka.producer(settings, max_batch_bytes=min(kafka.BATCH_BYTES, limit)) as producer:
        for part in _parts(records):
            for record, future in await _sent(producer, settings.topic(RAW), part):
                try:
                    await asyncio.wait_for(future, PATIENCE)
                except MessageSizeTooLargeError:
                    raise InputError(
                        f"{record.place}: {record.size} bytes are more than {settings.topic(RAW)} takes any more: its "
                        "max.message.bytes was lowered just now. Articles before it were published, of those after it "
                        "perhaps some."
                    ) from None
                except (KafkaError, TimeoutError) as error:
                    raise kafka.unavailable(
                        settings, f"{record.place} was not acknowledged; all articles before it were ({error!r})"
                    ) from None
            done(len(part))


async def _sent(
    producer: AIOKafkaProducer, topic: str, records: Sequence[_Record]
) -> list[tuple[_Record, asyncio.Future[Any]]]:
    """Send the records in order, up to the first that finds no room as the broker is away; return them with answers."""
    sent: list[tuple[_Record, asyncio.Future[Any]]] = []
    for record in records:
        try:
            answer = await producer.send(topic, record.value, record.key, headers=record.headers)
        except KafkaError as error:
            answer = asyncio.get_running_loop().create_future()
            answer.set_exception(error)
            # Taken note of, in case a record before it fails and nobody asks for this answer.
            answer.exception()
            return [*sent, (record, answer)]
        sent.append((record, answer))
    return sent


def _record(article: ArticleFile, headers: Headers) -> _Record:
    content_type = article.raw.content_type
    headers = [*([("content-type", content_type.encode())] if content_type else []), *headers]
    key, value = article.key(), article.raw.value
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, kafka.BATCH_BYTES)
    return _Record(article.place, key, value, headers, BATCH_HEAD + builder.size_in_bytes(0, 0, key, value, headers))


def _refuse_giants(giants: Sequence[_Record], topic: str, limit: int) -> None:
    if giants:
        others = f" So are {len(giants) - 1} others." if giants[1:] else ""
        raise InputError(
            f"{giants[0].place}: {giants[0].size} bytes are more than {topic} takes (max.message.bytes: {limit})."
            f"{others} Nothing was published."
        )


def _parts(records: Sequence[_Record]) -> Iterator[list[_Record]]:
    """Yield the records in parts that may be in flight at once, one record at least."""
    part: list[_Record] = []
    size = 0
    for record in records:
        if part and (len(part) >= IN_FLIGHT or size + record.size > IN_FLIGHT_BYTES):
            yield part
            part, size = [], 0
        part.append(record)
        size += record.size
    if part:
        yield part
