"""Rules after the sequence model: bounds by the guideline, surnames found again, common words dropped."""

import pytest

from schemas import EntityType
from streams.entities.mending import REPEATED, SURE, mended, parted
from streams.entities.spans import Span

PER, LOC, ORG = EntityType.PER, EntityType.LOC, EntityType.ORG


def span_of(text: str, words: str, kind: EntityType) -> Span:
    start = text.index(words)
    return Span(start, start + len(words), kind)


def after(
    text: str, found: list[tuple[str, EntityType]], language: str, confidence: float = 0.9
) -> list[tuple[str, EntityType]]:
    spans = {span_of(text, words, kind): confidence for words, kind in found}
    return [(text[span.start : span.stop], span.type) for span in mended(text, spans, language)]


@pytest.mark.parametrize(
    ("language", "words", "name"),
    [
        ("ru", "президент Владимир Путин", "Владимир Путин"),
        ("ru", "Генерал Сергей Суровикин", "Сергей Суровикин"),
        ("ru", "Король Карл III", "Карл III"),
        ("uk", "президент Володимир Зеленський", "Володимир Зеленський"),
        ("uk", "Прем'єр-міністр Денис Шмигаль", "Денис Шмигаль"),
        ("en", "President Joe Biden", "Joe Biden"),
        ("en", "Mr. Palmer", "Palmer"),
        ("en", "Prime Minister Keir Starmer", "Keir Starmer"),
        ("en", "Pope Francis", "Francis"),
    ],
)
def test_titles_stay_outside_of_a_persons_name(language: str, words: str, name: str) -> None:
    assert after(f"— {words} —", [(words, PER)], language) == [(name, PER)]


@pytest.mark.parametrize(
    ("language", "words", "kind"),
    [
        ("en", "General Motors", ORG),
        ("en", "Mayor", PER),
        ("ru", "Граф", PER),
        ("ru", "Марина Граф", PER),
        ("uk", "Майорка", LOC),
        ("en", "Kingsley Coman", PER),
    ],
)
def test_what_only_begins_like_a_title_is_left_alone(language: str, words: str, kind: EntityType) -> None:
    assert after(f"— {words} —", [(words, kind)], language) == [(words, kind)]


@pytest.mark.parametrize(
    ("language", "words", "name"),
    [
        ("ru", "батальона «Восход»", "Восход"),
        ("ru", "британской радиостанции LBC", "LBC"),
        ("uk", "обласної газети « Червоний прапор »", "Червоний прапор"),
        ("uk", "лоукост-компанії Wizz Air", "Wizz Air"),
        ("en", "umbrella Nigeria Labour Congress", "Nigeria Labour Congress"),
        ("en", "a Confederation of African Football", "Confederation of African Football"),
    ],
)
def test_what_kind_of_body_it_is_stays_outside_of_its_name(language: str, words: str, name: str) -> None:
    assert after(f"— {words} —", [(words, ORG)], language) == [(name, ORG)]


@pytest.mark.parametrize(
    ("language", "words", "kind"),
    [
        ("uk", "міністерство культури України", ORG),
        ("ru", "министерство обороны России", ORG),
        ("ru", "Театр имени «Искры»", ORG),
        ("en", "al-Gama'a al-Islamiya", ORG),
        ("en", "easyJet Europe", ORG),
        ("ru", "мыс Lookout", LOC),
    ],
)
def test_small_words_that_are_a_names_own_stay_inside(language: str, words: str, kind: EntityType) -> None:
    assert after(f"— {words} —", [(words, kind)], language) == [(words, kind)]


@pytest.mark.parametrize(
    ("language", "text", "tagged", "name"),
    [
        ("ru", "Об этом сказал А. Иванов вчера.", "Иванов", "А. Иванов"),
        ("ru", "Об этом сказал А. В. Иванов вчера.", "Иванов", "А. В. Иванов"),
        ("ru", "Книга А.С.Пушкина издана.", "Пушкина", "А.С.Пушкина"),
        ("uk", "Про це сказав Ю. Витренко вчора.", "Витренко", "Ю. Витренко"),
        ("en", "The author J. K. Rowling agreed.", "Rowling", "J. K. Rowling"),
    ],
)
def test_initials_belong_to_the_surname(language: str, text: str, tagged: str, name: str) -> None:
    assert after(text, [(tagged, PER)], language) == [(name, PER)]


