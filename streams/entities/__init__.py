"""The stage `entities`: who, where and which bodies an article names.

`recognition` finds the names, `countries` those that the tables know, the `Names` of a language put them in the
nominative, `grouping` makes entities of them.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from schemas import AnnotatedEvent, EntityType, Mention, ModelReference, PreparedEvent, Provenance
from streams.entities import countries
from streams.entities.countries import Form, Gazetteer
from streams.entities.english import EnglishNames
from streams.entities.grouping import NamedMention, entities
from streams.entities.names import Names
from streams.entities.recognition import EnglishRecognizer, Recognizer, RussianRecognizer, UkrainianRecognizer
from streams.entities.repair import without_common_words, without_countries, without_dashes
from streams.entities.russian import RussianNames
from streams.entities.spans import Span
from streams.entities.ukrainian import UkrainianNames
from streams.stage import Stage

__all__ = ["Entities"]


@dataclass(frozen=True, slots=True)
class LanguageParts:
    """What enriches the articles of one language."""

    recognizer: Recognizer
    names: Names
    gazetteer: Gazetteer


class Entities(Stage[PreparedEvent, AnnotatedEvent]):
    """Adds the entities of Russian, Ukrainian and English articles."""

    name: ClassVar[str] = "entities"
    version: ClassVar[str] = "1"
    writes: ClassVar[str] = "articles.annotated"
    event: ClassVar[type[PreparedEvent]] = AnnotatedEvent

    def __init__(self) -> None:
        self._parts: dict[str, LanguageParts] = {}
        self._models: dict[str, tuple[ModelReference, ...]] = {}

    def load(self) -> None:
        """Load the taggers, dictionaries and tables of all three languages."""
        if self._parts:
            return
        russian = RussianRecognizer()
        loaded: dict[str, LanguageParts] = {}
        choices: dict[str, tuple[Recognizer, Names]] = {
            "ru": (russian, RussianNames()),
            "uk": (UkrainianRecognizer(russian), UkrainianNames()),
            "en": (EnglishRecognizer(), EnglishNames()),
        }
        rows = countries.read_rows()
        for language, (recognizer, names) in choices.items():
            recognizer.load()
            names.load()
            loaded[language] = LanguageParts(recognizer, names, Gazetteer(language, names, rows))
            self._models[language] = _by_name((*recognizer.models(), *names.models(), *countries.references()))
        self._parts = loaded

    def models(self) -> tuple[ModelReference, ...]:
        """Return the models and tables of all languages; an article's provenance names those of its own."""
        return _by_name(model for models in self._models.values() for model in models)

    def enrich(self, event: PreparedEvent) -> AnnotatedEvent:
        """Return the event with its entities; `skipped["entities"]` says why there are none."""
        article = event.article
        parts = self._parts.get(article.language or "")
        skipped = dict(event.skipped)
        found = entities(_mentions(article.text, parts), article.language or "") if parts else ()
        if not found:
            skipped[self.name] = "none_found" if parts else "unsupported_language"
        provenance = Provenance(
            stage=self.name,
            version=self.version,
            models=self._models.get(article.language or "", ()),
            input_sha256=article.text_sha256,
        )
        return AnnotatedEvent(
            schema_version=event.schema_version,
            article=article,
            skipped=skipped,
            provenance=(*event.provenance, provenance),
            entities=found,
        )


def _by_name(models: Iterable[ModelReference]) -> tuple[ModelReference, ...]:
    return tuple(sorted(set(models), key=lambda model: model.name))


def _mentions(text: str, parts: LanguageParts) -> list[NamedMention]:
    tagged = [
        Span(span.start, span.stop, EntityType.LOC)
        if span.type is EntityType.PER and parts.names.is_place(text[span.start : span.stop])
        else span
        for span in parts.recognizer.recognize(text)
    ]
    mentions = []
    known = parts.gazetteer.find(text, tagged)
    tagged = without_dashes(text, tagged, known, parts.gazetteer)
    if parts.gazetteer.language == "uk":
        tagged = without_countries(text, tagged, known, parts.gazetteer)
        tagged = without_common_words(text, tagged, parts.names)
    for span in merged(text, tagged, known):
        words = text[span.start : span.stop]
        other = parts.gazetteer.is_homonym(text, span.start, span.stop)
        form = None if other else parts.gazetteer.link(words, span.type, text)
        normal = _base(form, words) if form else parts.names.nominative(words, span.type)
        mention = Mention(start=span.start, stop=span.stop, text=words, normal=normal)
        mentions.append(NamedMention(mention, span.type, form.known if form else None))
    return mentions


def _base(form: Form, words: str) -> str:
    """Return the nominative that a known form comes from, with ё only where the text writes it."""
    return form.base if "ё" in words.lower() else form.base.replace("ё", "е").replace("Ё", "Е")


def merged(text: str, tagged: list[Span], known: list[Span]) -> list[Span]:
    """Return the tagger's spans with known names filled in, by start.

    A known name replaces what the tagger found inside it (the same words with another type, or a part of them); one
    inside a longer name («Банк России») or across its edge gives way; only a person's name holds no country of several
    words.
    """
    kept: list[Span] = []
    free: list[Span] = []
    ends = [span.stop for span in tagged]
    for name in known:
        first = bisect_right(ends, name.start)
        last = first
        while last < len(tagged) and tagged[last].start < name.stop:
            last += 1
        several = any(mark.isspace() for mark in text[name.start : name.stop])
        if all(
            (name.start <= span.start and span.stop <= name.stop)
            or (several and span.type is EntityType.PER and span.start <= name.start and name.stop <= span.stop)
            for span in tagged[first:last]
        ):
            kept.append(name)
    starts = [name.start for name in kept]
    for span in tagged:
        before = bisect_right(starts, span.stop - 1) - 1
        if before < 0 or kept[before].stop <= span.start:
            free.append(span)
    return sorted([*free, *kept])
