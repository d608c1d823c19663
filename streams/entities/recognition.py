"""Recognition: where a text names a person, a place or an organisation. One interface for every language."""

import re
from abc import ABC, abstractmethod
from threading import Lock
from typing import Any, ClassVar

from schemas import EntityType, ModelReference
from streams.entities import weights
from streams.entities.spans import Span, readable, tidy, windows

_LETTER = re.compile(r"[^\W\d_]")


class Recognizer(ABC):
    """Finds the names in a text of one language."""

    @abstractmethod
    def load(self) -> None:
        """Load the model; calling it again does nothing."""

    @abstractmethod
    def models(self) -> tuple[ModelReference, ...]:
        """Return the models in use. Needs `load`."""

    @abstractmethod
    def tag(self, piece: str) -> list[Span]:
        """Return the names in a piece of text as the model sees them, offsets into the piece."""

    def recognize(self, text: str) -> list[Span]:
        """Return the names in a text of any length: tidy, by start, offsets in code points into the text.

        The text is tagged window by window, so the same text gives the same spans whatever came before it.
        """
        found = [
            Span(start + span.start, start + span.stop, span.type)
            for start, piece in windows(readable(text))
            if _LETTER.search(piece)
            for span in self.tag(piece)
        ]
        return tidy(text, found)


# A small word within a person's name; any other parts two names («Зеленський зустрівся з Байденом»).
_PARTICLES = "фон|ван|дер|ден|де|да|ди|ді|дю|дель|ла|ле|аль|эль|ель|ибн|ібн|бин|бен|бін|абу|оглы|огли|кызы|кизи|заде"
_BETWEEN_PERSONS = re.compile(rf"\s+(?!(?:{_PARTICLES})\s)[^\W\d_A-ZА-ЯЁІЇЄҐ][^\WA-ZА-ЯЁІЇЄҐ]*(?=\s)")


# A preposition or conjunction that begins the sentence looks like a first name: «Між Росією», «З Володимиром».
_SENTENCE_STARTS = re.compile(
    r"(?:З|Із|Зі|У|В|Во|Між|Про|О|Об|Для|До|На|За|Від|Проти|Над|Під|По|При|Перед|Після|Без|Через|А|І|И|Й|Та|Але|Щодо|"
    r"Крім|Серед|Навколо|Понад|Между|С|Со|К|Ко|От|Против|После|Из|Кроме|Среди|Но|Также|Також)\s+(?=[А-ЯЁІЇЄҐ])"
)


# «Луцька та Житомира» are two places; «Боснія і Герцеговина» is one, which the tables put together again.
_BETWEEN_PLACES = re.compile(r"\s+(?:та|і|й|и)\s+(?=[A-ZА-ЯЁІЇЄҐ])")


def _one_by_one(text: str, span: Span) -> list[Span]:
    """Return a person's span without a sentence's first word; a person's or place's cut where it holds two."""
    if span.type is EntityType.ORG:
        return [span]
    parts = []
    start = span.start
    between = _BETWEEN_PLACES
    if span.type is EntityType.PER:
        between = _BETWEEN_PERSONS
        if small := _SENTENCE_STARTS.match(text, start, span.stop):
            start = small.end()
    for match in between.finditer(text, span.start, span.stop):
        if match.start() > start:
            parts.append(Span(start, match.start(), span.type))
        start = match.end()
    return [*parts, Span(start, span.stop, span.type)]


class RussianRecognizer(Recognizer):
    """slovnet's tagger over navec's vectors, as natasha 1.6 ships them (MIT)."""

    def __init__(self) -> None:
        self._ner: Any = None
        self._models: tuple[ModelReference, ...] = ()

    def load(self) -> None:
        """Load tagger and vectors, under a second."""
        if self._ner is not None:
            return
        from navec import Navec  # type: ignore[import-untyped]  # navec ships no types
        from slovnet import NER  # type: ignore[import-untyped]  # slovnet ships no types

        from streams.entities.decoding import BestPath

        weights.single_blas_thread()
        vectors, tagger = weights.navec_path(), weights.slovnet_path()
        self._ner = NER.load(tagger).navec(Navec.load(vectors))
        head = self._ner.infer.model.head
        head.crf = BestPath(head.crf.transitions.array)
        self._models = (
            weights.file_reference(weights.NAVEC, vectors),
            weights.file_reference(weights.SLOVNET, tagger),
        )

    def models(self) -> tuple[ModelReference, ...]:
        """Return tagger and vectors."""
        return self._models

    def tag(self, piece: str) -> list[Span]:
        """Return slovnet's spans, persons' ones split where they hold two."""
        return [part for span in self.raw(piece) for part in _one_by_one(piece, span)]

    def raw(self, piece: str) -> list[Span]:
        """Return slovnet's spans as they are."""
        return [Span(span.start, span.stop, EntityType(span.type)) for span in self._ner(piece).spans]


