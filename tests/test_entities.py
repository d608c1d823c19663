"""The stage as a whole: what an article's entities are, and the laws that they keep."""

import hashlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from schemas import AnnotatedEvent, Entity, EntityType, Mention, PreparedEvent, encode
from schemas.events import Article
from streams.entities import Entities
from streams.entities.countries import read_rows
from streams.entities.grouping import LIKELY, NamedMention, entities

UKRAINE = next(row.known for row in read_rows() if row.known.country == "UA")
RUSSIAN = (
    "В НАТО заявили, что РФ и КНДР нарушают резолюции Совета Безопасности ООН.\n"
    "Президент России Владимир Путин встретился с министром Сергеем Лавровым. Между Россией и Северной Кореей "
    "подписан договор, сообщили в Республике Корея. Австралия, Япония и Новая Зеландия осудили его.\n"
    "Соединенными Штатами Америки поддержана Украина. О помощи говорили в Великобритании и ФРГ."
)
UKRAINIAN = (
    "Президента України Володимира Зеленського зустріли у Вашингтоні. США та НАТО підтримали Київ.\n"
    "Між Росією і Північною Кореєю підписано договір, повідомили в Республіці Корея. РФ та КНДР відреагували.\n"
    "У Німеччині, Великій Британії та Сполучених Штатах Америки чекають на рішення Ради Безпеки ООН."
)
ENGLISH = (
    "The United States and Britain said NATO would support Ukraine's army.\n"
    "Russia signed a treaty with North Korea, officials in South Korea said. U.S. President Joe Biden met Japan's "
    "prime minister at the UN. The DPRK denied it, and so did the UK-based company."
)
ALL = {"ru": RUSSIAN, "uk": UKRAINIAN, "en": ENGLISH}


@pytest.fixture(scope="module")
def stage() -> Entities:
    stage = Entities()
    stage.load()
    return stage


def prepared(text: str, language: str | None, skipped: Mapping[str, str] | None = None) -> PreparedEvent:
    values = {
        "id": "1",
        "source": None,
        "url": None,
        "title": None,
        "author": None,
        "published_at": None,
        "fetched_at": None,
        "language": language,
        "text": text,
        "text_sha256": hashlib.sha256(text.encode()).hexdigest(),
        "removed": (),
        "warnings": (),
        "metadata": {"section": ["world"]},
    }
    return PreparedEvent(article=Article.model_validate(values), skipped=dict(skipped or {}), provenance=())


def found(stage: Entities, text: str, language: str) -> dict[str, Entity]:
    """Return the entity of each mention's text."""
    event = stage.enrich(prepared(text, language))
    return {mention.text: entity for entity in event.entities for mention in entity.mentions}


def linked(stage: Entities, text: str, language: str) -> dict[str, str]:
    return {words: entity.id for words, entity in found(stage, text, language).items() if entity.linked}


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        (
            "ru",
            {
                "РФ": "Q159 RU",
                "Россией": "Q159 RU",
                "КНДР": "Q423 KP",
                "Северной Кореей": "Q423 KP",
                "Республике Корея": "Q884 KR",
                "Австралия": "Q408 AU",
                "Япония": "Q17 JP",
                "Новая Зеландия": "Q664 NZ",
                "Соединенными Штатами Америки": "Q30 US",
                "Украина": "Q212 UA",
                "Великобритании": "Q145 GB",
                "ФРГ": "Q183 DE",
            },
        ),
        (
            "uk",
            {
                "України": "Q212 UA",
                "США": "Q30 US",
                "Сполучених Штатах Америки": "Q30 US",
                "Росією": "Q159 RU",
                "РФ": "Q159 RU",
                "Північною Кореєю": "Q423 KP",
                "КНДР": "Q423 KP",
                "Республіці Корея": "Q884 KR",
                "Німеччині": "Q183 DE",
                "Великій Британії": "Q145 GB",
            },
        ),
        (
            "en",
            {
                "United States": "Q30 US",
                "U.S.": "Q30 US",
                "Britain": "Q145 GB",
                "UK": "Q145 GB",
                "Ukraine": "Q212 UA",
                "Russia": "Q159 RU",
                "North Korea": "Q423 KP",
                "DPRK": "Q423 KP",
                "South Korea": "Q884 KR",
                "Japan": "Q17 JP",
            },
        ),
    ],
)
def test_countries_are_linked_in_every_case_form(stage: Entities, language: str, expected: dict[str, str]) -> None:
    entities = found(stage, ALL[language], language)
    for words, value in expected.items():
        entity = entities[words]
        assert (f"{entity.id} {entity.country}", entity.type, entity.linked) == (value, EntityType.LOC, True), words


