"""One record in, one record out: decoding, the stage, encoding, CloudEvents headers and dead letters. Pure.

A CloudEvent travels in Kafka's binary mode: attributes are `ce_…` headers, the value is the event itself
(CloudEvents Kafka protocol binding 1.0.2, section 3.2).
"""

import traceback
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from pydantic import ValidationError

from schemas import DeadLetterReason, PreparedEvent, encode
from schemas import headers as h
from streams.errors import ArticleRejected
from streams.line import AnyStage, Line
from streams.stage import RawArticle

Headers = tuple[tuple[str, bytes | None], ...]
"""Record headers in their order; names may repeat, and Kafka allows null values."""

CE_ID_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:newsflow:event")
"""Namespace of the deterministic `ce_id`."""

CARRIED = (h.TRACEPARENT, h.TRACESTATE, h.REPLAYS)
"""Headers that travel from a record to what is made of it."""

RECORD_OVERHEAD = 512
"""Bytes that a batch and a record add at most to key, value and headers (Kafka protocol: 61 for the batch, under 40
for the record, 10 per header)."""

STACKTRACE_LIMIT = 4_096
"""Characters of a message (its beginning) and of a stack trace (its end) that a dead letter's headers keep."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A record as it was read; `topic` is the line's name without prefix, `timestamp` milliseconds since the epoch."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers

    def header(self, name: str) -> str | None:
        """Return the last header of that name (case-insensitive) as text, None where there is none."""
        for key, value in reversed(self.headers):
            if key.lower() == name:
                return None if value is None else value.decode("utf-8", "replace")
        return None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A record to write; `topic` is the line's name without prefix. `reason` is set for a dead letter."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers
    reason: DeadLetterReason | None = None

    @property
    def size(self) -> int:
        """Upper bound of the record's size in a batch of its own, bytes."""
        headers = sum(len(name.encode()) + len(value or b"") + 10 for name, value in self.headers)
        return len(self.key or b"") + len(self.value or b"") + headers + RECORD_OVERHEAD


def process(line: Line, stage: AnyStage, record: Incoming, max_bytes: int) -> Outgoing:
    """Return what `stage` makes of the record: its event, a tombstone, or a dead letter. Never raises.

    `max_bytes` is the `max.message.bytes` of the topic that the stage writes.
    """
    try:
        if record.header(h.TRUNCATED) is not None:
            raise ArticleRejected(
                DeadLetterReason.TOO_LARGE,
                f"this is no whole article ({h.TRUNCATED}): it was cut, or it came in a compressed batch that is too "
                "large when inflated; then the value of the batch's first dead letter is the batch as it lay in Kafka",
            )
        outgoing = _tombstone(line, stage, record) if record.value is None else _enrich(line, stage, record)
        if outgoing.size > max_bytes:
            raise ArticleRejected(
                DeadLetterReason.OUTPUT_TOO_LARGE,
                f"the event of stage {stage.name} has {outgoing.size} bytes, {stage.writes} takes {max_bytes} "
                "(max.message.bytes)",
            )
    except ArticleRejected as error:
        return dead_letter(stage, record, error.reason, error)
    except Exception as error:  # noqa: BLE001  # a fault of the enricher must cost one article, not the batch
        return dead_letter(stage, record, DeadLetterReason.ENRICHER_FAILED, error)
    return outgoing


def _enrich(line: Line, stage: AnyStage, record: Incoming) -> Outgoing:
    assert record.value is not None
    before = line.before(stage)
    event: RawArticle | PreparedEvent
    if before is None:
        event = RawArticle(record.value, record.header("content-type"))
    else:
        try:
            event = before.event.model_validate_json(record.value)
        except ValidationError as error:
            raise ArticleRejected(
                DeadLetterReason.INVALID_EVENT,
                f"the record does not match the schema of {before.writes}: "
                + "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_url=False)[:5]),
            ) from None
    enriched = stage.enrich(event)
    article = enriched.article
    content = enriched.provenance[0].input_sha256
    return Outgoing(
        topic=stage.writes,
        key=article.id.encode() if record.key is None else record.key,
        value=encode(enriched),
        headers=_headers(line, stage, record, event_id=f"{article.id}\n{content}", subject=article.id, deleted=False),
    )


