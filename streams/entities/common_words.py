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


class CommonWords:
    """The table of one language."""

    def __init__(self, language: str) -> None:
        """Name the table; `load` reads it."""
        self._language = language
        self._features: dict[str, tuple[str, ...]] = {}

    def load(self) -> None:
        """Read the table; calling it again does nothing."""
        if self._features:
            return
        lines = table_path(self._language).read_text("utf-8").splitlines()
        for word, count in (line.split("\t") for line in lines if not line.startswith("#")):
            self._features[word] = ("small-often",) if int(count) >= OFTEN else ("small-once",)

    def models(self) -> tuple[ModelReference, ...]:
        """Return the table."""
        return (weights.file_reference(f"newsflow-common-words-{self._language}", table_path(self._language)),)

    def features(self, word: str) -> tuple[str, ...]:
        """Return how often the table has a word, lower case, `names.spelled`, as a feature of the sequence model."""
        return self._features.get(word, ())
