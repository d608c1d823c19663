"""The taggers' decisions taken faster: they must be the taggers' own."""

import random

import pytest
from navec import Navec  # type: ignore[import-untyped]  # navec ships no types
from slovnet import NER  # type: ignore[import-untyped]  # slovnet ships no types

from schemas import EntityType
from streams.entities import annotated_texts, weights
from streams.entities.decoding import EntityTransitions
from streams.entities.recognition import EnglishRecognizer, RussianRecognizer, UkrainianRecognizer
from streams.entities.spans import Span

EDGES = [
    "",
    " ",
    "\n\n",
    "Kyiv",
    "Kyiv ",
    " Kyiv",
    "Mr",
    "The United States of",
    "  \n Angela  Merkel \n\n of Germany\n",
]


def english_texts() -> list[str]:
    texts = [text.text for text in annotated_texts.read("en")]
    order = random.Random(1)
    words = " ".join(texts[:40]).split()
    # Names where no grammar leads to them, and titles that run on to the end.
    mixed = [" ".join(order.choice(words) for _ in range(60)) for _ in range(100)]
    return [*EDGES, *texts[:150], *mixed]


def test_english_names_are_those_that_spacy_finds_itself() -> None:
    recognizer = EnglishRecognizer()
    recognizer.load()
    found = 0
    for text in english_texts():
        expected = [(name.start, name.end, name.label_) for name in recognizer._nlp(text).ents]
        assert list(recognizer._transitions.spans(recognizer._nlp.make_doc(text))) == expected, text
        found += len(expected)
    assert found >= 2_000


def test_another_architecture_is_refused() -> None:
    recognizer = EnglishRecognizer()
    recognizer.load()
    other = recognizer._nlp.get_pipe("ner")
    other.model.attrs["has_upper"] = False
    with pytest.raises(ValueError, match=r"requirements/runtime\.txt"):
        EntityTransitions(other)


@pytest.mark.parametrize("language", ["ru", "uk"])
def test_russian_and_ukrainian_names_are_those_that_slovnet_finds_itself(language: str) -> None:
    theirs = NER.load(weights.slovnet_path()).navec(Navec.load(weights.navec_path()))
    ours = RussianRecognizer()
    ours.load()
    found = 0
    for text in [".", "Киев", *(text.text for text in annotated_texts.read(language)[:130])]:
        piece = UkrainianRecognizer.mapped(text) if language == "uk" else text
        expected = [Span(span.start, span.stop, EntityType(span.type)) for span in theirs(piece).spans]
        assert ours.raw(piece) == expected, text
        found += len(expected)
    assert found >= 500
