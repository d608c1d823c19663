"""The topic model: a committed artefact of numpy arrays, and the score of a text under it.

For topic `t` and text `x` of length `n`:

    z(t | x) = slope_t · (tfidf(x)·w_t + CUE_SHARE · cues(x)·v_t + VECTOR_SHARE · meaning(x)·u_t) + offset_t
    p(t | x) = sigmoid(z · (a + b · n) + c · n + d)

`tfidf(x)` is the L2-normalised vector of the words' features, (1 + ln count) · idf; `cues(x)` the L2-normalised
vector of 17 sums, one per topic, of the same quantity over the cue words found, each shared among the cue's topics;
`meaning(x)` the normalised mean of the word vectors (`vectors`). Slope and offset are Platt's calibration of held-out
scores (Platt 1999); a to d, the same for all topics, correct it for the length of the text. Weights of tf-idf are
8-bit integers with a scale per topic.
"""

import hashlib
import io
import zipfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from streams.classify import features, vectors

ARTEFACT = Path(__file__).with_name("topics.npz")
"""The committed model; `newsflow topics-model train` makes it, byte for byte."""

NAME = "newsflow-topics-3"
"""The model's name in the provenance."""

VECTOR_SHARE = 3.0
"""Length of the mean word vector beside the tf-idf vector's 1 (2 to 5 differ by less than a point)."""

CUE_SHARE = 1.5
"""Length of the cue vector beside the tf-idf vector's 1 (chosen by cross-validation; 1 to 2 are about as good)."""

IDF_STEP = 1 / 4096
"""Inverse document frequencies are kept as 16-bit multiples of this, the same number on every machine."""

_SHORTEST, _USUAL, _LONGEST = 5, 25, 160
"""Numbers of words: of the shortest headlines, of a sentence, of the longest examples."""

_CACHED_WORDS = 30_000
"""Words whose features are remembered: about 10 MB; news repeats itself, so most words of an article are there."""

_NO_PARTS = np.empty(0, dtype=np.int64)

Arrays = Mapping[str, NDArray[np.generic]]
Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


def pack(arrays: Arrays) -> bytes:
    """Return `arrays` as an .npz file that holds nothing but them.

    Not `np.savez`, which leaves the entries' order to the caller. Sorted names, fixed dates and no compression
    (zlib's output differs between its builds) make equal arrays equal bytes everywhere.
    """
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(arrays):
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system = 3
            content = io.BytesIO()
            np.lib.format.write_array(content, np.ascontiguousarray(arrays[name]), version=(1, 0), allow_pickle=False)
            archive.writestr(entry, content.getvalue())
    return out.getvalue()


def pack_strings(strings: list[str]) -> NDArray[np.uint8]:
    """Return strings without line feeds as one array of UTF-8 bytes."""
    return np.frombuffer("\n".join(strings).encode(), dtype=np.uint8)


def unpack_strings(packed: NDArray[np.uint8]) -> list[str]:
    """Return what `pack_strings` packed."""
    return packed.tobytes().decode().split("\n")


def share_of_topics(masks: NDArray[np.uint32], topics: int) -> Floats:
    """Return the share of each topic in each cue, shape (cues, topics), rows summing to 1, from bit masks."""
    bits = (masks[:, None] >> np.arange(topics, dtype=np.uint32)) & 1
    shares: Floats = bits / bits.sum(axis=1, keepdims=True)
    return shares


def length_of(words: NDArray[np.int64] | int) -> Floats:
    """Return the length of texts of so many words as the calibration takes it: the logarithm, 0 at 25 words, bounded.

    The bounds are those of the examples; beyond them nothing is known.
    """
    length: Floats = np.log(np.clip(words, _SHORTEST, _LONGEST) / _USUAL)
    return length


def for_length(logits: Floats, length: Floats, factors: Floats) -> Floats:
    """Return log odds corrected for the length of the text; `factors` as in `train.Calibration`."""
    corrected: Floats = logits * (factors[0] + factors[1] * length) + factors[2] * length + factors[3]
    return corrected


def length(vector: Floats) -> float:
    """Return the Euclidean length of `vector`."""
    return float(np.sqrt(np.sum(vector * vector)))


def unit(vector: Floats) -> Floats:
    """Return `vector` at length 1; the zero vector as it is."""
    return vector / (length(vector) or 1.0)


def sigmoid(logits: Floats) -> Floats:
    """Return 1 / (1 + e^-x)."""
    probabilities: Floats = 1 / (1 + np.exp(-logits))
    return probabilities


@dataclass(frozen=True, slots=True)
class Dense:
    """One of the two dense vectors of a text, as the sum of what its words put in."""

    key_of_word: Indices
    """Per distinct word: the number of its term; -1 where it has none. Words that share a cue or a row share a term."""
    occurrences: Floats
    """Per term: how often its words stand in the text."""
    terms: Floats
    """Shape (terms, width)."""
    unit: Floats
    """Their sum at length 1; zero where there are none."""
    length: float
    """Length of their sum."""

    def drops(self, weights: Floats, counts: Floats) -> Floats:
        """Return `TopicModel.drops` of this part for `weights` (width,) and the words' counts."""
        falls = np.zeros(len(counts))
        if self.length:
            direction = weights - float(np.sum(self.unit * weights)) * self.unit
            of_term = np.einsum("ij,j->i", self.terms, direction) / self.length / self.occurrences
            known = self.key_of_word >= 0
            falls[known] = of_term[self.key_of_word[known]] * counts[known]
        return falls