@pytest.mark.parametrize(
    ("language", "words", "qid"),
    [
        ("ru", "НАТО", "Q7184"),
        ("ru", "Совета Безопасности ООН", "Q37470"),
        ("uk", "НАТО", "Q7184"),
        ("uk", "Ради Безпеки ООН", "Q37470"),
        ("en", "NATO", "Q7184"),
        ("en", "UN", "Q1065"),
    ],
)
def test_world_wide_bodies_are_organisations(stage: Entities, language: str, words: str, qid: str) -> None:
    entity = found(stage, ALL[language], language)[words]
    assert (entity.id, entity.type, entity.country) == (qid, EntityType.ORG, None)


def test_one_entity_has_one_id_and_names_in_three_languages(stage: Entities) -> None:
    ids = set()
    for language, words in (("ru", "Северной Кореей"), ("uk", "Північною Кореєю"), ("en", "North Korea")):
        entity = found(stage, ALL[language], language)[words]
        ids.add(entity.id)
        assert (entity.name.en, entity.name.ru, entity.name.uk) == ("North Korea", "КНДР", "Північна Корея")
    assert ids == {"Q423"}


def test_the_european_union_is_an_organisation_and_not_spain(stage: Entities) -> None:
    assert linked(stage, "Лидеры ЕС собрались в Брюсселе.", "ru")["ЕС"] == "Q458"
    assert linked(stage, "Лідери ЄС зібралися у Брюсселі.", "uk")["ЄС"] == "Q458"
    assert linked(stage, "Leaders of the EU met in Brussels.", "en")["EU"] == "Q458"


def test_an_entity_without_a_wikidata_id_has_the_same_id_in_every_form_and_article(stage: Entities) -> None:
    first = found(stage, "Сергея Лавренова ждут в столице. Сергей Лавренов уже вылетел.", "ru")
    second = found(stage, "Встреча с Сергеем Лавреновым прошла вчера.", "ru")
    entity = first["Сергей Лавренов"]
    assert entity.id == first["Сергея Лавренова"].id == second["Сергеем Лавреновым"].id
    assert entity.id.startswith("urn:newsflow:entity:per:")
    assert not entity.linked
    assert entity.country is None
    assert entity.name.model_dump() == {"en": None, "ru": "Сергей Лавренов", "uk": None}


def test_the_id_of_an_unlinked_entity_never_changes(stage: Entities) -> None:
    # Consumers have stored it.
    entity = found(stage, "Сергей Лавренов уже вылетел.", "ru")["Сергей Лавренов"]
    assert entity.id == "urn:newsflow:entity:per:db73ea39-066e-5a71-8e0e-a7f01fec046a"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Чад поднимался над городом, а он писал пером по бумаге. Того и гляди, мали не будет, куба льда тоже.", "ru"),
        ("Того, кто придёт первым, ждёт приз. Чем больше, тем лучше.", "ru"),
        ("Роман Доминика Смита вышел в свет.", "ru"),
        ("Michael Jordan met Chad Johnson while the turkey was in the oven.", "en"),
        ("Georgia Governor Brian Kemp spoke in Atlanta.", "en"),
        ("New Mexico is a state with a desert.", "en"),
        ("Let us go to the uk of old.", "en"),
        ("российский, украинский и американский послы", "ru"),
        ("Корея разделена.", "ru"),
        ("В Новой Гвинее и Северной Ирландии дожди.", "ru"),
        ("він писав про нього та россія", "uk"),
    ],
)
def test_what_only_looks_like_a_country_is_not_linked(stage: Entities, text: str, language: str) -> None:
    countries = {row.known.qid for row in read_rows()}
    assert [words for words, qid in linked(stage, text, language).items() if qid in countries and words != "Чад"] == []


