"""The tables of known entities: no id and no certain name twice, nothing missing, true to the facts that we have."""

import csv
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from schemas import EntityType
from streams.entities import countries, tables
from streams.entities.countries import LANGUAGES, Row

FACTS = Path(__file__).parents[2] / "shared" / "facts" / "wikidata-ids-ru.tsv"
# The facts are what annotators wrote; here they linked a person's name to its namesake, or called a body a place.
FACTS_ARE_WRONG = {
    "Q3392": "the Nile, annotated at the surname of Neil Basu, «Нил Басу»",
    "Q678299": "Dikson in the Arctic, annotated at the surname of Allan Dixon, «Аллан Диксон»",
    "Q49112": "Yale University, annotated as a place",
}
# Of all members of the United Nations, where several are one the seat that the constitution names.
CAPITALS = (
    "Kabul | Tirana | Algiers | Andorra la Vella | Luanda | Saint John's | Buenos Aires | Yerevan | Canberra | "
    "Vienna | Baku | Nassau | Manama | Dhaka | Bridgetown | Minsk | Brussels | Belmopan | Porto-Novo | Thimphu | "
    "Sucre | Sarajevo | Gaborone | Brasília | Bandar Seri Begawan | Sofia | Ouagadougou | Gitega | Praia | Phnom "
    "Penh | Yaoundé | Ottawa | Bangui | N'Djamena | Santiago | Beijing | Bogotá | Moroni | Brazzaville | San José "
    "| Yamoussoukro | Zagreb | Havana | Nicosia | Prague | Pyongyang | Kinshasa | Copenhagen | Djibouti | Roseau "
    "| Santo Domingo | Quito | Cairo | San Salvador | Malabo | Asmara | Tallinn | Mbabane | Addis Ababa | Suva | "
    "Helsinki | Paris | Libreville | Banjul | Tbilisi | Berlin | Accra | Athens | St. George's | Guatemala City | "
    "Conakry | Bissau | Georgetown | Port-au-Prince | Tegucigalpa | Budapest | Reykjavik | New Delhi | Jakarta | "
    "Tehran | Baghdad | Dublin | Jerusalem | Rome | Kingston | Tokyo | Amman | Astana | Nairobi | Tarawa | Kuwait "
    "City | Bishkek | Vientiane | Riga | Beirut | Maseru | Monrovia | Tripoli | Vaduz | Vilnius | Luxembourg | "
    "Antananarivo | Lilongwe | Kuala Lumpur | Malé | Bamako | Valletta | Majuro | Nouakchott | Port Louis | "
    "Mexico City | Palikir | Chisinau | Monaco | Ulaanbaatar | Podgorica | Rabat | Maputo | Naypyidaw | Windhoek "
    "| Yaren | Kathmandu | Amsterdam | Wellington | Managua | Niamey | Abuja | Skopje | Oslo | Muscat | Islamabad "
    "| Ngerulmud | Panama City | Port Moresby | Asunción | Lima | Manila | Warsaw | Lisbon | Doha | Seoul | "
    "Bucharest | Moscow | Kigali | Basseterre | Castries | Kingstown | Apia | San Marino | São Tomé | Riyadh | "
    "Dakar | Belgrade | Victoria | Freetown | Singapore | Bratislava | Ljubljana | Honiara | Mogadishu | Pretoria "
    "| Juba | Madrid | Colombo | Khartoum | Paramaribo | Stockholm | Bern | Damascus | Dushanbe | Dodoma | "
    "Bangkok | Dili | Lomé | Nuku'alofa | Port of Spain | Tunis | Ankara | Ashgabat | Funafuti | Kampala | Kyiv | "
    "Abu Dhabi | London | Washington, D.C. | Montevideo | Tashkent | Port Vila | Caracas | Hanoi | Sanaa | Lusaka "
    "| Harare"
)
OBLASTS = (
    "Cherkasy | Chernihiv | Chernivtsi | Dnipropetrovsk | Donetsk | Ivano-Frankivsk | Kharkiv | Kherson | "
    "Khmelnytskyi | Kirovohrad | Kyiv | Luhansk | Lviv | Mykolaiv | Odesa | Poltava | Rivne | Sumy | Ternopil | "
    "Vinnytsia | Volyn | Zakarpattia | Zaporizhzhia | Zhytomyr"
)
REGIONS_OF_RUSSIA = 83
"""Subjects of the federation by the constitution without those on Ukraine's territory."""


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return [*countries.read_rows(), *tables.read_rows()]


def names_of(row: Row, language: str) -> set[str]:
    return {*row.certain[language], *row.doubtful[language]}


def names(row: Row) -> set[str]:
    return {row.known.name.en or "", *names_of(row, "en")}


def test_every_id_is_wikidatas_and_stands_once(rows: list[Row]) -> None:
    ids = Counter(row.known.qid for row in rows)
    assert [qid for qid in ids if not (qid[0] == "Q" and qid[1:].isdigit())] == []
    assert [qid for qid, count in ids.items() if count > 1] == []


def test_every_row_has_a_name_in_three_languages_and_can_be_found(rows: list[Row]) -> None:
    for row in rows:
        for language in LANGUAGES:
            assert getattr(row.known.name, language), row.known.qid
            # A body that is called by its Latin name in Russian too is found by that.
            latin = row.known.type is not EntityType.LOC and getattr(row.known.name, language).isascii()
            found_by = names_of(row, language) | (names_of(row, "en") if latin else set())
            assert found_by, (row.known.qid, language)


