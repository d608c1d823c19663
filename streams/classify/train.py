"""Train the topic model from the committed examples and cue words: `python -m streams.classify.train`.

Writes `topics.npz`, the same bytes on every run, and prints the held-out figures. What goes in: `examples/`,
`cues.tsv`, the taxonomy's own definitions (`concepts.tsv`) and the word vectors (`vectors.npz`). Needs scikit-learn
(the extra `models`); takes a minute and a quarter on one core.
"""

import hashlib
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from scipy import sparse  # type: ignore[import-untyped]  # scipy ships no types
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]  # scikit-learn ships no types
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # threadpoolctl ships no types

from streams.classify import features, figures, model, topics, vectors
from streams.classify.labelled import LANGUAGES, Example, read_examples

FOLDS = 5
"""Cross-validation folds; an example's fold is its number within topic and language modulo this, so each fold has every
topic, language and form, and examples of one number (which may share a subject across languages) stay together."""

C = 10.0
"""Inverse regularisation of the logistic regressions (chosen by cross-validation; 3 to 12 differ by about a point)."""

CUE_EXAMPLE_WEIGHT = 0.5
"""Each cue word is also a tiny training text of its topics, with this weight, so that its relatives count too."""

CONCEPTS = Path(__file__).with_name("concepts.tsv")
"""Names and definitions of the taxonomy's concepts with their level-1 codes (© IPTC, CC BY 4.0)."""

CONCEPT_WEIGHT = 0.3
"""Weight of a definition beside an example's 1: it names what a topic is about, but is no news."""

CROPPED_WEIGHT = 0.5
"""Weight of the first sentence of an example of several, as an example of its own: articles can be short."""

MIN_WORDS = 5
"""A first sentence shorter than this says too little to learn from."""

MIN_EXAMPLES = 2
"""A feature must occur in this many examples: one seen once is noise."""

THRESHOLD = 0.25
"""An article gets the topics of at least this probability: the lowest whose held-out macro-F1 is within a point of the
best. Two of three assigned topics are right then; who needs more takes those of a higher score."""

TOLERANCE = 1e-5
"""liblinear's stopping criterion: tight, so that last-bit noise stays far below the weights' 8-bit steps."""

_PARAMETER_DECIMALS = 5
_BETWEEN_SENTENCES = re.compile(r"(?<=[.!?…])\s+(?=[A-ZА-ЯІЇЄҐ«\"„“])")

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


@dataclass(frozen=True, slots=True)
class Material:
    """Training texts with their labels and weights."""

    texts: list[list[str]]
    labels: Flags
    weight: Floats

    def __add__(self, other: "Material") -> "Material":
        return Material(
            self.texts + other.texts,
            np.vstack([self.labels, other.labels]),
            np.concatenate([self.weight, other.weight]),
        )


@dataclass(frozen=True, slots=True)
class Calibration:
    """From scores to log odds."""

    slopes: Floats
    offsets: Floats
    length: Floats
    """Factors of the log odds, of their product with the length, of the length; constant."""

    def logits(self, scores: Floats, sizes: NDArray[np.int64]) -> Floats:
        """Return log odds of scores (examples, topics) of texts with these numbers of words."""
        return model.for_length(scores * self.slopes + self.offsets, model.length_of(sizes)[:, None], self.length)


def first_sentence(text: str) -> str | None:
    """Return the first sentence of a text of several, if it has at least `MIN_WORDS` words; else None."""
    sentences = _BETWEEN_SENTENCES.split(text)
    return sentences[0] if len(sentences) > 1 and len(sentences[0].split()) >= MIN_WORDS else None


def read_concepts(codes: list[str]) -> Material:
    """Return the taxonomy's names and definitions with their level-1 topics.

    Raises:
        ValueError: a line is not `code TAB text`.
    """
    lines = [line.split("\t") for line in CONCEPTS.read_text("utf-8").splitlines() if not line.startswith("#")]
    return Material(
        [features.words(text) for _, text in lines],
        np.array([[code == own for code in codes] for own, _ in lines]),
        np.full(len(lines), CONCEPT_WEIGHT),
    )


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


