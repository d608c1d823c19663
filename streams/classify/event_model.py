"""The event model: a committed artefact of numpy arrays, and the probabilities of a sentence's event type under it.

A softmax over PLOVER's 18 types and "no event", linear in three vectors of length 1 each, at their shares: the
sentence's trigger features (`event_triggers`), its words and prefixes with their idf, its mean word vector
(`vectors`). Probabilities are calibrated by one temperature (Guo et al. 2017).
"""

import hashlib
import io
import zipfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from streams.classify import event_triggers, features, vectors
from streams.classify.model import Floats, Indices, unit, unpack_strings

ARTEFACT = Path(__file__).with_name("events.npz")
"""The committed model; `newsflow topics-model train` makes it, byte for byte."""

NAME = "newsflow-events-1"
"""The model's name in the provenance."""

TRIGGER_SHARE = 2.0
"""Lengths of the three vectors (shares between 1 and 3 differ by a point on our held-out sentences)."""

WORD_SHARE = 1.0
VECTOR_SHARE = 2.0

_CACHED_WORDS = 20_000


def softmax(scores: Floats) -> Floats:
    """Return e^x over its sum along the last axis."""
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    probabilities: Floats = powers / powers.sum(axis=-1, keepdims=True)
    return probabilities


class EventVectors:
    """Turns a sentence into the vectors of the model."""

    def __init__(
        self, names: list[str], idf: Floats, triggers: event_triggers.Triggers, table: vectors.WordVectors
    ) -> None:
        """Take the names of the features with their idf: those of triggers, and parts of words."""
        self._numbers = {name: i for i, name in enumerate(names)}
        self._known = lru_cache(_CACHED_WORDS)(self._known_of)
        self._idf = idf
        self._triggers = triggers
        self._table = table

    def names(self, words: Sequence[str]) -> tuple[list[str], list[str]]:
        """Return the names of a sentence's trigger features and of its words and prefixes."""
        parts = dict.fromkeys(part for word in words for part in features.word_and_prefix(word))
        return self._triggers.features(words), list(parts)

    def _known_of(self, word: str) -> tuple[list[int], int | None]:
        parts = [number for part in features.word_and_prefix(word) if (number := self._numbers.get(part)) is not None]
        return parts, self._table.row_of(word)

    def read(self, words: Sequence[str]) -> tuple[Indices, Floats, Floats]:
        """Return the sparse part as numbers and values, and the mean word vector."""
        known = [self._known(word) for word in words]
        triggers = [
            number for name in self._triggers.features(words) if (number := self._numbers.get(name)) is not None
        ]
        parts = list(dict.fromkeys(number for numbers, _ in known for number in numbers))
        columns, values = [], []
        for share, numbers in ((TRIGGER_SHARE, triggers), (WORD_SHARE, parts)):
            column = np.array(numbers, dtype=np.int64)
            columns.append(column)
            values.append(share * unit(self._idf[column]))
        rows = [row for _, row in known if row is not None]
        weights, terms = self._table.of_rows(np.array(rows, dtype=np.int64))
        mean = np.einsum("i,ij->j", weights, terms)
        return np.concatenate(columns), np.concatenate(values), VECTOR_SHARE * unit(mean)


class EventModel:
    """The artefact in memory (about 4 MB). Read only."""

    def __init__(self, content: bytes, triggers: event_triggers.Triggers, table: vectors.WordVectors) -> None:
        """Read an artefact as `event_train` wrote it, for the lexicon and the vectors that it was trained with.

        Raises:
            ValueError: it is no such file.
        """
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as archive:
                arrays = {name: archive[name] for name in archive.files}
            self.types: tuple[str, ...] = tuple(unpack_strings(arrays["types"]))
            self._weights: Floats = arrays["weights"].astype(np.float64) * arrays["scale"]
            self._dense: Floats = arrays["dense_weights"]
            self._offset: Floats = arrays["offset"]
            trained_with = arrays["table"].tobytes().hex()
            self._vectors = EventVectors(unpack_strings(arrays["names"]), arrays["idf"], triggers, table)
        except (EOFError, KeyError, ValueError, zipfile.BadZipFile) as error:
            raise ValueError(f"not an event model: {error}") from error
        if trained_with != table.sha256:
            raise ValueError("not an event model for this table of word vectors: train it anew")
        self.sha256 = hashlib.sha256(content).hexdigest()

    def probabilities(self, words: Sequence[str]) -> Floats:
        """Return the probability of each of `types` for a sentence of `features.words`, shape (types,), sum 1."""
        columns, values, mean = self._vectors.read(words)
        scores = np.einsum("i,ij->j", values, self._weights[columns]) + np.einsum("i,ij->j", mean, self._dense)
        return softmax(scores + self._offset)


def load(table: vectors.WordVectors, path: Path = ARTEFACT) -> EventModel:
    """Return the committed model.

    Raises:
        OSError: a file cannot be read.
        ValueError: it is damaged, or not made for this table.
    """
    return EventModel(path.read_bytes(), event_triggers.load(), table)