def test_no_certain_name_is_that_of_two_rows(rows: list[Row]) -> None:
    owners: dict[tuple[str, EntityType, str], set[str]] = defaultdict(set)
    for row in rows:
        for language in LANGUAGES:
            for name in row.certain[language]:
                # The linker decides between types: the tagger says which it is.
                owners[language, row.known.type, name.casefold()].add(row.known.qid)
    assert {name: ids for name, ids in owners.items() if len(ids) > 1} == {}


def test_a_name_is_certain_or_doubtful_and_stands_once_in_its_cell(rows: list[Row]) -> None:
    for row in rows:
        for language in LANGUAGES:
            cell = (*row.certain[language], *row.doubtful[language])
            assert len(set(cell)) == len(cell), (row.known.qid, cell)
            assert all(name == " ".join(name.split()) and name for name in cell), (row.known.qid, cell)


def test_names_are_written_in_their_languages_letters(rows: list[Row]) -> None:
    wrong = [
        (row.known.qid, name)
        for row in rows
        for language, alien in (("ru", "іїєґ"), ("uk", "ыэёъ"), ("en", "абвгдежзиклмнопрстуфхцчшщьюяіїєґыэёъ"))
        for name in (*row.certain[language], *row.doubtful[language])
        # The newspaper's name ends so in every language.
        if set(name.lower()) & set(alien) and name != "Коммерсантъ"
    ]
    assert wrong == []


def test_positions_lie_on_the_globe_and_cities_have_one(rows: list[Row]) -> None:
    for row in rows:
        if row.known.position:
            latitude, longitude = row.known.position
            assert -90 <= latitude <= 90, row.known
            assert -180 <= longitude <= 180, row.known
            assert row.known.position != (0, 0), row.known
    without = [row.known.name.en for row in rows if row.known.kind == "city" and not row.known.position]
    assert len(without) <= 0.02 * sum(row.known.kind == "city" for row in rows), without


@pytest.mark.parametrize(
    ("qid", "latitude", "longitude"),
    [
        ("Q1899", 50.45, 30.52),  # Kyiv
        ("Q60", 40.71, -74.01),  # New York
        ("Q3130", -33.87, 151.21),  # Sydney
        ("Q2887", -33.45, -70.67),  # Santiago
    ],
)
def test_latitude_and_longitude_are_not_exchanged(rows: list[Row], qid: str, latitude: float, longitude: float) -> None:
    position = next(row.known.position for row in rows if row.known.qid == qid)
    assert position == pytest.approx((latitude, longitude), abs=0.3)


def test_country_codes_are_those_of_the_table_of_countries(rows: list[Row]) -> None:
    known = {row.known.country for row in countries.read_rows()}
    assert {row.known.country for row in rows} - known - {None} == set()


def test_types_are_those_of_the_facts(rows: list[Row]) -> None:
    if not FACTS.exists():
        pytest.skip(f"{FACTS} is not here")
    with FACTS.open(encoding="utf-8", newline="") as lines:
        facts = {line["qid"]: line["type"] for line in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)}
    known = {row.known.qid: row.known for row in rows if row.known.qid in facts}
    assert len(known) >= 1_000, "the tables share too few ids with the facts for this to say anything"
    differ = {qid for qid, one in known.items() if one.type != facts[qid]}
    assert {qid: known[qid].name.en for qid in differ - FACTS_ARE_WRONG.keys()} == {}
    assert FACTS_ARE_WRONG.keys() - differ == set(), "these exceptions are no longer needed"


def test_there_are_as_many_bodies_and_people_as_promised(rows: list[Row]) -> None:
    kinds = Counter(row.known.type for row in rows)
    assert kinds[EntityType.ORG] >= 400
    assert kinds[EntityType.PER] >= 400


def test_all_capitals_of_the_united_nations_are_there(rows: list[Row]) -> None:
    capitals = CAPITALS.split(" | ")
    assert len(set(capitals)) == len(capitals) == 193
    known = {name for row in rows if row.known.type is EntityType.LOC for name in names(row)}
    assert [capital for capital in capitals if capital not in known] == []


def test_all_regions_of_ukraine_are_there(rows: list[Row]) -> None:
    known = {name for row in rows if row.known.country == "UA" for name in names(row)}
    oblasts = OBLASTS.split(" | ")
    assert len(set(oblasts)) == 24
    assert [oblast for oblast in oblasts if f"{oblast} Oblast" not in known] == []
    assert "Crimea" in known


def test_all_regions_of_russia_are_there(rows: list[Row]) -> None:
    regions = [row for row in rows if row.known.country == "RU" and row.known.kind == "state"]
    # Moscow and Saint Petersburg are cities.
    cities = [row for row in rows if row.known.qid in ("Q649", "Q656")]
    assert len(cities) == 2
    assert len(regions) + len(cities) >= REGIONS_OF_RUSSIA


def test_all_states_of_the_united_states_are_there(rows: list[Row]) -> None:
    states = [row.known.name.en for row in rows if row.known.country == "US" and row.known.kind == "state"]
    assert len(states) >= 50, states
    assert {"Alabama", "Wyoming", "New York state", "Washington state", "Hawaii"} <= set(states)
