"""The contract of a stage: a pure function from one event to the next, with its name, version and models.

What every stage keeps (the laws are tests over all of them, `tests/test_laws.py`):

* `enrich` is pure: no Kafka, no file, no clock, no randomness; the same event gives the same result, byte for byte.
* It never changes its input, and adds exactly one `Provenance` entry.
* `mention.text == article.text[mention.start:mention.stop]`; every empty annotation has its reason in `skipped`.
* It runs in a worker thread and may take its time there, but must not start threads or processes of its own.
* `ArticleRejected` is its only way to refuse an article. Any other exception is a fault of the stage: the article
  becomes a dead letter with that exception, its neighbours are not affected.
"""

import hashlib
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from schemas import ModelReference, PreparedEvent, Provenance


@dataclass(frozen=True, slots=True)
class RawArticle:
    """A record of `articles.raw` as it arrived.

    `value` is the body, byte for byte; `content_type` is the record's `content-type` header, None where it has none.
    """

    value: bytes
    content_type: str | None = None


In_contra = TypeVar("In_contra", contravariant=True)
Out_co = TypeVar("Out_co", bound=PreparedEvent, covariant=True)


class Stage(ABC, Generic[In_contra, Out_co]):
    """One stage of the line. Subclasses set the class variables and implement the three methods."""

    name: ClassVar[str]
    """Name of the stage: the agent's name, the key in `skipped`, the `stage` in `provenance`."""
    version: ClassVar[str]
    """Raised with every change that can alter the stage's output."""
    writes: ClassVar[str]
    """Topic for the stage's events; the next stage of the line reads it."""
    event: ClassVar[type[PreparedEvent]]
    """Model of the events it writes."""

    @abstractmethod
    def load(self) -> None:
        """Load the models. Called once before the first `enrich`, may take seconds; calling it again does nothing."""

    @abstractmethod
    def models(self) -> tuple[ModelReference, ...]:
        """Return the models and tables in use, sorted by name, for the provenance. Needs `load`."""

    @abstractmethod
    def enrich(self, event: In_contra) -> Out_co:
        """Return the event with this stage's annotations.

        Raises:
            ArticleRejected: the article cannot be processed.
        """

    def provenance(self, read: bytes) -> Provenance:
        """Return this stage's provenance entry for an article whose text (or raw body) is `read`."""
        return Provenance(
            stage=self.name,
            version=self.version,
            models=self.models(),
            input_sha256=hashlib.sha256(read).hexdigest(),
        )
