"""The passages of an article that speak most for a label, from the linear model's own contributions."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from schemas import Passage
from streams.classify import features

LONGEST = 500
"""Code points of a passage at most."""

MOST = 5
"""Passages of a label at most."""

_DECIMALS = 9
_MOST_WORDS = 8
"""Distinct words looked at: those side by side make one passage."""


@dataclass(frozen=True)
class ReadText:
    """What is read of an article: its title and its text in one string, a line feed between them."""

    title: str | None
    text: str

    @cached_property
    def whole(self) -> str:
        """The one string."""
        return self.text if self.title is None else f"{self.title}\n{self.text}"

    def passage(self, start: int, stop: int) -> Passage:
        """Return a stretch of `whole` as a passage of the part that it begins in."""
        words, text_start = self.whole[start:stop], len(self.whole) - len(self.text)
        if start < text_start:
            return Passage(part="title", start=start, stop=stop, text=words)
        return Passage(part="text", start=start - text_start, stop=stop - text_start, text=words)


class Words:
    """The words of an article, and where each stands."""

    def __init__(self, article: ReadText) -> None:
        """Read the article's words."""
        self._whole = article.whole
        self.words, self._spans = features.placed_words(self._whole)
        self._places: dict[str, list[int]] = {}
        for number, word in enumerate(self.words):
            self._places.setdefault(word, []).append(number)

    def strongest(self, words: Sequence[str], drops: NDArray[np.float64]) -> list[tuple[int, int]]:
        """Return the stretches that speak most for a label, strongest first: (start, stop) in `ReadText.whole`.

        Args:
            words: The distinct words.
            drops: How far the label's score falls without each of them.
        """
        # Rounded: where a text has one word only, its drop is zero but for the last bits.
        rounded = drops.round(_DECIMALS)
        least = np.partition(rounded, -_MOST_WORDS)[-_MOST_WORDS] if len(words) > _MOST_WORDS else -np.inf
        ranked = sorted((-float(rounded[n]), words[n]) for n in np.flatnonzero(rounded >= least).tolist())[:_MOST_WORDS]
        telling = [word for negative, word in ranked if negative < 0] or [word for _, word in ranked[:1]]
        chosen: list[list[int]] = []
        for word in telling:
            places = self._places[word]
            beside = next(
                (
                    (group, n)
                    for group in chosen
                    for n in places
                    if self._joined(n, group[0]) or self._joined(group[-1], n)
                ),
                None,
            )
            if beside is not None:
                group, number = beside
                group.insert(0 if number < group[0] else len(group), number)
            elif len(chosen) < MOST:
                chosen.append([places[0]])
        found = [(self._spans[group[0]][0], self._spans[group[-1]][1]) for group in chosen]
        # Thousands of letters in a row are no word and nothing to read.
        return [(start, stop) for start, stop in found if stop - start <= LONGEST]

    def _joined(self, left: int, right: int) -> bool:
        if right != left + 1:
            return False
        return self._whole[self._spans[left][1] : self._spans[right][0]] in (" ", "-")
