"""What a user sees of the stage `prepare`: forms, character sets, fields, identity and limits."""

import json
import time
import uuid
from typing import Any

import pytest

from schemas import DeadLetterReason, PreparedEvent, encode
from streams.errors import ArticleRejected
from streams.prepare import Prepare
from streams.stage import RawArticle

RU = (
    "Городской совет Ярославля утвердил бюджет на следующий год. Это решение поддержали все фракции.\n"
    "Мэр объявил, что большая часть средств пойдёт на дороги и школы."
)
UK = (
    "Міська рада Львова ухвалила бюджет на наступний рік. Його підтримали всі фракції.\n"
    "Міський голова пояснив, що більшість коштів піде на дороги й школи."
)
EN = "The city council has approved the budget for next year.\nThe mayor said most of it will go to roads and schools."


@pytest.fixture(scope="module")
def stage() -> Prepare:
    prepare = Prepare()
    prepare.load()
    return prepare


def prepared(stage: Prepare, body: str | bytes | dict[str, Any], content_type: str | None = None) -> PreparedEvent:
    if isinstance(body, dict):
        body = json.dumps(body)
    return stage.enrich(RawArticle(body.encode() if isinstance(body, str) else body, content_type))


def rejected(stage: Prepare, body: str | bytes | dict[str, Any], content_type: str | None = None) -> ArticleRejected:
    with pytest.raises(ArticleRejected) as caught:
        prepared(stage, body, content_type)
    return caught.value


def warned(event: PreparedEvent) -> list[tuple[str, str]]:
    return [(w.field, w.reason) for w in event.article.warnings]


# --- forms


def test_plain_text(stage: Prepare) -> None:
    article = prepared(stage, RU).article
    assert (article.text, article.language, article.title) == (RU, "ru", None)
    assert article.removed == () and article.warnings == () and article.metadata == {}


def test_json_with_every_field(stage: Prepare) -> None:
    event = prepared(
        stage,
        {
            "id": "a-1",
            "url": "https://example.org/a",
            "title": " Бюджет\u00a0принят ",
            "text": RU,
            "language": "ru",
            "published_at": "2024-11-08T10:00:00+03:00",
            "fetched_at": "Fri, 08 Nov 2024 10:00:00 GMT",
            "source": "Пример",
            "author": "Анна",
            "tags": ["a", {"b": 1.5}],
            "metadata": {"x": None},
        },
    )
    article = event.article
    assert (article.id, article.url, article.title) == ("a-1", "https://example.org/a", "Бюджет принят")
    assert (article.published_at, article.fetched_at) == ("2024-11-08T07:00:00Z", "2024-11-08T10:00:00Z")
    assert (article.source, article.author) == ("Пример", "Анна")
    assert article.metadata == {"tags": ["a", {"b": 1.5}], "metadata": {"x": None}}
    assert article.warnings == () and event.skipped == {}
    assert [p.stage for p in event.provenance] == ["prepare"]


PAGE = f"""<!DOCTYPE html><html><head><title>Бюджет принят — Пример</title>
<meta property="og:title" content="Бюджет принят"><meta name="author" content="Анна Иванова">
<meta property="article:published_time" content="2024-11-08T10:00:00Z">
<link rel="canonical" href="https://example.org/budget"></head><body><nav><a href="/">Главная</a></nav>
<article><h1>Бюджет принят</h1>{"".join(f"<p>{p}</p>" for p in RU.split(chr(10)))}</article>
<footer>© Пример</footer></body></html>"""


@pytest.mark.parametrize("content_type", [None, "text/html; charset=utf-8", "application/xhtml+xml"])
def test_html(stage: Prepare, content_type: str | None) -> None:
    article = prepared(stage, PAGE, content_type).article
    assert article.text == RU
    assert (article.title, article.author) == ("Бюджет принят", "Анна Иванова")
    assert (article.url, article.published_at) == ("https://example.org/budget", "2024-11-08T10:00:00Z")
    assert [r.reason for r in article.removed] == ["repeated_title"]


def test_given_fields_win_over_the_page(stage: Prepare) -> None:
    article = prepared(stage, {"html": PAGE, "title": "Свой", "url": "https://other.example/x"}).article
    assert (article.title, article.url) == ("Свой", "https://other.example/x")