@dataclass(frozen=True, slots=True)
class Reading:
    """What the model sees of one text: its distinct words with their counts, and the text's three vectors."""

    words: list[str]
    """Distinct, in order of their first occurrence."""
    size: int
    """Number of words, repetitions counted."""
    counts: Floats
    """How often each distinct word stands there."""
    present: Indices
    """Parts of the text, ascending."""
    values: Floats
    """Their tf-idf, of length 1."""
    occurrences: Floats
    """How often each part stands there."""
    word_of_part: Indices
    """Per part of each distinct word, in a row: the number of the word …"""
    columns: Indices
    """… and the part's place in `present`."""
    cues: Dense
    meaning: Dense

    @property
    def dense(self) -> Floats:
        """Cue vector, then mean word vector, at their shares."""
        return np.concatenate([CUE_SHARE * self.cues.unit, VECTOR_SHARE * self.meaning.unit])

    def lexical_drops(self, weights: Floats) -> Floats:
        """Return `TopicModel.drops` of the tf-idf vector for the weights of `present`."""
        falls = self.values * (weights - float(np.sum(self.values * weights)) * self.values) / self.occurrences
        of_word = np.bincount(self.word_of_part, weights=falls[self.columns], minlength=len(self.words))
        return of_word * self.counts


class Vectors:
    """Turns words into the three vectors of the model. Safe to share between threads: its cache is its only state."""

    def __init__(
        self, parts: list[str], cues: list[str], idf: Floats, shares: Floats, table: vectors.WordVectors
    ) -> None:
        """Take the vocabularies, the idf of parts and then cues in one array, the cues' topic shares, word vectors."""
        self._parts = {part: i for i, part in enumerate(parts)}
        self._cues = {cue: i for i, cue in enumerate(cues)}
        self._part_idf = idf[: len(parts)]
        self._cue_idf = idf[len(parts) :]
        self._shares = shares
        self._table = table
        self._known = lru_cache(maxsize=_CACHED_WORDS)(self._known_of)

    def _known_of(self, word: str) -> tuple[Indices, int, int]:
        numbers = map(self._parts.get, features.parts(word))
        found = np.array([number for number in numbers if number is not None], dtype=np.int64)
        cue = features.cue_of(word, self._cues)
        row = self._table.row_of(word)
        return found, -1 if cue is None else self._cues[cue], -1 if row is None else row

    def read(self, words: Sequence[str]) -> Reading:
        """Return what the model sees of a text with these `features.words`."""
        counted = Counter(words)
        counts = np.array(list(counted.values()), dtype=np.float64)
        known = [self._known(word) for word in counted]
        sizes = [len(parts) for parts, _, _ in known]
        all_parts = np.concatenate([_NO_PARTS, *(parts for parts, _, _ in known)])
        present, columns = np.unique(all_parts, return_inverse=True)
        occurrences: Floats = np.bincount(columns, np.repeat(counts, sizes), len(present)).astype(np.float64)
        return Reading(
            words=list(counted),
            size=len(words),
            counts=counts,
            present=present,
            values=unit((1 + np.log(occurrences)) * self._part_idf[present]),
            occurrences=occurrences,
            word_of_part=np.repeat(np.arange(len(known)), sizes),
            columns=columns,
            cues=_dense([cue for _, cue, _ in known], counts, lambda keys: (self._cue_idf[keys], self._shares[keys])),
            meaning=_dense([row for _, _, row in known], counts, self._table.of_rows),
        )


def _dense(keys: list[int], counts: Floats, of_keys: Callable[[Indices], tuple[Floats, Floats]]) -> Dense:
    """Return the sum over keys (-1: none) of (1 + ln occurrences) · weight · vector; `of_keys` knows the last two."""
    numbers = {key: number for number, key in enumerate(dict.fromkeys(key for key in keys if key >= 0))}
    key_of_word = np.array([numbers.get(key, -1) for key in keys], dtype=np.int64)
    known = key_of_word >= 0
    occurrences: Floats = np.bincount(key_of_word[known], counts[known], len(numbers)).astype(np.float64)
    weights, vectors_of_keys = of_keys(np.array(list(numbers), dtype=np.int64))
    terms = ((1 + np.log(occurrences)) * weights)[:, None] * vectors_of_keys
    total: Floats = terms.sum(axis=0)
    return Dense(key_of_word, occurrences, terms, unit(total), length(total))


@dataclass(frozen=True, slots=True)
class Weights:
    """A linear score's weights, one column per label."""

    parts: NDArray[np.int8]
    scale: Floats
    dense: Floats
    slope: Floats
    offset: Floats

    def scores(self, rows: Indices, values: Floats, dense: Floats) -> Floats:
        """Return slope · score + offset of each label; `rows` and `values` are those of the tf-idf vector."""
        lexical = np.einsum("i,ij->j", values, self.parts[rows].astype(np.float64)) * self.scale
        scores: Floats = self.slope * (lexical + np.einsum("i,ij->j", dense, self.dense)) + self.offset
        return scores


