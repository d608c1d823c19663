"""Normal forms: the nominative of a whole name."""

from importlib.util import find_spec

import pytest

from schemas import EntityType
from streams.entities import Entities
from streams.entities.english import EnglishNames
from streams.entities.names import Names
from streams.entities.russian import RussianNames
from streams.entities.ukrainian import UkrainianDictionaryNames, UkrainianNames
from streams.errors import SettingsError

PER, LOC, ORG = EntityType.PER, EntityType.LOC, EntityType.ORG


@pytest.fixture(scope="module")
def names() -> dict[str, Names]:
    grammars: dict[str, Names] = {"ru": RussianNames(), "uk": UkrainianNames(), "en": EnglishNames()}
    for grammar in grammars.values():
        grammar.load()
    return grammars


@pytest.mark.parametrize(
    ("name", "kind", "normal"),
    [
        ("Совета Безопасности ООН", ORG, "Совет Безопасности ООН"),
        ("Соединенными Штатами Америки", LOC, "Соединенные Штаты Америки"),
        ("Северной Кореей", LOC, "Северная Корея"),
        ("Украины", LOC, "Украина"),
        ("Индо-Тихоокеанского региона", LOC, "Индо-Тихоокеанский регион"),
        ("Нью-Йорке", LOC, "Нью-Йорк"),
        ("Нижнем Новгороде", LOC, "Нижний Новгород"),
        ("НАТО", ORG, "НАТО"),
        ("МИДа", ORG, "МИД"),
        ("британского МИД", ORG, "британский МИД"),
        ("Министерства обороны России", ORG, "Министерство обороны России"),
        ("Владимира Путина", PER, "Владимир Путин"),
        ("Ангелой Меркель", PER, "Ангела Меркель"),
        ("Терезы Мэй", PER, "Тереза Мэй"),
        ("Юлию Тимошенко", PER, "Юлия Тимошенко"),
        ("Бориса Джонсона", PER, "Борис Джонсон"),
        ("Apple", ORG, "Apple"),
        ("УКРАИНЫ", LOC, "УКРАИНА"),
    ],
)
def test_russian(names: dict[str, Names], name: str, kind: EntityType, normal: str) -> None:
    assert names["ru"].nominative(name, kind) == normal


@pytest.mark.parametrize(
    ("name", "kind", "normal"),
    [
        ("Володимира Зеленського", PER, "Володимир Зеленський"),
        ("Володимир Зеленський", PER, "Володимир Зеленський"),
        ("Джо Байденом", PER, "Джо Байден"),
        ("Ірини Геращенко", PER, "Ірина Геращенко"),
        ("Петра Порошенка", PER, "Петро Порошенко"),
        ("Харківської області", LOC, "Харківська область"),
        ("Києві", LOC, "Київ"),
        ("Верховної Ради України", ORG, "Верховна Рада України"),
        ("Міністерства оборони", ORG, "Міністерство оборони"),
        ("НАТО", ORG, "НАТО"),
        ("Шевчука", PER, "Шевчука"),
    ],
)
def test_ukrainian_rules_change_only_what_is_certain(
    names: dict[str, Names], name: str, kind: EntityType, normal: str
) -> None:
    assert names["uk"].nominative(name, kind) == normal


@pytest.mark.parametrize(
    ("name", "normal"), [("Ukraine's", "Ukraine"), ("the White House", "White House"), ("U.S.", "U.S."), ("the", "the")]
)
def test_english(names: dict[str, Names], name: str, normal: str) -> None:
    assert names["en"].nominative(name, ORG) == normal


def test_case_forms_follow_the_head_and_its_adjectives(names: dict[str, Names]) -> None:
    assert {"Новой Зеландии", "Новую Зеландию", "Новой Зеландией"} <= names["ru"].case_forms("Новая Зеландия")
    assert {"Республики Корея", "Республикой Корея"} <= names["ru"].case_forms("Республика Корея")
    assert {"Нової Зеландії", "Новій Зеландії", "Новою Зеландією"} <= names["uk"].case_forms("Нова Зеландія")
    assert {"Боснії і Герцеговини", "Боснією і Герцеговиною"} <= names["uk"].case_forms("Боснія і Герцеговина")
    assert {"Нідерландів", "Нідерландах"} <= names["uk"].case_forms("Нідерланди")
    assert names["ru"].case_forms("США") == {"США"}


WITH_DICTIONARY = find_spec("pymorphy3_dicts_uk") is not None


@pytest.mark.skipif(WITH_DICTIONARY, reason="the optional dictionary is installed")
def test_the_optional_dictionary_is_missed_in_plain_words() -> None:
    with pytest.raises(SettingsError, match="ukrainian-dictionary"):
        Entities(ukrainian_dictionary=True)


@pytest.mark.skipif(not WITH_DICTIONARY, reason="needs the extra `ukrainian-dictionary` (GPLv3)")
def test_the_optional_dictionary_knows_what_the_rules_do_not() -> None:
    rules, both = UkrainianNames(), UkrainianDictionaryNames()
    rules.load()
    both.load()
    assert rules.nominative("Нідерландах", EntityType.LOC) == "Нідерландах"
    assert both.nominative("Нідерландах", EntityType.LOC) == "Нідерланди"
    assert both.nominative("Володимира Зеленського", EntityType.PER) == "Володимир Зеленський"
    assert {model.name.rpartition("-")[0] for model in both.models()} >= {"pymorphy3-dicts-uk"}
