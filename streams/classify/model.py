"""The topic model: a committed artefact of numpy arrays, and the score of a text under it.

For topic `t` and text `x`:  p(t | x) = sigmoid(slope_t · (tfidf(x)·w_t + CUE_SHARE · cues(x)·v_t) + offset_t)

`tfidf(x)` is the L2-normalised vector of the words' features, (1 + ln count) · idf; `cues(x)` the L2-normalised
vector of 17 sums, one per topic, of the same quantity over the cue words found, each shared among the cue's topics.
Slope and offset are Platt's calibration of held-out scores (Platt 1999). Weights are 8-bit integers with a scale per
topic.
"""

import hashlib
import io
import zipfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from streams.classify import features

ARTEFACT = Path(__file__).with_name("topics.npz")
"""The committed model; `python -m streams.classify.train` makes it, byte for byte."""

NAME = "newsflow-topics-1"
"""The model's name in the provenance."""

CUE_SHARE = 1.5
"""Length of the cue vector beside the tf-idf vector's 1 (chosen by cross-validation; 1 to 2 are about as good)."""

IDF_STEP = 1 / 4096
"""Inverse document frequencies are kept as 16-bit multiples of this, the same number on every machine."""

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


def unit(vector: Floats) -> Floats:
    """Return `vector` at length 1; the zero vector as it is."""
    length = float(np.sqrt(np.sum(vector * vector)))
    return vector / length if length else vector


class Vectors:
    """Turns words into the two vectors of the model. Safe to share between threads: its cache is its only state."""

    def __init__(self, parts: list[str], cues: list[str], idf: Floats, shares: Floats) -> None:
        """Take the vocabularies, the idf of parts and then cues in one array, and the cues' topic shares."""
        self._parts = {part: i for i, part in enumerate(parts)}
        self._cues = {cue: len(parts) + i for i, cue in enumerate(cues)}
        self._idf = idf
        self._shares = shares
        self._ids = lru_cache(maxsize=_CACHED_WORDS)(self._ids_of)

    def _ids_of(self, word: str) -> Indices:
        known = self._parts
        found = [known[part] for part in features.parts(word) if part in known]
        cue = features.cue_of(word, self._cues)
        if cue is not None:
            found.append(self._cues[cue])
        return np.array(found, dtype=np.int64)

    def of(self, words: list[str]) -> tuple[Indices, Floats, Floats]:
        """Return the tf-idf vector as indices and values, and the cue vector, shape (topics,)."""
        if not words:
            return np.empty(0, np.int64), np.empty(0), np.zeros(self._shares.shape[1])
        counts = np.bincount(np.concatenate([self._ids(word) for word in words]), minlength=1)
        present = np.flatnonzero(counts)
        values = (1 + np.log(counts[present])) * self._idf[present]
        border = int(np.searchsorted(present, len(self._parts)))
        # einsum, not matmul: no BLAS, so no threads of its own and the same order of additions everywhere.
        sums = np.einsum("i,ij->j", values[border:], self._shares[present[border:] - len(self._parts)])
        return present[:border], unit(values[:border]), CUE_SHARE * unit(sums)


class TopicModel:
    """The artefact in memory (about 20 MB with its vocabulary)."""

    def __init__(self, content: bytes) -> None:
        """Read an artefact as `train` wrote it.

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
            self._cue_weights: Floats = arrays["cue_weights"]
            self._slope: Floats = arrays["slope"]
            self._offset: Floats = arrays["offset"]
            idf = arrays["idf"] * IDF_STEP
            shares = share_of_topics(arrays["cue_topics"], len(self.codes))
        except (EOFError, KeyError, ValueError, zipfile.BadZipFile) as error:
            raise ValueError(f"not a topic model: {error}") from error
        self.sha256 = hashlib.sha256(content).hexdigest()
        self._vectors = Vectors(parts, cues, idf, shares)

    def logits(self, text: str) -> Floats:
        """Return the calibrated log odds of each topic of `codes`, shape (topics,)."""
        present, values, cues = self._vectors.of(features.words(text))
        lexical = np.einsum("i,ij->j", values, self._weights[present].astype(np.float64)) * self._scale
        cued = np.einsum("i,ij->j", cues, self._cue_weights)
        logits: Floats = self._slope * (lexical + cued) + self._offset
        return logits

    def probabilities(self, text: str) -> Floats:
        """Return the probability of each topic of `codes`, shape (topics,); topics do not exclude each other."""
        probabilities: Floats = 1 / (1 + np.exp(-self.logits(text)))
        return probabilities


def load(path: Path = ARTEFACT) -> TopicModel:
    """Return the committed model.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no topic model.
    """
    return TopicModel(path.read_bytes())
