"""Spans of text: what a recogniser returns, and the rules that every span keeps."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from schemas import EntityType

OPENING = "«“„\"'‘([{<"
CLOSING = "»”“\"'’)]}>"
# Never part of a name at its edge. A full stop at the end is another matter: it belongs to "U.S." and «Иванов А.».
EDGE = frozenset(" \t\u00a0\u2009\u202f\n\r,;:!?…-–—−•·*|/\\_=+~`^@&%")
PAIRS = {"»": "«", "”": "“„", "“": "„", '"': '"', "'": "'", "’": "‘", ")": "(", "]": "[", "}": "{", ">": "<"}
_INITIAL = re.compile(r"(?:^|[\s.\-])[^\W\d_]\.$")
_UNREADABLE = re.compile(r"\S{300,}")
WINDOW = 4_000
"""Characters that a tagger sees at once: enough context for any name, and memory stays flat for long texts."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A name in a text: `text[start:stop]` in code points, end exclusive."""

    start: int
    stop: int
    type: EntityType


def readable(text: str) -> str:
    """Return the text, of the same length, with blanks for runs of 300 characters and more without a space.

    No name is that long, and tokenizers take time that grows with the square of such a run: a million quote marks cost
    spaCy six minutes.
    """
    return _UNREADABLE.sub(lambda run: " " * len(run[0]), text)


def windows(text: str, size: int = WINDOW) -> Iterator[tuple[int, str]]:
    """Cut a text into pieces of at most `size` characters: at line feeds, else at spaces, else anywhere.

    Yields:
        (start, piece) with `text[start : start + len(piece)] == piece`; together they are the whole text.
    """
    start = 0
    while len(text) - start > size:
        limit = start + size
        cut = text.rfind("\n", start, limit) + 1 or text.rfind(" ", start, limit) + 1
        cut = cut if cut > start else limit
        yield start, text[start:cut]
        start = cut
    if start < len(text):
        yield start, text[start:]


def trimmed(text: str, start: int, stop: int) -> tuple[int, int]:
    """Return the span without white space, punctuation and unpaired quotes or brackets at its edges; maybe empty."""
    while start < stop:
        first, last, inner = text[start], text[stop - 1], text[start + 1 : stop - 1]
        if first in EDGE or (first in CLOSING and first not in OPENING) or first == ".":
            start += 1
        elif last in EDGE or (last in OPENING and last not in CLOSING):
            stop -= 1
        elif first in OPENING and (last in CLOSING and first in PAIRS[last] and first not in inner):
            start, stop = start + 1, stop - 1
        elif first in OPENING and not any(first in PAIRS[mark] for mark in text[start + 1 : stop] if mark in PAIRS):
            start += 1
        elif (last in PAIRS and not any(mark in text[start : stop - 1] for mark in PAIRS[last])) or (
            last == "." and not _INITIAL.search(text[start:stop])
        ):
            stop -= 1
        else:
            break
    return start, stop


def tidy(text: str, spans: Iterable[Span]) -> list[Span]:
    """Return the spans trimmed, cut at line feeds, without letterless and overlapping ones, by start.

    Of two that overlap the longer stays, then the earlier.
    """
    pieces = []
    for span in spans:
        offset = span.start
        for line in text[span.start : span.stop].split("\n"):
            start, stop = trimmed(text, offset, offset + len(line))
            if any(mark.isalpha() for mark in text[start:stop]):
                pieces.append(Span(start, stop, span.type))
            offset += len(line) + 1
    return without_overlap(pieces)


def without_overlap(spans: Iterable[Span]) -> list[Span]:
    """Return the spans by start; of two that overlap the longer stays, then the earlier."""
    kept: list[Span] = []
    for span in sorted(spans):
        if kept and span.start < kept[-1].stop:
            if span.stop - span.start > kept[-1].stop - kept[-1].start:
                kept[-1] = span
        else:
            kept.append(span)
    return kept
