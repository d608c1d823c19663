"""Triggers: the predicates that report an event ("imposed sanctions on"), and the words that turn their sense.

A committed lexicon of patterns per PLOVER type and language, written by us, and the features of a sentence under it.
A sentence's event is in its main predicate, which in news mostly is the first that any pattern fits; whether it is
done, promised, threatened or refused is in the words before it. So the features are: the first and second trigger, all
triggers, and the modifiers before the first one.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, pairwise
from pathlib import Path

from streams.classify.features import common_form

LEXICON = Path(__file__).with_name("event_triggers.tsv")
"""`kind TAB language TAB patterns`; its head explains the notation."""

QUAD_CLASSES = {
    "AGREE": "verbal_cooperation",
    "CONSULT": "verbal_cooperation",
    "SUPPORT": "verbal_cooperation",
    "CONCEDE": "verbal_cooperation",
    "COOPERATE": "material_cooperation",
    "AID": "material_cooperation",
    "RETREAT": "material_cooperation",
    "INVESTIGATE": "verbal_conflict",
    "DEMAND": "verbal_conflict",
    "DISAPPROVE": "verbal_conflict",
    "REJECT": "verbal_conflict",
    "THREATEN": "verbal_conflict",
    "PROTEST": "material_conflict",
    "SANCTION": "material_conflict",
    "MOBILIZE": "material_conflict",
    "COERCE": "material_conflict",
    "ASSAULT": "material_conflict",
    "FIGHT": "material_conflict",
}
"""PLOVER's types and the quad class of each (Open Event Data Alliance, PLOVER codebook)."""

NONE = "NONE"
"""What is no event between actors: a label of the examples and a kind of the lexicon."""

MODIFIERS = frozenset({"PROMISE", "INTENT", "MENACE", "REFUSE", "CONDITION", "REQUEST", "CLAIM", "STOP", "POSSIBLE"})
"""Kinds that turn the sense of a trigger."""

_GAP = ".."
_WIDEST_GAP = 4
_CACHED_WORDS = 20_000
_REACH = 8
"""Words before a trigger in which a modifier is taken for its own."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A pattern that fits: its kind and the words that it names, ascending."""

    kind: str
    words: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Pattern:
    kind: str
    rest: tuple[tuple[str, bool, int], ...]
    """The other words: in the common form, whether any ending will do, how many words may stand before it."""


@dataclass(frozen=True, slots=True)
class _Beginning:
    """The patterns that begin with a word: by the very word that must follow, and the others."""

    by_next: dict[str, list[_Pattern]]
    others: tuple[_Pattern, ...]