def test_countries_with_like_names_stay_apart(stage: Entities) -> None:
    ru = linked(
        stage, "Посол Доминиканской Республики прибыл в Нигерию из Гвинеи-Бисау через Экваториальную Гвинею.", "ru"
    )
    assert ru == {
        "Доминиканской Республики": "Q786",
        "Нигерию": "Q1033",
        "Гвинеи-Бисау": "Q1007",
        "Экваториальную Гвинею": "Q983",
    }
    uk = linked(stage, "Посол Нігерії прибув до Демократичної Республіки Конго, а не до Республіки Конго.", "uk")
    assert uk == {"Нігерії": "Q1033", "Демократичної Республіки Конго": "Q974", "Республіки Конго": "Q971"}


def test_a_country_within_a_longer_name_is_no_mention_of_its_own(stage: Entities) -> None:
    mentions = found(stage, "Банк России и Лига арабских государств сделали заявление.", "ru")
    assert "Банк России" in mentions
    assert "России" not in mentions


def test_a_country_that_the_tagger_misses_is_found(stage: Entities) -> None:
    assert linked(stage, "😀 матч Россия—Украина, США", "ru") == {"Россия": "Q159", "Украина": "Q212", "США": "Q30"}


@pytest.mark.parametrize("language", sorted(ALL))
def test_mentions_stand_in_the_text_without_overlap_and_line_feeds(stage: Entities, language: str) -> None:
    text = "😀𝐀 «" + ALL[language] + "»\n\n" + ALL[language].upper() + "\n🇺🇦 " + ALL[language]
    event = stage.enrich(prepared(text, language))
    mentions = [mention for entity in event.entities for mention in entity.mentions]
    for mention in mentions:
        assert text[mention.start : mention.stop] == mention.text
        assert "\n" not in mention.text
        assert mention.text == mention.text.strip(" «»\"',")
    ordered = sorted(mentions, key=lambda mention: mention.start)
    assert all(one.stop <= other.start for one, other in pairwise(ordered))
    firsts = [entity.mentions[0].start for entity in event.entities]
    assert firsts == sorted(firsts)
    assert AnnotatedEvent.model_validate_json(encode(event)) == event


@pytest.mark.parametrize("language", sorted(ALL))
def test_a_text_gives_the_same_bytes_alone_after_others_and_in_threads(stage: Entities, language: str) -> None:
    event = prepared(ALL[language], language)
    before = event.model_copy(deep=True)
    once = encode(stage.enrich(event))
    for other, text in ALL.items():
        stage.enrich(prepared(text[::-1], other))
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(lambda _: encode(stage.enrich(event)), range(8))) == {once}
    assert event == before
    fresh = Entities()
    fresh.load()
    assert encode(fresh.enrich(event)) == once


@pytest.mark.parametrize("language", ["be", "bg", None])
def test_an_unsupported_language_is_skipped_with_its_reason(stage: Entities, language: str | None) -> None:
    event = stage.enrich(prepared(RUSSIAN, language, {"prepare": "kept"}))
    assert event.entities == ()
    assert event.skipped == {"prepare": "kept", "entities": "unsupported_language"}
    assert event.provenance[-1].models == ()


@pytest.mark.parametrize(("text", "language"), [("дождь и снег", "ru"), ("дощ", "uk"), ("rain", "en"), ("… — !", "ru")])
def test_a_text_without_names_says_so(stage: Entities, text: str, language: str) -> None:
    event = stage.enrich(prepared(text, language))
    assert event.entities == ()
    assert event.skipped == {"entities": "none_found"}


def test_provenance_names_the_models_of_the_language_alone(stage: Entities) -> None:
    names = {
        language: [model.name for model in stage.enrich(prepared(text, language)).provenance[-1].models]
        for language, text in ALL.items()
    }
    tables = [
        "newsflow-common-words-en",
        "newsflow-countries",
        "newsflow-names-en",
        "newsflow-organisations",
        "newsflow-people",
        "newsflow-places",
    ]
    assert names["en"] == ["en_core_web_sm-3.8.0", *tables]
    assert "slovnet_ner_news_v1" in names["ru"]
    assert any(name.startswith("pymorphy3-dicts-ru-") for name in names["ru"])
    assert not any(name.startswith(("pymorphy3", "en_core")) for name in names["uk"])
    assert all(listed == sorted(listed) for listed in names.values())
    everything = [model.name for model in stage.models()]
    assert set(everything) == {name for listed in names.values() for name in listed}