def design_matrix(
    texts: list[list[str]], vocabulary: Vocabulary, topic_count: int, table: vectors.WordVectors
) -> sparse.csr_matrix:
    """Return one row per tokenised text: tf-idf, cue vector, word vector (exactly what the stage computes)."""
    made = model.Vectors(
        vocabulary.parts,
        vocabulary.cues,
        vocabulary.idf.astype(np.float64) * model.IDF_STEP,
        model.share_of_topics(vocabulary.cue_topics, topic_count),
        table,
    )
    border = len(vocabulary.parts)
    width = border + topic_count + table.dimensions
    columns, data, ends = [], [], [0]
    for words in texts:
        present, values, dense = made.of(words)
        columns.append(np.concatenate([present, border + np.arange(len(dense))]))
        data.append(np.concatenate([values, dense]))
        ends.append(ends[-1] + len(data[-1]))
    return sparse.csr_matrix((np.concatenate(data), np.concatenate(columns), ends), shape=(len(texts), width))


def cue_texts(vocabulary: Vocabulary, topic_count: int) -> tuple[list[list[str]], Flags]:
    """Return the cue words as training texts, and their labels."""
    labels = model.share_of_topics(vocabulary.cue_topics, topic_count) > 0
    return [[cue.rstrip("=")] for cue in vocabulary.cues], labels


def fit(material: Material, codes: list[str], table: vectors.WordVectors) -> tuple[Vocabulary, Floats, Floats]:
    """Return vocabulary, weights (features, topics) and intercepts (topics,) of one-vs-rest regressions."""
    vocabulary = build_vocabulary(material.texts, codes)
    cues, cue_labels = cue_texts(vocabulary, len(codes))
    cue_rows = design_matrix(cues, vocabulary, len(codes), table)
    # A cue's own cue vector would be the answer.
    beside = np.ones(cue_rows.shape[1])
    beside[len(vocabulary.parts) : len(vocabulary.parts) + len(codes)] = 0
    cue_rows = cue_rows @ sparse.diags(beside)
    rows = sparse.vstack([design_matrix(material.texts, vocabulary, len(codes), table), cue_rows]).tocsr()
    targets = np.vstack([material.labels, cue_labels])
    weight = np.concatenate([material.weight, np.full(len(cues), CUE_EXAMPLE_WEIGHT)])
    weights, intercepts = [], []
    for topic in range(len(codes)):
        # liblinear's primal solver draws no random numbers, unlike its dual one and saga.
        regression = LogisticRegression(C=C, solver="liblinear", dual=False, tol=TOLERANCE, max_iter=1000)
        regression.fit(rows, targets[:, topic], sample_weight=weight)
        weights.append(regression.coef_[0])
        intercepts.append(regression.intercept_[0])
    return vocabulary, np.array(weights).T, np.array(intercepts)


def calibrate(scores: Floats, labels: Flags, sizes: NDArray[np.int64]) -> Calibration:
    """Return the calibration of held-out scores (examples, topics), their labels and numbers of words.

    Platt's slope and offset per topic, then one correction for the length of the text, common to all topics: the longer
    the text, the more unrelated words dilute its vector, and the more a given score means.
    """
    slopes, offsets = [], []
    for topic in range(scores.shape[1]):
        platt = LogisticRegression(C=100.0, solver="newton-cholesky", tol=1e-10, max_iter=1000)
        platt.fit(scores[:, [topic]], labels[:, topic])
        slopes.append(float(platt.coef_[0, 0]))
        offsets.append(float(platt.intercept_[0]))
    logits = scores * np.array(slopes) + np.array(offsets)
    length = np.repeat(model.length_of(sizes)[:, None], scores.shape[1], axis=1)
    features_of_length = np.stack([logits, logits * length, length], axis=2).reshape(-1, 3)
    common = LogisticRegression(C=100.0, solver="newton-cholesky", tol=1e-10, max_iter=1000)
    common.fit(features_of_length, labels.ravel())
    return Calibration(np.array(slopes), np.array(offsets), np.append(common.coef_[0], common.intercept_[0]))


def sigmoid(logits: Floats) -> Floats:
    """Return 1 / (1 + e^-x)."""
    probabilities: Floats = 1 / (1 + np.exp(-logits))
    return probabilities


