"""`newsflow eval` on small labelled files of known outcome."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent


def newsflow(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "streams", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def write(path: Path, *lines: dict[str, Any]) -> str:
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
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