@pytest.mark.parametrize(
    "html", ["<p>Текст</p>", "<div><p>Текст</p></div>", "<p>Текст", "<table><tr><td>Текст</td></tr></table>"]
)
def test_short_fragments(stage: Prepare, html: str) -> None:
    assert prepared(stage, html, "text/html").article.text == "Текст"


def test_fragment_keeps_its_paragraphs_and_drops_scripts(stage: Prepare) -> None:
    article = prepared(stage, "<p>Один<br>два</p><script>var три;</script><p>че<b>ты</b>ре</p>").article
    assert article.text == "Один\nдва\nчетыре"


def test_short_pages_keep_their_lines_whole(stage: Prepare) -> None:
    page = "<html><body><p>Совет <b>принял</b> <a href='/x'>бюд</a>жет города на год.</p><p>Мэр рад.</p></body></html>"
    assert prepared(stage, page).article.text == "Совет принял бюджет города на год.\nМэр рад."


STORY = (
    "Городской совет Ярославля утвердил бюджет на следующий год. Это решение поддержали все фракции.",
    "Мэр объявил, что большая часть средств пойдёт на дороги и школы, сообщила пресс-служба мэрии в пятницу.",
    "Расходы по районам показаны в таблице, которую опубликовала мэрия после голосования депутатов.",
    "Депутаты обещали вернуться к вопросу весной, когда будут известны доходы первого квартала года.",
)


def test_paragraphs_between_inline_tags_stay_apart(stage: Prepare) -> None:
    lines = [f"<b>{STORY[0]}</b>", f'{STORY[1]} <a href="/x">Подробности</a>.', f"<i>{STORY[2]}</i>"]
    plain = [STORY[0], f"{STORY[1]} Подробности.", STORY[2]]
    assert prepared(stage, {"text": "\n".join(lines)}).article.text.split("\n") == plain
    assert prepared(stage, {"html": "\n\n".join(lines)}).article.text.split("\n") == plain
    quote = f"<blockquote>{STORY[3]}</blockquote>"
    wrapped = [lines[0].replace(" бюджет", "\nбюджет"), quote, *lines[1:]]
    assert prepared(stage, {"html": "\n\n".join(wrapped)}).article.text.split("\n") == [plain[0], STORY[3], *plain[1:]]


def test_line_feeds_beside_break_tags(stage: Prepare) -> None:
    text = f"{STORY[0]}<br>Мэр <b>пообещал</b>\nдостроить мост.\n{STORY[1]}<br>{STORY[2]}"
    lines = [STORY[0], "Мэр пообещал достроить мост.", *STORY[1:3]]
    assert prepared(stage, {"text": text}).article.text.split("\n") == lines


@pytest.mark.parametrize("content_type", [None, "text/plain"])
def test_a_break_tag_in_plain_text_ends_a_paragraph(stage: Prepare, content_type: str | None) -> None:
    assert prepared(stage, f"{STORY[0]}<br>{STORY[1]}<BR />{STORY[2]}", content_type).article.text.split("\n") == [
        *STORY[:3]
    ]


def test_preformatted_text_keeps_its_lines(stage: Prepare) -> None:
    poem = "Над рекой туман\nНа мосту огни\n\nИ плывёт паром"
    page = f"<html><body><article><p>{STORY[0]}</p><pre>{poem}</pre><p>{STORY[1]}</p></article></body></html>"
    assert prepared(stage, page).article.text.split("\n") == [
        STORY[0],
        *poem.replace("\n\n", "\n").split("\n"),
        STORY[1],
    ]


TABLE = "<table><tr><th>Район</th><th>Млн руб.</th></tr><tr><td>Ленинский</td><td>120</td></tr></table>"
FIGURE = "<figure><img src='a.jpg'><figcaption>{}</figcaption></figure>"


def test_tables_and_captions_of_a_page(stage: Prepare) -> None:
    page = (
        "<html><body><nav><a href='/'>Главная</a></nav><div><article>"
        f"<header>{FIGURE.format('Мэр на заседании совета')}</header>"
        f"<p>{STORY[0]}</p><p>{STORY[1]}</p><p>{STORY[2]}</p>"
        f"<div>{TABLE}</div>{FIGURE.format('Зал заседаний. Фото: А. Иванов')}<p>{STORY[3]}</p></article>"
        "<aside><table><tr><td>USD</td><td>95</td></tr></table></aside></div><footer>© Пример</footer></body></html>"
    )
    article = prepared(stage, page).article
    rows = ["Район | Млн руб.", "Ленинский | 120"]
    assert article.text.split("\n") == [*STORY[:3], *rows, STORY[3]]
    assert [(r.reason, r.text) for r in article.removed] == [
        ("media_caption", "Мэр на заседании совета"),
        ("media_caption", "Зал заседаний. Фото: А. Иванов"),
    ]