@pytest.mark.parametrize(
    ("language", "text", "tagged"),
    [
        ("ru", "Он уехал. Иванов остался.", "Иванов"),
        ("en", "He lives in the U.S. Rowling agreed.", "Rowling"),
        ("en", "It was Mr. Rowling who agreed.", "Rowling"),
    ],
)
def test_not_every_full_stop_before_a_surname_is_an_initials(language: str, text: str, tagged: str) -> None:
    assert after(text, [(tagged, PER)], language) == [(tagged, PER)]


@pytest.mark.parametrize(
    ("language", "text", "whole", "parts"),
    [
        (
            "en",
            "The Independent National Electoral Commission (INEC) said",
            "Independent National Electoral Commission (INEC)",
            ["Independent National Electoral Commission", "INEC"],
        ),
        (
            "ru",
            "в Европейском центральном банке (ЕЦБ) решили",
            "Европейском центральном банке (ЕЦБ)",
            ["Европейском центральном банке", "ЕЦБ"],
        ),
        ("uk", "в Міжнародному фонді (МВФ", "Міжнародному фонді (МВФ", ["Міжнародному фонді", "МВФ"]),
    ],
)
def test_a_name_in_brackets_is_a_name_of_its_own(language: str, text: str, whole: str, parts: list[str]) -> None:
    assert after(text, [(whole, ORG)], language) == [(part, ORG) for part in parts]


def test_a_bracket_in_the_middle_of_a_name_parts_nothing() -> None:
    words = "ФК «Динамо (Москва)» имени Яшина"
    assert after(f"Это {words}.", [(words, ORG)], "ru") == [(words, ORG)]


@pytest.mark.parametrize(
    ("language", "text", "full", "again"),
    [
        ("ru", "Егор Лавренов приехал. Лавренова ждут, с Лавреновым говорят.", "Егор Лавренов", 2),
        ("uk", "Єгор Лавренюк приїхав. Лавренюка чекають, з Лавренюком говорять.", "Єгор Лавренюк", 2),
        ("en", "Egor Lavrenov came. Lavrenov is awaited, Lavrenov's guests talk.", "Egor Lavrenov", 2),
    ],
)
def test_surnames_of_full_names_are_found_again_in_every_case(language: str, text: str, full: str, again: int) -> None:
    found = after(text, [(full, PER)], language)
    assert found[0] == (full, PER)
    assert len(found) == 1 + again
    assert all(kind is PER and " " not in words for words, kind in found[1:])


def test_a_surname_is_not_found_again_in_another_name_or_in_small_letters() -> None:
    text = "Егор Лавренов открыл Банк Лавренова. Ни лавренов, ни Лавреновка не ответили."
    found = after(text, [("Егор Лавренов", PER), ("Банк Лавренова", ORG)], "ru")
    assert found == [("Егор Лавренов", PER), ("Банк Лавренова", ORG)]


def test_a_surname_without_its_full_name_is_not_looked_for() -> None:
    assert after("Лавренов приехал. С Лавреновым говорят.", [("Лавренов", PER)], "ru") == [("Лавренов", PER)]


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("ru", "XX"),
        ("ru", "XIX–XX"),
        ("uk", "ХХІ"),
        ("en", "XIV"),
        ("ru", "СМИ"),
        ("ru", "ВВП"),
        ("uk", "ПДВ"),
        ("uk", "ДТП"),
        ("en", "American"),
        ("ru", "COVID-19"),
    ],
)
def test_roman_numerals_abbreviations_and_peoples_are_no_names(language: str, words: str) -> None:
    assert after(f"— {words} —", [(words, ORG)], language) == []


@pytest.mark.parametrize(
    ("language", "words"), [("ru", "МИД"), ("uk", "ЗСУ"), ("en", "WHO"), ("en", "American Airlines")]
)
def test_bodies_with_capitals_or_an_adjective_stay_names(language: str, words: str) -> None:
    assert after(f"— {words} —", [(words, ORG)], language) == [(words, ORG)]


def test_the_same_words_have_the_type_that_most_of_the_article_gives_them() -> None:
    text = "Лавренск растёт. Лавренск ждёт. Лавренск спит."
    spans = {Span(0, 8, LOC): 0.9, Span(17, 25, LOC): 0.8, Span(32, 40, ORG): 0.7}
    assert [span.type for span in mended(text, spans, "ru")] == [LOC, LOC, LOC]


