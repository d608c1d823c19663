"""Which known entity a mention names, decided within its article: exact names, then types, countries, full names.

Nothing here is fuzzy: a candidate is an entity whose name, in a case form or the nominative, is what the text says. A
certain name decides alone. A doubtful one («МИД», «Альянс», a surname) needs a reason in the same article: the entity
itself by a certain name, or its country, and more of that than any other candidate has.
"""

import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from schemas import EntityType
from streams.entities.countries import (
    CUES,
    Known,
    Row,
    is_acronym,
    lower,
    written_alike,
    written_like,
)
from streams.entities.names import Names
from streams.entities.person_forms import person_forms, word_forms
from streams.entities.sequence import Hit
from streams.entities.spans import Span, without_overlap

_WORD = re.compile(r"(?<!\w)[^\W\d_]\w*")
_CYRILLIC = re.compile("[а-яёіїєґ]", re.IGNORECASE)
# «Дж. Байден», "J. Biden", «Л.И. Брежнев».
_INITIALS = re.compile(r"(?:[^\W\d_]{1,2}\.[ \u00a0-]?)+(?=[^\W\d_]{2})")
_FOUR_WORDS = re.compile(r"[\w'-]+(?: [\w'-]+){0,3}")
_OPENING = '«“„"'
# Bodies that every country has one of: «Минобороны», "Supreme Court".
_OF_A_STATE = frozenset({"government", "parliament", "court", "army", "security"})
# "South Korea's ", "Japanese "; in Russian and Ukrainian only the adjective, «японское », stands before.
_WORDS_BEFORE = re.compile(r"(?:[\w.-]+ )?[\w.-]+(?:['’]s?)? $")
_STATE_ADJECTIVE = re.compile(r"[сц]ь?к\w{1,3}$")
_OF_BETWEEN = re.compile(r" (?:of (?:the )?)?")
_AT = re.compile(r"\b(?:in|at|from|near|to|of|outside|around|across|for) (?:\w+ )?$", re.IGNORECASE)
_AFTER_A_CITY = re.compile(r"[^\W\d_a-z][\w.]+, $")
# «Иванова» is a form of Иваново and of a surname: the place only after a word that says so.
_LIKE_A_SURNAME = re.compile(r"\w{2,}(?:[оеё]в|[иыі]н)[оеа]")
_PLACE_BEFORE = re.compile(
    r"(?<!\w)(?:во?|из|до|под|около|через|близ|возле|город\w*|пос[её]л\w+|сел\w|деревн\w+|"
    r"[ву]|і?з|зі|під|біля|поблизу|міст\w*|селищ\w+) $",
    re.IGNORECASE,
)
# «al-Qaeda», «аль-Шабааб»: a name that begins small.
_ARTICLE = re.compile(r"(?:al|ash|аль|аш|ан)-[^\W\d_a-zа-яёіїєґ]")
_FIRST_WORD = re.compile(r"[\w-]+")
_SURROUNDINGS = 60
"""Characters of a sentence that are looked at on either side of a name."""