def _tombstone(line: Line, stage: AnyStage, record: Incoming) -> Outgoing:
    if record.key is None:
        raise ArticleRejected(
            DeadLetterReason.TOMBSTONE_WITHOUT_KEY, "the record has neither key nor value, so it deletes nothing"
        )
    # A tombstone has no content to be known by. Its place in the log is one: a second deletion of the same article
    # is another event, a replay of the line over the same log is not.
    origin = record.header(h.CE_ID) or f"{record.topic}/{record.partition}/{record.offset}"
    return Outgoing(
        topic=stage.writes,
        key=record.key,
        value=None,
        headers=_headers(
            line,
            stage,
            record,
            event_id=f"{record.key.hex()}\n{origin}",
            subject=record.key.decode("utf-8", "replace"),
            deleted=True,
        ),
    )


def _headers(line: Line, stage: AnyStage, record: Incoming, event_id: str, subject: str, deleted: bool) -> Headers:
    first = line.before(stage) is None
    # The time of the occurrence is when the raw article was appended, carried along: no stage looks at a clock.
    time = None if first else record.header(h.CE_TIME)
    made = {
        h.CE_SPECVERSION: h.SPECVERSION,
        h.CE_ID: str(uuid.uuid5(CE_ID_NAMESPACE, f"{event_id}\n{stage.name}\n{line.version}")),
        h.CE_SOURCE: h.source(stage.name),
        h.CE_TYPE: h.TYPE_DELETED if deleted else h.type_name(stage.writes),
        h.CE_TIME: time or rfc3339(record.timestamp),
        h.CE_SUBJECT: subject,
        h.CE_DATASCHEMA: h.dataschema(stage.writes),
        h.CONTENT_TYPE: h.JSON,
    }
    carried = [(name, value) for name, value in record.headers if name.lower() in CARRIED]
    return (*((name, text.encode()) for name, text in made.items()), *carried)


def rfc3339(timestamp: int) -> str:
    """Return milliseconds since the epoch as RFC 3339 in UTC, e.g. `2024-11-08T10:00:00.000Z`."""
    seconds, milliseconds = divmod(timestamp, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{milliseconds:03d}Z"


def dead_letter(stage: AnyStage, record: Incoming, reason: DeadLetterReason, error: BaseException) -> Outgoing:
    """Return the dead letter of a record: key, value and headers as they were, and why in Kafka Connect's headers."""
    described: Sequence[tuple[str, str]] = (
        (h.ERROR_TOPIC, record.topic),
        (h.ERROR_PARTITION, str(record.partition)),
        (h.ERROR_OFFSET, str(record.offset)),
        (h.ERROR_STAGE, stage.name),
        (h.ERROR_CLASS, f"{type(stage).__module__}.{type(stage).__qualname__}"),
        (h.ERROR_EXCEPTION_CLASS, f"{type(error).__module__}.{type(error).__qualname__}"),
        (h.ERROR_EXCEPTION_MESSAGE, str(error)[:STACKTRACE_LIMIT]),
        (h.ERROR_EXCEPTION_STACKTRACE, "".join(traceback.format_exception(error))[-STACKTRACE_LIMIT:]),
        (h.REASON, reason.value),
    )
    ours = {name for name, _ in described}
    kept = tuple((name, value) for name, value in record.headers if name not in ours)
    return Outgoing(
        topic=h.DEAD,
        key=record.key,
        # The client library cannot write a record with neither key nor value; an empty value is as near as it gets.
        value=b"" if record.key is None and record.value is None else record.value,
        headers=(*kept, *((name, text.encode("utf-8", "replace")) for name, text in described)),
        reason=reason,
    )


def fitting(record: Outgoing, max_bytes: int) -> Outgoing:
    """Return a dead letter that its topic takes: cut where even that topic is too small for it.

    That happens only where the original was compressed on its way in: `max.message.bytes` is about compressed batches.
    The header `newsflow.truncated` then holds the original length in bytes.
    """
    if record.size <= max_bytes:
        return record
    length = len(record.value or b"")
    cut = replace(record, headers=(*record.headers, (h.TRUNCATED, str(length).encode())))
    cut = replace(cut, value=(cut.value or b"")[: max(0, length - (cut.size - max_bytes))])
    if cut.size > max_bytes:
        # Then it is the original's headers or its key that are giants.
        cut = replace(cut, headers=tuple(x for x in cut.headers if x[0].startswith(("__connect.", "newsflow."))))
    return replace(cut, key=None) if cut.size > max_bytes else cut
