"""One record in, one record out: headers, keys, tombstones and dead letters, without Kafka."""

import uuid
from typing import Any

import pytest

from schemas import Article, DeadLetterReason, EnrichedEvent, PreparedEvent
from schemas import headers as h
from streams.delivery.records import Incoming, Outgoing, fitting, process
from streams.errors import ArticleRejected
from streams.line import Line
from streams.stage import RawArticle, Stage

LIMIT = 1_000_000
SHA = "0" * 64


class Read(Stage[RawArticle, PreparedEvent]):
    """A first stage that takes UTF-8 and obeys what the text tells it to do."""

    name, version, writes, event = "prepare", "1", "articles.prepared", PreparedEvent

    def load(self) -> None: ...

    def models(self) -> tuple[()]:
        return ()

    def enrich(self, event: RawArticle) -> PreparedEvent:
        text = event.value.decode()
        if text == "refuse":
            raise ArticleRejected(DeadLetterReason.EMPTY, "nothing here")
        if text == "fail":
            raise ZeroDivisionError("a bug")
        article = Article(
            id="a1", source=None, url=None, title=None, author=None, published_at=None, fetched_at=None, language="en",
            text=text, text_sha256=SHA, removed=(), warnings=(), metadata={},
        )  # fmt: skip
        return PreparedEvent(article=article, skipped={}, provenance=(self.provenance(event.value),))


class Finish(Stage[PreparedEvent, EnrichedEvent]):
    name, version, writes, event = "classify", "1", "articles.enriched", EnrichedEvent

    def load(self) -> None: ...

    def models(self) -> tuple[()]:
        return ()

    def enrich(self, event: PreparedEvent) -> EnrichedEvent:
        return EnrichedEvent(
            article=event.article,
            skipped=event.skipped,
            provenance=(*event.provenance, self.provenance(b"")),
            entities=(),
            topics=(),
            main_event=None,
        )


LINE = Line((Read(), Finish()))
READ, FINISH = LINE.stages


def incoming(value: bytes | None, key: bytes | None = None, **changed: Any) -> Incoming:
    fields: dict[str, Any] = {"topic": "articles.raw", "partition": 2, "offset": 7, "timestamp": 1_731_060_000_123}
    return Incoming(**fields | {"key": key, "value": value, "headers": ()} | changed)


def headers_of(record: Outgoing) -> dict[str, str]:
    return {name: (value or b"").decode() for name, value in record.headers}


def test_an_event_is_a_cloudevent_in_binary_mode() -> None:
    record = process(LINE, READ, incoming(b"text"), LIMIT)
    headers = headers_of(record)
    assert record.topic == "articles.prepared"
    assert headers["ce_specversion"] == "1.0"
    assert headers["ce_type"] == "newsflow.article.prepared"
    assert headers["ce_source"] == "urn:newsflow:line:prepare"
    assert headers["ce_subject"] == "a1"
    assert headers["ce_time"] == "2024-11-08T10:00:00.123Z"
    assert headers["ce_dataschema"] == h.dataschema("articles.prepared")
    assert headers["content-type"] == "application/json"
    assert uuid.UUID(headers["ce_id"]).version == 5


def test_the_time_of_the_raw_record_travels_to_the_end() -> None:
    prepared = process(LINE, READ, incoming(b"text"), LIMIT)
    later = incoming(prepared.value, prepared.key, topic="articles.prepared", headers=prepared.headers, timestamp=9e12)
    assert headers_of(process(LINE, FINISH, later, LIMIT))["ce_time"] == "2024-11-08T10:00:00.123Z"


def test_replaying_a_record_gives_the_same_record_wherever_it_lies() -> None:
    first = process(LINE, READ, incoming(b"text"), LIMIT)
    assert process(LINE, READ, incoming(b"text", offset=900, partition=1), LIMIT) == first


@pytest.mark.parametrize(("one", "other"), [(b"text", b"text "), (b"text", b"other")])
def test_another_content_is_another_event(one: bytes, other: bytes) -> None:
    ids = {headers_of(process(LINE, READ, incoming(value), LIMIT))["ce_id"] for value in (one, other)}
    assert len(ids) == 2


def test_each_stage_has_its_own_event_id() -> None:
    prepared = process(LINE, READ, incoming(b"text"), LIMIT)
    enriched = process(LINE, FINISH, incoming(prepared.value, prepared.key, headers=prepared.headers), LIMIT)
    assert headers_of(prepared)["ce_id"] != headers_of(enriched)["ce_id"]


def test_the_raw_key_is_kept_and_the_article_id_stands_in_for_a_missing_one() -> None:
    assert process(LINE, READ, incoming(b"text", b"\xff\x00 mine"), LIMIT).key == b"\xff\x00 mine"
    assert process(LINE, READ, incoming(b"text"), LIMIT).key == b"a1"


