"""Why a record became a dead letter: the codes that `newsflow.reason` can hold."""

from enum import StrEnum


class DeadLetterReason(StrEnum):
    """The value of the header `newsflow.reason` on `articles.dead`; one code per cause, never reworded."""

    UNDECODABLE = "undecodable"
    """The bytes are text in none of the character sets that were tried."""
    BROKEN_JSON = "broken_json"
    """The body claims or appears to be JSON and does not parse."""
    JSON_NOT_OBJECT = "json_not_object"
    """The body is valid JSON, but an array, string, number, boolean or null."""
    TOO_DEEP = "too_deep"
    """The JSON nests deeper than `NEWSFLOW_MAX_JSON_DEPTH` levels."""
    EMPTY = "empty"
    """There is no text: the body is empty, blank, markup only, or only paragraphs that are not the article."""
    TOO_LARGE = "too_large"
    """The text is longer than `NEWSFLOW_MAX_TEXT_LENGTH` characters."""
    OUTPUT_TOO_LARGE = "output_too_large"
    """The event that the stage made is larger than its topic's `max.message.bytes`."""
    TOMBSTONE_WITHOUT_KEY = "tombstone_without_key"
    """A null value with a null key: it deletes nothing."""
    INVALID_EVENT = "invalid_event"
    """A record on a topic between stages does not match that topic's schema."""
    ENRICHER_FAILED = "enricher_failed"
    """The stage raised an exception; its class and message are in the `__connect.errors.exception.*` headers."""
    TOO_SLOW = "too_slow"
    """The stage took longer than the deadline for one article."""
