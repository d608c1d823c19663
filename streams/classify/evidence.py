"""The passages of an article that speak most for a label, from the linear model's own contributions."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from heapq import nsmallest

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
        self._placed = features.placed_words(self._whole)
        self.words = [word for word, _, _ in self._placed]
        self._places: dict[str, list[int]] = {}
        for number, word in enumerate(self.words):
            self._places.setdefault(word, []).append(number)

    def strongest(self, drops: Mapping[str, float]) -> list[tuple[int, int]]:
        """Return the stretches that speak most for a label, strongest first: (start, stop) in `ReadText.whole`.

        Args:
            drops: How far the label's score falls without each distinct word.
        """
        # Rounded: where a text has one word only, its drop is zero but for the last bits.
        ranked = nsmallest(_MOST_WORDS, ((-round(drop, _DECIMALS), word) for word, drop in drops.items()))
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
        found = [(self._placed[group[0]][1], self._placed[group[-1]][2]) for group in chosen]
        # Thousands of letters in a row are no word and nothing to read.
        return [(start, stop) for start, stop in found if stop - start <= LONGEST]

    def _joined(self, left: int, right: int) -> bool:
        if right != left + 1:
            return False
        return self._whole[self._placed[left][2] : self._placed[right][1]] in (" ", "-")
