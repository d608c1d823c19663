"""Entities against annotated spans: recognition, normal forms, links, cost.

What is counted, and how:

* Recognition: a mention is right where an annotated span has the same start, stop and type. Only PER, LOC and ORG
  count: annotated spans of other types are left out. A mention that lies on such a span is then a mention without a
  span, which is wrong like any other.
* Normal forms: over the mentions whose start and stop are those of an annotated span with a `lemma`, whatever the type
  given. `same_form` says what counts as the same.
* Links: only spans whose `id` is a Wikidata id (Q and digits) count. Precision is over the linked mentions that have
  the start and stop of such a span, recall over all such spans. For a link where the file has none, or an id of its
  own, the file does not say whether it is right.
* Cost: CPU time of the stage in this process, without loading.
"""

import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from schemas import AnnotatedEvent, EntityType
from streams.entities import Entities
from streams.errors import InputError
from streams.evaluation.gold import GoldSpan, NamedText

TYPES = tuple(kind.value for kind in EntityType)
DECIMALS = 4
"""Of the figures as JSON."""

_SAME = str.maketrans("ё’ʼ`", "е'''")


@dataclass(frozen=True, slots=True)
class Found:
    """A mention of the event with what the event says of its entity."""

    start: int
    stop: int
    type: str
    normal: str
    wikidata: str | None


@dataclass(slots=True)
class Counts:
    """What was right, what Newsflow said, what there was to say; a figure is None where it has nothing to count."""

    right: int = 0
    said: int = 0
    gold: int = 0

    @property
    def p(self) -> float | None:
        """Precision."""
        return self.right / self.said if self.said else None

    @property
    def r(self) -> float | None:
        """Recall."""
        return self.right / self.gold if self.gold else None

    @property
    def f1(self) -> float | None:
        """The harmonic mean of both."""
        return 2 * self.right / (self.said + self.gold) if self.said or self.gold else None

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.right + other.right, self.said + other.said, self.gold + other.gold)


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """A kind of mistake: `what` is missed, invented, wrong type, wrong bounds, normal form or link."""

    what: str
    type: str
    words: str
    said: str
    """What Newsflow said; empty where it said nothing."""
    gold: str
    """What the file says; empty where it says nothing."""