class Triggers:
    """The lexicon in memory (about 2 MB). Read only."""

    def __init__(self, content: str) -> None:
        """Read a lexicon.

        Raises:
            ValueError: a line is none; the message says which.
        """
        self._exact: defaultdict[str, list[_Pattern]] = defaultdict(list)
        self._beginnings: defaultdict[str, list[_Pattern]] = defaultdict(list)
        kinds = {*QUAD_CLASSES, *MODIFIERS, NONE}
        for number, line in enumerate(content.splitlines(), start=1):
            if line.startswith("#"):
                continue
            kind, _, patterns = line.partition("\t")[0], *line.split("\t")[1:]
            if kind not in kinds:
                raise ValueError(f"{LEXICON.name}:{number}: no kind {kind!r}")
            for written in patterns.split(" | "):
                tokens = tuple(token if token == _GAP else _common(token) for token in written.split())
                if not tokens or _GAP in (tokens[0], tokens[-1]):
                    raise ValueError(f"{LEXICON.name}:{number}: no pattern: {written!r}")
                rest = tuple(
                    (token.rstrip("*"), token.endswith("*"), _WIDEST_GAP if before == _GAP else 0)
                    for before, token in pairwise(tokens)
                    if token != _GAP
                )
                index = self._beginnings if tokens[0].endswith("*") else self._exact
                index[tokens[0].rstrip("*")].append(_Pattern(kind, rest))
        self._candidates = lru_cache(_CACHED_WORDS)(self._beginning_with)

    def hits(self, words: Sequence[str]) -> list[Hit]:
        """Return what fits in a sentence of `features.words`, by place.

        A pattern of more words comes before one of fewer, a longer one before a shorter; no word is used twice, but by
        patterns that fit the very same words. Modifiers and triggers do not compete.
        """
        found: dict[bool, set[Hit]] = {True: set(), False: set()}
        for start, word in enumerate(words):
            following = words[start + 1] if start + 1 < len(words) else ""
            beginning = self._candidates(word)
            for pattern in chain(beginning.by_next.get(following, ()), beginning.others):
                places = _fit(pattern.rest, words, start) if pattern.rest else (start,)
                if places:
                    found[pattern.kind in MODIFIERS].add(Hit(pattern.kind, places))
        kept = [hit for layer in found.values() for hit in _longest(layer)]
        return sorted(kept, key=lambda hit: (hit.words, hit.kind))

    def _beginning_with(self, word: str) -> _Beginning:
        found = [*self._exact.get(word, ())]
        for length in range(2, len(word) + 1):
            found += self._beginnings.get(word[:length], ())
        by_next: defaultdict[str, list[_Pattern]] = defaultdict(list)
        others = []
        for pattern in found:
            following, any_ending, gap = pattern.rest[0] if pattern.rest else ("", True, 0)
            if any_ending or gap:
                others.append(pattern)
            else:
                by_next[following].append(pattern)
        return _Beginning(dict(by_next), tuple(others))

    def features(self, words: Sequence[str]) -> list[str]:
        """Return the features of a sentence of `features.words`, each once, in a fixed order."""
        hits = self.hits(words)
        types = [hit for hit in hits if hit.kind in QUAD_CLASSES]
        modifiers = [hit for hit in hits if hit.kind in MODIFIERS]
        found = [f"any {hit.kind}" for hit in hits]
        if not types:
            return list(dict.fromkeys([*found, "no trigger"]))
        places = list(dict.fromkeys(hit.words for hit in types))
        for rank, place in zip(("first", "second"), places[:2], strict=False):
            found += [f"{rank} {hit.kind}" for hit in types if hit.words == place]
        first = places[0]
        before = {hit.kind for hit in modifiers if first[0] - _REACH <= hit.words[0] < first[-1]}
        for hit in types:
            if hit.words == first:
                for modifier in sorted(before):
                    found += [f"{modifier} {hit.kind}", f"{modifier} {QUAD_CLASSES[hit.kind]}", f"before {modifier}"]
        return list(dict.fromkeys(found))


def _common(token: str) -> str:
    return common_form(token.rstrip("*")) + "*" * token.endswith("*")


def _fit(rest: Sequence[tuple[str, bool, int]], words: Sequence[str], start: int) -> tuple[int, ...] | None:
    """Return the places of a pattern whose first word is at `start`, the nearest ones; None where it does not fit."""
    places = [start]
    at = start + 1
    for token, any_ending, gap in rest:
        for place in range(at, min(at + gap + 1, len(words))):
            if words[place].startswith(token) if any_ending else words[place] == token:
                break
        else:
            return None
        places.append(place)
        at = place + 1
    return tuple(places)


def _longest(hits: set[Hit]) -> Iterator[Hit]:
    owner: dict[int, tuple[int, ...]] = {}
    for hit in sorted(hits, key=lambda hit: (-len(hit.words), hit.words, hit.kind)):
        if all(owner.get(place, hit.words) == hit.words for place in hit.words):
            owner.update(dict.fromkeys(hit.words, hit.words))
            yield hit


def load(path: Path = LEXICON) -> Triggers:
    """Return the committed lexicon.

    Raises:
        OSError: it cannot be read.
        ValueError: it is damaged.
    """
    return Triggers(path.read_text("utf-8"))
