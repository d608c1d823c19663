"""The stage `classify`: IPTC topics of two levels with their evidence, and the type of the main event."""

from dataclasses import dataclass
from typing import ClassVar

from schemas import AnnotatedEvent, EnrichedEvent, ModelReference, PreparedEvent
from streams.classify import event_model, model, topics, vectors
from streams.classify.encoder import Encoder
from streams.classify.evidence import ReadText
from streams.classify.given_topics import given_topics
from streams.classify.labelled import LANGUAGES
from streams.classify.main_event import main_event
from streams.stage import Stage


class Classify(Stage[AnnotatedEvent, EnrichedEvent]):
    """Gives an article its topics and its main event. Reads title and text, nothing else."""

    name: ClassVar[str] = "classify"
    version: ClassVar[str] = "3"
    writes: ClassVar[str] = "articles.enriched"
    event: ClassVar[type[PreparedEvent]] = EnrichedEvent

    def __init__(self, *, encoder: bool = False) -> None:
        """Make the stage; with `encoder` the optional encoder is asked about topics that are not sure.

        Raises:
            SettingsError: the encoder is not installed.
        """
        self._encoder = Encoder() if encoder else None
        self._parts: _Parts | None = None
        self._references: tuple[ModelReference, ...] = ()

    def load(self) -> None:
        """Load the models, the word vectors and the table of names (well under a second).

        Raises:
            OSError: a committed file is missing.
            ValueError: it is damaged.
        """
        if self._parts is not None:
            return
        words = vectors.load()
        parts = _Parts(model.load(words), event_model.load(words), topics.read_table())
        named = {
            model.NAME: parts.topic_model.sha256,
            event_model.NAME: parts.events.sha256,
            vectors.NAME: words.sha256,
            topics.TABLE_NAME: parts.table.sha256,
        }
        references = [ModelReference(name=name, sha256=sha256) for name, sha256 in named.items()]
        if self._encoder:
            self._encoder.load()
            references += self._encoder.models()
        self._references = tuple(sorted(references, key=lambda reference: reference.name))
        self._parts = parts

    def models(self) -> tuple[ModelReference, ...]:
        """Return the model, the word vectors and the table of names."""
        self._loaded()
        return self._references

    def enrich(self, event: AnnotatedEvent) -> EnrichedEvent:
        """Return the event with its topics, highest score first, and its main event.

        Where there are no topics, `skipped["classify"]` is `unsupported_language` or `below_threshold`; where there is
        no main event, `skipped["classify.main_event"]` is `unsupported_language` or `none_found`.
        """
        parts = self._loaded()
        article = ReadText(event.article.title, event.article.text)
        supported = event.article.language in LANGUAGES
        language = event.article.language or ""
        found = given_topics(article, language, parts.topic_model, parts.table, self._encoder) if supported else ()
        happened = main_event(article, found, parts.events) if supported else None
        skipped = dict(event.skipped)
        if not found:
            skipped[self.name] = "below_threshold" if supported else "unsupported_language"
        if happened is None:
            skipped[f"{self.name}.main_event"] = "none_found" if supported else "unsupported_language"
        kept = {field: getattr(event, field) for field in AnnotatedEvent.model_fields} | {
            "skipped": skipped,
            "provenance": (*event.provenance, self.provenance(article.whole.encode())),
        }
        return EnrichedEvent(**kept, topics=found, main_event=happened)

    def _loaded(self) -> "_Parts":
        if self._parts is None:
            raise RuntimeError("Classify.load() comes before its first use")
        return self._parts


@dataclass(frozen=True, slots=True)
class _Parts:
    topic_model: model.TopicModel
    events: event_model.EventModel
    table: topics.TopicTable
