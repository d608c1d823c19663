"""A linear-chain CRF over what the tagger, the tables and the words themselves say: our own guideline's names.

Stacked on the base tagger as measured in news texts: the tagger's labels are features beside word shape, endings,
dictionary readings, hits in the tables and the labels of the same word elsewhere in the article. Trained by
`python -m streams.entities.train` on the texts in `annotated/` alone. Lafferty, McCallum, Pereira 2001; the
implementation is CRFsuite (Okazaki 2007).
"""

import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from sys import intern
from threading import Lock
from typing import Any

from schemas import EntityType, ModelReference
from streams.entities import weights
from streams.entities.names import MEMORY
from streams.entities.spans import Span, readable, tidy, windows

# A word with its apostrophes, the English possessive apart; any other mark alone.
_TOKEN = re.compile(r"['’]s\b|[^\W_]+(?:['’ʼ](?!s\b)[^\W_]+)*|\S")
_ROMAN = re.compile("[IVXLC]{2,}|[XVI]|[ІХV]{2,}")
_SENTENCE_END = frozenset(".!?…:")
_OPENING = frozenset("«“„\"'‘(")
_CLOSING = frozenset("»”\"'’)")

_NEIGHBOURS = (-2, -1, 1, 2)

WordFeatures = Callable[[str], Sequence[str]]
"""What a dictionary says of a word: a few short strings, none where there is no dictionary."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A name of the tables in the text, `certain` where it needs no more reason."""

    span: Span
    certain: bool


@dataclass(frozen=True, slots=True)
class Labelled:
    """A span as the model sees it; `confidence` is the least marginal probability of its tokens' labels."""

    span: Span
    confidence: float


def model_path(language: str) -> Path:
    """Return the committed model of a language."""
    return Path(__file__).with_name(f"sequence.{language}.crf")


def lines_of(text: str) -> list[list[tuple[int, int]]]:
    """Return the tokens (start, stop) of each line with a capital letter; one longer than a tagger's window is cut."""
    found = []
    for offset, piece in windows(readable(text)):
        at = offset
        for line in piece.split("\n"):
            tokens = [(at + match.start(), at + match.end()) for match in _TOKEN.finditer(line)]
            if tokens and line != line.lower():
                found.append(tokens)
            at += len(line) + 1
    return found


def labels(tokens: Sequence[tuple[int, int]], spans: Sequence[Span]) -> list[str]:
    """Return the B-, I- or O label of each token; `spans` by start, without overlap."""
    result, current = [], bisect_right(spans, tokens[0][0], key=lambda span: span.stop) if tokens else 0
    for start, stop in tokens:
        while current < len(spans) and spans[current].stop <= start:
            current += 1
        if current < len(spans) and spans[current].start < stop:
            result.append(("B-" if spans[current].start >= start else "I-") + spans[current].type)
        else:
            result.append("O")
    return result


def _shape(word: str) -> str:
    if word.isdigit():
        return "9"
    if _ROMAN.fullmatch(word):
        return "IV"
    if not word[0].isalpha():
        return word if len(word) == 1 else "'s"
    if word.islower():
        return "x"
    if len(word) == 1:
        return "I"
    if word.isupper():
        return "XX" if len(word) < 6 else "XXX"
    return "Xx" if word[1:].islower() else "xX"


@dataclass(frozen=True, slots=True)
class _Word:
    """What is so of a word wherever it stands: its own features, and those it gives to its neighbours."""

    shape: str
    own: tuple[str, ...]
    as_neighbour: dict[int, tuple[str, ...]]
    """By where it stands from the neighbour, -2 to 2."""


