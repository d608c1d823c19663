"""The labelled examples that the topic model is trained on: `examples/LANGUAGE/CODE.jsonl`, all written by us."""

import json
from dataclasses import dataclass
from pathlib import Path

DIRECTORY = Path(__file__).with_name("examples")
LANGUAGES = ("ru", "uk", "en")
"""The languages that are classified."""


@dataclass(frozen=True, slots=True)
class Example:
    """A news text with its topics."""

    id: str
    """`LANGUAGE-TOPIC-NUMBER`, e.g. `uk-04-017`."""
    language: str
    codes: tuple[str, ...]
    form: str
    """`headline`, `lead`, …: what kind of text it is."""
    text: str

    @property
    def group(self) -> int:
        """The number within topic and language: what cross-validation folds are made of."""
        return int(self.id.rsplit("-", 1)[1])


def read_examples(directory: Path = DIRECTORY) -> list[Example]:
    """Return all examples, by language, topic and place in the file: the same order everywhere.

    Raises:
        ValueError: a line is not an example; the message says where.
    """
    found: list[Example] = []
    for language in LANGUAGES:
        for path in sorted((directory / language).glob("*.jsonl")):
            for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
                try:
                    entry = json.loads(line)
                    example = Example(entry["id"], entry["lang"], tuple(entry["codes"]), entry["form"], entry["text"])
                except (KeyError, TypeError, ValueError) as error:
                    raise ValueError(f"{path}:{number}: not an example: {error}") from error
                found.append(example)
    return found