def test_trace_context_is_carried_and_other_headers_are_not() -> None:
    given = (("traceparent", b"00-1-2-01"), ("tracestate", b"x=y"), ("cookie", b"secret"))
    headers = headers_of(process(LINE, READ, incoming(b"text", headers=given), LIMIT))
    assert (headers["traceparent"], headers["tracestate"]) == ("00-1-2-01", "x=y")
    assert "cookie" not in headers


def test_a_tombstone_travels_with_its_key() -> None:
    record = process(LINE, READ, incoming(None, b"k"), LIMIT)
    assert (record.topic, record.key, record.value, record.reason) == ("articles.prepared", b"k", None, None)
    again = process(LINE, FINISH, incoming(None, b"k", topic="articles.prepared", headers=record.headers), LIMIT)
    assert (again.topic, again.key, again.value) == ("articles.enriched", b"k", None)
    assert headers_of(again)["ce_type"] == "newsflow.article.deleted"


def test_two_deletions_of_one_article_are_two_events() -> None:
    ids = {headers_of(process(LINE, READ, incoming(None, b"k", offset=n), LIMIT))["ce_id"] for n in (1, 2)}
    assert len(ids) == 2


def test_a_tombstone_without_key_becomes_a_dead_letter() -> None:
    record = process(LINE, READ, incoming(None), LIMIT)
    assert (record.topic, record.reason) == ("articles.dead", DeadLetterReason.TOMBSTONE_WITHOUT_KEY)


@pytest.mark.parametrize(
    ("body", "reason", "exception"),
    [
        (b"refuse", "empty", "streams.errors.ArticleRejected"),
        (b"fail", "enricher_failed", "builtins.ZeroDivisionError"),
        (b"\xff", "enricher_failed", "builtins.UnicodeDecodeError"),
    ],
)
def test_a_dead_letter_keeps_everything_and_says_why(body: bytes, reason: str, exception: str) -> None:
    given = (("x", b"\x00\xff"), ("x", b"again"), ("traceparent", b"00-1-2-01"))
    record = process(LINE, READ, incoming(body, b"key", headers=given), LIMIT)
    assert (record.topic, record.key, record.value) == ("articles.dead", b"key", body)
    assert record.headers[: len(given)] == given
    headers = {name: (value or b"").decode() for name, value in record.headers[len(given) :]}
    assert headers["newsflow.reason"] == reason
    assert headers["__connect.errors.topic"] == "articles.raw"
    assert headers["__connect.errors.partition"] == "2"
    assert headers["__connect.errors.offset"] == "7"
    assert headers["__connect.errors.stage"] == "prepare"
    assert headers["__connect.errors.exception.class.name"] == exception
    assert headers["__connect.errors.exception.message"]
    assert exception.rpartition(".")[2] in headers["__connect.errors.exception.stacktrace"]


def test_an_event_larger_than_its_topic_becomes_a_dead_letter_with_its_input() -> None:
    body = b"x" * 5_000
    assert process(LINE, READ, incoming(body), LIMIT).reason is None
    record = process(LINE, READ, incoming(body), 5_500)
    assert (record.reason, record.value) == (DeadLetterReason.OUTPUT_TOO_LARGE, body)


def test_a_record_between_stages_that_is_no_event_becomes_a_dead_letter() -> None:
    record = process(LINE, FINISH, incoming(b'{"article": 1}', b"k", topic="articles.prepared"), LIMIT)
    assert (record.reason, record.value) == (DeadLetterReason.INVALID_EVENT, b'{"article": 1}')
    assert "article" in headers_of(record)["__connect.errors.exception.message"]


def test_replays_are_counted_across_stages() -> None:
    record = process(LINE, READ, incoming(b"text", headers=(("newsflow.replays", b"2"),)), LIMIT)
    assert headers_of(record)["newsflow.replays"] == "2"


def test_a_null_header_is_no_harm() -> None:
    record = process(LINE, READ, incoming(b"text", headers=(("content-type", None), ("traceparent", None))), LIMIT)
    assert record.reason is None
    assert process(LINE, READ, incoming(b"refuse", headers=(("x", None),)), LIMIT).headers[0] == ("x", None)


def test_a_part_of_an_article_is_not_taken_for_an_article() -> None:
    record = process(LINE, READ, incoming(b"the beginning", headers=(("newsflow.truncated", b"50006"),)), LIMIT)
    assert (record.reason, record.value) == (DeadLetterReason.TOO_LARGE, b"the beginning")
    assert headers_of(record)["newsflow.truncated"] == "50006"


def test_a_dead_letter_that_no_topic_takes_whole_is_cut_and_says_so() -> None:
    record = process(LINE, READ, incoming(b"refuse" + b"x" * 50_000), 10_000)
    cut = fitting(record, 20_000)
    assert cut.size == 20_000
    assert record.value is not None
    assert cut.value == record.value[: len(cut.value or b"")]
    assert headers_of(cut)["newsflow.truncated"] == "50006"
    assert fitting(record, 100_000) == record
