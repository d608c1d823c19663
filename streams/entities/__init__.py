"""The stage `entities`: who, where and which bodies an article names.

`recognition` finds the names, `countries` and `linking` those that the tables know, the `Names` of a language put them
in the nominative, `linking` decides within the article whom each names, `grouping` makes entities of them.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from schemas import AnnotatedEvent, EntityType, Mention, ModelReference, PreparedEvent, Provenance
from streams.entities import countries, tables
from streams.entities.countries import Gazetteer, written_like
from streams.entities.english import EnglishNames
from streams.entities.grouping import NamedMention, entities
from streams.entities.linking import Draft, Linker
from streams.entities.mending import REPEATED, mended, parted
from streams.entities.names import Names
from streams.entities.recognition import EnglishRecognizer, Recognizer, RussianRecognizer, UkrainianRecognizer
from streams.entities.repair import without_common_words, without_countries, without_dashes
from streams.entities.russian import RussianNames
from streams.entities.sequence import Hit, SequenceModel, TokenFeatures, tidied
from streams.entities.spans import Span, without_overlap
from streams.entities.ukrainian import UkrainianDictionaryNames, UkrainianNames
from streams.stage import Stage

__all__ = ["Entities"]


@dataclass(frozen=True, slots=True)
class LanguageParts:
    """What enriches the articles of one language."""

    recognizer: Recognizer
    names: Names
    gazetteer: Gazetteer
    linker: Linker
    features: TokenFeatures
    sequence: SequenceModel | None


class Entities(Stage[PreparedEvent, AnnotatedEvent]):
    """Adds the entities of Russian, Ukrainian and English articles."""

    name: ClassVar[str] = "entities"
    version: ClassVar[str] = "3"
    writes: ClassVar[str] = "articles.annotated"
    event: ClassVar[type[PreparedEvent]] = AnnotatedEvent

    def __init__(self, *, sequence: bool = True, ukrainian_dictionary: bool = False) -> None:
        """Make the stage.

        Args:
            sequence: Without it the tagger's spans stay as they are, as training needs them.
            ukrainian_dictionary: Ask the GPLv3 dictionary for Ukrainian nominatives, too.

        Raises:
            SettingsError: that dictionary is not installed.
        """
        self._sequence = sequence
        self._russian_names = RussianNames()
        made = UkrainianDictionaryNames if ukrainian_dictionary else UkrainianNames
        self._ukrainian_names = made(self._russian_names)
        self._parts: dict[str, LanguageParts] = {}
        self._models: dict[str, tuple[ModelReference, ...]] = {}

    def load(self) -> None:
        """Load the taggers, dictionaries and tables of all three languages."""
        if self._parts:
            return
        russian = RussianRecognizer()
        loaded: dict[str, LanguageParts] = {}
        choices: dict[str, tuple[Recognizer, Names]] = {
            "ru": (russian, self._russian_names),
            "uk": (UkrainianRecognizer(russian), self._ukrainian_names),
            "en": (EnglishRecognizer(), EnglishNames()),
        }
        rows = countries.read_rows()
        others = tables.read_rows()
        with_bodies = countries.with_bodies(rows, others)
        for language, (recognizer, names) in choices.items():
            recognizer.load()
            names.load()
            linker = Linker(language, names, rows, others)
            features = _token_features(names, linker)
            sequence = SequenceModel(language, features) if self._sequence else None
            if sequence:
                sequence.load()
            loaded[language] = LanguageParts(
                recognizer, names, Gazetteer(language, names, with_bodies), linker, features, sequence
            )
            self._models[language] = _by_name(
                (
                    *recognizer.models(),
                    *names.models(),
                    *countries.references(),
                    *tables.references(),
                    *(sequence.models() if sequence else ()),
                )
            )
        self._parts = loaded

    def evidence(self, text: str, language: str) -> tuple[list[Span], list[Hit]]:
        """Return what the sequence model of a language learns from: the tagger's spans, the tables' hits."""
        parts = self._parts[language]
        base, known = _base_spans(text, parts)
        return base, _hits(text, known, parts)

    def token_features(self, language: str) -> TokenFeatures:
        """Return what the sequence model of a language sees of tokens."""
        return self._parts[language].features

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


def _token_features(names: Names, linker: Linker) -> TokenFeatures:
    return TokenFeatures(lambda word: (*names.word_features(word), *linker.word_features(word)))


def _hits(text: str, known: list[Span], parts: LanguageParts) -> list[Hit]:
    hits = {hit.span: hit for hit in parts.linker.hits(text)} | {span: Hit(span, True) for span in known}
    return [hits[span] for span in without_overlap(hits)]


def _base_spans(text: str, parts: LanguageParts) -> tuple[list[Span], list[Span]]:
    """Return the tagger's spans, mended with the tables' help, and the certain names of the tables."""
    tagged = [
        Span(span.start, span.stop, EntityType.LOC)
        if span.type is EntityType.PER and parts.names.is_place(text[span.start : span.stop])
        else span
        for span in parts.recognizer.recognize(text)
    ]
    known = parts.gazetteer.find(text, tagged)
    tagged = without_dashes(text, tagged, known, parts.gazetteer)
    if parts.gazetteer.language == "uk":
        tagged = without_countries(text, tagged, known, parts.gazetteer)
        tagged = without_common_words(text, tagged, parts.names)
    known = without_overlap({*known, *parts.linker.find(text, tagged)})
    return merged(text, tagged, known), known


def _mentions(text: str, parts: LanguageParts) -> list[NamedMention]:
    spans, known = _base_spans(text, parts)
    confidence: dict[Span, float] = {}
    if parts.sequence:
        hits = _hits(text, known, parts)
        confidence = tidied(text, parts.sequence.label(text, spans, hits))
        # «Війська рф»: what is small on purpose is no part of a longer name.
        small = [span for span in known if text[span.start].islower()]
        for span in small:
            confidence = {one: p for one, p in confidence.items() if one.stop <= span.start or span.stop <= one.start}
        confidence = parted(text, confidence, known, parts.gazetteer.language)
        confidence = mended(text, confidence, parts.gazetteer.language)
        missed = [*_agreed(text, spans, parts.gazetteer), *parts.linker.again(text, hits)]
        confidence |= dict.fromkeys(_free(missed, confidence), REPEATED)
        spans = merged(text, without_overlap(confidence), known)
    drafts = []
    for span in spans:
        words = text[span.start : span.stop]
        other = parts.gazetteer.is_homonym(text, span.start, span.stop)
        form = None if other else parts.gazetteer.link(words, span.type, text)
        normal = written_like(form.base, words) if form else parts.names.nominative(words, span.type)
        drafts.append(Draft(span, words, normal, form.known if form else None))
    # By place: the linker may change a span's type.
    sure = {(span.start, span.stop): p for span, p in confidence.items()}
    return [
        _named(draft, sure.get((draft.span.start, draft.span.stop), 1.0)) for draft in parts.linker.link(text, drafts)
    ]


def _named(draft: Draft, confidence: float) -> NamedMention:
    mention = Mention(
        start=draft.span.start,
        stop=draft.span.stop,
        text=draft.words,
        normal=draft.normal,
        confidence=round(confidence, 3),
    )
    return NamedMention(mention, draft.span.type, draft.known, draft.entity_normal or draft.normal, confidence)


def _agreed(text: str, tagged: list[Span], gazetteer: Gazetteer) -> Iterator[Span]:
    """Yield the countries that tagger and table agree on: "Turkey's President"."""
    for span in tagged:
        if span.type is EntityType.LOC and not gazetteer.is_homonym(text, span.start, span.stop):
            form = gazetteer.link(text[span.start : span.stop], span.type, text)
            if form and form.known.type is EntityType.LOC:
                yield span


def _free(spans: Iterable[Span], found: Iterable[Span]) -> list[Span]:
    """Return the spans that overlap none of `found`, by start, and not each other."""
    taken = sorted(found)
    stops = [span.stop for span in taken]
    result = []
    for span in spans:
        after = bisect_right(stops, span.start)
        if after == len(taken) or span.stop <= taken[after].start:
            result.append(span)
    return without_overlap(result)


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
