"""Countries and persons that the taggers run together are told apart."""

import pytest

from streams.entities import Entities
from streams.entities.ukrainian import UkrainianNames
from tests.test_entities import found, linked


@pytest.fixture(scope="module")
def stage() -> Entities:
    stage = Entities()
    stage.load()
    return stage


@pytest.mark.parametrize(
    ("text", "country", "qid", "person"),
    [
        ("Про це заявив канцлер Німеччини Фрідріх Мерц.", "Німеччини", "Q183", "Фрідріх Мерц"),
        ("Президенту Росії Володимиру Путіну відповіли.", "Росії", "Q159", "Володимиру Путіну"),
        ("Прем'єр-міністр Польщі Дональд Туск прибув до Києва.", "Польщі", "Q36", "Дональд Туск"),
    ],
)
def test_a_ukrainian_person_does_not_swallow_the_country(
    stage: Entities, text: str, country: str, qid: str, person: str
) -> None:
    entities = found(stage, text, "uk")
    assert entities[country].id == qid
    assert person in entities


def test_a_first_name_that_is_a_countrys_stays_a_persons(stage: Entities) -> None:
    assert not linked(stage, "Про це сказали Чад Сміт і Кенія Мур.", "uk")


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("Переговоры Россия-США прошли в Женеве.", "ru", {"Россия": "Q159", "США": "Q30", "Женеве": "Q71"}),
        ("Отношения США—Китай обсудили в Пекине.", "ru", {"США": "Q30", "Китай": "Q148", "Пекине": "Q956"}),
        ("Матч Германия-Франция перенесли.", "ru", {"Германия": "Q183", "Франция": "Q142"}),
        ("Саммит Украина-ЕС начался в Киеве.", "ru", {"Украина": "Q212", "ЕС": "Q458", "Киеве": "Q1899"}),
        ("Саміт Україна-ЄС розпочався у Києві.", "uk", {"Україна": "Q212", "ЄС": "Q458", "Києві": "Q1899"}),
        ("Президент Гвинеи-Бисау прилетел.", "ru", {"Гвинеи-Бисау": "Q1007"}),
    ],
)
def test_a_dash_joins_two_countries(stage: Entities, text: str, language: str, expected: dict[str, str]) -> None:
    assert linked(stage, text, language) == expected


def test_a_ukrainian_sentences_first_word_is_a_person_only_by_its_name(stage: Entities) -> None:
    text = "Пожежа знищила склад. Синоптики попередили про дощ. Вона не приїде. Порошенко відповів. Тарас прийшов."
    persons = {words for words, entity in found(stage, text, "uk").items() if entity.type == "PER"}
    assert persons <= {"Порошенко", "Тарас"}
    assert "Порошенко" in persons


def test_a_ukrainian_region_is_a_place() -> None:
    names = UkrainianNames()
    names.load()
    assert names.is_place("Київщині")
    assert names.is_place("Луганщини")
    assert not names.is_place("Спадщину")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("LEBANON, Pa. (AP) — Police arrested a man on Monday.", "en"),
        ("PERU, Ind. (AP) — Police arrested a man on Monday.", "en"),
        ("A farm in Poland, Maine, burned down on Monday.", "en"),
        ("She keeps Guinea pigs and sells Panama hats.", "en"),
        ("He drank Poland Spring and ate Turkey burgers.", "en"),
        ("The ICC and the ECB named their cricket teams.", "en"),
        ("Please TRUST US and follow US on Monday.", "en"),
        ("Малі підприємства отримають допомогу. Малі та середні чекають.", "uk"),
        ("Договір на виконання НДР підписали в університеті.", "uk"),
    ],
)
def test_a_homonym_has_no_link(stage: Entities, text: str, language: str) -> None:
    assert not linked(stage, text, language)


@pytest.mark.parametrize(
    ("text", "language", "words", "qid"),
    [
        ("The ICC prosecutor in The Hague asked for a warrant.", "en", "ICC", "Q47488"),
        ("The ECB kept interest rates unchanged.", "en", "ECB", "Q8901"),
        ("Війська прибули до Малі у вівторок.", "uk", "Малі", "Q912"),
        ("Президент Туркменистану прибув до Києва.", "uk", "Туркменистану", "Q874"),
        ("За даними розвідки, росія готує наступ.", "uk", "росія", "Q159"),
        ("Війська рф обстріляли місто.", "uk", "рф", "Q159"),
        ("Кордон із білоруссю закрито.", "uk", "білоруссю", "Q184"),
        ("Президент Єгипту прибув до Києва.", "uk", "Єгипту", "Q79"),
    ],
)
def test_the_cue_gives_the_link(stage: Entities, text: str, language: str, words: str, qid: str) -> None:
    assert linked(stage, text, language).get(words) == qid