@pytest.mark.parametrize(
    ("language", "text", "tagged", "known", "expected"),
    [
        ("en", "for Gazprom and Rosneft now", ("Gazprom and Rosneft", ORG), [("Gazprom", ORG), ("Rosneft", ORG)], None),
        (
            "uk",
            "у Краснодарському краї безпілотники",
            ("Краснодарському краї безпілотники", ORG),
            [("Краснодарському краї", LOC)],
            None,
        ),
        ("uk", "Прем'єр-міністр Італії каже", ("Прем'єр-міністр Італії", ORG), [("Італії", LOC)], None),
        ("en", "US Secretary said", ("US Secretary", LOC), [("US", LOC)], None),
        ("en", "South Korean Samsung", ("Korean Samsung", PER), [("Samsung", ORG)], None),
        ("uk", "саміт Україна-ЄС почався", ("Україна-ЄС", ORG), [("Україна", LOC), ("ЄС", ORG)], None),
        # A part of a longer name is none of its own.
        ("ru", "это Банк России", ("Банк России", ORG), [("России", LOC)], [("Банк России", ORG)]),
        (
            "en",
            "the Bank of England and Wales Trust",
            ("Bank of England and Wales Trust", ORG),
            [("England", LOC), ("Wales", LOC)],
            [("Bank of England and Wales Trust", ORG)],
        ),
        (
            "ru",
            "аэропорт Москва Домодедово",
            ("Москва Домодедово", LOC),
            [("Москва", LOC)],
            [("Москва Домодедово", LOC)],
        ),
        ("en", "US Airways flies", ("US Airways", ORG), [("US", LOC)], [("US Airways", ORG)]),
        ("en", "Joe Ford spoke", ("Joe Ford", PER), [], [("Joe Ford", PER)]),
    ],
)
def test_a_span_that_swallows_a_known_name_is_cut_only_where_the_rest_is_no_part_of_a_name(
    language: str,
    text: str,
    tagged: tuple[str, EntityType],
    known: list[tuple[str, EntityType]],
    expected: list[tuple[str, EntityType]] | None,
) -> None:
    spans = {span_of(text, *tagged): 0.9}
    parts = parted(text, spans, [span_of(text, *one) for one in known], language)
    assert [(text[span.start : span.stop], span.type) for span in parts] == (expected or known)


@pytest.mark.parametrize(
    ("language", "words"),
    [("uk", "90-х"), ("uk", "обласної ради"), ("ru", "44-летний британский юрист"), ("en", "the district council")],
)
def test_what_has_no_capital_is_a_name_only_where_that_is_sure(language: str, words: str) -> None:
    assert after(f"— {words} —", [(words, ORG)], language, confidence=SURE - 0.01) == []
    assert after(f"— {words} —", [(words, ORG)], language, confidence=SURE) == [(words, ORG)]


def test_a_surname_whose_full_name_is_there_is_at_least_as_sure_as_one_found_again() -> None:
    text = "Вчора виступив Олег Гнатишак. Потім Гнатишак поїхав додому."
    full, alone = span_of(text, "Олег Гнатишак", PER), Span(text.rindex("Гнатишак"), text.index(" поїхав"), PER)
    assert mended(text, {full: 0.95, alone: 0.4}, "uk") == {full: 0.95, alone: REPEATED}
    assert mended(text, {full: 0.95, alone: 0.7}, "uk") == {full: 0.95, alone: 0.7}


@pytest.mark.parametrize(
    ("text", "tagged", "name"),
    [
        ("Суд стягнув із ТОВ « Грімальді » борг.", "ТОВ « Грімальді", "ТОВ « Грімальді »"),
        ("Суд стягнув із ТОВ «Грімальді Сервіс» борг.", "ТОВ «Грімальді", "ТОВ «Грімальді Сервіс»"),
        # What is quoted after the next opening mark, or in the next line, is another matter.
        ("Суд стягнув із ТОВ « Грімальді борг. « Так »", "ТОВ « Грімальді", "ТОВ « Грімальді"),
        ("Суд стягнув із ТОВ « Грімальді\nборг »", "ТОВ « Грімальді", "ТОВ « Грімальді"),
    ],
)
def test_a_name_that_holds_the_opening_quote_mark_holds_the_closing_one(text: str, tagged: str, name: str) -> None:
    assert after(text, [(tagged, ORG)], "uk") == [(name, ORG)]
