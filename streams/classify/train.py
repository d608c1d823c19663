"""Train the topic model from the committed examples and cue words: `python -m streams.classify.train`.

Writes `topics.npz`, the same bytes on every run, and prints the held-out figures. Nothing but `examples/` and
`cues.tsv` goes in. Needs scikit-learn (the extra `models`); takes about a quarter of a minute on one core.
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from scipy import sparse  # type: ignore[import-untyped]  # scipy ships no types
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]  # scikit-learn ships no types

from streams.classify import features, figures, model, topics
from streams.classify.labelled import LANGUAGES, Example, read_examples

FOLDS = 5
"""Cross-validation folds; an example's fold is its number within topic and language modulo this, so each fold has every
topic, language and form, and examples of one number (which may share a subject across languages) stay together."""

C = 10.0
"""Inverse regularisation of the logistic regressions (chosen by cross-validation; 3 to 10 differ by about a point)."""

CUE_EXAMPLE_WEIGHT = 0.5
"""Each cue word is also a tiny training text of its topics, with this weight, so that its relatives count too."""

MIN_EXAMPLES = 2
"""A feature must occur in this many examples: one seen once is noise."""

THRESHOLD = 0.4
"""An article gets the topics of at least this probability: held out, about three of four assigned topics are right then
and macro-F1 is within a point of its best."""

TOLERANCE = 1e-5
"""liblinear's stopping criterion: tight, so that last-bit noise stays far below the weights' 8-bit steps."""

_PARAMETER_DECIMALS = 5

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What a set of training texts defines: features and cues with their idf (quantised as in the artefact)."""

    parts: list[str]
    cues: list[str]
    idf: NDArray[np.uint16]
    """Parts first, then cues, in units of `model.IDF_STEP`."""
    cue_topics: NDArray[np.uint32]
    """Bit t: the cue belongs to topic t."""


def build_vocabulary(texts: list[list[str]], codes: list[str]) -> Vocabulary:
    """Return the vocabulary of tokenised texts; idf = ln((1 + n) / (1 + df)) + 1, smoothed as in scikit-learn."""
    of_cue = features.cue_topics()
    part_counts: Counter[str] = Counter()
    cue_counts: Counter[str] = Counter()
    for words in texts:
        distinct = set(words)
        part_counts.update({part for word in distinct for part in features.parts(word)})
        cue_counts.update({cue for word in distinct if (cue := features.cue_of(word, of_cue)) is not None})
    parts = sorted(part for part, count in part_counts.items() if count >= MIN_EXAMPLES)
    cues = list(of_cue)
    frequencies = np.array([part_counts[part] for part in parts] + [cue_counts[cue] for cue in cues])
    idf = np.log((1 + len(texts)) / (1 + frequencies)) + 1
    return Vocabulary(
        parts=parts,
        cues=cues,
        idf=np.round(idf / model.IDF_STEP).astype(np.uint16),
        cue_topics=np.array([sum(1 << codes.index(code) for code in of_cue[cue]) for cue in cues], dtype=np.uint32),
    )


def design_matrix(texts: list[list[str]], vocabulary: Vocabulary, topic_count: int) -> sparse.csr_matrix:
    """Return one row per tokenised text: the tf-idf vector, then the cue vector (exactly what the stage computes)."""
    vectors = model.Vectors(
        vocabulary.parts,
        vocabulary.cues,
        vocabulary.idf.astype(np.float64) * model.IDF_STEP,
        model.share_of_topics(vocabulary.cue_topics, topic_count),
    )
    rows: list[sparse.csr_matrix] = []
    for words in texts:
        present, values, cues = vectors.of(words)
        columns = np.concatenate([present, len(vocabulary.parts) + np.arange(topic_count)])
        data = np.concatenate([values, cues])
        width = len(vocabulary.parts) + topic_count
        rows.append(sparse.csr_matrix((data, columns, [0, len(data)]), shape=(1, width)))
    return sparse.vstack(rows).tocsr()


