"""The stage `classify`: IPTC Media Topics of level 1 with calibrated scores, for Russian, Ukrainian and English."""

from typing import ClassVar

from schemas import AnnotatedEvent, EnrichedEvent, ModelReference, PreparedEvent, Topic
from streams.classify import model, topics, vectors
from streams.classify.labelled import LANGUAGES
from streams.stage import Stage

SCORE_DECIMALS = 4
"""Scores are rounded to this: what is beyond says nothing, and may differ in the last bit between machines."""

_LEVEL = 1


class Classify(Stage[AnnotatedEvent, EnrichedEvent]):
    """Gives an article its topics. Reads title and text, nothing else."""

    name: ClassVar[str] = "classify"
    version: ClassVar[str] = "2"
    writes: ClassVar[str] = "articles.enriched"
    event: ClassVar[type[PreparedEvent]] = EnrichedEvent

    def __init__(self) -> None:
        self._model: model.TopicModel | None = None
        self._names: dict[str, str] = {}
        self._references: tuple[ModelReference, ...] = ()

    def load(self) -> None:
        """Load the model, the word vectors and the table of names (well under a second).

        Raises:
            OSError: a committed file is missing.
            ValueError: it is damaged.
        """
        if self._model is not None:
            return
        loaded = model.load()
        self._names, table_sha256 = topics.read_table()
        references = (
            ModelReference(name=model.NAME, sha256=loaded.sha256),
            ModelReference(name=vectors.NAME, sha256=loaded.vectors_sha256),
            ModelReference(name=topics.TABLE_NAME, sha256=table_sha256),
        )
        self._references = tuple(sorted(references, key=lambda reference: reference.name))
        self._model = loaded

    def models(self) -> tuple[ModelReference, ...]:
        """Return the model, the word vectors and the table of names."""
        self._loaded()
        return self._references

    def enrich(self, event: AnnotatedEvent) -> EnrichedEvent:
        """Return the event with its topics: those at or over the model's threshold, highest score first.

        Where there are none, `skipped["classify"]` is `unsupported_language` or `below_threshold`.
        """
        article = event.article
        read = article.text if article.title is None else f"{article.title}\n{article.text}"
        skipped = dict(event.skipped)
        found: tuple[Topic, ...] = ()
        if article.language not in LANGUAGES:
            skipped[self.name] = "unsupported_language"
        else:
            found = self._topics(read)
            if not found:
                skipped[self.name] = "below_threshold"
        kept = {field: getattr(event, field) for field in AnnotatedEvent.model_fields}
        provenance = self.provenance(read.encode())
        return EnrichedEvent(
            **kept | {"skipped": skipped, "provenance": (*event.provenance, provenance), "topics": found}
        )

    def _topics(self, text: str) -> tuple[Topic, ...]:
        loaded = self._loaded()
        scored = [
            (round(float(score), SCORE_DECIMALS), code)
            for code, score in zip(loaded.codes, loaded.probabilities(text), strict=True)
        ]
        return tuple(
            Topic(code=code, name=self._names[code], score=score, level=_LEVEL)
            for score, code in sorted(scored, key=lambda pair: (-pair[0], pair[1]))
            if score >= loaded.threshold
        )

    def _loaded(self) -> model.TopicModel:
        if self._model is None:
            raise RuntimeError("Classify.load() comes before its first use")
        return self._model