@dataclass(slots=True)
class Tally:
    """Everything that is counted over some texts."""

    texts: int = 0
    characters: int = 0
    cpu_seconds: float = 0.0
    recognition: dict[str, Counts] = field(default_factory=lambda: {kind: Counts() for kind in TYPES})
    normal_form: Counts = field(default_factory=Counts)
    links: Counts = field(default_factory=Counts)
    countries: Counts = field(default_factory=Counts)
    """Links of countries alone: precision over linked mentions of countries, recall over spans of countries."""
    mistakes: Counter[Mistake] = field(default_factory=Counter)

    @property
    def micro(self) -> Counts:
        """Recognition over all types."""
        return sum(self.recognition.values(), start=Counts())

    @property
    def ms_per_1000_chars(self) -> float:
        """CPU milliseconds per 1,000 characters."""
        return 1e6 * self.cpu_seconds / self.characters

    def add(self, text: NamedText, found: Iterable[Found], country_ids: frozenset[str], cpu_seconds: float) -> None:
        """Count one text."""
        self.texts += 1
        self.characters += len(text.text)
        self.cpu_seconds += cpu_seconds
        spans = [span for span in text.spans if span.type in TYPES]
        mentions = {(mention.start, mention.stop): mention for mention in found}
        self._recognition(text.text, spans, mentions)
        for span in spans:
            mention = mentions.get((span.start, span.stop))
            words = text.text[span.start : span.stop]
            if mention and span.lemma:
                self.normal_form.gold += 1
                if same_form(mention.normal, span.lemma):
                    self.normal_form.right += 1
                else:
                    self.mistakes[Mistake("normal form", span.type, words, mention.normal, span.lemma)] += 1
            if span.wikidata:
                self._link(span, words, mention, country_ids)

    def as_json(self) -> dict[str, Any]:
        """Return the figures as `newsflow eval entities --format json` prints them."""
        return {
            "recognition": {
                name: {"p": rounded(counts.p), "r": rounded(counts.r), "f1": rounded(counts.f1)}
                for name, counts in {"micro": self.micro, **self.recognition}.items()
            },
            "normal_form": {"exact": rounded(self.normal_form.r), "n": self.normal_form.gold},
            "links": {"p": rounded(self.links.p), "r": rounded(self.links.r), "n": self.links.gold},
            "ms_per_1000_chars": rounded(self.ms_per_1000_chars),
        }

    def _recognition(self, text: str, spans: list[GoldSpan], mentions: dict[tuple[int, int], Found]) -> None:
        for mention in mentions.values():
            self.recognition[mention.type].said += 1
        # Mentions that are right, or whose mistake is told with the span that they should have been.
        told: set[tuple[int, int]] = set()
        missed = []
        for span in spans:
            self.recognition[span.type].gold += 1
            at = mentions.get((span.start, span.stop))
            if at and at.type == span.type:
                self.recognition[span.type].right += 1
                told.add((span.start, span.stop))
            else:
                missed.append(span)
        for span in missed:
            words = text[span.start : span.stop]
            near = [m for m in mentions.values() if m.start < span.stop and span.start < m.stop]
            if not near:
                self.mistakes[Mistake("missed", span.type, words, "", "")] += 1
                continue
            told.update((mention.start, mention.stop) for mention in near)
            if any((mention.start, mention.stop) == (span.start, span.stop) for mention in near):
                self.mistakes[Mistake("wrong type", span.type, words, near[0].type, span.type)] += 1
            else:
                said = " + ".join(text[mention.start : mention.stop] for mention in near)
                self.mistakes[Mistake("wrong bounds", span.type, words, said, words)] += 1
        for place, mention in mentions.items():
            if place not in told:
                self.mistakes[Mistake("invented", mention.type, text[mention.start : mention.stop], "", "")] += 1

    def _link(self, span: GoldSpan, words: str, mention: Found | None, country_ids: frozenset[str]) -> None:
        linked = mention.wikidata if mention else None
        right = linked == span.wikidata
        if linked and not right:
            self.mistakes[Mistake("link", span.type, words, linked, span.wikidata or "")] += 1
        is_country = span.wikidata in country_ids
        for counts, said, gold in (
            (self.links, linked is not None, True),
            (self.countries, linked in country_ids, is_country),
        ):
            counts.said += said
            counts.gold += gold
            counts.right += right and said and gold


def same_form(said: str, gold: str) -> bool:
    """Whether two normal forms are the same: letter case, ё or е, and the kind of apostrophe make no difference."""
    return _folded(said) == _folded(gold)


def _folded(form: str) -> str:
    return unicodedata.normalize("NFC", form).casefold().translate(_SAME)


def rounded(figure: float | None) -> float | None:
    """Return the figure as JSON shows it."""
    return None if figure is None else round(figure, DECIMALS)


def found_in(event: AnnotatedEvent) -> Iterator[Found]:
    """Yield the mentions of an event."""
    for entity in event.entities:
        for mention in entity.mentions:
            linked = entity.id if entity.linked else None
            yield Found(mention.start, mention.stop, entity.type.value, mention.normal, linked)


def measure(
    stage: Entities,
    texts: Iterable[NamedText],
    country_ids: frozenset[str] = frozenset(),
    after_each: Callable[[], None] = lambda: None,
) -> dict[str, Tally]:
    """Run the loaded stage over the texts as they stand.

    Args:
        stage: The stage.
        texts: Texts with their spans.
        country_ids: Wikidata ids of countries, for their links apart.
        after_each: Called after every text.

    Returns:
        The counts by language, `all` last.

    Raises:
        InputError: a text is in a language that the stage does not support.
    """
    tallies: dict[str, Tally] = {}
    everything = Tally()
    for text in texts:
        event = text.prepared()
        start = time.process_time()
        annotated = stage.enrich(event)
        cpu_seconds = time.process_time() - start
        if annotated.skipped.get(stage.name) == "unsupported_language":
            raise InputError(f"{text.place}: `lang` is {text.language!r}; entities are not found in this language.")
        found = tuple(found_in(annotated))
        for tally in (tallies.setdefault(text.language, Tally()), everything):
            tally.add(text, found, country_ids, cpu_seconds)
        after_each()
    return {**tallies, "all": everything}
