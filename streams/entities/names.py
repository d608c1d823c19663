"""What every language's normal forms have in common."""

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence

from schemas import EntityType, ModelReference

WORD = re.compile(r"[^\W_]+(?:[-'’ʼ][^\W_]+)*")
MEMORY = 20_000
"""Words and names whose analysis is kept; a worker sees the same ones all day."""


def words_of(name: str) -> list[tuple[int, str]]:
    """Return the words of a name, each with its offset into it."""
    return [(match.start(), match.group()) for match in WORD.finditer(name)]


class Names(ABC):
    """The grammar of names in one language."""

    @abstractmethod
    def load(self) -> None:
        """Load the dictionary, if there is one; calling it again does nothing."""

    @abstractmethod
    def models(self) -> tuple[ModelReference, ...]:
        """Return the dictionaries in use. Needs `load`."""

    @abstractmethod
    def nominative(self, name: str, kind: EntityType) -> str:
        """Return the nominative of a whole name; the name itself where its form is not certain."""

    @abstractmethod
    def case_forms(self, name: str) -> frozenset[str]:
        """Return all case forms of a place's or body's name given in the nominative, that one included."""

    def word_features(self, word: str) -> Sequence[str]:  # noqa: ARG002  # for the languages without a dictionary
        """Return what the dictionary says of a lower-case word, as features of the sequence model."""
        return ()

    def is_place(self, word: str) -> bool:  # noqa: ARG002  # for the languages that know none
        """Return whether a capitalised word can only be a place: some taggers take it for a person."""
        return False

    def is_personal(self, word: str) -> bool:  # noqa: ARG002  # for the languages whose taggers need no check
        """Return whether a capitalised word can be a person's name."""
        return True


def spelled(word: str) -> str:
    """Return a word with the one apostrophe that word lists have."""
    return word.replace("’", "'").replace("ʼ", "'")


def cased_like(word: str, model: str) -> str:
    """Return the lower-case word in capitals where the model has them: per part between hyphens."""
    parts, models = word.split("-"), model.split("-")
    if len(parts) != len(models):
        return word.upper() if len(model) > 1 and model.isupper() else word[:1].upper() + word[1:]
    return "-".join(_part_cased_like(part, like) for part, like in zip(parts, models, strict=True))


def _part_cased_like(word: str, model: str) -> str:
    if len(model) > 1 and model.isupper():
        return word.upper()
    if model.islower():
        return word
    # «МакДональда»: letters common to both keep their case.
    same = 0
    while same < min(len(word), len(model)) and word[same] == model[same].lower():
        same += 1
    return model[:same] + (word[same:] if same else word[:1].upper() + word[1:])
