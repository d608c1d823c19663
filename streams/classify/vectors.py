"""Word vectors: a committed static table, and the vector of a text under it.

Distilled from a sentence encoder by `streams.classify.distil`; see there for its making. The table is keyed by stem in
the common form of `features.words`, so Russian, Ukrainian and English words of one meaning lie close to each other and
what the topic model learns in one language holds in the others.
"""

import hashlib
import io
import re
import zipfile
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

TABLE = Path(__file__).with_name("vectors.npz")
"""The committed table; `newsflow topics-model train` makes it, byte for byte."""

NAME = "newsflow-word-vectors-2"
"""The table's name in the provenance."""

_SHORTEST_STEM = 3
_SHORTEST_PREFIX = 6
"""An unknown stem is looked up by its beginnings of at least this many letters …"""
_MISSING = 3
"""… that lack at most this many of its own."""

_ENDINGS = (
    # Inflectional endings of Russian and Ukrainian in the common alphabet (і, ї, ы → и; є, э → е).
    "а я и у ю е о ь й ам ям ами ями ах ях ом ем ой ей ою ею ов ев ив ови еви ию ия ие иям иями иях ий ья ью ье ая ое "
    "яя ее ого его ому ему им ими их ую юю иу ього ьому ьою ои еи ии ть ти ет ют ит ят ать ять ить еть ати яти ити "
    "ути ал ала али ало ял яла яли яло ил ила или ило ел ела ели ело ав яв ает яет ают яют ае яе уе ует уют уете ишь "
    "ешь ите ете имо емо аемо аем уем ний ная ное ние них ним ними ного ному ную ной ною на но ни не ну ший щий щая "
    "щее щие щих щим щими щего щему вший вши анн ени енн ано ено ана ена ани ание ания анию анием ения ение ению "
    "ением ании ении аннй анного енного ность ности ностью ист иста исти истив истов"
)
_BY_LENGTH = {
    n: frozenset(ending for ending in _ENDINGS.split() if len(ending) == n)
    for n in range(1, 1 + max(map(len, _ENDINGS.split())))
}
_NO_ENDING = frozenset(("поетому", "потому", "почему", "чему", "зачем", "затем", "потим", "тому"))
"""Words that only look inflected: «поэтому» is no form of «поэт»."""
_REFLEXIVE = re.compile(r"(?:с[яь])$")
_CYRILLIC = re.compile(r"[а-я]")

_CACHED_WORDS = 30_000

Floats = NDArray[np.float64]


def stem(word: str) -> str:
    """Return the key of one word of `features.words`: the word without its ending, at least three letters of it.

    A rough rule per alphabet, not a lemma: its purpose is that the forms of a word share one vector.
    """
    if word in _NO_ENDING:
        return word
    if _CYRILLIC.match(word):
        if len(word) > _SHORTEST_STEM + 3:
            word = _REFLEXIVE.sub("", word)
        for length in range(min(len(word) - _SHORTEST_STEM, len(_BY_LENGTH)), 0, -1):
            if word[-length:] in _BY_LENGTH[length]:
                return word[:-length]
        return word
    for ending, put, shortest in (("ies", "y", 2), ("sses", "ss", 1), ("ss", "ss", 1), ("s", "", 3)):
        if word.endswith(ending) and len(word) - len(ending) >= shortest:
            word = word[: -len(ending)] + put
            break
    for ending in ("ing", "ed", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
            word = word[: -len(ending)]
            break
    if len(word) > _SHORTEST_STEM and word[-1] == word[-2] and word[-1] not in "lsz":
        word = word[:-1]
    return word


class WordVectors:
    """The table in memory (about 16 MB with its stems). Read only."""

    def __init__(self, content: bytes) -> None:
        """Read a table as `distil` wrote it.

        Raises:
            ValueError: it is no such file.
        """
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as archive:
                arrays = {name: archive[name] for name in archive.files}
            stems = arrays["stems"].tobytes().decode().split("\n")
            self._rows: NDArray[np.int8] = arrays["vectors"]
            self._scale: Floats = arrays["scale"].astype(np.float64)
            if len(stems) != len(self._rows) or self._scale.shape != (len(stems),):
                raise ValueError("stems and vectors differ in number")
        except (EOFError, KeyError, ValueError, zipfile.BadZipFile) as error:
            raise ValueError(f"not a table of word vectors: {error}") from error
        self.sha256 = hashlib.sha256(content).hexdigest()
        self._index = {stem: row for row, stem in enumerate(stems)}
        self.row_of = lru_cache(_CACHED_WORDS)(self._row_of)
        """`_row_of`, remembered: topics and events ask for the same words."""

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return int(self._rows.shape[1])

    def _row_of(self, word: str) -> int | None:
        """Return the row of a word of `features.words`: that of its stem, else of the stem's longest known beginning.

        The second covers compounds, rare derivations, and Ukrainian words that begin as Russian ones do.
        """
        known = self._index
        key = stem(word)
        row = known.get(key)
        if row is None:
            shortest = max(_SHORTEST_PREFIX, len(key) - _MISSING)
            row = next((known[key[:n]] for n in range(len(key) - 1, shortest - 1, -1) if key[:n] in known), None)
        return row

    def of_rows(self, rows: NDArray[np.int64]) -> tuple[Floats, Floats]:
        """Return the weights of rows, shape (rows,), and their vectors, shape (rows, dimensions)."""
        return self._scale[rows], self._rows[rows].astype(np.float64)


def load(path: Path = TABLE) -> WordVectors:
    """Return the committed table.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no table of word vectors.
    """
    return WordVectors(path.read_bytes())
