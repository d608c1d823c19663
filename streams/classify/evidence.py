"""The passages of an article that speak most for a label, from the linear model's own contributions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from schemas import Passage

MOST = 5
"""Passages of a label at most."""

_MOST_WORDS = 8
"""Distinct words looked at: those side by side make one passage."""

Placed = Sequence[tuple[str, int, int]]
"""Words with start and stop, as `features.placed_words` returns them."""


@dataclass(frozen=True, slots=True)
class ReadText:
    """What is read of an article: its title and its text in one string, a line feed between them."""

    title: str | None
    text: str

    @property
    def whole(self) -> str:
        """The one string."""
        return self.text if self.title is None else f"{self.title}\n{self.text}"

    def passage(self, start: int, stop: int) -> Passage:
        """Return a stretch of `whole` as a passage of the part that it begins in."""
        shift = 0 if self.title is None else len(self.title) + 1
        in_title = start < shift
        words = self.whole[start:stop]
        shift = 0 if in_title else shift
        return Passage(part="title" if in_title else "text", start=start - shift, stop=stop - shift, text=words)


def strongest(whole: str, placed: Placed, drops: Mapping[str, float]) -> list[tuple[int, int]]:
    """Return the stretches that speak most for a label, strongest first: (start, stop) in `ReadText.whole`.

    Args:
        whole: The article as it is read.
        placed: Its words.
        drops: How far the label's score falls without each distinct word.
    """
    telling = sorted((word for word in drops if drops[word] > 0), key=lambda word: (-drops[word], word))[:_MOST_WORDS]
    places: dict[str, list[int]] = {word: [] for word in telling}
    for number, (word, _, _) in enumerate(placed):
        if word in places:
            places[word].append(number)

    def joined(left: int, right: int) -> bool:
        return right == left + 1 and whole[placed[left][2] : placed[right][1]] in (" ", "-")

    chosen: list[list[int]] = []
    for word in telling:
        beside = next(
            ((group, n) for group in chosen for n in places[word] if joined(n, group[0]) or joined(group[-1], n)), None
        )
        if beside is not None:
            group, number = beside
            group.insert(0 if number < group[0] else len(group), number)
        elif len(chosen) < MOST:
            chosen.append([places[word][0]])
    return [(placed[group[0]][1], placed[group[-1]][2]) for group in chosen]
