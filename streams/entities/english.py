"""English names have no cases: only the possessive and the article go."""

import re

from schemas import EntityType, ModelReference
from streams.entities.names import Names

_POSSESSIVE = re.compile(r"(?:['’]s|(?<=s)['’])$")
_ARTICLE = re.compile(r"^the\s+(?=\S)", re.IGNORECASE)


class EnglishNames(Names):
    """Names as they stand."""

    def load(self) -> None:
        """Nothing to load."""

    def models(self) -> tuple[ModelReference, ...]:
        """Return none."""
        return ()

    def nominative(self, name: str, kind: EntityType) -> str:  # noqa: ARG002  # the same for all types
        """Return the name without a leading "the" and a trailing possessive."""
        return _ARTICLE.sub("", _POSSESSIVE.sub("", name)) or name

    def case_forms(self, name: str) -> frozenset[str]:
        """Return the name alone."""
        return frozenset((name,))
