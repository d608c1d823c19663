"""The news texts that we wrote and annotated ourselves, in `annotated/`: one file per language.

A text begins with a line `# number genre` and ends with an empty line. A name stands as `[words](TYPE)` or, where its
nominative differs, `[words](TYPE nominative)`; docs/annotation.md has the guideline.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from schemas import EntityType
from streams.entities.spans import Span

FOLDER = Path(__file__).with_name("annotated")
_HEAD = re.compile(r"# (\S+) (\S.*)")
_NAME = re.compile(r"\[([^\[\]]+)\]\((PER|LOC|ORG)(?: ([^()\n]+(?:\([^()\n]*\)[^()\n]*)*))?\)")


@dataclass(frozen=True, slots=True)
class AnnotatedText:
    """A text with its names by start, and the nominative of each where it is given."""

    number: str
    genre: str
    text: str
    spans: tuple[Span, ...]
    normals: tuple[str | None, ...]


def read(language: str) -> list[AnnotatedText]:
    """Return the texts of a language in the file's order.

    Raises:
        ValueError: a text has no headline of its own, or a bracket that begins no name.
    """
    blocks = (FOLDER / f"{language}.txt").read_text(encoding="utf-8").strip().split("\n\n")
    return [_parsed(block) for block in blocks]


def _parsed(block: str) -> AnnotatedText:
    head, _, body = block.partition("\n")
    named = _HEAD.fullmatch(head)
    if not named:
        raise ValueError(f"no `# number genre` before {block[:60]!r}")
    text, spans, normals, end = "", [], [], 0
    for match in _NAME.finditer(body):
        text += body[end : match.start()]
        spans.append(Span(len(text), len(text) + len(match[1]), EntityType(match[2])))
        normals.append(match[3])
        text += match[1]
        end = match.end()
    text += body[end:]
    if "[" in text or "](" in text:
        raise ValueError(
            f"text {named[1]}: a bracket that begins no name in {text[max(0, text.find('[') - 20) :][:60]!r}"
        )
    return AnnotatedText(named[1], named[2], text, tuple(spans), tuple(normals))
