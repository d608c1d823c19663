"""Words that texts of ours write small: with a capital, at the head of a sentence, they are likely no name.

For the languages without a dictionary. `build_common_words` makes the tables.
"""

import re
from pathlib import Path

from schemas import ModelReference
from streams.entities import weights

LANGUAGES = ("uk", "en")

OFTEN = 3
"""Times a word is met small before the table may be sure of it."""

WORD = re.compile(r"(?<!\w)[^\W\d_]+(?:['’ʼ](?!s\b)[^\W\d_]+)*")


def table_path(language: str) -> Path:
    """Return the committed table of a language."""
    return Path(__file__).with_name(f"common_words.{language}.tsv")


def spelled(word: str) -> str:
    """Return a word with the one apostrophe that the tables have."""
    return word.replace("’", "'").replace("ʼ", "'")


class CommonWords:
    """The table of one language."""

    def __init__(self, language: str) -> None:
        """Read the table."""
        lines = (line.split("\t") for line in table_path(language).read_text("utf-8").splitlines() if line[0] != "#")
        self._features = {word: ("small-often",) if int(count) >= OFTEN else ("small-once",) for word, count in lines}
        self._reference = weights.file_reference(f"newsflow-common-words-{language}", table_path(language))

    def models(self) -> tuple[ModelReference, ...]:
        """Return the table."""
        return (self._reference,)

    def features(self, word: str) -> tuple[str, ...]:
        """Return how often the table has a lower-case word, as a feature of the sequence model; none: not at all."""
        return self._features.get(spelled(word), ())
