"""The labelled examples that the topic model is trained on: `examples/LANGUAGE/CODE.jsonl`, all written by us."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

DIRECTORY = Path(__file__).with_name("examples")
CHILD_EXAMPLES = Path(__file__).with_name("child_examples")
"""More examples, of the level-2 topics that are rare in news: `LANGUAGE.jsonl`. Level 1 does not learn from them, they
would make it take those for frequent."""

LANGUAGES = ("ru", "uk", "en")
"""The languages that are classified."""


@dataclass(frozen=True, slots=True)
class Example:
    """A news text with its topics."""

    id: str
    """`LANGUAGE-TOPIC-NUMBER`, e.g. `uk-04-017`; `uk-news-017` is an article, `uk-news-017-1` a sentence of it."""
    language: str
    codes: tuple[str, ...]
    """Topics of level 1, the main one first; those written for a topic have one at least."""
    children: tuple[str, ...]
    """Topics of level 2; none for a code of level 1 means that nobody has looked, or that none fits."""
    form: str
    """`headline`, `lead`, …: what kind of text it is."""
    text: str

    @property
    def group(self) -> int:
        """The number within topic and language: what cross-validation folds are made of."""
        return int(self.id.split("-")[2])


def is_level_1(code: str) -> bool:
    """Return whether a concept code is one of level 1: IPTC gave those round numbers."""
    return code.endswith("000000")


def read_examples(directory: Path = DIRECTORY) -> list[Example]:
    """Return all examples, by language, topic and place in the file: the same order everywhere.

    Raises:
        ValueError: a line is not an example; the message says where.
    """
    return [
        example
        for language in LANGUAGES
        for path in sorted((directory / language).glob("*.jsonl"))
        for example in _read(path)
    ]


def read_child_examples() -> list[Example]:
    """Return the examples in `CHILD_EXAMPLES`, by language and place in the file.

    Raises:
        ValueError: a line is not an example; the message says where.
    """
    return [example for language in LANGUAGES for example in _read(CHILD_EXAMPLES / f"{language}.jsonl")]


def _read(path: Path) -> Iterator[Example]:
    for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
        try:
            entry = json.loads(line)
            codes: list[str] = entry["codes"]
            yield Example(
                id=entry["id"],
                language=entry["lang"],
                codes=tuple(code for code in codes if is_level_1(code)),
                children=tuple(code for code in codes if not is_level_1(code)),
                form=entry["form"],
                text=entry["text"],
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path}:{number}: not an example: {error}") from error
