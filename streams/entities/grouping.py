"""Mentions grouped into entities, each with an id that other articles give it too."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID, uuid5

from schemas import Entity, EntityName, EntityType, Mention
from streams.entities.countries import Known

NAMESPACE = UUID("0d3b6f0a-7a86-5c55-9a3f-6a1f5cf1c9f4")
"""Our own namespace for ids of entities without a Wikidata id; drawn once, never to change."""


@dataclass(frozen=True, slots=True)
class NamedMention:
    """A mention with its type and what it names, if that is known."""

    mention: Mention
    type: EntityType
    known: Known | None


def unlinked_id(kind: EntityType, normal: str) -> str:
    """Return the id of what has no Wikidata id: the same for the same type and normal form everywhere."""
    return f"urn:newsflow:entity:{kind.lower()}:{uuid5(NAMESPACE, f'{kind}|{_folded(normal)}')}"


def _folded(normal: str) -> str:
    return unicodedata.normalize("NFC", normal.casefold())


def entities(mentions: Iterable[NamedMention], language: str) -> tuple[Entity, ...]:
    """Return the entities in order of their first mention; mentions must come by start.

    Mentions of one Wikidata id are one entity, else those of one type and normal form.
    """
    groups: dict[str, list[NamedMention]] = {}
    for named in mentions:
        key = named.known.qid if named.known else unlinked_id(named.type, named.mention.normal)
        groups.setdefault(key, []).append(named)
    return tuple(_entity(key, group, language) for key, group in groups.items())


def _entity(key: str, group: list[NamedMention], language: str) -> Entity:
    first = group[0]
    name = EntityName(**{"en": None, "ru": None, "uk": None, language: first.mention.normal})
    return Entity(
        id=key,
        type=first.known.type if first.known else first.type,
        name=first.known.name if first.known else name,
        country=first.known.country if first.known else None,
        linked=first.known is not None,
        mentions=tuple(named.mention for named in group),
    )