class TopicModel:
    """The artefact in memory (about 60 MB with its vocabulary)."""

    def __init__(self, content: bytes, table: vectors.WordVectors) -> None:
        """Read an artefact as `train` wrote it, for the table of word vectors that it was trained with.

        Raises:
            ValueError: it is no such file.
        """
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as archive:
                arrays = {name: archive[name] for name in archive.files}
            self.codes: tuple[str, ...] = tuple(unpack_strings(arrays["topics"]))
            self.child_codes: tuple[str, ...] = tuple(unpack_strings(arrays["child_topics"]))
            parts, cues = unpack_strings(arrays["parts"]), unpack_strings(arrays["cues"])
            self.threshold, self.best_threshold, self.child_threshold = (float(x) for x in arrays["thresholds"])
            self._weights = _weights(arrays, "")
            self._children = _weights(arrays, "child_")
            self._parents: NDArray[np.uint8] = arrays["child_parents"]
            child_parts: NDArray[np.int32] = arrays["child_parts"]
            self._length: Floats = arrays["length"]
            trained_with = arrays["table"].tobytes().hex()
            idf = arrays["idf"] * IDF_STEP
            shares = share_of_topics(arrays["cue_topics"], len(self.codes))
        except (EOFError, KeyError, ValueError, zipfile.BadZipFile) as error:
            raise ValueError(f"not a topic model: {error}") from error
        if trained_with != table.sha256:
            raise ValueError("not a topic model for this table of word vectors: train it anew")
        self.sha256 = hashlib.sha256(content).hexdigest()
        self._child_row = np.full(len(parts), -1, dtype=np.int64)
        self._child_row[child_parts] = np.arange(len(child_parts))
        self._vectors = Vectors(parts, cues, idf, shares, table)

    def read(self, words: Sequence[str]) -> Reading:
        """Return what the model sees of a text with these `features.words`."""
        return self._vectors.read(words)

    def probabilities(self, reading: Reading) -> Floats:
        """Return the probability of each topic of `codes`, shape (topics,); topics do not exclude each other."""
        scores = self._weights.scores(reading.present, reading.values, reading.dense)
        return sigmoid(for_length(scores, length_of(reading.size), self._length))

    def child_probabilities(self, reading: Reading) -> Floats:
        """Return the probability of each topic of `child_codes`, shape (children,), given that its parent applies."""
        rows = self._child_row[reading.present]
        known = rows >= 0
        return sigmoid(self._children.scores(rows[known], reading.values[known], reading.dense))

    def parent(self, child: int) -> int:
        """Return the number in `codes` of the parent of the topic with this number in `child_codes`."""
        return int(self._parents[child])

    def drops(self, reading: Reading, topic: int) -> Floats:
        """Return how far the log odds of a topic of `codes` fall, to first order, without each distinct word.

        Shape (words,). The log odds are a sum of terms u · w with u = v / |v|; without a word's share d of v they fall
        by about (d · w - (u · w) (d · u)) / |v|: what the word says for the topic, less what it takes from the others.
        """
        bend = self._length[0] + self._length[1] * length_of(reading.size)
        falls: Floats = bend * self._falls(reading, self._weights, reading.present, topic)
        return falls

    def child_drops(
        self, reading: Reading, child: int, of_child: float, of_parent: float, parent_drops: Floats
    ) -> Floats:
        """Return how far the log of a child's score falls, to first order, without each distinct word; shape (words,).

        Args:
            reading: The text.
            child: A number in `child_codes`.
            of_child: Its probability once its parent applies.
            of_parent: Its parent's probability; its score is their product.
            parent_drops: `drops` of its parent.
        """
        falls = self._falls(reading, self._children, self._child_row[reading.present], child)
        return (1 - of_parent) * parent_drops + (1 - of_child) * falls

    @staticmethod
    def _falls(reading: Reading, weights: Weights, rows: Indices, label: int) -> Floats:
        lexical = np.where(rows >= 0, weights.parts[rows, label] * weights.scale[label], 0.0)
        dense = weights.dense[:, label]
        topics = reading.cues.terms.shape[1]
        falls: Floats = weights.slope[label] * (
            reading.lexical_drops(lexical)
            + CUE_SHARE * reading.cues.drops(dense[:topics], reading.counts)
            + VECTOR_SHARE * reading.meaning.drops(dense[topics:], reading.counts)
        )
        return falls


def _weights(arrays: Arrays, prefix: str) -> Weights:
    names = ("weights", "scale", "dense_weights", "slope", "offset")
    return Weights(*(arrays[prefix + name] for name in names))  # type: ignore[arg-type]  # the file's own types


def load(table: vectors.WordVectors, path: Path = ARTEFACT) -> TopicModel:
    """Return the committed model.

    Raises:
        OSError: a file cannot be read.
        ValueError: it is damaged, or the two do not belong together.
    """
    return TopicModel(path.read_bytes(), table)
