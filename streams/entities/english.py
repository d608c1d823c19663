"""English names have no cases: only the possessive and the article go."""

import re
from collections.abc import Sequence

from schemas import EntityType, ModelReference
from streams.entities.common_words import CommonWords
from streams.entities.names import Names, spelled

_POSSESSIVE = re.compile(r"(?:['’]s|(?<=s)['’])$")
_ARTICLE = re.compile(r"^the\s+(?=\S)", re.IGNORECASE)


class EnglishNames(Names):
    """Names as they stand."""

    def __init__(self) -> None:
        """Make them; the table of common words is read by `load`."""
        self._common = CommonWords("en")

    def load(self) -> None:
        """Read the table of common words."""
        self._common.load()

    def models(self) -> tuple[ModelReference, ...]:
        """Return the table."""
        return self._common.models()

    def word_features(self, word: str) -> Sequence[str]:
        """Return what the table of common words says of a word."""
        return self._common.features(spelled(word))

    def nominative(self, name: str, kind: EntityType) -> str:  # noqa: ARG002  # the same for all types
        """Return the name without a leading "the" and a trailing possessive."""
        return _ARTICLE.sub("", _POSSESSIVE.sub("", name)) or name

    def case_forms(self, name: str) -> frozenset[str]:
        """Return the name alone."""
        return frozenset((name,))
