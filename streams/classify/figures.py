"""Figures of merit of topic scores, shared by the training report and the measurements."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BINS = 10
"""Bins of equal width for reliability and calibration error (Guo et al. 2017 use 15, with far more data)."""

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Bin:
    """One bin of a reliability diagram."""

    count: int
    confidence: float
    """Mean score."""
    correct: float
    """Share that was right."""


def reliability(scores: Floats, correct: Flags) -> list[Bin | None]:
    """Return the bins of 0..1 for any number of scores and whether each was right, same shape; None where empty."""
    index = np.minimum((scores * BINS).astype(int), BINS - 1)
    table: list[Bin | None] = []
    for number in range(BINS):
        inside = index == number
        count = int(inside.sum())
        table.append(Bin(count, float(scores[inside].mean()), float(correct[inside].mean())) if count else None)
    return table


def calibration_error(scores: Floats, correct: Flags) -> float:
    """Return the expected calibration error: mean distance of confidence and accuracy, weighted by the bins' counts."""
    bins = [entry for entry in reliability(scores, correct) if entry]
    return sum(entry.count * abs(entry.confidence - entry.correct) for entry in bins) / max(1, scores.size)


def best_is_right(scores: Floats, true: Flags) -> Flags:
    """Return, per article, whether its best scored label is one of its own; both of shape (articles, labels)."""
    right: Flags = true[np.arange(len(true)), scores.argmax(axis=1)]
    return right


def first_right(scores: Floats, true: Flags) -> float:
    """Return the share of articles whose best scored label is right, of those that have any."""
    return float(best_is_right(scores, true)[true.any(axis=1)].mean())


@dataclass(frozen=True, slots=True)
class LabelFigures:
    """Precision, recall and F1 of assigned labels."""

    micro_precision: float
    micro_recall: float
    micro_f1: float
    macro_f1: float


def label_figures(assigned: Flags, true: Flags) -> LabelFigures:
    """Return the figures for two arrays of shape (articles, labels); a label that is nowhere counts as F1 0."""
    hits = (assigned & true).sum(axis=0)
    both = assigned.sum(axis=0) + true.sum(axis=0)
    return LabelFigures(
        micro_precision=float(hits.sum() / max(1, assigned.sum())),
        micro_recall=float(hits.sum() / max(1, true.sum())),
        micro_f1=float(2 * hits.sum() / max(1, both.sum())),
        macro_f1=float(np.mean(2 * hits / np.maximum(1, both))),
    )