@pytest.mark.parametrize("language", sorted(ALL))
def test_a_very_long_text_is_tagged_to_its_end(stage: Entities, language: str) -> None:
    text = "а" * 30_000 + " " + (ALL[language].replace("\n", " ") + " ") * 200
    event = stage.enrich(prepared(text, language))
    ukraine = next(entity for entity in event.entities if entity.id == "Q212")
    # The text has no line feeds: a name at a window's edge may be read with its neighbours.
    assert len(ukraine.mentions) >= 195
    assert ukraine.mentions[-1].stop > len(text) - len(ALL[language])


@pytest.mark.parametrize("language", sorted(ALL))
@pytest.mark.timeout(120)
def test_a_run_without_spaces_costs_little(stage: Entities, language: str) -> None:
    # Tokenizers take quadratic time over such runs: a million of these took spaCy six minutes.
    event = stage.enrich(prepared("«" * 300_000 + "«а" * 150_000 + " NATO", language))
    assert [entity.id for entity in event.entities] == ["Q7184"]


@pytest.mark.parametrize(
    ("language", "text", "ids"),
    [
        ("ru", "Встреча прошла в Боснии и Герцеговине и в Антигуа и Барбуде.", ["Q225", "Q781"]),
        ("ru", "Россия и Украина обменялись пленными.", ["Q159", "Q212"]),
        ("uk", "Посол Чеської Республіки та Литви прибув до Боснії і Герцеговини.", ["Q213", "Q37", "Q225"]),
    ],
)
def test_and_joins_or_parts_countries(stage: Entities, language: str, text: str, ids: list[str]) -> None:
    assert [entity.id for entity in stage.enrich(prepared(text, language)).entities] == ids


@pytest.mark.parametrize("language", sorted(ALL))
def test_letters_that_unicode_has_no_name_for_are_no_harm(stage: Entities, language: str) -> None:
    event = stage.enrich(prepared(f"{ALL[language]} Слово\U000176ae \U00017f65 \U000187f8x.", language))
    assert {"Q212", "Q7184"} <= {entity.id for entity in event.entities}


def named(
    words: str,
    start: int,
    confidence: float,
    *,
    kind: EntityType = EntityType.PER,
    known: bool = False,
    whole: str | None = None,
) -> NamedMention:
    mention = Mention(start=start, stop=start + len(words), text=words, normal=words, confidence=round(confidence, 3))
    return NamedMention(mention, kind, UKRAINE if known else None, whole or words, confidence)


@pytest.mark.parametrize(
    ("mentions", "left"),
    [
        ([named("Гнатишак", 0, LIKELY[EntityType.PER])], [0]),
        ([named("Гнатишак", 0, LIKELY[EntityType.PER] - 0.0001)], []),
        # Of a body more is asked.
        ([named("Гнатишак", 0, LIKELY[EntityType.ORG], kind=EntityType.ORG)], [0]),
        ([named("Гнатишак", 0, LIKELY[EntityType.ORG] - 0.0001, kind=EntityType.ORG)], []),
        # Known by a table, or as certain as can be.
        ([named("Україна", 0, 0.1, known=True)], [0]),
        ([named("Гнатишак", 0, 1.0)], [0]),
        # Likely elsewhere: in small or large letters, in its full name.
        ([named("Lubenice", 0, 0.4), named("LUBENICE", 20, 0.9)], [0, 20]),
        ([named("Malakas", 0, 0.4, whole="Typhoon Malakas"), named("Typhoon Malakas", 20, 0.9)], [0, 20]),
        ([named("Calder", 0, 0.4), named("Gnatyshak", 20, 0.9)], [20]),
    ],
)
def test_a_name_that_no_table_knows_is_likely_somewhere_in_its_article(
    mentions: list[NamedMention], left: list[int]
) -> None:
    assert [one.start for entity in entities(mentions, "en") for one in entity.mentions] == left