def test_the_cells_around_an_article_are_no_table_of_it(stage: Prepare) -> None:
    paragraphs = "".join(f"<p>{p}</p>" for p in STORY)
    page = f"<html><body><table><tr><td>Меню<br>Курс USD 95</td><td>{paragraphs}{TABLE}</td></tr></table></body></html>"
    assert prepared(stage, page).article.text.split("\n") == [*STORY, "Район | Млн руб.", "Ленинский | 120"]


def test_lists_of_a_page_get_no_dashes(stage: Prepare) -> None:
    page = (
        f"<html><body><article><p>{STORY[0]}</p>"
        f"<ul><li>{STORY[1]}</li><li>- Почему? - <b>спросили</b> депутаты</li></ul>"
        f"<p>{STORY[2]}</p>{TABLE}</article></body></html>"
    )
    lines = [*STORY[:2], "- Почему? - спросили депутаты", STORY[2], "Район | Млн руб.", "Ленинский | 120"]
    assert prepared(stage, page).article.text.split("\n") == lines
    longer = page.replace("</article>", "".join(f"<p>Абзац {n}. {STORY[3]}</p>" for n in range(60)) + "</article>")
    assert prepared(stage, longer).article.text.split("\n")[:6] == lines


def test_a_caption_that_the_text_repeats_stays_in_the_text(stage: Prepare) -> None:
    article = prepared(stage, f"{FIGURE.format(STORY[0])}<p>{STORY[0]}</p><p>{STORY[1]}</p>", "text/html").article
    assert article.text.split("\n") == [STORY[0], STORY[1]]


def test_declared_plain_text_stays_as_it_is(stage: Prepare) -> None:
    text = "{это} не JSON, а <p>текст</p>"
    assert prepared(stage, text, "text/plain; charset=utf-8").article.text == text


# --- character sets


@pytest.mark.parametrize("charset", ["cp1251", "koi8_u", "utf-16", "utf-16-le", "utf-8-sig", "mac_cyrillic"])
@pytest.mark.parametrize("declare", [True, False])
def test_ukrainian_in_any_charset(stage: Prepare, charset: str, declare: bool) -> None:
    if charset == "mac_cyrillic" and not declare:
        pytest.skip("too rare to be tried without a declaration")
    content_type = f'text/plain; charset="{charset}"' if declare else None
    assert prepared(stage, UK.encode(charset), content_type).article.text == UK


@pytest.mark.parametrize("charset", ["cp1251", "koi8_r", "cp866", "iso8859_5", "utf-16-be"])
@pytest.mark.parametrize("text", [RU, "Совет принял бюджет", "Погода на завтра: дождь", "Мэр"])
def test_russian_is_detected(stage: Prepare, charset: str, text: str) -> None:
    if text == "Мэр" and charset not in {"cp1251", "utf-16-be"}:
        pytest.skip("three letters fit several charsets; the common one is taken")
    assert prepared(stage, text.encode(charset)).article.text == text


@pytest.mark.parametrize("text", ["Рада ухвалила бюджет на рік", "Її звати Єва, «їжак» — її кіт", "Дощ"])
def test_short_ukrainian_in_windows_1251(stage: Prepare, text: str) -> None:
    assert prepared(stage, text.encode("cp1251")).article.text == text


def test_windows_1252_with_typographic_quotes(stage: Prepare) -> None:
    text = "The café’s owner said: “We will not close.”"
    assert prepared(stage, text.encode("cp1252")).article.text == text


@pytest.mark.parametrize(
    "text",
    [
        "Beyoncé sang in São Paulo on Friday.",
        "The “Zürich” talks cost £5bn, or €6bn – the minister’s résumé says so…",
        "A naïve façade: Renée’s coup d’état",
    ],
)
def test_western_text_is_not_taken_for_cyrillic(stage: Prepare, text: str) -> None:
    assert prepared(stage, text.encode("cp1252")).article.text == text