def cross_validate(
    material: Material, folds: NDArray[np.int64], concepts: Material, codes: list[str], table: vectors.WordVectors
) -> Floats:
    """Return the score (before calibration) of every example from a model that has not seen its fold."""
    scores = np.zeros(material.labels.shape)
    for fold in range(FOLDS):
        click.echo(f"  fold {fold + 1} of {FOLDS}")
        seen = np.flatnonzero(folds != fold)
        unseen = np.flatnonzero(folds == fold)
        given = Material([material.texts[i] for i in seen], material.labels[seen], material.weight[seen])
        vocabulary, weights, intercepts = fit(given + concepts, codes, table)
        rows = design_matrix([material.texts[i] for i in unseen], vocabulary, len(codes), table)
        scores[unseen] = rows @ weights + intercepts
    return scores


def held_out_probabilities(scores: Floats, labels: Flags, folds: NDArray[np.int64], sizes: NDArray[np.int64]) -> Floats:
    """Return probabilities of held-out scores, each fold calibrated on the others only."""
    probabilities = np.zeros(scores.shape)
    for fold in range(FOLDS):
        seen, unseen = folds != fold, folds == fold
        made = calibrate(scores[seen], labels[seen], sizes[seen])
        probabilities[unseen] = sigmoid(made.logits(scores[unseen], sizes[unseen]))
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
    click.echo("  thresholds: precision, recall, macro-F1, share of articles without a topic")
    for threshold in (0.2, 0.25, 0.3, 0.4, 0.5):
        assigned = probabilities >= threshold
        got = figures.label_figures(assigned, labels)
        none = (~assigned.any(axis=1)).mean()
        click.echo(
            f"    {threshold:.2f}  {got.micro_precision:.3f}  {got.micro_recall:.3f}  {got.macro_f1:.3f}  {none:.3f}"
        )
    click.echo("  reliability, all topics of all examples:  score range, scores, mean score, share right")
    for number, entry in enumerate(figures.reliability(probabilities.ravel(), labels.ravel())):
        if entry:
            span = f"{number / figures.BINS:.1f}-{(number + 1) / figures.BINS:.1f}"
            click.echo(f"    {span} {entry.count:6d}  {entry.confidence:.3f}  {entry.correct:.3f}")


def train() -> bytes:
    """Return the artefact; prints progress and held-out figures on the way."""
    with threadpool_limits(1):  # the same order of additions whatever the number of cores
        return _train()


def _train() -> bytes:
    names, _ = topics.read_table()
    codes = sorted(names)
    examples = read_examples()
    labels = np.array([[code in example.codes for code in codes] for example in examples])
    folds = np.array([example.group % FOLDS for example in examples])
    click.echo(f"{len(examples)} examples, {len(codes)} topics, {len(features.cue_topics())} cue words")
    table = vectors.load()
    concepts = read_concepts(codes)
    cropped = [(i, cut) for i, example in enumerate(examples) if (cut := first_sentence(example.text))]
    origin = np.array([*range(len(examples)), *(i for i, _ in cropped)])
    material = Material(
        [features.words(text) for text in [*(example.text for example in examples), *(cut for _, cut in cropped)]],
        labels[origin],
        np.where(np.arange(len(origin)) < len(examples), 1.0, CROPPED_WEIGHT),
    )
    sizes = np.array([len(words) for words in material.texts])

    click.echo("cross-validation")
    scores = cross_validate(material, folds[origin], concepts, codes, table)
    probabilities = held_out_probabilities(scores, material.labels, folds[origin], sizes)
    report(probabilities[: len(examples)], labels, examples)

    click.echo("the model, on all examples")
    vocabulary, weights, intercepts = fit(material + concepts, codes, table)
    calibration = calibrate(scores, material.labels, sizes)
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
            "dense_weights": np.round(weights[len(vocabulary.parts) :], _PARAMETER_DECIMALS),
            "slope": np.round(calibration.slopes, _PARAMETER_DECIMALS),
            "offset": np.round(calibration.slopes * intercepts + calibration.offsets, _PARAMETER_DECIMALS),
            "length": np.round(calibration.length, _PARAMETER_DECIMALS),
            "threshold": np.array([THRESHOLD]),
            "table": np.frombuffer(bytes.fromhex(table.sha256), dtype=np.uint8),
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
    click.echo(f"{output}: {len(content):,} bytes, sha256 {hashlib.sha256(content).hexdigest()}")


if __name__ == "__main__":
    main()
