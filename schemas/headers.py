"""Names of the line's topics and of every header on their records, for all who write, read or describe them.

Events are CloudEvents in Kafka's binary mode: attributes are headers `ce_…`, the value is the event's JSON, the media
type is the header `content-type`. Dead letters carry the original headers and those of Kafka Connect's dead-letter
queue, so that tools made for one read the other. All header values are UTF-8 text.
"""

from typing import Final

from schemas.events import SCHEMA_VERSION

RAW: Final = "articles.raw"
PREPARED: Final = "articles.prepared"
ANNOTATED: Final = "articles.annotated"
ENRICHED: Final = "articles.enriched"
DEAD: Final = "articles.dead"
TOPICS: Final = (RAW, PREPARED, ANNOTATED, ENRICHED, DEAD)
"""All topics in the order of the line, without `NEWSFLOW_TOPIC_PREFIX`."""

CE_SPECVERSION: Final = "ce_specversion"
CE_ID: Final = "ce_id"
CE_SOURCE: Final = "ce_source"
CE_TYPE: Final = "ce_type"
CE_TIME: Final = "ce_time"
CE_SUBJECT: Final = "ce_subject"
CE_DATASCHEMA: Final = "ce_dataschema"
CONTENT_TYPE: Final = "content-type"
TRACEPARENT: Final = "traceparent"
TRACESTATE: Final = "tracestate"
REPLAYS: Final = "newsflow.replays"
"""How often `newsflow dead replay` sent the record back to its topic: a decimal number; absent means never."""

SPECVERSION: Final = "1.0"
"""The only value of `ce_specversion`."""
JSON: Final = "application/json"
"""The `content-type` of every event."""

ERROR_TOPIC: Final = "__connect.errors.topic"
ERROR_PARTITION: Final = "__connect.errors.partition"
ERROR_OFFSET: Final = "__connect.errors.offset"
ERROR_STAGE: Final = "__connect.errors.stage"
ERROR_CLASS: Final = "__connect.errors.class.name"
ERROR_EXCEPTION_CLASS: Final = "__connect.errors.exception.class.name"
ERROR_EXCEPTION_MESSAGE: Final = "__connect.errors.exception.message"
ERROR_EXCEPTION_STACKTRACE: Final = "__connect.errors.exception.stacktrace"
REASON: Final = "newsflow.reason"
"""A code of `DeadLetterReason`."""

TRUNCATED: Final = "newsflow.truncated"
"""On a dead letter that is not whole: the original's length in bytes where the topic could not take all of it, the
limit in bytes where a compressed batch inflates to more and was not read."""

TYPE_DELETED: Final = "newsflow.article.deleted"
"""The `ce_type` of a tombstone on any topic."""


def type_name(topic: str) -> str:
    """Return the `ce_type` of the events on a topic (its name without prefix), e.g. `newsflow.article.prepared`."""
    return f"newsflow.article.{topic.rpartition('.')[2]}"


def source(stage: str) -> str:
    """Return the `ce_source` of what a stage writes."""
    return f"urn:newsflow:line:{stage}"


def dataschema(topic: str) -> str:
    """Return the `$id` of a topic's JSON Schema, which is the `ce_dataschema` of its events.

    The topic is named without prefix: the same contract holds in every environment.
    """
    return f"urn:newsflow:schema:{topic}:{SCHEMA_VERSION}"