def test_a_page_in_cyrillic_is_not_western_for_all_its_tags(stage: Prepare) -> None:
    page = f'<div class="{"wide " * 200}"><p>{STORY[0]}</p></div>'
    for charset in ("cp1251", "koi8_r", "cp866"):
        assert prepared(stage, page.encode(charset)).article.text == STORY[0]


def test_meta_charset(stage: Prepare) -> None:
    html = f'<html><head><meta charset="windows-1251"></head><body><p>{UK}</p></body></html>'
    assert prepared(stage, html.encode("cp1251")).article.language == "uk"


@pytest.mark.parametrize(
    ("charset", "reason"),
    [
        ("klingon", "unknown_charset"),
        ("rot13", "unknown_charset"),
        ("utf-16", "wrong_charset"),
        ("cp1251", "wrong_charset"),
    ],
)
def test_a_wrong_declaration_is_a_warning(stage: Prepare, charset: str, reason: str) -> None:
    event = prepared(stage, EN + "!" if charset == "utf-16" else RU, f"text/plain; charset={charset}")
    assert warned(event) == [("content-type", reason)]
    assert event.article.language in {"en", "ru"}


def test_a_broken_byte_in_utf8_is_replaced_not_mojibake(stage: Prepare) -> None:
    event = prepared(stage, RU.encode() + b"\xd0")
    assert event.article.text == RU + "\ufffd"
    assert warned(event) == [("body", "bytes_replaced")]


@pytest.mark.parametrize(
    "body",
    [
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x02\x00",
        b"PK\x03\x04\x14\x00\x06\x00",
        bytes(range(256)) * 4,
        b"\x00" * 100,
        b"\x01\x02\x03\x04\x05 abc",
        b"\xff\xfe\x00\xd8\x00\xd8",
    ],
)
def test_binary_is_undecodable(stage: Prepare, body: bytes) -> None:
    assert rejected(stage, body).reason is DeadLetterReason.UNDECODABLE


def test_random_bytes_are_undecodable(stage: Prepare) -> None:
    import random

    for seed in range(50):
        body = random.Random(seed).randbytes(300)
        assert rejected(stage, body).reason is DeadLetterReason.UNDECODABLE, seed


# --- bad JSON


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ('{"text": "a"', DeadLetterReason.BROKEN_JSON),
        ("{'text': 'a'}", DeadLetterReason.BROKEN_JSON),
        ('[{"text": "a"}]', DeadLetterReason.JSON_NOT_OBJECT),
        ('["a"]', DeadLetterReason.JSON_NOT_OBJECT),
        ("[1, 2]", DeadLetterReason.JSON_NOT_OBJECT),
        ("{", DeadLetterReason.BROKEN_JSON),
        ('{ "te', DeadLetterReason.BROKEN_JSON),
        ('[{"text": "a"}', DeadLetterReason.BROKEN_JSON),
        ('["a", "b', DeadLetterReason.BROKEN_JSON),
        ('"a"', DeadLetterReason.JSON_NOT_OBJECT),
        ("42", DeadLetterReason.JSON_NOT_OBJECT),
        ("true", DeadLetterReason.JSON_NOT_OBJECT),
        ("null", DeadLetterReason.JSON_NOT_OBJECT),
        ('{"text":' + "[" * 10_000 + "]" * 10_000 + "}", DeadLetterReason.TOO_DEEP),
        ('{"text": "a", "x":' + "[" * 100 + "]" * 100 + "}", DeadLetterReason.TOO_DEEP),
        ("[" * 100_000, DeadLetterReason.TOO_DEEP),
        ("", DeadLetterReason.EMPTY),
        (" \n\t", DeadLetterReason.EMPTY),
        ("\u200b\u00ad", DeadLetterReason.EMPTY),
        ("{}", DeadLetterReason.EMPTY),
        ('{"text": " "}', DeadLetterReason.EMPTY),
        ('{"text": "<p></p>"}', DeadLetterReason.EMPTY),
        ('{"html": "<p> </p><br>"}', DeadLetterReason.EMPTY),
        ("<html><body><div></div></body></html>", DeadLetterReason.EMPTY),
        ("<!-- nothing -->", DeadLetterReason.EMPTY),
        ("Реклама\n00:49", DeadLetterReason.EMPTY),
    ],
)
def test_rejections(stage: Prepare, body: str, reason: DeadLetterReason) -> None:
    assert rejected(stage, body).reason is reason