class TokenFeatures:
    """What the sequence model of a language sees of every token; remembers what it has made of a word."""

    def __init__(self, dictionary: WordFeatures) -> None:
        self._dictionary = dictionary
        self._word = lru_cache(MEMORY)(self._make_word)

    def lines(
        self, text: str, base: Sequence[Span], hits: Sequence[Hit]
    ) -> Iterator[tuple[list[tuple[int, int]], list[list[str]]]]:
        """Yield the tokens of every line of `lines_of` with the features of each token.

        Args:
            text: The whole text.
            base: The tagger's spans by start, without overlap.
            hits: Names of the tables, by start, without overlap.
        """
        lines = lines_of(text)
        known = [hit.span for hit in hits]
        certain = {hit.span.start: hit.certain for hit in hits}
        words = [[text[start:stop] for start, stop in tokens] for tokens in lines]
        tags = [labels(tokens, base) for tokens in lines]
        elsewhere: dict[str, Counter[str]] = defaultdict(Counter)
        small: Counter[str] = Counter()
        for line, line_tags in zip(words, tags, strict=True):
            for word, tag in zip(line, line_tags, strict=True):
                if word[0].isupper():
                    elsewhere[word[:5].lower()][tag[-3:]] += 1
                elif word[0].isalpha():
                    small[word[:5]] += 1
        for tokens, line, line_tags in zip(lines, words, tags, strict=True):
            table = labels(tokens, known)
            here = []
            quoted = False
            for at, word in enumerate(line):
                one = [f"b={line_tags[at]}"]
                if table[at] != "O":
                    sure = certain.get(tokens[at][0], True)
                    one.append(f"k={table[at]}{'' if sure else '?'}")
                if word in _OPENING and not (quoted and word == '"'):
                    quoted = True
                elif word in _CLOSING:
                    quoted = False
                elif quoted:
                    one.append("q")
                if word[0].isalpha():
                    if word[0].isupper():
                        others = elsewhere[word[:5].lower()].copy()
                        others[line_tags[at][-3:]] -= 1
                        best = max(others.items(), key=lambda item: (item[1], item[0]), default=("", 0))
                        one.append(f"o={best[0] if best[1] > 0 else '-'}")
                        if small[word[:5].lower()]:
                            one.append("small")
                    if at == 0 or line[at - 1] in _SENTENCE_END or (at == 1 and line[0] in _OPENING):
                        one.append("begins")
                here.append(one)
            yield tokens, _with_neighbours([self._word(word) for word in line], here)

    def _make_word(self, word: str) -> _Word:
        shape, low = f"s={_shape(word)}", word.lower()
        own = [f"w={low}", shape]
        if word[0].isalpha():
            own += [f"e={low[-3:]}", f"p={low[:4]}", *self._dictionary(low)]
        return _Word(
            shape,
            tuple(map(intern, own)),
            {
                distance: tuple(intern(f"{distance}{feature}") for feature in (own if abs(distance) == 1 else own[:2]))
                for distance in _NEIGHBOURS
            },
        )


def _with_neighbours(words: list[_Word], here: list[list[str]]) -> list[list[str]]:
    """Return the features of a line's tokens; `here` has those that depend on the place, the tagger's label first."""
    rows = []
    for at, word in enumerate(words):
        row = [*word.own, *here[at]]
        for distance in _NEIGHBOURS:
            other = at + distance
            if 0 <= other < len(words):
                row += words[other].as_neighbour[distance]
                wanted = here[other] if abs(distance) == 1 else here[other][:1]
                row += [f"{distance}{feature}" for feature in wanted]
            else:
                row.append(f"{distance}edge")
        base = here[at][0]
        row.append(f"{word.shape}{base}")
        if at:
            row += [f"{here[at - 1][0]}{base}", f"{words[at - 1].shape}{word.shape}"]
        if at + 1 < len(words):
            row += [f"{base}+{here[at + 1][0]}", f"{word.shape}+{words[at + 1].shape}"]
        rows.append(row)
    return rows


class SequenceModel:
    """The trained model of one language."""

    def __init__(self, language: str, features: TokenFeatures, path: Path | None = None) -> None:
        self._path = path or model_path(language)
        self._name = f"newsflow-names-{language}"
        self._features = features
        self._tagger: Any = None
        self._turn = Lock()

    def load(self) -> None:
        """Load the model, a few milliseconds."""
        if self._tagger is None:
            import pycrfsuite  # type: ignore[import-untyped]  # it ships no types

            self._tagger = pycrfsuite.Tagger()
            self._tagger.open(str(self._path))

    def models(self) -> tuple[ModelReference, ...]:
        """Return the model."""
        return (weights.file_reference(self._name, self._path),)

    def label(self, text: str, base: Sequence[Span], hits: Sequence[Hit]) -> list[Labelled]:
        """Return the names of a text by start, given what tagger and tables say."""
        found: list[Labelled] = []
        for tokens, row in self._features.lines(text, base, hits):
            with self._turn:
                # The tagger holds one line at a time.
                self._tagger.set(row)
                found += self._spans(tokens, self._tagger.tag())
        return found

    def _spans(self, tokens: list[tuple[int, int]], tags: list[str]) -> Iterable[Labelled]:
        at = 0
        while at < len(tags):
            if tags[at] == "O":
                at += 1
                continue
            first, kind = at, tags[at][2:]
            at += 1
            while at < len(tags) and tags[at] == f"I-{kind}":
                at += 1
            confidence = min(self._tagger.marginal(tags[token], token) for token in range(first, at))
            yield Labelled(Span(tokens[first][0], tokens[at - 1][1], EntityType(kind)), confidence)


def tidied(text: str, found: Sequence[Labelled]) -> dict[Span, float]:
    """Return the spans tidied, each with its confidence."""
    confidence = {}
    for one in found:
        for span in tidy(text, [one.span]):
            confidence[span] = one.confidence
    return confidence
