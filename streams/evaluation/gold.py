"""Annotated texts in files: one JSON object a line. What is wrong with a line is said with its number and field.

Every measurement reads `text` and `lang`; `eval entities` also `spans` (start, stop, type and, where given, lemma and
id), `eval topics` also `label`. Other fields are ignored, and so are empty lines.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, get_args

from schemas import Article, PreparedEvent
from schemas.events import Language
from streams.errors import InputError
from streams.prepare.identity import text_sha256

LANGUAGES: tuple[str, ...] = get_args(get_args(Language)[0])
"""What an event's language can be."""

_CODE = re.compile(r"medtop:[0-9]{8}")
_WIKIDATA = re.compile(r"Q[1-9][0-9]*")


@dataclass(frozen=True, slots=True)
class GoldText:
    """A text as it stands in a file, and where that is, e.g. `articles.jsonl:3`."""

    place: str
    language: str
    text: str

    def prepared(self) -> PreparedEvent:
        """Return the event that `prepare` would make, with this very text: offsets stay those of the file.

        Raises:
            InputError: an event cannot be in this language.
        """
        if self.language not in LANGUAGES:
            raise InputError(f"{self.place}: `lang` is {self.language!r}; it must be one of {', '.join(LANGUAGES)}.")
        article = Article(
            id=self.place,
            source=None,
            url=None,
            title=None,
            author=None,
            published_at=None,
            fetched_at=None,
            language=cast(Language, self.language),
            text=self.text,
            text_sha256=text_sha256(self.text),
            removed=(),
            warnings=(),
            metadata={},
        )
        return PreparedEvent(article=article, skipped={}, provenance=())


@dataclass(frozen=True, slots=True)
class GoldSpan:
    """A name that an annotator marked."""

    start: int
    stop: int
    type: str
    lemma: str | None
    """Its normal form; None where the file gives none."""
    wikidata: str | None
    """Its Wikidata id; None where the file gives none or an id of another kind."""


@dataclass(frozen=True, slots=True)
class NamedText(GoldText):
    """A text with the names in it."""

    spans: tuple[GoldSpan, ...]


@dataclass(frozen=True, slots=True)
class LabelledText(GoldText):
    """A text with its one label."""

    label: str


def read_named(paths: Iterable[str]) -> list[NamedText]:
    """Return the texts of all files with their spans.

    Raises:
        InputError: a file cannot be read, or a line lacks something or holds something that cannot be.
    """
    return [line.named() for line in _lines(paths)]


def read_labelled(paths: Iterable[str]) -> list[LabelledText]:
    """Return the texts of all files with their labels.

    Raises:
        InputError: a file cannot be read, or a line lacks something or holds something that cannot be.
    """
    return [LabelledText(line.place, line.string("lang"), line.text(), line.string("label")) for line in _lines(paths)]


def read_texts(paths: Iterable[str]) -> list[GoldText]:
    """Return the texts of all files with their languages.

    Raises:
        InputError: a file cannot be read, or a line lacks something or holds something that cannot be.
    """
    return [GoldText(line.place, line.string("lang"), line.text()) for line in _lines(paths)]


def read_map(path: str) -> dict[str, str]:
    """Return a file that takes topic codes to a set's labels, `{"medtop:…": "label", …}`.

    Raises:
        InputError: it cannot be read or is something else.
    """
    mapping = _json(path, _content(path))
    if not isinstance(mapping, dict) or not mapping:
        raise InputError(f'{path}: this must be an object {{"medtop:…": "label", …}}.')
    for code, label in mapping.items():
        if not _CODE.fullmatch(code):
            raise InputError(f"{path}: {code!r} is no topic code; one is `medtop:` and eight digits.")
        if not isinstance(label, str) or not label:
            raise InputError(f"{path}: the label of {code} must be a string that is not empty.")
    return mapping


@dataclass(frozen=True, slots=True)
class _Line:
    place: str
    fields: dict[str, Any]

    def string(self, name: str) -> str:
        if name not in self.fields:
            raise InputError(f"{self.place}: `{name}` is missing.")
        return _string(self.place, name, self.fields[name])

    def text(self) -> str:
        text = self.string("text")
        try:
            text.encode()
        except UnicodeEncodeError:
            raise InputError(f"{self.place}: `text` holds half of a surrogate pair, which is no character.") from None
        return text

    def named(self) -> NamedText:
        text = self.text()
        if "spans" not in self.fields:
            raise InputError(f"{self.place}: `spans` is missing; a text without names has an empty list.")
        given = self.fields["spans"]
        if not isinstance(given, list):
            raise InputError(f"{self.place}: `spans` must be a list.")
        spans: dict[tuple[int, int, str], GoldSpan] = {}
        for number, entry in enumerate(given):
            span = self._span(f"spans[{number}]", entry, len(text))
            key = (span.start, span.stop, span.type)
            if key in spans:
                raise InputError(f"{self.place}: `spans[{number}]` is there twice ({span.type} {key[0]}-{key[1]}).")
            spans[key] = span
        return NamedText(self.place, self.string("lang"), text, tuple(spans.values()))

    def _span(self, name: str, entry: Any, length: int) -> GoldSpan:  # noqa: ANN401  # anything that JSON can hold
        if not isinstance(entry, dict):
            raise InputError(f"{self.place}: `{name}` must be an object with start, stop and type.")
        for field in ("start", "stop", "type"):
            if field not in entry:
                raise InputError(f"{self.place}: `{name}.{field}` is missing.")
        start, stop = entry["start"], entry["stop"]
        if type(start) is not int or type(stop) is not int:
            raise InputError(f"{self.place}: `{name}.start` and `{name}.stop` must be whole numbers.")
        if not 0 <= start < stop <= length:
            raise InputError(
                f"{self.place}: `{name}` is {start}-{stop}, which is no part of a text of {length} characters."
            )
        kind = _string(self.place, f"{name}.type", entry["type"])
        lemma, identifier = entry.get("lemma"), entry.get("id")
        if lemma is not None and not isinstance(lemma, str):
            raise InputError(f"{self.place}: `{name}.lemma` must be a string or null.")
        wikidata = identifier if isinstance(identifier, str) and _WIKIDATA.fullmatch(identifier) else None
        return GoldSpan(start, stop, kind, lemma or None, wikidata)


def _string(place: str, name: str, value: Any) -> str:  # noqa: ANN401  # anything that JSON can hold
    if not isinstance(value, str) or not value:
        raise InputError(f"{place}: `{name}` must be a string that is not empty.")
    return value


def _lines(paths: Iterable[str]) -> Iterator[_Line]:
    for path in paths:
        lines = [(number, line) for number, line in enumerate(_content(path).split("\n"), start=1) if line.strip()]
        if not lines:
            raise InputError(f"{path}: there is no text in it.")
        for number, line in lines:
            place = f"{path}:{number}"
            fields = _json(place, line)
            if not isinstance(fields, dict):
                raise InputError(f"{place}: this line must be a JSON object.")
            yield _Line(place, fields)


def _content(path: str) -> str:
    try:
        return Path(path).read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: byte {error.start} is not UTF-8.") from None


def _json(place: str, content: str) -> Any:  # noqa: ANN401  # anything that JSON can hold
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{place}: this is no JSON ({error}).") from None
