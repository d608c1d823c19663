"""The whole line on a real Kafka: what comes out, and what becomes of bad input."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas import encode
from streams import article_files, dead_letters
from streams.broker import LocalBroker
from streams.errors import ArticleRejected
from streams.line import newsflow_line
from streams.settings import Settings
from streams.stage import RawArticle
from tests.faulty_worker import DIE, FAIL_CLASSIFY, FAIL_ENTITIES, HANG
from tests.running_line import RunningLine, Sent

pytestmark = pytest.mark.kafka

HERE = Path(__file__).parent
ENRICHED_LIMIT = 300_000
JSON = (("content-type", b"application/json"),)
TEXT = "Президент Франции прибыл в Киев. Переговоры о перемирии продлятся два дня, сообщил представитель НАТО."


@pytest.fixture(scope="module")
def line(kafka: LocalBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLine]:
    running = RunningLine(
        kafka.bootstrap_servers,
        tmp_path_factory.mktemp("line"),
        program=(str(HERE / "faulty_worker.py"),),
        max_replays=2,
        article_deadline=3,
    )
    running.create_topics()
    running.limit_topic("articles.enriched", ENRICHED_LIMIT)
    running.worker.start()
    yield running
    running.worker.stop()


def article(**fields: Any) -> bytes:
    return json.dumps({"text": TEXT} | fields, ensure_ascii=False).encode()


def test_every_sample_comes_out_as_enrich_gives_it(line: RunningLine) -> None:
    samples = article_files.read(
        sorted(str(p) for p in (HERE.parent / "samples").iterdir() if p.suffix in article_files.CONTENT_TYPES)
    )
    pure = newsflow_line(Settings())
    pure.load()
    outcomes = line.process(
        *(Sent(s.raw.value, s.key(), (("content-type", (s.raw.content_type or "").encode()),)) for s in samples)
    )
    for sample, outcome in zip(samples, outcomes, strict=True):
        try:
            expected = encode(pure.enrich(sample.raw))
        except ArticleRejected as error:
            assert outcome.header["newsflow.reason"] == error.reason, sample.place
            assert outcome.value == sample.raw.value, sample.place
        else:
            assert outcome.value == expected, sample.place


def test_an_enriched_event_has_its_annotations_and_headers(line: RunningLine) -> None:
    sent = Sent(article(id="fr-1", title="Переговоры"), b"my-key", (*JSON, ("tracestate", b"vendor=1")))
    (outcome,) = line.process(sent)
    event = outcome.event
    assert event["article"]["id"] == "fr-1"
    assert event["article"]["language"] == "ru"
    assert {"Q142", "Q7184"} <= {entity["id"] for entity in event["entities"]}
    assert event["topics"][0]["code"] in ("medtop:11000000", "medtop:16000000")
    assert outcome.key == b"my-key"
    assert outcome.header["ce_type"] == "newsflow.article.enriched"
    assert outcome.header["ce_subject"] == "fr-1"
    assert outcome.header["tracestate"] == "vendor=1"


def test_a_record_without_key_gets_the_article_id(line: RunningLine) -> None:
    (outcome,) = line.process(Sent(article(id="no-key"), None, JSON))
    assert outcome.key == b"no-key"


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
def test_records_may_come_compressed(line: RunningLine, codec: str) -> None:
    (outcome,) = line.process(Sent(article(id=f"compressed-{codec}"), None, JSON), compression=codec)
    assert outcome.event["article"]["text"] == TEXT


def test_the_same_raw_record_again_gives_the_same_record(line: RunningLine) -> None:
    first, again = line.process(Sent(article(id="twice"), b"k", JSON), Sent(article(id="twice"), b"k", JSON))
    assert first.value == again.value
    assert first.header["ce_id"] == again.header["ce_id"]


def test_records_of_one_key_leave_in_the_order_in_which_they_came(line: RunningLine) -> None:
    outcomes = line.process(*(Sent(article(id=f"v{n}"), f"key-{n % 5}".encode(), JSON) for n in range(60)))
    for key in range(5):
        of_key = [(o.partition, o.offset) for n, o in enumerate(outcomes) if n % 5 == key]
        assert len({partition for partition, _ in of_key}) == 1
        assert of_key == sorted(of_key)


def test_a_tombstone_travels_through_all_topics(line: RunningLine) -> None:
    before, tombstone = line.process(Sent(article(id="gone"), b"gone", JSON), Sent(None, b"gone"))
    assert (tombstone.is_dead, tombstone.key, tombstone.value) == (False, b"gone", None)
    assert (before.partition, before.offset) < (tombstone.partition, tombstone.offset)


def test_a_language_that_is_not_enriched_passes_and_says_so(line: RunningLine) -> None:
    text = (
        "Министерският съвет одобри бюджета за следващата година. "
        "Депутатите ще го обсъждат във вторник, съобщиха от парламента."
    )
    event = line.process(Sent(text.encode(), None, (("content-type", b"text/plain; charset=utf-8"),)))[0].event
    assert event["article"]["language"] == "bg"
    assert (event["entities"], event["topics"]) == ([], [])
    annotations = ("entities", "classify", "classify.main_event")
    assert event["skipped"] == dict.fromkeys(annotations, "unsupported_language")


DEAD = {
    "no text in any charset": (
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x02\xd0\x00\xff\xfe\x00\x01",
        (),
        "undecodable",
    ),
    "a JSON array": (b"[1, 2, 3]", JSON, "json_not_object"),
    "a JSON string": (b'"text"', JSON, "json_not_object"),
    "broken JSON": (b'{"text": "abc', JSON, "broken_json"),
    "broken JSON, not declared": ('{"id": 1, "text": "Текст обрыва'.encode(), (), "broken_json"),
    "no bytes": (b"", (), "empty"),
    "blank text": (b'{"text": " \\n\\u00a0 "}', JSON, "empty"),
    "no body at all": (b'{"id": "x"}', JSON, "empty"),
    "only markup": (b"<html><body><div><br></div></body></html>", (("content-type", b"text/html"),), "empty"),
    "10,000 levels": (b'{"text": "a", "x": ' + b"[" * 10_000 + b"]" * 10_000 + b"}", JSON, "too_deep"),
    "a text over the limit": (("Слово " * 170_000).encode(), (), "too_large"),
    "a string of 10 MB": (b'{"text": "' + b"word " * 2_000_000 + b'"}', JSON, "too_large"),
}


@pytest.mark.parametrize("name", DEAD)
def test_bad_input_becomes_a_dead_letter_byte_for_byte(line: RunningLine, name: str) -> None:
    body, headers, reason = DEAD[name]
    given = (*headers, ("X-Custom", b"\x00\xff"))
    bad, good = line.process(Sent(body, b"key", given), Sent(article(), b"key", JSON))
    assert bad.is_dead
    assert bad.header["newsflow.reason"] == reason
    assert (bad.key, bad.value) == (b"key", body)
    assert bad.headers[: len(given)] == given
    assert bad.header["__connect.errors.topic"] == "articles.raw"
    assert bad.header["__connect.errors.stage"] == "prepare"
    assert not good.is_dead, "the next article of the same key must be unharmed"


STRANGE = {
    "a lone surrogate": (
        rb'{"text": "Mayor of London \ud83d spoke to reporters on Monday about the budget."}',
        "lone_surrogate",
    ),
    "a NUL": (rb'{"text": "The mayor of London \u0000 spoke to reporters on Monday about the budget."}', None),
    "duplicate keys": (
        rb'{"title": "a", "title": "b", "text": "The mayor of London spoke to reporters."}',
        "duplicate_key",
    ),
    "NaN": (rb'{"x": NaN, "text": "The mayor of London spoke to reporters about the budget."}', "not_a_number"),
    "right-to-left marks": ('{"text": "The mayor \u200f\u202eof London\u202c spoke to reporters."}'.encode(), None),
    "a wrong time": (
        rb'{"published_at": "yesterday", "text": "The mayor of London spoke to reporters."}',
        "not_a_timestamp",
    ),
}


@pytest.mark.parametrize("name", STRANGE)
def test_what_can_be_put_right_goes_on(line: RunningLine, name: str) -> None:
    body, reason = STRANGE[name]
    event = line.process(Sent(body, None, JSON))[0].event
    assert "London" in event["article"]["text"]
    assert not set(event["article"]["text"]) & set("\x00\u200f\u202e\u202c\ud83d")
    if reason:
        assert reason in {warning["reason"] for warning in event["article"]["warnings"]}


def test_a_wrong_optional_field_becomes_null_and_a_warning_with_the_raw_value(line: RunningLine) -> None:
    event = line.process(Sent(article(published_at="yesterday", url=7), None, JSON))[0].event
    assert (event["article"]["published_at"], event["article"]["url"]) == (None, None)
    warned = {w["field"]: w["value"] for w in event["article"]["warnings"]}
    assert warned == {"published_at": "yesterday", "url": 7}


def test_an_event_that_outgrows_its_topic_becomes_a_dead_letter(line: RunningLine) -> None:
    text = "\n".join(f"Переговоры номер {n} прошли в Киеве." for n in range(4_400))
    body = json.dumps({"text": text}, ensure_ascii=False).encode()
    assert len(body) < ENRICHED_LIMIT
    (outcome,) = line.process(Sent(body, b"big", JSON))
    assert outcome.header["newsflow.reason"] == "output_too_large"
    assert outcome.header["__connect.errors.topic"] == "articles.annotated"
    assert json.loads(outcome.value or b"")["article"]["text"] == text


@pytest.mark.parametrize(
    ("marker", "stage", "topic"),
    [(FAIL_ENTITIES, "entities", "articles.prepared"), (FAIL_CLASSIFY, "classify", "articles.annotated")],
)
def test_an_exception_in_an_enricher_costs_one_article(line: RunningLine, marker: str, stage: str, topic: str) -> None:
    outcomes = line.process(*(Sent(article(text=TEXT + (marker if n == 7 else "")), b"k", JSON) for n in range(15)))
    assert [n for n, outcome in enumerate(outcomes) if outcome.is_dead] == [7]
    header = outcomes[7].header
    assert header["newsflow.reason"] == "enricher_failed"
    assert header["__connect.errors.topic"] == topic
    assert header["__connect.errors.exception.class.name"] == "builtins.ZeroDivisionError"
    assert header["__connect.errors.exception.message"] == f"planted in {stage}"
    assert "faulty_worker.py" in header["__connect.errors.exception.stacktrace"]


@pytest.mark.parametrize(("marker", "reason"), [(HANG, "too_slow"), (DIE, "enricher_failed")])
def test_an_enricher_that_hangs_or_dies_costs_one_article(line: RunningLine, marker: str, reason: str) -> None:
    outcomes = line.process(*(Sent(article(text=TEXT + (marker if n == 2 else "")), b"k", JSON) for n in range(5)))
    assert [n for n, outcome in enumerate(outcomes) if outcome.is_dead] == [2]
    assert outcomes[2].header["newsflow.reason"] == reason
    assert outcomes[2].header["__connect.errors.topic"] == "articles.prepared"
    assert line.worker.poll() is None, "the worker itself goes on"


def test_dead_letters_are_listed_and_replayed_until_refused(line: RunningLine) -> None:
    async def waiting() -> list[dead_letters.DeadLetter]:
        return [letter async for letter in dead_letters.listed(line.settings) if letter.waiting]

    async def replays_of(key: bytes) -> list[int]:
        return sorted([letter.replays async for letter in dead_letters.listed(line.settings) if letter.key == key])

    asyncio.run(dead_letters.replay(line.settings))  # what other tests left
    line.process(Sent(article(), None, JSON))
    body = article(id="replayed", text=TEXT + FAIL_ENTITIES)
    (first,) = line.process(Sent(body, b"replay-me", (*JSON, ("X-Custom", b"1"))))
    prepared = first.value
    for count in (1, 2):
        done = asyncio.run(dead_letters.replay(line.settings))
        assert done.sent >= 1
        back = _dead_with_replays(line, "replay-me", count)
        assert back.value == prepared
        assert back.topic == "articles.prepared"
        assert dict(back.headers)["traceparent"] == dict(first.headers)["traceparent"]
    assert asyncio.run(dead_letters.replay(line.settings)).refused >= 1
    assert "replay-me" not in {(letter.key or b"").decode() for letter in asyncio.run(waiting())}
    asyncio.run(dead_letters.replay(line.settings))
    assert asyncio.run(replays_of(b"replay-me")) == [0, 1, 2], "once refused it stays where it is"


def _dead_with_replays(line: RunningLine, key: str, count: int) -> dead_letters.DeadLetter:
    async def find() -> dead_letters.DeadLetter:
        for _ in range(300):
            async for letter in dead_letters.listed(line.settings):
                if letter.key == key.encode() and letter.replays == count:
                    return letter
            await asyncio.sleep(0.1)
        raise AssertionError(f"no dead letter of {key} with {count} replays")

    return asyncio.run(find())


def test_a_raw_article_from_a_file_and_from_the_stream_are_one(line: RunningLine) -> None:
    raw = RawArticle(TEXT.encode("windows-1251"), "text/plain; charset=windows-1251")
    pure = newsflow_line(Settings())
    pure.load()
    (outcome,) = line.process(Sent(raw.value, None, (("content-type", (raw.content_type or "").encode()),)))
    assert outcome.value == encode(pure.enrich(raw))
    assert outcome.event["article"]["text"] == TEXT