@pytest.mark.parametrize(
    "text",
    [
        "{Обновляется} В центре города горит склад, сообщили в МЧС.",
        '["Зенит" выиграл у "Спартака" в гостях.]',
        "[Фото дня] В центре города горит склад.",
        '["Reuters" says] The warehouse is on fire.',
    ],
)
def test_brackets_alone_make_no_json(stage: Prepare, text: str) -> None:
    assert prepared(stage, text).article.text == text


def test_messages_say_where_and_what(stage: Prepare) -> None:
    assert "line 2, column 9" in str(rejected(stage, '{"text":\n        }'))
    assert "text must be a string" in str(rejected(stage, {"text": 5}))
    assert "boolean" in str(rejected(stage, "true", "application/json"))


def test_deepest_allowed_json(stage: Prepare) -> None:
    body = '{"text": "Совет принял бюджет", "x":' + "[" * 99 + "]" * 99 + "}"
    event = prepared(stage, body)
    assert PreparedEvent.model_validate_json(encode(event)) == event


def test_strange_but_usable_json(stage: Prepare) -> None:
    big = 10**30
    body = (
        '{"text": "Первый", "text": "Совет принял\\u0000 бюджет \\ud800", "n": NaN, "big": 1e400, "int": <int>, '
        '"long": <long>, "k\\udfff": {"a": 1, "a": 2}, "tab": "a\tb"}'
    )
    event = prepared(stage, body.replace("<int>", str(big)).replace("<long>", "7" * 5000))
    assert event.article.text == "Совет принял бюджет \ufffd"
    assert event.article.metadata == {
        "n": None,
        "big": None,
        "int": big,
        "long": "7" * 5000,
        "k\ufffd": {"a": 2},
        "tab": "a\tb",
    }
    assert set(warned(event)) == {
        ("text", "duplicate_key"),
        ("text", "lone_surrogate"),
        ("text", "control_characters"),
        ("n", "not_a_number"),
        ("big", "not_a_number"),
        ("long", "too_many_digits"),
        ("k\ufffd", "lone_surrogate"),
        ("k\ufffd", "duplicate_key"),
    }
    assert [w.value for w in event.article.warnings if w.reason == "not_a_number"] == ["NaN", "1e400"]
    assert PreparedEvent.model_validate_json(encode(event)) == event


def test_wrong_types_become_null_with_a_warning(stage: Prepare) -> None:
    event = prepared(
        stage,
        {
            "text": RU,
            "id": 17,
            "url": ["x"],
            "title": {"a": 1},
            "author": False,
            "source": 1.5,
            "published_at": "yesterday",
            "fetched_at": 1731060000,
            "language": 3,
        },
    )
    article = event.article
    assert article.id == "17"
    assert (article.url, article.title, article.author, article.source) == (None,) * 4
    assert (article.published_at, article.fetched_at, article.language) == (None, None, "ru")
    assert {(w.field, w.reason, json.dumps(w.value)) for w in article.warnings} == {
        ("id", "not_a_string", "17"),
        ("url", "not_a_string", '["x"]'),
        ("title", "not_a_string", '{"a": 1}'),
        ("author", "not_a_string", "false"),
        ("source", "not_a_string", "1.5"),
        ("published_at", "not_a_timestamp", '"yesterday"'),
        ("fetched_at", "not_a_timestamp", "1731060000"),
        ("language", "not_a_string", "3"),
    }


def test_blank_fields_are_null_without_a_warning(stage: Prepare) -> None:
    names = ("id", "url", "title", "author", "source", "published_at", "fetched_at", "language")
    event = prepared(stage, {"text": RU} | dict.fromkeys(names, " ") | {"html": None})
    assert event.article.warnings == () and event.article.title is None


def test_html_stands_in_for_unusable_text(stage: Prepare) -> None:
    event = prepared(stage, {"text": 5, "html": "<p>Совет принял бюджет</p>"})
    assert event.article.text == "Совет принял бюджет"
    assert warned(event) == [("text", "not_a_string")]
    assert prepared(stage, {"text": " ", "html": "<p>Совет</p>"}).article.text == "Совет"


