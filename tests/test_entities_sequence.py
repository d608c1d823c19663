"""The annotated texts, and the sequence models trained on them: what they hold, and that they can be rebuilt."""

import os
from itertools import pairwise
from pathlib import Path

import pytest

from schemas import EntityType
from streams.entities import Entities, annotated_texts, build_common_words, train
from streams.entities.annotated_texts import AnnotatedText
from streams.entities.common_words import table_path
from streams.entities.sequence import SequenceModel, labels, lines_of, model_path, tidied
from streams.entities.spans import Span
from streams.entities.ukrainian import UkrainianNames

LANGUAGES = ("ru", "uk", "en")
FEWEST = 120
"""Texts of a language that the models must be trained on."""
HANDFUL = 6


@pytest.fixture(scope="module")
def texts() -> dict[str, list[AnnotatedText]]:
    return {language: annotated_texts.read(language) for language in LANGUAGES}


@pytest.fixture(scope="module")
def stage() -> Entities:
    stage = Entities(sequence=False)
    stage.load()
    return stage


@pytest.mark.parametrize("language", ["uk", "en"])
def test_the_build_gives_the_committed_table_of_common_words_byte_for_byte(language: str) -> None:
    assert build_common_words.table(language).encode() == table_path(language).read_bytes()


def test_a_common_word_is_known_with_each_apostrophe() -> None:
    names = UkrainianNames()
    names.load()
    plain, typographic = (set(names.word_features(word)) for word in ("здоров'я", "здоров’я"))
    assert "small-often" in plain & typographic
    assert not {"small-often", "small-once"} & set(names.word_features("зеленський"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_are_enough_texts_of_a_news_texts_length(texts: dict[str, list[AnnotatedText]], language: str) -> None:
    assert len(texts[language]) >= FEWEST
    lengths = sorted(len(text.text) for text in texts[language])
    assert 450 <= lengths[len(lengths) // 2] <= 900
    assert lengths[0] >= 60


@pytest.mark.parametrize("language", LANGUAGES)
def test_numbers_and_texts_are_all_different(texts: dict[str, list[AnnotatedText]], language: str) -> None:
    assert len({text.number for text in texts[language]}) == len(texts[language])
    assert len({text.text for text in texts[language]}) == len(texts[language])


@pytest.mark.parametrize("language", LANGUAGES)
def test_annotations_are_names_by_start_without_overlap(texts: dict[str, list[AnnotatedText]], language: str) -> None:
    for text in texts[language]:
        assert all(one.stop <= other.start for one, other in pairwise(text.spans)), text.number
        for span in text.spans:
            words = text.text[span.start : span.stop]
            assert words == words.strip(), (text.number, words)
            assert "\n" not in words, (text.number, words)
            assert any(mark.isalpha() for mark in words), (text.number, words)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_type_is_annotated_and_some_texts_have_no_names(
    texts: dict[str, list[AnnotatedText]], language: str
) -> None:
    kinds = [span.type for text in texts[language] for span in text.spans]
    assert all(kinds.count(kind) >= 100 for kind in EntityType)
    assert any(not text.spans for text in texts[language])


@pytest.mark.parametrize("language", LANGUAGES)
def test_annotations_begin_and_end_at_words(texts: dict[str, list[AnnotatedText]], language: str) -> None:
    # Else the labels of the words would not give the annotation back.
    for text in texts[language]:
        tokens = [token for line in lines_of(text.text) for token in line]
        starts, stops = {start for start, _ in tokens}, {stop for _, stop in tokens}
        wrong = [
            text.text[one.start : one.stop] for one in text.spans if not {one.start} <= starts or one.stop not in stops
        ]
        assert wrong == [], text.number


def test_labels_tell_neighbouring_names_apart() -> None:
    tokens = [(0, 4), (5, 9), (10, 14), (15, 16)]
    spans = [Span(0, 9, EntityType.PER), Span(10, 14, EntityType.PER)]
    assert labels(tokens, spans) == ["B-PER", "I-PER", "B-PER", "O"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("001 genre\nТекст.", "no `# number genre`"),
        ("# 001 genre\nТекст [без типа].", "a bracket that begins no name"),
        ("# 001 genre\nТекст [Киев](CITY).", "a bracket that begins no name"),
    ],
)
def test_a_text_that_is_not_well_formed_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, message: str
) -> None:
    (tmp_path / "ru.txt").write_text(body, encoding="utf-8")
    monkeypatch.setattr(annotated_texts, "FOLDER", tmp_path)
    with pytest.raises(ValueError, match=message):
        annotated_texts.read("ru")


def test_a_text_is_read_with_its_names_and_their_nominatives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = "# 001 genre\nВ [Киеве](LOC Киев)\n[ООО «А» (Б)](ORG ООО «А» (Б)) и [ТАСС](ORG).\n"
    (tmp_path / "ru.txt").write_text(body, encoding="utf-8")
    monkeypatch.setattr(annotated_texts, "FOLDER", tmp_path)
    (text,) = annotated_texts.read("ru")
    assert (text.number, text.genre, text.text) == ("001", "genre", "В Киеве\nООО «А» (Б) и ТАСС.")
    assert [(text.text[span.start : span.stop], span.type) for span in text.spans] == [
        ("Киеве", EntityType.LOC),
        ("ООО «А» (Б)", EntityType.ORG),
        ("ТАСС", EntityType.ORG),
    ]
    assert text.normals == ("Киев", "ООО «А» (Б)", None)


def test_training_gives_the_same_bytes_twice_and_a_model_that_learned(
    stage: Entities, texts: dict[str, list[AnnotatedText]], tmp_path: Path
) -> None:
    written = []
    for name in ("one", "other"):
        prepared = [train._prepared(stage, "uk", text) for text in texts["uk"][:HANDFUL]]
        train._train(prepared, tmp_path / name)
        written.append((tmp_path / name).read_bytes())
    assert written[0] == written[1]
    model = SequenceModel("uk", stage.token_features("uk"), tmp_path / "one")
    model.load()
    right = total = 0
    for text in texts["uk"][:HANDFUL]:
        base, hits = stage.evidence(text.text, "uk")
        found = tidied(text.text, model.label(text.text, base, hits))
        right += len(found.keys() & set(text.spans))
        total += len(text.spans)
    assert total >= 20
    # Its own texts a model must know almost by heart.
    assert right >= 0.9 * total
    assert written[0] != model_path("uk").read_bytes()


@pytest.mark.skipif("NEWSFLOW_SLOW_TESTS" not in os.environ, reason="trains all models, 20 s each")
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_committed_model_is_what_training_writes(
    stage: Entities, texts: dict[str, list[AnnotatedText]], tmp_path: Path, language: str
) -> None:
    prepared = [train._prepared(stage, language, text) for text in texts[language]]
    train._train(prepared, tmp_path / "model")
    assert (tmp_path / "model").read_bytes() == model_path(language).read_bytes()
