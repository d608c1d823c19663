"""The tables of known names: built from their sources, true where we know better, and without two meanings."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas import EntityType
from streams.entities import Entities, build_countries, countries, merged, tables
from streams.entities.countries import Gazetteer, Row, read_rows
from streams.entities.english import EnglishNames
from streams.entities.names import Names
from streams.entities.russian import RussianNames
from streams.entities.spans import Span, tidy, windows
from streams.entities.ukrainian import UkrainianNames
from streams.entities.weights import folder_reference

LOC, ORG, PER = EntityType.LOC, EntityType.ORG, EntityType.PER


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return countries.with_bodies(read_rows(), tables.read_rows())


@pytest.fixture(scope="module", params=["ru", "uk", "en"])
def gazetteer(request: pytest.FixtureRequest, rows: list[Row]) -> Iterator[Gazetteer]:
    names: dict[str, Names] = {"ru": RussianNames(), "uk": UkrainianNames(), "en": EnglishNames()}
    names[request.param].load()
    yield Gazetteer(request.param, names[request.param], rows)


def test_the_build_gives_the_committed_table_byte_for_byte() -> None:
    pytest.importorskip("rigour", reason="the extra `models` is not installed")
    pytest.importorskip("babel", reason="the extra `models` is not installed")
    assert build_countries.table().encode() == countries.TABLE.read_bytes()


def test_ids_that_are_known_by_heart(rows: list[Row]) -> None:
    ids = {row.known.country: row.known.qid for row in rows if row.known.country}
    known = {
        "RU": "Q159", "UA": "Q212", "US": "Q30", "KP": "Q423", "KR": "Q884", "AU": "Q408", "JP": "Q17", "NZ": "Q664",
        "GB": "Q145", "DE": "Q183", "CN": "Q148", "FR": "Q142", "PL": "Q36", "TW": "Q865", "XK": "Q1246",
        "PS": "Q219060", "HK": "Q8646", "DK": "Q35", "NL": "Q55", "GE": "Q230", "IE": "Q27", "CG": "Q971",
        "CD": "Q974", "NE": "Q1032",
        "NG": "Q1033", "BY": "Q184", "IL": "Q801",
    }  # fmt: skip
    for code, qid in known.items():
        assert ids[code] == qid, code


def test_every_row_is_whole_and_no_id_or_code_stands_twice(rows: list[Row]) -> None:
    ids = [row.known.qid for row in rows]
    codes = [row.known.country for row in rows if row.known.country]
    assert len(set(ids)) == len(ids)
    assert len(set(codes)) == len(codes) > 230
    for row in rows:
        assert re.fullmatch(r"Q[1-9]\d*", row.known.qid)
        assert row.known.name.en, row.known.qid
        assert row.known.name.ru, row.known.qid
        assert row.known.name.uk, row.known.qid
        assert row.known.country is None or re.fullmatch("[A-Z]{2}", row.known.country)


def test_every_certain_name_of_a_row_is_linked_to_it(rows: list[Row]) -> None:
    grammar = EnglishNames()
    index = Gazetteer("en", grammar, rows)
    for row in rows:
        for name in (name for name in row.certain["en"] if name[0].isupper()):
            form = index.link(name, row.known.type, "The Hague, Olympic, euro, Commonwealth of Independent States")
            assert form is not None, name
            assert form.known == row.known, name


def test_an_ambiguous_name_is_linked_only_where_the_tagger_agrees(gazetteer: Gazetteer) -> None:
    for name in ("Чад", "Chad"):
        assert gazetteer.link(name, PER) is None
        form = gazetteer.link(name, LOC)
        assert form is None or form.known.qid == "Q657"
        assert gazetteer.find(f"{name} is here", []) == []


def test_lower_case_and_parts_of_words_are_no_names(gazetteer: Gazetteer) -> None:
    for text in ("россия сша украина україна", "Россияне Русский Українець", "анти-Россия", "USAID UKIP", "us eu un"):
        assert gazetteer.find(text, []) == []


def test_a_name_that_belongs_to_two_rows_is_refused(rows: list[Row]) -> None:
    first, second = rows[0], rows[1]
    doubled = Row(second.known, first.certain, second.doubtful)
    with pytest.raises(ValueError, match="names"):
        Gazetteer("en", EnglishNames(), [first, doubled])


def test_known_names_give_way_to_longer_ones_and_replace_what_lies_within() -> None:
    text = "Банк России, Республика Корея, Китай"
    tagged = [Span(0, 11, ORG), Span(24, 29, LOC), Span(31, 36, ORG)]
    known = [Span(5, 11, LOC), Span(13, 29, LOC), Span(31, 36, LOC)]
    assert merged(text, tagged, known) == [Span(0, 11, ORG), Span(13, 29, LOC), Span(31, 36, LOC)]


@pytest.mark.parametrize(
    ("text", "start", "stop", "expected"),
    [
        ("«Газпром», ", 0, 11, ["Газпром"]),
        ("ООО «Ромашка»", 0, 13, ["ООО «Ромашка»"]),
        ("ООО «Ромашка", 0, 12, ["ООО «Ромашка"]),
        ("(США", 0, 4, ["США"]),
        ("Москва\nКиев", 0, 11, ["Москва", "Киев"]),
        ("the U.S.", 4, 8, ["U.S."]),
        ("Киев.", 0, 5, ["Киев"]),
        ("Иванов А.", 0, 9, ["Иванов А."]),
        (" — 12", 0, 5, []),
        ("😀 Киев 😀", 1, 7, ["Киев"]),
    ],
)
def test_spans_are_tidied(text: str, start: int, stop: int, expected: list[str]) -> None:
    spans = tidy(text, [Span(start, stop, ORG)])
    assert [text[span.start : span.stop] for span in spans] == expected


def test_of_overlapping_spans_the_longer_stays() -> None:
    assert tidy("Банк России", [Span(5, 11, LOC), Span(0, 11, ORG), Span(0, 4, PER)]) == [Span(0, 11, ORG)]


@pytest.mark.parametrize("text", ["", "a", "слово " * 3_000, "а" * 9_000, "строка\n" * 2_000, "😀" * 5_000])
def test_windows_are_the_whole_text_in_pieces(text: str) -> None:
    pieces = list(windows(text))
    assert "".join(piece for _, piece in pieces) == text
    assert all(len(piece) <= 4_000 and text.startswith(piece, start) for start, piece in pieces)


def test_the_hash_of_a_folder_depends_on_names_and_contents_alone(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one").write_text("1")
    first = folder_reference("x", tmp_path)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "junk").write_text("2")
    assert folder_reference("x", tmp_path) == first
    (tmp_path / "a" / "one").rename(tmp_path / "a" / "two")
    assert folder_reference("x", tmp_path) != first


def test_loading_twice_does_nothing() -> None:
    stage = Entities()
    stage.load()
    models = stage.models()
    stage.load()
    assert stage.models() == models