@pytest.mark.parametrize(
    ("raw", "utc", "reason"),
    [
        ("2024-11-08T10:00:00Z", "2024-11-08T10:00:00Z", None),
        ("2024-11-08 10:00:00.5+02:00", "2024-11-08T08:00:00.500000Z", None),
        ("20241108T100000Z", "2024-11-08T10:00:00Z", None),
        ("2024-11-08T10:00+0530", "2024-11-08T04:30:00Z", None),
        ("2024-11-08T10:00:00.123456789Z", "2024-11-08T10:00:00.123456Z", None),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z", None),
        ("Fri, 08 Nov 2024 10:00:00 +0200", "2024-11-08T08:00:00Z", None),
        ("8 Nov 2024 10:00 EST", "2024-11-08T15:00:00Z", None),
        ("2024-11-08T10:00:00", "2024-11-08T10:00:00Z", "no_time_zone"),
        ("2024-11-08", "2024-11-08T00:00:00Z", "no_time"),
        ("2024-13-08", None, "not_a_timestamp"),
        ("0001-01-01T00:00:00+14:00", None, "not_a_timestamp"),
        ("8 Nov 2024 10:00 MSK", None, "not_a_timestamp"),
        ("٢٠٢٤-11-08", None, "not_a_timestamp"),
        ("today", None, "not_a_timestamp"),
    ],
)
def test_timestamps(stage: Prepare, raw: str, utc: str | None, reason: str | None) -> None:
    event = prepared(stage, {"text": RU, "published_at": raw})
    assert event.article.published_at == utc
    assert warned(event) == ([("published_at", reason)] if reason else [])


# --- identity, language


def test_ids(stage: Prepare) -> None:
    url = "https://example.org/a"
    assert prepared(stage, {"text": RU, "id": "x", "url": url}).article.id == "x"
    assert prepared(stage, {"text": RU, "url": url}).article.id == str(uuid.uuid5(uuid.NAMESPACE_URL, url))
    by_text = prepared(stage, {"text": RU}).article.id
    assert by_text == prepared(stage, RU.replace(" ", "\u00a0 ") + "\n\n").article.id
    assert by_text != prepared(stage, UK).article.id


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (RU, "ru"),
        (UK, "uk"),
        (EN, "en"),
        ("Oil prices fall", "en"),
        ("Ukraine war: Zelensky meets Macron in Paris", "en"),
        ("Прэзідэнт падпісаў новы закон аб бюджэце, паведаміла прэс-служба.", "be"),
        ("Правителството прие бюджета за следващата година, съобщиха от пресслужбата.", "bg"),
        ("Председник је потписао нови закон о буџету, саопштила је прес-служба.", "sr"),
        ("Претседателот го потпиша новиот закон за буџетот, соопшти прес-службата.", "mk"),
        ("Der Bundestag hat am Freitag das neue Haushaltsgesetz verabschiedet.", None),
        ("Rząd przyjął ustawę budżetową na przyszły rok, poinformował premier.", None),
        ("Le gouvernement a annoncé une nouvelle réforme des retraites vendredi.", None),
        ("El gobierno anunció una nueva reforma de las pensiones el viernes.", None),
        ("Қазақстан Президенті жаңа заңға қол қойды, деп хабарлады баспасөз қызметі.", None),
        ("Cumhurbaşkanı yeni yasayı cuma günü imzaladı ve açıklama yaptı.", None),
        ("中国政府星期五宣布了新的养老金改革方案。", None),
        ("أعلنت الحكومة يوم الجمعة عن إصلاح جديد للمعاشات التقاعدية.", None),
        ("12345 — 67", None),
    ],
)
def test_language(stage: Prepare, text: str, language: str | None) -> None:
    event = prepared(stage, text)
    assert event.article.language == language
    assert event.skipped == ({} if language else {"prepare": "language_undetermined"})


