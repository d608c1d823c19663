"""Figures of whatever gives a text one answer or none: topics and languages."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answer:
    """What a text is labelled, and what Newsflow said."""

    label: str
    given: str | None
    """None where there was no answer."""
    score: float = 0.0
    """The answer's score, where it has one."""

    @property
    def right(self) -> bool:
        """Whether the answer is the label; none is wrong."""
        return self.given == self.label


def accuracy(answers: Sequence[Answer]) -> float:
    """Return the share of texts that were answered rightly."""
    return sum(answer.right for answer in answers) / len(answers)


def coverage(answers: Sequence[Answer]) -> float:
    """Return the share of texts that were answered at all."""
    return sum(answer.given is not None for answer in answers) / len(answers)


def macro_f1(answers: Sequence[Answer]) -> float:
    """Return the mean F1 of the labels that the texts have; an answer that is no such label costs recall only."""
    labels = Counter(answer.label for answer in answers)
    given = Counter(answer.given for answer in answers)
    right = Counter(answer.label for answer in answers if answer.right)
    return sum(2 * right[label] / (labels[label] + given[label]) for label in labels) / len(labels)


def confusion(answers: Sequence[Answer]) -> Counter[tuple[str, str | None]]:
    """Return how often each label got each answer."""
    return Counter((answer.label, answer.given) for answer in answers)
