"""Train the event model from the committed sentences (`event_examples/`, all written by us) and the trigger lexicon."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse  # type: ignore[import-untyped]  # scipy ships no types
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]  # scikit-learn ships no types
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # threadpoolctl ships no types

from streams.classify import event_model, event_triggers, features, figures, vectors
from streams.classify.figures import Bin
from streams.classify.labelled import LANGUAGES
from streams.classify.model import Floats, pack, pack_strings
from streams.classify.report_page import Confusion, Table
from streams.classify.train import quantise, sparse_rows

EXAMPLES = Path(__file__).with_name("event_examples")
"""`LANGUAGE.jsonl`: {"text", "type"} a line, `type` one of PLOVER's or NONE. The trigger lexicon was written with these
in sight, so figures on them, cross-validated or not, are too good."""

HELD_OUT = EXAMPLES / "held_out"
"""As above, by writers who had not seen the lexicon and kept off the obvious verbs: what the temperature and the
report's figures are taken on, each fold by a model that has not seen it."""

FOLDS = 5
"""A sentence's fold is its place in its file modulo this; the files go through the types one by one."""

C = 3.0
"""Inverse regularisation (1 to 10 differ by less than two points)."""
MIN_EXAMPLES = 2
"""A feature must occur in this many sentences."""
_DECIMALS = 5


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence and its event type."""

    language: str
    words: list[str]
    type: str


def read_sentences(directory: Path = EXAMPLES) -> list[Sentence]:
    """Return the labelled sentences of a directory, by language and place in the file.

    Raises:
        ValueError: a line is none; the message says where.
    """
    found = []
    for language in LANGUAGES:
        path = directory / f"{language}.jsonl"
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
            try:
                entry = json.loads(line)
                found.append(Sentence(language, features.words(entry["text"]), entry["type"]))
            except (KeyError, TypeError, ValueError) as error:
                raise ValueError(f"{path}:{number}: not a labelled sentence: {error}") from error
            if entry["type"] not in event_triggers.QUAD_CLASSES and entry["type"] != event_triggers.NONE:
                raise ValueError(f"{path}:{number}: no type {entry['type']!r}")
    return found


class Rows:
    """Sentences as rows of numbers, for a vocabulary taken from some of them."""

    def __init__(
        self, sentences: list[Sentence], triggers: event_triggers.Triggers, table: vectors.WordVectors
    ) -> None:
        bare = event_model.EventVectors([], np.empty(0), triggers, table)
        counts: Counter[str] = Counter()
        for sentence in sentences:
            for names in bare.names(sentence.words):
                counts.update(names)
        self.names = sorted(name for name, count in counts.items() if count >= MIN_EXAMPLES)
        frequency = np.array([counts[name] for name in self.names])
        self.idf: Floats = np.round(np.log((1 + len(sentences)) / (1 + frequency)) + 1, _DECIMALS)
        self._vectors = event_model.EventVectors(self.names, self.idf, triggers, table)

    def of(self, sentences: list[Sentence]) -> sparse.csr_matrix:
        """Return one row per sentence: exactly what the model computes."""
        return sparse_rows([self._vectors.read(sentence.words) for sentence in sentences], len(self.names))


def _fit(rows: sparse.csr_matrix, labels: list[str]) -> LogisticRegression:
    regression = LogisticRegression(C=C, solver="lbfgs", tol=1e-8, max_iter=5000)
    regression.fit(rows, labels)
    return regression


def temperature(scores: Floats, right: NDArray[np.int64]) -> float:
    """Return the factor on held-out scores (sentences, types) with the least cross-entropy, of a fine grid."""
    factors = np.round(np.arange(0.3, 3.0, 0.02), 2)
    return float(min(factors, key=lambda factor: _cross_entropy(scores * factor, right)))


def _cross_entropy(scores: Floats, right: NDArray[np.int64]) -> float:
    shifted = scores - scores.max(axis=1, keepdims=True)
    return float(np.mean(np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(right)), right]))


@dataclass(frozen=True, slots=True)
class TrainedEvents:
    """The artefact, and what its report says."""

    content: bytes
    sentences: int
    table: Table
    reliability: list[Bin | None]
    confusion: Confusion


STEPS = FOLDS + 1
"""How often `train` tells its progress."""


def train(step: Callable[[], None]) -> TrainedEvents:
    """Return the artefact with its report; `step` is called `STEPS` times on the way."""
    with threadpool_limits(1):  # the same order of additions whatever the number of cores
        return _train(step)


def _train(step: Callable[[], None]) -> TrainedEvents:
    table, triggers = vectors.load(), event_triggers.load()
    always, held_out = read_sentences(), read_sentences(HELD_OUT)
    types = sorted({sentence.type for sentence in always})
    right = np.array([types.index(sentence.type) for sentence in held_out])
    scores = np.zeros((len(held_out), len(types)))
    for fold in range(FOLDS):
        seen = always + [sentence for number, sentence in enumerate(held_out) if number % FOLDS != fold]
        made = Rows(seen, triggers, table)
        fitted = _fit(made.of(seen), [sentence.type for sentence in seen])
        scores[fold::FOLDS] = fitted.decision_function(made.of(held_out[fold::FOLDS]))
        step()
    factor = temperature(scores, right)
    probabilities = event_model.softmax(scores * factor)
    sentences = always + held_out
    made = Rows(sentences, triggers, table)
    fitted = _fit(made.of(sentences), [sentence.type for sentence in sentences])
    step()
    border = len(made.names)
    weights = fitted.coef_.T * factor
    lexical, scale = quantise(weights[:border])
    content = pack(
        {
            "types": pack_strings(types),
            "names": pack_strings(made.names),
            "idf": made.idf,
            "weights": lexical,
            "scale": scale,
            "dense_weights": np.round(weights[border:], _DECIMALS),
            "offset": np.round(fitted.intercept_ * factor, _DECIMALS),
            "table": np.frombuffer(bytes.fromhex(table.sha256), dtype=np.uint8),
        }
    )
    best = probabilities.argmax(axis=1)
    counts = np.zeros((len(types), len(types)), dtype=np.int64)
    np.add.at(counts, (right, best), 1)
    return TrainedEvents(
        content,
        sentences=len(sentences),
        table=_table(probabilities, right, types, [sentence.language for sentence in held_out]),
        reliability=figures.reliability(probabilities.max(axis=1), best == right),
        confusion=Confusion(tuple(types), counts),
    )


def _table(p: Floats, right: NDArray[np.int64], types: list[str], languages: list[str]) -> Table:
    quads = np.array([event_triggers.QUAD_CLASSES.get(kind, kind) for kind in types])
    names = np.array(sorted(set(quads)))
    by_quad = np.stack([p[:, quads == quad].sum(axis=1) for quad in names], axis=1)
    type_right = p.argmax(axis=1) == right
    quad_right = names[by_quad.argmax(axis=1)] == quads[right]
    language = np.array(languages)
    rows = []
    for name in (*LANGUAGES, "all"):
        inside = (language == name) | (name == "all")
        ece = figures.calibration_error(p[inside].max(axis=1), type_right[inside])
        cells = (float(type_right[inside].mean()), float(quad_right[inside].mean()), ece)
        rows.append((name, f"{inside.sum()}", *(f"{cell:.3f}" for cell in cells)))
    return Table(("language", "sentences", "type", "quad class", "ECE(type)"), tuple(rows))