def test_the_text_wins_over_the_given_language(stage: Prepare) -> None:
    event = prepared(stage, {"text": UK, "language": "ru"})
    assert event.article.language == "uk"
    assert warned(event) == [("language", "language_differs")]
    assert prepared(stage, {"text": UK, "language": "uk-UA"}).article.warnings == ()
    assert prepared(stage, {"text": "12:30, 5", "language": "UK"}).article.language == "uk"
    assert prepared(stage, {"text": "12:30, 5", "language": "de"}).article.language is None


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Взрыв на заводе в Туле", "ru"),
        ("Война в Сирии", "ru"),
        ("Партизан победио Звезду после продужетака", "sr"),
        ("Скупштина изгласала неповерење влади", "sr"),
        ("Москва: пробки и туман", "ru"),
        ("Зенит разгромил Динамо", "ru"),
        ("Самая крупная забастовка пилотов", "ru"),
        ("Зеленський у Парижі", "uk"),
        ("Консерватори назбирали достатньо голосів", "uk"),
        ("Мей не вдалося переконати депутатів", "uk"),
        ("Тисячі людей вийшли на вулиці столиці", "uk"),
        ("Цэны на паліва зноў растуць", "be"),
        ("Полицията задържа трима за грабеж в София", "bg"),
        ("Министърът на финансите подаде оставка", "bg"),
        ("Просветни радници траже веће плате", "sr"),
        ("Овај закон још није изгласан", "sr"),
        ("Наставниците бараат повисоки плати", "mk"),
        ("Beyoncé, Kendrick Lamar and Adele dominate the Grammy Awards", "en"),
    ],
)
def test_language_of_headlines(stage: Prepare, text: str, language: str) -> None:
    assert prepared(stage, text).article.language == language


def test_the_title_helps_to_tell_the_language(stage: Prepare) -> None:
    assert prepared(stage, {"text": "Динамо — Шахтар 2:1", "title": "Підсумки матчу в Києві"}).article.language == "uk"
    assert prepared(stage, {"text": UK, "title": "Город принял бюджет на год"}).article.language == "uk"


@pytest.mark.parametrize(
    ("text", "given", "language", "differs"),
    [
        ("Погода на завтра", "ru", "ru", False),
        ("Погода на завтра", "uk", "uk", False),
        ("Погода на завтра", "UA", "uk", False),
        ("Погода на завтра", "bg-BG", "bg", False),
        ("Погода на завтра", "kk", None, True),
        ("Зеленський у Парижі", "ru", "uk", True),
        ("Мэр открыл мост", "uk", "ru", True),
        ("Мэр открыл мост", "en", "ru", True),
        ("The mayor has opened the new bridge", "ru", "en", True),
        ("Mikolaj Oledzki, Luke Hooley, Leeds Rhinos", "en", "en", False),
        ("Bundestag Haushalt", "de", None, True),
        ("Mayor opens bridge in Leeds", "xx", "en", True),
        ("12:30, 5", "uk", "uk", False),
    ],
)
def test_a_tag_is_believed_of_a_short_text(
    stage: Prepare, text: str, given: str, language: str | None, differs: bool
) -> None:
    event = prepared(stage, {"text": text, "language": given})
    assert event.article.language == language
    assert warned(event) == ([("language", "language_differs")] if differs and language else [])
    assert event.skipped == ({} if language else {"prepare": "language_undetermined"})


# --- limits


def test_text_over_the_limit(stage: Prepare) -> None:
    small = Prepare(max_text_length=100)
    small.load()
    assert rejected(small, "я" * 101).reason is DeadLetterReason.TOO_LARGE
    assert rejected(small, {"text": "я" * 101}).reason is DeadLetterReason.TOO_LARGE
    assert rejected(small, "<p>" + "слово " * 30 + "</p>").reason is DeadLetterReason.TOO_LARGE
    assert rejected(small, "<p>" + "<b></b>" * 200 + "</p>").reason is DeadLetterReason.TOO_LARGE
    assert prepared(small, "я" * 100).article.text == "я" * 100
    assert rejected(stage, "слово " * 1_700_000).reason is DeadLetterReason.TOO_LARGE


def test_a_title_of_ten_megabytes_is_none(stage: Prepare) -> None:
    event = prepared(stage, {"text": RU, "title": "а" * 10_000_000})
    assert event.article.title is None and warned(event) == [("title", "too_long")]