# How a country shows in words that do not begin like its name: its people and adjectives.
_STEMS = {
    "US": "америк|сша|american|u\\.s|washington|вашингтон",
    "GB": "брит|англи|англі|лондон|british|english|london|uk\\b|scot|welsh",
    "RU": "росси|росі|рф\\b|москв|кремл|russia|moscow|kremlin",
    "UA": "украин|україн|киев|київ|києв|ukrain|kyiv|kiev",
    "DE": "герман|немец|німе|берлин|берлін|бундес|german|berlin",
    "FR": "франц|париж|french|franc|paris",
    "CN": "кита|пекин|пекін|chin|beijing",
    "IL": "израил|ізраїл|israel",
    "IT": "итал|італі|рим\\b|ital",
    "ES": "испан|іспан|мадрид|spain|spanish|madrid",
    "NL": "нидерланд|голланд|нідерланд|голланд|dutch|netherlands|amsterdam",
    "CH": "швейцар|swiss|switzerland",
    "PL": "польш|польс|варшав|poland|polish|warsaw",
    "GR": "грец|грец|греч|greek|greece|athens",
    "TR": "турц|турец|туреч|анкар|turk|ankara",
    "KR": "южнокоре|південнокоре|южн\\w+ коре|південн\\w+ коре|сеул|south korea|seoul",
    "KP": "северокоре|північнокоре|кндр|пхеньян|пхеньян|north korea|pyongyang|dprk",
    "CZ": "чех|чеш|чес[ьк]|прага|праг|czech|prague",
    "BE": "бельг|belg|brussels",
    "SE": "швед|швец|swed",
    "NO": "норве|norw",
    "DK": "дан|данi|датськ|датск|danish|denmark",
    "FI": "финл|финс|фінл|фінс|finn|finland",
    "PH": "филиппин|філіппін|philippin|filipin",
    "TH": "таила|тайск|таїланд|тайськ|thai",
    "IE": "ирланд|ірланд|irish|ireland|dublin",
    "PT": "португ|portug|lisbon",
    "HU": "венгр|венгер|угор|будапешт|hungar|budapest",
    "BY": "белорус|білорус|минск|мінськ|belarus|minsk",
    "AE": "эмират|емірат|оаэ|оае|дубай|emirat|uae|dubai|abu dhabi",
    "SA": "саудов|saudi|riyadh",
    "NZ": "новозеланд|зеланд|новая зеланд|zealand",
    "SY": "сири|сирі|syria|дамаск|damascus",
    "EG": "егип|єгип|египет|egypt|cairo|каир",
    "JP": "япон|japan|токио|токіо|tokyo",
    "IN": "инди[ийя]|індi|інді|indian?\\b|делі|дели|delhi",
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A known entity and the nominative under which the text may name it."""

    known: Known
    base: str
    certain: bool


class _Persons:
    """Names of persons by the first letters of their words: case forms are made when a text asks, not for all names."""

    LETTERS = 2
    """Letters of a word that no case changes."""

    def __init__(self) -> None:
        self._names: dict[tuple[str, str], list[tuple[str, Candidate]]] = defaultdict(list)

    def add(self, name: str, candidate: Candidate) -> None:
        """Add a name in the nominative and in lower case."""
        self._names[self._bucket(name.split(" "))].append((name, candidate))

    def candidates(self, words: str) -> tuple[Candidate, ...]:
        """Return who is called so in any case; certain where that is one person."""
        parts = words.split(" ")
        found = {
            candidate.known.qid: candidate
            for name, candidate in self._names.get(self._bucket(parts), ())
            if name.count(" ") == len(parts) - 1 and words in _person_forms(name)
        }
        if len(found) > 1:
            return tuple(replace(candidate, certain=False) for candidate in found.values())
        return tuple(found.values())

    def longest(self, text: str, start: int) -> tuple[int, bool] | None:
        """Return length and certainty of the longest name that begins at `start` of a text in lower case."""
        words = _FOUR_WORDS.match(text, start)
        parts = words[0].split(" ") if words else []
        for count in range(len(parts), 0, -1):
            name = " ".join(parts[:count])
            if found := self.candidates(name):
                return len(name), found[0].certain
        return None

    def _bucket(self, words: Sequence[str]) -> tuple[str, str]:
        return words[0][: self.LETTERS], words[1][: self.LETTERS] if len(words) > 1 else ""


_person_forms = lru_cache(5_000)(person_forms)


@dataclass(frozen=True, slots=True)
class Draft:
    """A mention on its way to being linked: where it is, what it says, its nominative, and whom it names if known."""

    span: Span
    words: str
    normal: str
    known: Known | None = None
    entity_normal: str | None = None
    """The nominative of the entity, where the mention gives only a part of its name."""


class Linker:
    """The known names of one language, and the decisions about them."""

    def __init__(self, language: str, names: Names, countries: Iterable[Row], rows: Iterable[Row]) -> None:
        """Index the names of `rows`; `countries` are those that the countries' own index links.

        Raises:
            ValueError: a certain name belongs to two rows.
        """
        self._language = language
        self._stems = _stems(language, countries)
        rows = tuple(rows)
        self._persons = _Persons()
        self._exact: dict[str, tuple[Candidate, ...]] = {}
        self._folded: dict[str, tuple[Candidate, ...]] = {}
        taken = {_key(base) for row in countries for base in (*row.certain[language], *row.doubtful[language])}
        derived: dict[str, list[Candidate]] = {}
        for row in rows:
            for base, certain in _bases(row, language):
                candidate = Candidate(row.known, base, certain)
                key = _key(base)
                if key in taken and row.known.type is EntityType.LOC:
                    candidate = replace(candidate, certain=False)
                index = self._exact if is_acronym(base) else self._folded
                index[key] = _with(index.get(key, ()), candidate)
                if is_acronym(base) or not _CYRILLIC.search(base):
                    continue
                if row.known.type is EntityType.PER:
                    self._persons.add(key, candidate)
                    continue
                for form in names.case_forms(base):
                    derived.setdefault(_key(form), []).append(candidate)
        for key, made in derived.items():
            if key in self._folded or key in taken:
                continue
            ids = {candidate.known.qid for candidate in made}
            self._folded[key] = tuple(
                candidate if len(ids) == 1 else replace(candidate, certain=False)
                # Of a row's names the first: «сектор Газа», not «Сектор Газы».
                for candidate in {candidate.known.qid: candidate for candidate in reversed(made)}.values()
            )
        self._person_words = _person_words(language, rows)
        starts: dict[str, set[str]] = {}
        for key in (*self._exact, *self._folded):
            if first := re.match(r"\w+", key):
                starts.setdefault(lower(first[0]), set()).add(key)
        self._starts = {first: tuple(sorted(keys, key=lambda key: (-len(key), key))) for first, keys in starts.items()}

    def word_features(self, word: str) -> list[str]:
        """Return whether a lower-case word begins or ends the name of a person in the tables, in any case."""
        return [feature for feature, words in self._person_words.items() if word in words]

    def candidates(self, words: str) -> tuple[Candidate, ...]:
        """Return the known entities that are called so, whatever the article says."""
        # «The New York Times» stands in Cyrillic texts with its article.
        return self._called(words) or (self._called(words[4:]) if words.startswith("The ") else ())

    def _called(self, words: str) -> tuple[Candidate, ...]:
        written = written_alike(words)
        found = self._exact.get(written)
        if found is None:
            found = self._folded.get(lower(written)) or self._persons.candidates(lower(written))
            if not words[:1].isupper():
                # "al-Qaeda" begins small, «россия» is another matter.
                found = tuple(one for one in found if one.base[:1].islower())
        return found

    def _beginning(self, word: re.Match[str], written: str, low: str) -> Iterator[tuple[int, tuple[Candidate, ...]]]:
        """Yield where the indexed names that begin with a word of the text end, and whose they are, the longest first.

        `written` and `low` are the text written alike, as it is and in lower case.
        """
        for key in self._starts.get(lower(word[0]), ()):
            start, stop = word.start(), word.start() + len(key)
            candidates = self._exact.get(key, ()) if written.startswith(key, start) else ()
            if not candidates and low.startswith(key, start):
                candidates = self._folded.get(key, ())
            following = written[stop : stop + 1]
            if candidates and not (following.isalnum() or following == "_"):
                yield stop, candidates

    def find(self, text: str, tagged: Sequence[Span]) -> list[Span]:
        """Return where the text names a known place or organisation by a certain name, by start, without overlap.

        A city's name that the tagger takes for an organisation is a club's or a paper's: «Барселона».
        """
        written = written_alike(text)
        low = lower(written)
        organisations = [span for span in tagged if span.type is EntityType.ORG]
        ends = [span.stop for span in organisations]
        found: list[Span] = []
        for match in _WORD.finditer(text):
            if not match[0][0].isupper() and not _ARTICLE.match(text, match.start()):
                continue
            start = match.start()
            for stop, candidates in self._beginning(match, written, low):
                if text[stop : stop + 1] == "-":
                    continue
                certain = [one.known for one in candidates if one.certain and one.known.type is not EntityType.PER]
                if not certain or _may_be_a_surname(candidates[0], text, start, stop):
                    continue
                span = Span(start, stop, certain[0].type)
                quoted = text[start - 1 : start] in _OPENING if start else False
                over = bisect_left(ends, stop)
                within = over < len(ends) and organisations[over].start <= start
                if span.type is EntityType.LOC and (quoted or within):
                    break
                found.append(span)
                break
        return without_overlap(found)

    def hits(self, text: str) -> list[Hit]:
        """Return where the text has a name of the tables, certain or not, by start; of two that overlap the longer."""
        written = written_alike(text)
        low = lower(written)
        found: dict[Span, bool] = {}
        for match in _WORD.finditer(text):
            if not match[0][0].isupper():
                continue
            start = match.start()
            for stop, candidates in self._beginning(match, written, low):
                first = min(candidates, key=lambda one: not one.certain)
                found[Span(start, stop, first.known.type)] = first.certain
                break
            else:
                if person := self._persons.longest(low, start):
                    found[Span(start, start + person[0], EntityType.PER)] = person[1]
        return [Hit(span, found[span]) for span in without_overlap(found)]

    def again(self, text: str, hits: Sequence[Hit]) -> list[Span]:
        """Return where a doubtful name of an organisation stands that the text names for certain: «Альянс»."""
        named: set[str] = set()
        doubtful: dict[Span, set[str]] = {}
        for hit in hits:
            candidates = self.candidates(text[hit.span.start : hit.span.stop])
            if hit.certain:
                named.update(one.known.qid for one in candidates if one.certain)
            elif hit.span.type is EntityType.ORG:
                doubtful[hit.span] = {one.known.qid for one in candidates}
        return [span for span, ids in doubtful.items() if ids & named]

    def link(self, text: str, drafts: Sequence[Draft]) -> list[Draft]:
        """Return the drafts with what they name, in their order."""
        drafts = [self._as_quoted(draft, text) for draft in drafts]
        certain = [self._certainly(draft, text, drafts) for draft in drafts]
        article = _Article(text, self._stems, certain)
        linked = [draft if draft.known else self._probably(draft, article, drafts) for draft in certain]
        return _whole_names(linked, lambda words: not self.candidates(words))

    def _as_quoted(self, draft: Draft, text: str) -> Draft:
        """Return the draft, in Cyrillic quotes as an organisation if one is called so: «Барселона» is a club."""
        span = draft.span
        if span.type is EntityType.LOC and text[span.start - 1 : span.start] == "«" and text[span.stop :][:1] == "»":
            for words in (draft.words, draft.normal):
                if any(one.known.type is EntityType.ORG for one in self.candidates(words)):
                    return replace(draft, span=replace(span, type=EntityType.ORG))
        return draft

    def _certainly(self, draft: Draft, text: str, drafts: Sequence[Draft]) -> Draft:
        if draft.known:
            return draft
        if draft.span.type is not EntityType.ORG and (place := self._described(draft, text)):
            return replace(draft, known=place.known)
        for words in (draft.words, draft.normal):
            for candidate in self.candidates(words):
                if (
                    candidate.certain
                    and _fits(candidate, draft.span.type)
                    and not self._is_elsewhere(candidate.known, draft, text, drafts)
                    and not _may_be_a_surname(candidate, text, draft.span.start, draft.span.stop)
                ):
                    return _linked(draft, candidate)
        return draft

    def _described(self, draft: Draft, text: str) -> Candidate | None:
        """Return the place that a name is with the words around it: «сектор Газа», "Washington state"."""
        span = draft.span
        before = text[max(0, span.start - _SURROUNDINGS) : span.start].split(" ")
        after = text[span.stop : span.stop + _SURROUNDINGS].split(" ")
        longer = []
        if len(before) > 1 and before[-2:-1] != [""] and before[-1] == "":
            longer += [" ".join([*before[-1 - count : -1], draft.words]) for count in (2, 1)]
        if len(after) > 1 and after[0] == "":
            following = _FIRST_WORD.match(after[1])
            longer += [f"{draft.words} {following[0]}"] if following else []
        for words in longer:
            for candidate in self._folded.get(lower(written_alike(words)), ()):
                if candidate.certain and candidate.known.type is EntityType.LOC:
                    return candidate
        return None

    def _is_elsewhere(self, known: Known, draft: Draft, text: str, drafts: Sequence[Draft]) -> bool:
        """Whether a body of a state stands beside another state: "Japan's Ministry of Defense" is not Russia's."""
        if known.type is not EntityType.ORG or known.kind not in _OF_A_STATE or not known.country:
            return False
        named = self._beside(draft, text, drafts)
        return bool(named) and known.country not in named

    def _beside(self, draft: Draft, text: str, drafts: Sequence[Draft]) -> frozenset[str]:
        """Return the countries that stand directly before a name, as owner or adjective, or after it."""
        span = draft.span
        found: set[str] = set()
        if before := _WORDS_BEFORE.search(text[max(0, span.start - _SURROUNDINGS) : span.start]):
            last = before[0].strip().rpartition(" ")[2]
            for words in (last, before[0]) if self._language == "en" else (last,):
                if not found and (self._language == "en" or _STATE_ADJECTIVE.search(words)):
                    said = lower(written_alike(words))
                    found = {country for country, stem in self._stems.items() if stem.search(said)}
        if not found and (between := _OF_BETWEEN.match(text, span.stop)):
            found = {
                other.known.country
                for other in drafts
                if other.span.start == between.end()
                and other.known
                and other.known.kind == "country"
                and other.known.country
            }
        return frozenset(found)

    def _probably(self, draft: Draft, article: "_Article", drafts: Sequence[Draft]) -> Draft:
        text, span = article.text, draft.span
        if (
            span.type is EntityType.LOC
            and article.names_clubs
            and not _AT.search(text, max(0, span.start - _SURROUNDINGS), span.start)
        ):
            # "Arsenal beat Barcelona", but "in Barcelona".
            clubs = {one.known.qid: one for one in self.candidates(draft.words) if one.known.kind == "club"}
            if len(clubs) == 1:
                return _linked(draft, next(iter(clubs.values())))
        found = {
            candidate.known.qid: candidate
            for words in (draft.words, draft.normal)
            for candidate in self.candidates(words)
            if candidate.known.type is span.type
            or ((candidate.known.kind in _OF_A_STATE or article.names(candidate.known)) and _fits(candidate, span.type))
            if not self._is_elsewhere(candidate.known, draft, text, drafts)
        }
        beside = self._beside(draft, text, drafts) if span.type is EntityType.ORG else frozenset()
        latin = self._language != "en" and span.type is EntityType.ORG and not _CYRILLIC.search(draft.words)
        weights = Counter(
            {
                qid: article.evidence(candidate.known)
                + (100 if candidate.known.country in beside else 0)
                # In a Cyrillic text only a company keeps its Latin letters: «Tesla».
                + (1 if latin and not is_acronym(draft.words) else 0)
                for qid, candidate in found.items()
            }
        )
        best = weights.most_common()
        if not best or best[0][1] == 0:
            return draft
        first = [found[qid] for qid, weight in best if weight == best[0][1]]
        if len(first) > 1:
            # A city, not the state of its name; but "Spokane, Washington".
            kind = "state" if _AFTER_A_CITY.search(text, max(0, span.start - _SURROUNDINGS), span.start) else "city"
            first = [one for one in first if one.known.type is EntityType.LOC and one.known.kind == kind]
        return _linked(draft, first[0]) if len(first) == 1 else draft


def _linked(draft: Draft, candidate: Candidate) -> Draft:
    """Return the draft with what it names and the nominative that the tables have for its words."""
    return replace(draft, known=candidate.known, normal=written_like(candidate.base, draft.words))


class _Article:
    """What an article says for certain, as evidence for what it may mean."""

    def __init__(self, text: str, stems: dict[str, re.Pattern[str]], drafts: Sequence[Draft]) -> None:
        self.text = text
        self._text = lower(written_alike(text))
        self._stems = stems
        self.names_clubs = any(draft.known.kind == "club" for draft in drafts if draft.known)
        self._ids = Counter(draft.known.qid for draft in drafts if draft.known)
        self._countries = Counter(draft.known.country for draft in drafts if draft.known and draft.known.country)
        self._stemmed: dict[str, int] = {}

    def names(self, known: Known) -> bool:
        """Return whether the article names the entity for certain."""
        return bool(self._ids[known.qid])

    def evidence(self, known: Known) -> int:
        """Return how much of the article speaks for the entity; 0 where nothing does."""
        if self._ids[known.qid]:
            return 1_000
        if known.type is EntityType.PER or known.country is None:
            return 0
        if known.country not in self._stemmed:
            stem = self._stems.get(known.country)
            self._stemmed[known.country] = len(stem.findall(self._text)) if stem else 0
        return 2 * self._countries[known.country] + self._stemmed[known.country]


def _fits(candidate: Candidate, kind: EntityType) -> bool:
    """Whether a certain name means this one also where the tagger says `kind`."""
    known = candidate.known
    if known.type is EntityType.LOC:
        return kind is not EntityType.ORG
    if known.type is EntityType.PER and " " in candidate.base:
        return True
    return known.type is kind or (known.type is EntityType.ORG and kind is EntityType.LOC)


def _may_be_a_surname(candidate: Candidate, text: str, start: int, stop: int) -> bool:
    """Whether a place's form is a surname's too and nothing before it says that it is the place."""
    return (
        candidate.known.type is EntityType.LOC
        and bool(_LIKE_A_SURNAME.fullmatch(lower(candidate.base)))
        and lower(written_alike(text[start:stop])) != _key(candidate.base)
        and not _PLACE_BEFORE.search(text, max(0, start - _SURROUNDINGS), start)
    )


def _whole_names(drafts: list[Draft], is_unknown: Callable[[str], bool]) -> list[Draft]:
    """Return the drafts with each surname linked to the full name that the article gives, where only one fits.

    A surname may pass for a place or a body («Венса»), if the tables know none of the name.
    """
    full: dict[str, Draft] = {}
    for draft in drafts:
        kind = draft.known.type if draft.known else draft.span.type
        if kind is EntityType.PER and " " in draft.normal and not _INITIALS.match(draft.normal):
            full.setdefault(draft.known.qid if draft.known else lower(draft.normal), draft)
    surnames: dict[str, list[Draft]] = {}
    forms: dict[str, list[Draft]] = {}
    for draft in full.values():
        surname = _surname(draft.normal)
        surnames.setdefault(surname, []).append(draft)
        for form in _person_forms(surname) if _CYRILLIC.search(surname) else ():
            forms.setdefault(form, []).append(draft)
    result = []
    for draft in drafts:
        if draft.known is None:
            initials = _INITIALS.match(draft.words)
            rest = draft.words[initials.end() :] if initials else draft.words
            if " " not in rest and (draft.span.type is EntityType.PER or is_unknown(draft.words)):
                owner = _owner(rest, draft.normal, initials[0] if initials else "", surnames, forms)
                if owner:
                    draft = replace(
                        draft,
                        span=replace(draft.span, type=EntityType.PER),
                        known=owner.known,
                        normal=draft.normal if initials else owner.normal.split()[-1],
                        entity_normal=owner.normal,
                    )
        result.append(draft)
    return result


def _surname(normal: str) -> str:
    return lower(written_alike(normal)).split()[-1]


def _owner(
    words: str, normal: str, initials: str, surnames: dict[str, list[Draft]], forms: dict[str, list[Draft]]
) -> Draft | None:
    """Return the only full name whose surname the word can be, in whatever case; None where several or none can."""
    said = lower(written_alike(words))
    for owners in ((*surnames.get(_surname(normal), ()), *surnames.get(said, ())), forms.get(said, ())):
        fitting = [one for one in owners if not initials or one.normal[:1].lower() == initials[:1].lower()]
        if fitting:
            break
    unique = {owner.known.qid if owner.known else owner.normal: owner for owner in fitting}
    return next(iter(unique.values())) if len(unique) == 1 else None


def _key(base: str) -> str:
    written = written_alike(base)
    return written if is_acronym(base) else lower(written)


def _bases(row: Row, language: str) -> Iterable[tuple[str, bool]]:
    # Where a name has a cue, the countries' index has looked for it.
    yield from ((base, (language, base) not in CUES) for base in row.certain[language])
    yield from ((base, False) for base in row.doubtful[language])
    if language != "en" and row.known.type is not EntityType.LOC:
        # Latin names stand in Russian and Ukrainian texts too.
        yield from ((base, True) for base in row.certain["en"] if base not in row.certain[language])
        yield from ((base, False) for base in row.doubtful["en"] if base not in row.doubtful[language])


def _with(present: tuple[Candidate, ...], new: Candidate) -> tuple[Candidate, ...]:
    """Return the candidates with one more, each entity once.

    Raises:
        ValueError: two rows have the name as certain.
    """
    for other in present:
        if other.known.qid == new.known.qid:
            return present
        if other.certain and new.certain and other.known.type is new.known.type:
            raise ValueError(f"{new.base!r} names {other.known.qid} and {new.known.qid}")
    return (*present, new)


def _person_words(language: str, rows: Iterable[Row]) -> dict[str, frozenset[str]]:
    """Return the first and last words of the known persons' names with their case forms."""
    found: dict[str, set[str]] = {"f=first": set(), "f=last": set()}
    for row in rows:
        if row.known.type is not EntityType.PER:
            continue
        for base in row.certain[language]:
            words = lower(written_alike(base)).split(" ")
            if len(words) > 1:
                for feature, word in (("f=first", words[0]), ("f=last", words[-1])):
                    found[feature].update(form for case in word_forms(word) for form in case)
    return {feature: frozenset(words) for feature, words in found.items()}


def _stems(language: str, countries: Iterable[Row]) -> dict[str, re.Pattern[str]]:
    stems = {}
    for row in countries:
        code = row.known.country
        if code:
            names = {lower(written_alike(name)) for name in row.certain[language] if len(name) > 3}
            cut = {re.escape(name[:-1] if len(name) > 5 else name) for name in names}
            given = _STEMS.get(code)
            stems[code] = re.compile(rf"\b(?:{given or '|'.join(sorted(cut)) or '(?!)'})")
    return stems
