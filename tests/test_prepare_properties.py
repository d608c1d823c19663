"""Laws of `prepare` for inputs nobody thought of."""

import copy
import json
import re
import unicodedata
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas import PreparedEvent, encode
from streams.errors import ArticleRejected
from streams.prepare import Prepare
from streams.prepare.paragraphs import separate
from streams.stage import RawArticle

STAGE = Prepare()
STAGE.load()

some = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)

content_types = st.sampled_from(
    [
        None,
        "",
        "text/plain",
        "text/html",
        "application/json",
        "text/html; charset=cp1251",
        "text/plain;charset=utf-16",
        ";;=",
        "x",
    ]
)
letters = st.sampled_from('абвіїЫэ aB\u00a0\u200d\u0301\u202e\x00\r\n\u2028<>&;«»😀\ud800\ufffe{}[]"0:')
json_text = st.text() | st.text(letters)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | json_text,
    lambda children: st.lists(children, max_size=4) | st.dictionaries(json_text, children, max_size=4),
    max_leaves=12,
)
names = st.sampled_from(
    ["id", "url", "title", "text", "html", "language", "published_at", "source", "author", "metadata"]
)
objects = st.dictionaries(names | json_text, json_values, max_size=8)
markup = st.lists(
    st.sampled_from(
        ["<p>", "</p>", "<div>", "</html>", "<!--", "-->", "<script>", "<br/>", "<html><body>", "<table><tr><td>"]
    )
    | json_text.map(lambda t: t.encode("utf-8", "replace").decode()),
    max_size=20,
).map("".join)


lines = st.lists(
    st.sampled_from(
        [
            "Реклама", "Фото: REUTERS", "Видео: мост рухнул утром", "00:49", "12:40", "Поделиться", "Теги: мост, река",
            "Подпишись на наш Telegram", "Читайте также: Мэр уволил заместителя", "© Reuters", "— Почему?",
            "Мост через реку рухнул рано утром, погибших нет, сообщили в мэрии.", "Reuters / Jane Doe", "Мост рухнул",
        ]
    ),
    min_size=1,
    max_size=8,
)  # fmt: skip


def check(body: bytes, content_type: str | None) -> None:
    record = RawArticle(body, content_type)
    before = copy.deepcopy(record)
    try:
        event = STAGE.enrich(record)
    except ArticleRejected as rejection:
        assert str(rejection)
        return
    finally:
        assert record == before
    data = encode(event)
    assert PreparedEvent.model_validate_json(data) == event
    assert encode(STAGE.enrich(record)) == data
    article = event.article
    for text in (article.text, article.title or "", article.author or "", article.source or ""):
        assert unicodedata.is_normalized("NFC", text)
        assert text == text.strip()
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u00a0\u00ad\u200b\u200e\u202e\ufeff\u2028]|  |\n\n", text)
    assert (article.language is None) == (event.skipped == {"prepare": "language_undetermined"})


@some
@given(st.binary(max_size=300), content_types)
def test_any_bytes(body: bytes, content_type: str | None) -> None:
    check(body, content_type)


@some
@given(
    st.text(max_size=300) | st.text(letters, max_size=300),
    st.sampled_from(["utf-8", "cp1251", "utf-16"]),
    content_types,
)
def test_any_text(text: str, charset: str, content_type: str | None) -> None:
    check(text.encode(charset, "replace"), content_type)


@some
@given(objects, content_types)
def test_any_json(value: dict[str, Any], content_type: str | None) -> None:
    check(json.dumps(value).encode(), content_type)


@some
@given(markup)
def test_any_markup(text: str) -> None:
    check(text.encode(), "text/html")


@some
@given(lines, st.sampled_from([None, "Мост рухнул"]))
def test_paragraphs_are_kept_or_reported_and_an_article_never_vanishes(lines: list[str], title: str | None) -> None:
    text, removed = separate("\n".join(lines), title)
    kept = text.split("\n") if text else []
    assert sorted([*kept, *(r.text for r in removed)]) == sorted(lines)
    in_order = iter(lines)
    assert all(line in in_order for line in kept)
    assert kept or set(lines) <= {"Реклама", "00:49", "Поделиться"}