def cue_matrix(vocabulary: Vocabulary, topic_count: int) -> tuple[sparse.csr_matrix, Flags]:
    """Return the cue words as training texts, and their labels: tf-idf only, as the cue vector would be the answer."""
    matrix = design_matrix([[cue.rstrip("=")] for cue in vocabulary.cues], vocabulary, topic_count).tolil()
    matrix[:, len(vocabulary.parts) :] = 0
    labels = model.share_of_topics(vocabulary.cue_topics, topic_count) > 0
    return matrix.tocsr(), labels


def fit(texts: list[list[str]], labels: Flags, codes: list[str]) -> tuple[Vocabulary, Floats, Floats]:
    """Return vocabulary, weights (features, topics) and intercepts (topics,) of one-vs-rest regressions."""
    vocabulary = build_vocabulary(texts, codes)
    cue_rows, cue_labels = cue_matrix(vocabulary, len(codes))
    rows = sparse.vstack([design_matrix(texts, vocabulary, len(codes)), cue_rows]).tocsr()
    targets = np.vstack([labels, cue_labels])
    weight = np.concatenate([np.ones(len(texts)), np.full(len(vocabulary.cues), CUE_EXAMPLE_WEIGHT)])
    weights, intercepts = [], []
    for topic in range(len(codes)):
        # liblinear's primal solver draws no random numbers, unlike its dual one and saga.
        regression = LogisticRegression(C=C, solver="liblinear", dual=False, tol=TOLERANCE, max_iter=1000)
        regression.fit(rows, targets[:, topic], sample_weight=weight)
        weights.append(regression.coef_[0])
        intercepts.append(regression.intercept_[0])
    return vocabulary, np.array(weights).T, np.array(intercepts)


def calibrate(scores: Floats, labels: Flags) -> tuple[Floats, Floats]:
    """Return Platt's slopes and offsets (topics,) from held-out scores and labels (examples, topics)."""
    slopes, offsets = [], []
    for topic in range(scores.shape[1]):
        platt = LogisticRegression(C=100.0, solver="newton-cholesky", tol=1e-10, max_iter=1000)
        platt.fit(scores[:, [topic]], labels[:, topic])
        slopes.append(float(platt.coef_[0, 0]))
        offsets.append(float(platt.intercept_[0]))
    return np.array(slopes), np.array(offsets)


def sigmoid(logits: Floats) -> Floats:
    """Return 1 / (1 + e^-x)."""
    probabilities: Floats = 1 / (1 + np.exp(-logits))
    return probabilities


def cross_validate(texts: list[list[str]], labels: Flags, folds: NDArray[np.int64], codes: list[str]) -> Floats:
    """Return the score (before calibration) of every example from a model that has not seen its fold."""
    scores = np.zeros(labels.shape)
    for fold in range(FOLDS):
        click.echo(f"  fold {fold + 1} of {FOLDS}")
        seen = np.flatnonzero(folds != fold)
        unseen = np.flatnonzero(folds == fold)
        vocabulary, weights, intercepts = fit([texts[i] for i in seen], labels[seen], codes)
        rows = design_matrix([texts[i] for i in unseen], vocabulary, len(codes))
        scores[unseen] = rows @ weights + intercepts
    return scores


def held_out_probabilities(scores: Floats, labels: Flags, folds: NDArray[np.int64]) -> Floats:
    """Return probabilities of held-out scores, each fold calibrated on the others only."""
    probabilities = np.zeros(scores.shape)
    for fold in range(FOLDS):
        slopes, offsets = calibrate(scores[folds != fold], labels[folds != fold])
        probabilities[folds == fold] = sigmoid(scores[folds == fold] * slopes + offsets)
    return probabilities