BOMBS = {
    "nested": "<html><body>" + "<div>" * 100_000 + RU + "</div>" * 100_000 + "</body></html>",
    "nested by tables": "<html><body>" + "<table><tr><td>" * 30_000 + RU,
    "a thousand levels": "<html><body>" + "<div>" * 1000 + f"<p>{RU}</p>" + "</div>" * 1000,
    "attribute": f'<html><body><div x="{"a" * 5_000_000}"><p>{RU}</p></div></body></html>',
    "many": "<html><body>" + "<div>а</div>" * 100_000 + f"<p>{RU}</p>",
    "open brackets": "<p>" + "<" * 200_000 + RU,
    "open scripts": "<p>" + "<script>" * 50_000 + "</p>" + RU,
    "attributes": "<html><body><p " + " ".join(f"a{i}" for i in range(1_000_000)) + f">{RU}</p>",
    "quoted attributes": "<html><body><p " + " ".join(f"a{i}='>'" for i in range(500_000)) + f">{RU}</p>",
    "attributes after an open quote": f"<html><p>{RU}</p><a x='<b " + " ".join(f"a{i}" for i in range(1_000_000)),
    "attributes behind a script": f"<html><p>{RU}</p><script><a x='</script><b "
    + " ".join(f"a{i}" for i in range(1_000_000))
    + ">",
    "nested scripts": "<html><body>" + "<div>" * 1000 + f"<p>{RU}</p>" + "<script>" * 500_000 + "</p>",
    "entities": "<p>" + "&nbsp;&amp;" * 100_000 + RU,
}


def test_a_page_of_a_great_many_tags_keeps_its_paragraphs(stage: Prepare) -> None:
    page = (
        f"<html><body><p>{STORY[0]}</p>" + "<i class='x'></i >" * 250_000 + f"<p>Со<b>вет</b> рад.</p><p>{STORY[1]}</p>"
    )
    assert prepared(stage, page).article.text.split("\n") == [STORY[0], "Совет рад.", STORY[1]]


@pytest.mark.parametrize("name", BOMBS)
def test_html_bombs_neither_crash_nor_hang(stage: Prepare, name: str) -> None:
    begin = time.process_time()
    try:
        text = prepared(stage, BOMBS[name], "text/html").article.text
    except ArticleRejected as error:
        assert name == "open scripts" and error.reason is DeadLetterReason.EMPTY
    else:
        assert "Городской совет Ярославля" in text
    # Far above what they take (under a second or two), far below quadratic time.
    assert time.process_time() - begin < 30


# --- purity


def test_same_bytes_every_time_and_in_any_order(stage: Prepare) -> None:
    bodies = [PAGE, RU, UK, json.dumps({"html": PAGE, "x": 1})]
    first = [encode(prepared(stage, body)) for body in bodies]
    fresh = Prepare()
    fresh.load()
    for _ in range(3):
        again = [encode(prepared(fresh, body)) for body in reversed(bodies)]
        assert again[::-1] == first


def test_models_name_the_language_model(stage: Prepare) -> None:
    (model,) = stage.models()
    assert model.name == "py3langid-0.4.0"
    assert stage.models() == prepared(stage, RU).provenance[0].models


def test_an_article_that_mixes_languages_says_where(stage: Prepare) -> None:
    russian = "Правительство Молдавии объявило о закупке электроэнергии в Румынии, сообщили в среду в министерстве."
    ukrainian = "«Ми готові допомогти сусідам і збільшити постачання вже цього тижня», — заявив представник Укренерго."
    english = "The European Commission welcomed the agreement and said that more power would flow from next Monday."
    for whole, paragraphs in {
        "ru": [(russian, "ru"), ("Ещё цитата:", "ru"), (ukrainian, "uk"), (russian.replace("среду", "четверг"), "ru")],
        "uk": [(ukrainian, "uk"), (english, "en"), (ukrainian.replace("тижня", "місяця"), "uk")],
        "en": [(english, "en"), (english.replace("Monday", "Friday"), "en"), (russian, "ru")],
    }.items():
        article = prepared(stage, {"text": "\n".join(text for text, _ in paragraphs)}).article
        assert article.language == whole
        languages = [
            language for at, (_, language) in enumerate(paragraphs) if not at or paragraphs[at - 1][1] != language
        ]
        assert [part.language for part in article.language_parts] == languages
        assert [part.start for part in article.language_parts][1:] == [p.stop + 1 for p in article.language_parts[:-1]]
        assert (article.language_parts[0].start, article.language_parts[-1].stop) == (0, len(article.text))


@pytest.mark.parametrize(
    "text", [UK, "Компания Apple Incorporated и Microsoft Corporation отчитались за квартал лучше прогнозов."]
)
def test_an_article_in_one_language_has_no_parts(stage: Prepare, text: str) -> None:
    assert prepared(stage, {"text": text}).article.language_parts == ()
