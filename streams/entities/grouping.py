"""Mentions grouped into entities, each with an id that other articles give it too."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID, uuid5

from schemas import Coordinates, Entity, EntityName, EntityType, Mention
from streams.entities.countries import Known

NAMESPACE = UUID("0d3b6f0a-7a86-5c55-9a3f-6a1f5cf1c9f4")
"""Our own namespace for ids of entities without a Wikidata id; drawn once, never to change."""
LIKELY = {EntityType.PER: 0.5, EntityType.LOC: 0.5, EntityType.ORG: 0.7}
"""Least confidence of a name that no table knows: below .5 the sequence model takes it for none. Of bodies it is too
sure, whose bounds it often misses."""
LEAD = 500
"""Characters after which a mention counts half as much again, not twice: a news text's lead."""
PARTS = 10_000
"""Saliences are whole parts of this."""


@dataclass(frozen=True, slots=True)
class NamedMention:
    """A mention with its type, what it names, if that is known, and the nominative of the entity's whole name.

    `confidence` is the mention's before it is rounded.
    """

    mention: Mention
    type: EntityType
    known: Known | None
    whole: str
    confidence: float


def unlinked_id(kind: EntityType, normal: str) -> str:
    """Return the id of what has no Wikidata id: the same for the same type and normal form everywhere."""
    return f"urn:newsflow:entity:{kind.lower()}:{uuid5(NAMESPACE, f'{kind}|{_folded(normal)}')}"


def _folded(normal: str) -> str:
    return unicodedata.normalize("NFC", normal.casefold())


def entities(mentions: Iterable[NamedMention], language: str) -> tuple[Entity, ...]:
    """Return the entities in order of their first mention; mentions must come by start.

    Mentions of one Wikidata id are one entity, else those of one type and normal form. Of the latter those are left out
    that no mention in the article makes likely.
    """
    groups: dict[str, list[NamedMention]] = {}
    for named in mentions:
        key = named.known.qid if named.known else unlinked_id(named.type, named.whole)
        groups.setdefault(key, []).append(named)
    groups = {
        key: group
        for key, group in groups.items()
        if group[0].known or max(named.confidence for named in group) >= LIKELY[group[0].type]
    }
    weights = [sum(1 + 1 / (1 + named.mention.start / LEAD) for named in group) for group in groups.values()]
    shares = _shares(weights)
    return tuple(_entity(key, group, language, shares[at]) for at, (key, group) in enumerate(groups.items()))


def _shares(weights: list[float]) -> list[float]:
    """Return the weights as shares of their sum, in parts that sum to one: the largest rests go up."""
    whole = sum(weights)
    exact = [weight / whole * PARTS for weight in weights]
    parts = [int(share) for share in exact]
    order = sorted(range(len(exact)), key=lambda at: (parts[at] - exact[at], at))
    for at in order[: PARTS - sum(parts)] if weights else ():
        parts[at] += 1
    return [part / PARTS for part in parts]


def _entity(key: str, group: list[NamedMention], language: str, salience: float) -> Entity:
    first = group[0]
    known = first.known
    name = EntityName(**{"en": None, "ru": None, "uk": None, language: first.whole})
    return Entity(
        id=key,
        type=known.type if known else first.type,
        name=known.name if known else name,
        country=known.country if known else None,
        coordinates=Coordinates(latitude=known.position[0], longitude=known.position[1])
        if known and known.position
        else None,
        linked=known is not None,
        confidence=max(named.mention.confidence for named in group),
        salience=salience,
        mentions=tuple(named.mention for named in group),
    )
