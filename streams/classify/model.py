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
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from streams.classify import features, vectors

ARTEFACT = Path(__file__).with_name("topics.npz")
"""The committed model; `python -m streams.classify.train` makes it, byte for byte."""

NAME = "newsflow-topics-2"
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


def unit(vector: Floats) -> Floats:
    """Return `vector` at length 1; the zero vector as it is."""
    length = float(np.sqrt(np.sum(vector * vector)))
    return vector / length if length else vector


class Vectors:
    """Turns words into the three vectors of the model. Safe to share between threads: its cache is its only state."""

    def __init__(
        self, parts: list[str], cues: list[str], idf: Floats, shares: Floats, table: vectors.WordVectors
    ) -> None:
        """Take the vocabularies, the idf of parts and then cues in one array, the cues' topic shares, word vectors."""
        self._parts = {part: i for i, part in enumerate(parts)}
        self._cues = {cue: len(parts) + i for i, cue in enumerate(cues)}
        self._idf = idf
        self._shares = shares
        self._table = table
        self._known = lru_cache(maxsize=_CACHED_WORDS)(self._known_of)

    def _known_of(self, word: str) -> tuple[Indices, int | None]:
        known = self._parts
        found = [known[part] for part in features.parts(word) if part in known]
        cue = features.cue_of(word, self._cues)
        if cue is not None:
            found.append(self._cues[cue])
        return np.array(found, dtype=np.int64), self._table.row_of(word)

    def of(self, words: list[str]) -> tuple[Indices, Floats, Floats]:
        """Return the tf-idf vector as indices and values, and the dense rest: cue vector, then word vector."""
        topics = self._shares.shape[1]
        if not words:
            return np.empty(0, np.int64), np.empty(0), np.zeros(topics + self._table.dimensions)
        known = [self._known(word) for word in words]
        counts = np.bincount(np.concatenate([ids for ids, _ in known]), minlength=1)
        present = np.flatnonzero(counts)
        values = (1 + np.log(counts[present])) * self._idf[present]
        border = int(np.searchsorted(present, len(self._parts)))
        # einsum, not matmul: no BLAS, so no threads of its own and the same order of additions everywhere.
        sums = np.einsum("i,ij->j", values[border:], self._shares[present[border:] - len(self._parts)])
        meaning = self._table.mean([row for _, row in known if row is not None])
        dense = np.concatenate([CUE_SHARE * unit(sums), VECTOR_SHARE * meaning])
        return present[:border], unit(values[:border]), dense


class TopicModel:
    """The artefact in memory (about 30 MB with its vocabulary)."""

    def __init__(self, content: bytes, table: vectors.WordVectors) -> None:
        """Read an artefact as `train` wrote it, for the table of word vectors that it was trained with.

        Raises:
            ValueError: it is no such file.
        """
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as archive:
                arrays = {name: archive[name] for name in archive.files}
            self.codes: tuple[str, ...] = tuple(unpack_strings(arrays["topics"]))
            parts, cues = unpack_strings(arrays["parts"]), unpack_strings(arrays["cues"])
            self.threshold = float(arrays["threshold"][0])
            self._weights: NDArray[np.int8] = arrays["weights"]
            self._scale: Floats = arrays["scale"]
            self._dense_weights: Floats = arrays["dense_weights"]
            self._slope: Floats = arrays["slope"]
            self._offset: Floats = arrays["offset"]
            self._length: Floats = arrays["length"]
            trained_with = arrays["table"].tobytes().hex()
            idf = arrays["idf"] * IDF_STEP
            shares = share_of_topics(arrays["cue_topics"], len(self.codes))
        except (EOFError, KeyError, ValueError, zipfile.BadZipFile) as error:
            raise ValueError(f"not a topic model: {error}") from error
        if trained_with != table.sha256:
            raise ValueError("not a topic model for this table of word vectors: train it anew")
        self.sha256 = hashlib.sha256(content).hexdigest()
        self.vectors_sha256 = table.sha256
        self._vectors = Vectors(parts, cues, idf, shares, table)

    def logits(self, text: str) -> Floats:
        """Return the calibrated log odds of each topic of `codes`, shape (topics,)."""
        words = features.words(text)
        present, values, dense = self._vectors.of(words)
        lexical = np.einsum("i,ij->j", values, self._weights[present].astype(np.float64)) * self._scale
        rest = np.einsum("i,ij->j", dense, self._dense_weights)
        logits: Floats = self._slope * (lexical + rest) + self._offset
        return for_length(logits, length_of(len(words)), self._length)

    def probabilities(self, text: str) -> Floats:
        """Return the probability of each topic of `codes`, shape (topics,); topics do not exclude each other."""
        probabilities: Floats = 1 / (1 + np.exp(-self.logits(text)))
        return probabilities


def load(path: Path = ARTEFACT) -> TopicModel:
    """Return the committed model, with the committed word vectors.

    Raises:
        OSError: a file cannot be read.
        ValueError: it is damaged, or the two do not belong together.
    """
    return TopicModel(path.read_bytes(), vectors.load())