def quantise(weights: Floats) -> tuple[NDArray[np.int8], Floats]:
    """Return 8-bit weights and the scale of each topic (column): weights ≈ integers · scale."""
    scale = np.round(np.abs(weights).max(axis=0) / 127, _PARAMETER_DECIMALS + 2)
    return np.clip(np.round(weights / scale), -127, 127).astype(np.int8), scale


def report(probabilities: Floats, labels: Flags, examples: list[Example]) -> None:
    """Print held-out figures by language, and the reliability of all scores."""
    click.echo(f"held out, {FOLDS} folds, threshold {THRESHOLD}:")
    click.echo("  lang     n  first-right  macro-F1  micro-F1  precision  recall  none  ECE(first)  ECE(all)")
    language = np.array([example.language for example in examples])
    for name in (*LANGUAGES, "all"):
        inside = np.flatnonzero((language == name) | (name == "all"))
        p, y = probabilities[inside], labels[inside]
        assigned = p >= THRESHOLD
        got = figures.label_figures(assigned, y)
        first = p.argmax(axis=1)
        right = y[np.arange(len(y)), first]
        click.echo(
            f"  {name:4s} {len(inside):5d} {right.mean():12.3f} {got.macro_f1:9.3f} {got.micro_f1:9.3f} "
            f"{got.micro_precision:10.3f} {got.micro_recall:7.3f} {(~assigned.any(axis=1)).mean():5.3f} "
            f"{figures.calibration_error(p.max(axis=1), right):11.3f} "
            f"{figures.calibration_error(p.ravel(), y.ravel()):9.3f}"
        )
    click.echo("  reliability, all topics of all examples:  score range, scores, mean score, share right")
    for number, entry in enumerate(figures.reliability(probabilities.ravel(), labels.ravel())):
        if entry:
            span = f"{number / figures.BINS:.1f}-{(number + 1) / figures.BINS:.1f}"
            click.echo(f"    {span} {entry.count:6d}  {entry.confidence:.3f}  {entry.correct:.3f}")


def train() -> bytes:
    """Return the artefact; prints progress and held-out figures on the way."""
    names, _ = topics.read_table()
    codes = sorted(names)
    examples = read_examples()
    labels = np.array([[code in example.codes for code in codes] for example in examples])
    folds = np.array([example.group % FOLDS for example in examples])
    click.echo(f"{len(examples)} examples, {len(codes)} topics, {len(features.cue_topics())} cue words")
    texts = [features.words(example.text) for example in examples]

    click.echo("cross-validation")
    scores = cross_validate(texts, labels, folds, codes)
    report(held_out_probabilities(scores, labels, folds), labels, examples)

    click.echo("the model, on all examples")
    vocabulary, weights, intercepts = fit(texts, labels, codes)
    slopes, offsets = calibrate(scores, labels)
    lexical, scale = quantise(weights[: len(vocabulary.parts)])
    return model.pack(
        {
            "topics": model.pack_strings(codes),
            "parts": model.pack_strings(vocabulary.parts),
            "cues": model.pack_strings(vocabulary.cues),
            "idf": vocabulary.idf,
            "cue_topics": vocabulary.cue_topics,
            "weights": lexical,
            "scale": scale,
            "cue_weights": np.round(weights[len(vocabulary.parts) :], _PARAMETER_DECIMALS),
            "slope": np.round(slopes, _PARAMETER_DECIMALS),
            "offset": np.round(slopes * intercepts + offsets, _PARAMETER_DECIMALS),
            "threshold": np.array([THRESHOLD]),
        }
    )


@click.command()
@click.option(
    "--output", type=click.Path(path_type=Path), default=model.ARTEFACT, show_default=True, help="File to write."
)
def main(output: Path) -> None:
    """Rebuild the topic model from the repository."""
    content = train()
    output.write_bytes(content)
    click.echo(f"{output}: {len(content):,} bytes, sha256 {model.TopicModel(content).sha256}")


if __name__ == "__main__":
    main()
