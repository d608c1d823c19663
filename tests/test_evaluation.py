"""`newsflow eval` on small labelled files of known outcome."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from schemas import Topic
from streams.entities import Entities
from streams.errors import InputError
from streams.evaluation import gold, language, topics
from streams.evaluation.answers import Answer, accuracy, coverage, macro_f1
from streams.evaluation.entities import Found, Mistake, Tally, measure, same_form
from streams.prepare.language import LanguageDetector

ROOT = Path(__file__).parent.parent
TEXT = "Анна Ковалёва прилетела из Перу в Токио по приглашению Заречного завода."
COUNTRY = "Q419"
CITY = "Q1490"


def newsflow(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "streams", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def write(path: Path, *lines: dict[str, Any] | str) -> str:
    dumped = (line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines)
    path.write_text("".join(line + "\n" for line in dumped))
    return str(path)


def span(text: str, words: str, kind: str, **more: str) -> dict[str, Any]:
    start = text.index(words)
    return {"start": start, "stop": start + len(words), "type": kind} | more


def test_entities_are_counted_by_span_type_form_and_link(tmp_path: Path) -> None:
    text = "Встреча прошла в Японии и Новой Зеландии."
    right = {"id": "1", "lang": "ru", "text": text}
    spans = [
        span(text, "Японии", "LOC", lemma="Япония", id="Q17"),
        # wrong on purpose: the type, the form and the id that a careful annotator would not have given
        span(text, "Новой Зеландии", "ORG", lemma="Новая Зеландия", id="Q1"),
    ]
    answer = newsflow("eval", "entities", "--format", "json", write(tmp_path / "a.jsonl", right | {"spans": spans}))
    assert answer.returncode == 0, answer.stderr
    figures = json.loads(answer.stdout)
    assert figures["recognition"]["micro"] == {"p": 0.5, "r": 0.5, "f1": 0.5}
    assert figures["recognition"]["LOC"] == {"p": 0.5, "r": 1.0, "f1": pytest.approx(2 / 3, abs=1e-4)}
    assert figures["recognition"]["ORG"]["r"] == 0
    assert figures["normal_form"] == {"exact": 1.0, "n": 2}
    assert figures["links"] == {"p": 0.5, "r": 0.5, "n": 2}
    assert figures["ms_per_1000_chars"] > 0


def test_topics_are_mapped_to_the_labels_of_the_set(tmp_path: Path) -> None:
    mapped = tmp_path / "map.json"
    mapped.write_text(json.dumps({"medtop:15000000": "sport", "medtop:17000000": "weather"}))
    lines = [
        {
            "id": "1",
            "lang": "en",
            "text": "The striker scored twice as the team won the football cup final.",
            "label": "sport",
        },
        {"id": "2", "lang": "en", "text": "Heavy snow and strong winds are forecast for Tuesday.", "label": "sport"},
    ]
    answer = newsflow("eval", "topics", "--map", str(mapped), "--format", "json", write(tmp_path / "t.jsonl", *lines))
    assert answer.returncode == 0, answer.stderr
    figures = json.loads(answer.stdout)
    assert figures.keys() == {"accuracy", "macro_f1", "coverage", "ece", "ms_per_article", "n"}
    assert (figures["accuracy"], figures["coverage"], figures["n"]) == (0.5, 1.0, 2)


def test_language_is_counted(tmp_path: Path) -> None:
    lines = [
        {"lang": "uk", "text": "Уряд ухвалив рішення про підтримку підприємств у прифронтових областях."},
        {"lang": "ru", "text": "The government has decided to support companies near the front line."},
    ]
    answer = newsflow("eval", "language", "--format", "json", write(tmp_path / "l.jsonl", *lines))
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout)["accuracy"] == 0.5


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ('{"id": "1", "lang": "ru"', ":1"),
        ('{"id": "1", "lang": "ru", "spans": []}', "text"),
        ('{"id": "1", "lang": "ru", "text": "Я", "spans": [{"start": 0, "stop": 9, "type": "LOC"}]}', ":1"),
    ],
)
def test_a_file_that_is_not_in_the_format_is_a_readable_error(tmp_path: Path, content: str, says: str) -> None:
    path = tmp_path / "broken.jsonl"
    path.write_text(content + "\n")
    answer = newsflow("eval", "entities", str(path))
    assert answer.returncode == 2
    assert "broken.jsonl" in answer.stderr
    assert says in answer.stderr
    assert "Traceback" not in answer.stderr


def found(words: str, kind: str, normal: str = "", wikidata: str | None = None) -> Found:
    start = TEXT.index(words)
    return Found(start, start + len(words), kind, normal or words, wikidata)


def tally(path: Path, spans: list[dict[str, Any]], mentions: list[Found]) -> Tally:
    (text,) = gold.read_named([write(path / "gold.jsonl", {"lang": "ru", "text": TEXT, "spans": spans})])
    counted = Tally()
    counted.add(text, mentions, frozenset({COUNTRY, "Q17"}), cpu_seconds=0.000_72)
    return counted


def test_recognition_counts_exact_bounds_and_type(tmp_path: Path) -> None:
    counted = tally(
        tmp_path,
        [
            span(TEXT, "Анна Ковалёва", "PER"),
            span(TEXT, "Перу", "LOC"),
            span(TEXT, "Токио", "LOC"),
            span(TEXT, "Заречного завода", "ORG"),
        ],
        [
            found("Анна Ковалёва", "PER"),
            found("Перу", "ORG"),  # the wrong type
            found("Токио", "LOC"),
            found("Заречного", "ORG"),  # the wrong bounds
            found("прилетела", "PER"),  # no name at all
        ],
    )
    figures = counted.as_json()["recognition"]
    assert figures["micro"] == {"p": 0.4, "r": 0.5, "f1": 0.4444}
    assert figures["PER"] == {"p": 0.5, "r": 1.0, "f1": 0.6667}
    assert figures["LOC"] == {"p": 1.0, "r": 0.5, "f1": 0.6667}
    assert figures["ORG"] == {"p": 0.0, "r": 0.0, "f1": 0.0}
    assert counted.mistakes == Counter(
        [
            Mistake("wrong type", "LOC", "Перу", "ORG", "LOC"),
            Mistake("wrong bounds", "ORG", "Заречного завода", "Заречного", "Заречного завода"),
            Mistake("invented", "PER", "прилетела", "", ""),
        ]
    )
    assert counted.ms_per_1000_chars == pytest.approx(1000 * 0.72 / len(TEXT))


def test_other_types_are_left_out_and_what_lies_on_them_is_wrong(tmp_path: Path) -> None:
    counted = tally(
        tmp_path,
        [span(TEXT, "Перу", "LOC"), span(TEXT, "Токио", "PRODUCT", id=CITY, lemma="Токио")],
        [found("Перу", "LOC"), found("Токио", "LOC", wikidata=CITY)],
    )
    assert (counted.micro.right, counted.micro.said, counted.micro.gold) == (1, 2, 1)
    assert counted.links.gold == counted.links.said == counted.normal_form.gold == 0


def test_missed_mention(tmp_path: Path) -> None:
    counted = tally(tmp_path, [span(TEXT, "Перу", "LOC", lemma="Перу", id=COUNTRY)], [])
    assert counted.as_json() == {
        "recognition": {
            "micro": {"p": None, "r": 0.0, "f1": 0.0},
            "PER": {"p": None, "r": None, "f1": None},
            "LOC": {"p": None, "r": 0.0, "f1": 0.0},
            "ORG": {"p": None, "r": None, "f1": None},
        },
        "normal_form": {"exact": None, "n": 0},
        "links": {"p": None, "r": 0.0, "n": 1},
        "ms_per_1000_chars": 10.0,
    }
    assert counted.mistakes == Counter([Mistake("missed", "LOC", "Перу", "", "")])


def test_normal_forms_over_matched_spans(tmp_path: Path) -> None:
    counted = tally(
        tmp_path,
        [
            span(TEXT, "Анна Ковалёва", "PER", lemma="анна ковалева"),
            span(TEXT, "Заречного завода", "ORG", lemma="Заречный завод"),
            span(TEXT, "Перу", "LOC", lemma="Перу"),  # not found: it has no normal form to compare
            span(TEXT, "Токио", "LOC"),  # the file gives none
        ],
        [
            found("Анна Ковалёва", "PER", "Анна Ковалёва"),
            found("Заречного завода", "LOC", "Заречного завод"),
            found("Токио", "LOC", "Токий"),
        ],
    )
    assert counted.as_json()["normal_form"] == {"exact": 0.5, "n": 2}
    assert counted.mistakes[Mistake("normal form", "ORG", "Заречного завода", "Заречного завод", "Заречный завод")] == 1


@pytest.mark.parametrize(
    ("said", "given", "same"),
    [
        ("Артём", "артем", True),
        ("Лук'янов", "Лук’янов", True),
        ("Й", "\u0418\u0306", True),
        ("«Заря»", "Заря", False),
        ("Иванов", "Иванова", False),
    ],
)
def test_what_is_the_same_normal_form(said: str, given: str, same: bool) -> None:
    assert same_form(said, given) is same


def test_a_wrong_link_costs_precision_and_a_missing_one_recall(tmp_path: Path) -> None:
    counted = tally(
        tmp_path,
        [
            span(TEXT, "Анна Ковалёва", "PER", id="NULL"),
            span(TEXT, "Перу", "LOC", id=COUNTRY),
            span(TEXT, "Токио", "LOC", id=CITY),
            span(TEXT, "Заречного завода", "ORG", id="Q99"),
        ],
        [
            found("Анна Ковалёва", "PER", wikidata="Q5"),  # the file has no Wikidata id: not counted
            found("Перу", "LOC", wikidata=COUNTRY),
            found("Токио", "LOC", wikidata="Q17"),  # wrong
        ],
    )
    assert counted.as_json()["links"] == {"p": 0.5, "r": 0.3333, "n": 3}
    assert (counted.countries.right, counted.countries.said, counted.countries.gold) == (1, 2, 1)
    assert counted.mistakes[Mistake("link", "LOC", "Токио", "Q17", CITY)] == 1


def test_the_text_is_measured_as_it_stands(tmp_path: Path) -> None:
    """What `prepare` would clean away shifts no offset."""
    text = "  Перу\u00a0 — это  Перу\r\n\r\nФото: А. Иванов / AP\n\tПеру."
    starts = [i for i in range(len(text)) if text.startswith("Перу", i)]
    spans = [{"start": start, "stop": start + 4, "type": "LOC", "id": COUNTRY} for start in starts]
    read = gold.read_named([write(tmp_path / "gold.jsonl", {"lang": "ru", "text": text, "spans": spans})])
    stage = Entities()
    stage.load()
    tallies = measure(stage, read)
    assert list(tallies) == ["ru", "all"]
    assert tallies["ru"].recognition["LOC"].right == len(starts) == 3
    assert tallies["all"].links.p == 1


def test_eval_entities_on_the_command_line(tmp_path: Path) -> None:
    english = "Peru and Japan signed a treaty."
    file = write(
        tmp_path / "gold.jsonl",
        {
            "id": 1, "lang": "en", "text": english,
            "spans": [span(english, "Peru", "LOC", id=COUNTRY), span(english, "Japan", "LOC", id="Q99", lemma="Japan")],
        },
    )  # fmt: skip
    answer = newsflow("eval", "entities", file, "--format", "json")
    assert answer.returncode == 0, answer.stderr
    figures = json.loads(answer.stdout)
    assert list(figures) == ["recognition", "normal_form", "links", "ms_per_1000_chars"]
    assert list(figures["recognition"]) == ["micro", "PER", "LOC", "ORG"]
    assert figures["recognition"]["micro"] == {"p": 1.0, "r": 1.0, "f1": 1.0}
    assert figures["normal_form"] == {"exact": 1.0, "n": 1}
    assert figures["links"] == {"p": 0.5, "r": 0.5, "n": 2}
    assert figures["ms_per_1000_chars"] > 0

    answer = newsflow("eval", "entities", file, "--errors")
    assert answer.returncode == 0, answer.stderr
    assert "1 texts, 31 characters, 2 spans" in answer.stdout
    (line,) = [line for line in answer.stdout.splitlines() if "Q99" in line]
    assert line.split() == ["1", "LOC", "Japan", "Q17", "Q99"]


def topic(code: str, score: float) -> Topic:
    return Topic(code=f"medtop:{code}000000", name="any", score=score, level=1, parent=None, evidence=())


def test_the_best_topic_that_the_map_names_is_the_answer() -> None:
    mapping = {"medtop:15000000": "sports", "medtop:11000000": "politics"}
    given = [topic("04", 0.9), topic("15", 0.7), topic("11", 0.6)]
    assert topics.answer("sports", given, mapping) == Answer("sports", "sports", 0.7)
    assert topics.answer("sports", given[:1], mapping) == Answer("sports", None)


def test_figures_of_answers() -> None:
    answers = (
        Answer("sports", "sports", 0.9),
        Answer("sports", "politics", 0.7),
        Answer("politics", "politics", 0.7),
        Answer("politics", None),
    )
    assert accuracy(answers) == 0.5
    assert coverage(answers) == 0.75
    assert macro_f1(answers) == pytest.approx((2 / 3 + 2 / 4) / 2)
    measured = topics.TopicFigures(answers, cpu_seconds=0.002)
    # By bins: one answer of .9 that is right, two of .7 of which one is.
    assert measured.ece == pytest.approx((0.1 + 2 * 0.2) / 3)
    assert measured.as_json() == {
        "accuracy": 0.5, "macro_f1": 0.5833, "coverage": 0.75, "ece": 0.1667, "ms_per_article": 0.5, "n": 4,
    }  # fmt: skip
    assert topics.TopicFigures(answers[3:], 0.0).ece is None


def test_eval_topics_on_the_command_line(tmp_path: Path) -> None:
    file = write(
        tmp_path / "gold.jsonl",
        {"lang": "ru", "text": "Сборная выиграла матч, футболисты забили три гола.", "label": "sports"},
        {"lang": "en", "text": "The parliament voted for the government's bill on elections.", "label": "politics"},
        {"lang": "en", "text": "Of this and that.", "label": "politics"},
    )
    mapping = tmp_path / "map.json"
    mapping.write_text(json.dumps({"medtop:15000000": "sports", "medtop:11000000": "politics"}))
    answer = newsflow("eval", "topics", file, "--map", mapping, "--format", "json")
    assert answer.returncode == 0, answer.stderr
    figures = json.loads(answer.stdout)
    assert list(figures) == ["accuracy", "macro_f1", "coverage", "ece", "ms_per_article", "n"]
    assert (figures["accuracy"], figures["coverage"], figures["n"]) == (0.6667, 0.6667, 3)
    answer = newsflow("eval", "topics", file, "--map", mapping)
    assert "confusion" in answer.stdout
    assert "none" in answer.stdout


def test_language_of_the_first_words(tmp_path: Path) -> None:
    assert language.first_words(" one  two\nthree", 2) == " one  two"
    assert language.first_words("one two", 3) == "one two"
    file = write(
        tmp_path / "gold.jsonl",
        {"lang": "uk", "text": "Сьогодні їхній уряд оголосив про нові зміни в бюджеті країни."},
        {"lang": "ru", "text": "Сегодня объявили, что эти изменения в бюджете страны были приняты."},
        {"lang": "de", "text": "Die Regierung hat heute neue Änderungen am Haushalt des Landes beschlossen."},
        {"lang": "en", "text": "123"},
    )
    measured = language.measure(LanguageDetector(), gold.read_texts([file]))
    assert [answer.given for answer in measured.answers] == ["uk", "ru", "other", None]
    assert measured.as_json() | {"ms_per_article": 0} == {
        "accuracy": 0.75, "macro_f1": 0.75, "coverage": 0.75, "ms_per_article": 0, "n": 4,
    }  # fmt: skip
    answer = newsflow("eval", "language", file, "--words", "8")
    assert answer.returncode == 0, answer.stderr
    assert "accuracy" in answer.stdout


GOOD = {"lang": "ru", "text": TEXT, "spans": []}


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{broken", "no JSON"),
        ("[1]", "must be a JSON object"),
        ({"lang": "ru", "spans": []}, "`text` is missing"),
        (GOOD | {"text": ""}, "`text` must be a string that is not empty"),
        ('{"lang": "ru", "text": "\\ud800", "spans": []}', "surrogate"),
        ({"text": TEXT, "spans": []}, "`lang` is missing"),
        ({"lang": "ru", "text": TEXT}, "`spans` is missing"),
        (GOOD | {"spans": {}}, "`spans` must be a list"),
        (GOOD | {"spans": [1]}, "`spans[0]` must be an object"),
        (GOOD | {"spans": [{"start": 0, "type": "PER"}]}, "`spans[0].stop` is missing"),
        (GOOD | {"spans": [{"start": 0, "stop": "4", "type": "PER"}]}, "whole numbers"),
        (GOOD | {"spans": [{"start": 0, "stop": 999, "type": "PER"}]}, f"a text of {len(TEXT)} characters"),
        (GOOD | {"spans": [{"start": 4, "stop": 4, "type": "PER"}]}, "4-4"),
        (GOOD | {"spans": [span(TEXT, "Перу", "LOC")] * 2}, "`spans[1]` is there twice"),
        (GOOD | {"spans": [span(TEXT, "Перу", "LOC") | {"lemma": 5}]}, "`spans[0].lemma` must be a string"),
    ],
)
def test_a_bad_line_is_told_with_its_number(tmp_path: Path, line: dict[str, Any] | str, says: str) -> None:
    file = write(tmp_path / "gold.jsonl", GOOD, "", line)
    with pytest.raises(InputError) as error:
        gold.read_named([file])
    assert str(error.value).startswith(f"{file}:3: ")
    assert says in str(error.value)


def test_a_language_that_no_event_has(tmp_path: Path) -> None:
    (text,) = gold.read_named([write(tmp_path / "gold.jsonl", GOOD | {"lang": "rus"})])
    with pytest.raises(InputError, match="`lang` is 'rus'; it must be one of ru, uk, en"):
        text.prepared()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "no JSON"),
        ("[]", "must be an object"),
        ("{}", "must be an object"),
        ('{"sport": "sports"}', "'sport' is no topic code"),
        ('{"medtop:15000000": 1}', "the label of medtop:15000000"),
    ],
)
def test_a_bad_map_is_told(tmp_path: Path, content: str, says: str) -> None:
    path = tmp_path / "map.json"
    path.write_text(content)
    with pytest.raises(InputError) as error:
        gold.read_map(str(path))
    assert str(error.value).startswith(f"{path}: ")
    assert says in str(error.value)


def test_errors_on_the_command_line(tmp_path: Path) -> None:
    answer = newsflow("eval", "entities", tmp_path / "none.jsonl")
    assert (answer.returncode, answer.stdout) == (2, "")
    assert "none.jsonl: No such file" in answer.stderr

    empty = write(tmp_path / "empty.jsonl", "")
    assert "there is no text in it" in newsflow("eval", "language", empty).stderr

    (tmp_path / "latin.jsonl").write_bytes(b"\xe4")
    assert "byte 0 is not UTF-8" in newsflow("eval", "language", tmp_path / "latin.jsonl").stderr

    belarusian = write(tmp_path / "be.jsonl", GOOD | {"lang": "be", "label": "sports"})
    answer = newsflow("eval", "entities", belarusian)
    assert answer.returncode == 2
    assert "be.jsonl:1: `lang` is 'be'" in answer.stderr

    mapping = tmp_path / "map.json"
    mapping.write_text('{"medtop:15000000": "Sport"}')
    answer = newsflow("eval", "topics", belarusian, "--map", mapping)
    assert answer.returncode == 2
    assert "theirs are sports; those of the map are Sport" in answer.stderr