class UkrainianRecognizer(Recognizer):
    """The Russian tagger over a one-to-one letter map: names look alike in both languages.

    Measured on NER-UK: .478 without the map, .584 with it (F1, exact span and type).
    """

    LETTERS = str.maketrans("іІиИєЄїЇґҐ", "иИыЫеЕиИгГ")
    _APOSTROPHE = re.compile(r"(?<=[^\W\d_])['’ʼ](?=[^\W\d_])")

    def __init__(self, russian: RussianRecognizer) -> None:
        self._russian = russian

    def load(self) -> None:
        """Load the Russian tagger."""
        self._russian.load()

    def models(self) -> tuple[ModelReference, ...]:
        """Return the Russian tagger's models."""
        return self._russian.models()

    @classmethod
    def mapped(cls, text: str) -> str:
        """Return the text in Russian letters, of the same length."""
        mapped = cls._APOSTROPHE.sub("ъ", text).translate(cls.LETTERS)
        assert len(mapped) == len(text), "the letter map moved the offsets"
        return mapped

    def tag(self, piece: str) -> list[Span]:
        """Return slovnet's spans in the mapped piece, persons' ones split where they hold two."""
        return [part for span in self._russian.raw(self.mapped(piece)) for part in _one_by_one(piece, span)]


class EnglishRecognizer(Recognizer):
    """spaCy's small model (MIT) with its vectors and named-entity parts alone."""

    # OntoNotes' other types are no names by our guideline; NORP is adjectives and peoples.
    TYPES: ClassVar[dict[str, EntityType]] = {
        "PERSON": EntityType.PER,
        "GPE": EntityType.LOC,
        "LOC": EntityType.LOC,
        "FAC": EntityType.LOC,
        "ORG": EntityType.ORG,
    }
    # A capital "The" begins a sentence or a body's own name; of places only The Hague keeps it.
    _ARTICLE = re.compile(r"the\s+(?=\S)")
    _PLACES_ARTICLE = re.compile(r"the\s+(?!Hague)(?=\S)", re.IGNORECASE)

    def __init__(self) -> None:
        self._nlp: Any = None
        self._transitions: Any = None
        self._turn = Lock()
        self._models: tuple[ModelReference, ...] = ()

    def load(self) -> None:
        """Load the model, about a second."""
        if self._nlp is not None:
            return
        import spacy
        from thinc.api import NumpyOps

        from streams.entities.decoding import EntityTransitions

        weights.single_blas_thread()
        # The entity recogniser has its own token vectors: the shared "tok2vec" serves tagger and parser alone.
        unused = ["tok2vec", "tagger", "parser", "senter", "attribute_ruler", "lemmatizer"]
        self._nlp = spacy.load(weights.SPACY_PACKAGE, exclude=unused)
        # numpy's OpenBLAS multiplies these small matrices faster than blis, thinc's default: 10.5 for 13.4 ms a
        # thousand characters, with the same entities (measured on 40 texts of Worldwide Newswire).
        plain = NumpyOps(use_blis=False)
        recognizer = self._nlp.get_pipe("ner")
        for layer in recognizer.model.walk():
            layer.ops = plain
        self._transitions = EntityTransitions(recognizer)
        folder = weights.package_folder(weights.SPACY_PACKAGE)
        self._models = (weights.folder_reference(f"en_core_web_sm-{self._nlp.meta['version']}", folder),)

    def models(self) -> tuple[ModelReference, ...]:
        """Return spaCy's model."""
        return self._models

    def tag(self, piece: str) -> list[Span]:
        """Return spaCy's spans of our three types, without the article before and the possessive behind a name."""
        spans = []
        # The zone forgets the words of this text again: a worker's memory must not grow with the news. A vocabulary has
        # one zone at a time, so threads take turns.
        with self._turn, self._nlp.memory_zone():
            doc = self._nlp.make_doc(piece)
            for first, behind, label in self._transitions.spans(doc):
                kind = self.TYPES.get(label)
                if kind is None:
                    continue
                start, stop = doc[first].idx, doc[behind - 1].idx + len(doc[behind - 1])
                pattern = self._PLACES_ARTICLE if kind is EntityType.LOC else self._ARTICLE
                article = pattern.match(piece, start, stop)
                start = article.end() if article else start
                stop -= 2 if piece.endswith(("'s", "’s"), start, stop) else 0
                spans.append(Span(start, stop, kind))
        return spans
