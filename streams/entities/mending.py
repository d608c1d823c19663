"""Rules after the sequence model, the same for all languages: what belongs to a name by our guideline and what not.

Bounds: no title before a person, the initials with the surname, «X (Y)» as two names. Consistency: a surname is a
person wherever the article has its full name, and the same words have one type. What consists of common words alone is
no name.
"""

import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from schemas import EntityType
from streams.entities.person_forms import person_forms
from streams.entities.spans import Span, trimmed, without_overlap

NOT_NAMES = Path(__file__).with_name("not_names.txt")

_BRACKET = re.compile(r"\s*[(\[]\s*")
_TITLES = {
    "en": "mr|mrs|ms|miss|dr|prof|professor|sir|lord|lady|dame|president|premier|"
    "prime minister|minister|king|queen|prince|princess|duke|duchess|pope|archbishop|"
    "bishop|cardinal|father|rev|reverend|imam|sheikh|chief|justice|judge|senator|sen|"
    "rep|congressman|congresswoman|governor|gov|mayor|general|gen|colonel|col|captain|"
    "capt|major|maj|sergeant|sgt|lieutenant|lt|admiral|inspector|detective|officer|coach"
    "|manager|uncle|aunt|aunty|auntie|grandmother|grandfather|ambassador|secretary|chairman"
    "|chairwoman|director|alhaji|chancellor|comrade|barrister|engr|hon|madam|mx|emperor",
    "ru": "господин|госпожа|мистер|миссис|мисс|мадам|месье|президент|премьер|премьер-министр|"
    "министр|канцлер|император|императрица|царь|король|королева|принц|принцесса|герцог|"
    "герцогиня|граф|папа|патриарх|митрополит|архиепископ|епископ|кардинал|генерал|полковник"
    "|майор|капитан|адмирал|маршал|профессор|доктор|академик|сенатор|депутат|губернатор|"
    "мэр|судья|адвокат|режиссер|режиссёр|актер|актёр|актриса|певец|певица|поп-звезда|"
    "тренер|экс-президент|товарищ|сэр|леди|лорд|шейх|имам|муфтий",
    "uk": "пан|пані|містер|місіс|міс|мадам|президент|прем'єр|прем'єр-міністр|прем'єр-міністерка|прем'єрка|міністр|"
    "міністерка|канцлер|імператор|імператриця|цар|король|королева|принц|принцеса|герцог|"
    "герцогиня|граф|папа|патріарх|митрополит|архієпископ|єпископ|кардинал|генерал|полковник"
    "|майор|капітан|адмірал|маршал|професор|доктор|академік|сенатор|депутат|губернатор|"
    "мер|суддя|адвокат|режисер|режисерка|актор|акторка|співак|співачка|тренер|експрезидент"
    "|товариш|сер|леді|лорд|шейх|імам|юрист|сам|отець|владика",
}
_TITLE = {
    # Not the whole pattern: with that flag no letter is outside of [a-z].
    language: re.compile(rf"(?:(?i:{titles})\.?\s+)+(?=[^\W\d_a-zа-яёіїєґ])")
    for language, titles in _TITLES.items()
}
# «А. », «Дж.», «О . »: a capital with at most one small letter, at the start of a word.
_INITIALS_BEFORE = re.compile(r"(?<![\w.])(?:[^\W\d_a-zа-яёіїєґ][a-zа-яёіїєґ]?\s?\.\s?-?\s?){1,3}$")
_WORD = re.compile(r"(?<!\w)[^\W\d_][\w'’ʼ-]*")
_NO_INITIALS = ("U.S.", "U.K.", "U.N.", "D.C.")
_POSSESSIVE = re.compile("['’]s?$")
_ROMAN = re.compile(r"[IVXLCІХ]+(?:[-–—][IVXLCІХ]+)?")
# «Южнокорейская разведка» at the head of a sentence.
_ADJECTIVE = re.compile(
    r"[^\W\d_a-zа-яёіїєґ][\w-]*(?:ск|цк|ськ|цьк|зьк)(?:ий|ая|ое|ие|ого|ой|ому|им|ом|ую|их|ими|а|е|і|ої|ій|у|ою)"
)
_SMALL_WORD = re.compile(r" [а-яёіїєґ]{2}")
# «батальйону «Айдар»», «британської радіостанції LBC»: what a body is, before what it is called. «міністерство культури
# України» is its name.
_KIND_BEFORE = {
    "en": re.compile(r"(?:(?!al\b)[a-z][a-z'’-]*\s+)+(?=[A-Z0-9])"),
    "ru": re.compile(r"(?:[а-яё][а-яё'’-]*\s+)+(?=[«“„\"A-Z])"),
    "uk": re.compile(r"(?:[а-яіїєґ][а-яіїєґ'’ʼ-]*\s+)+(?=[«“„\"A-Z])"),
}
_CLOSING_QUOTE = re.compile(r"[^«»\n]{0,40}»")
_AND = re.compile(r",? (?:and|и|та|і|й) |, | ?[-–—] ?")
MINIMUM = 4
"""Letters that a surname must have to be looked for in the article."""
SURE = 0.8
"""Confidence from which a name needs no capital."""
REPEATED = 0.6
"""Confidence of a surname that is found because its full name is in the article."""


def _read(path: Path) -> dict[str, frozenset[str]]:
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return {line.partition("\t")[0]: frozenset(line.partition("\t")[2].split()) for line in lines}


_COMMON = _read(NOT_NAMES)


def mended(text: str, found: Mapping[Span, float], language: str) -> dict[Span, float]:
    """Return the spans with their confidence, mended; by start, without overlap."""
    pieces: dict[Span, float] = {}
    for span, confidence in found.items():
        for piece in _pieces(text, span, language):
            # «90-х», «обласної ради» against «5 канал», «59-ї бригади»: a name has a capital, bar those that are sure.
            if confidence >= SURE or any(mark.isupper() for mark in text[piece.start : piece.stop]):
                pieces[piece] = confidence
    voted = _voted(text, pieces)
    repeated = _surnames(text, voted)
    together = voted | {span: max(low, voted.get(span, low)) for span, low in repeated.items()}
    return {span: together[span] for span in without_overlap(together)}


def parted(text: str, found: Mapping[Span, float], known: Iterable[Span], language: str) -> dict[Span, float]:
    """Return the spans, each that swallows a name of the tables together with words that are no part of it cut.

    Two names joined by «and» or a dash, a title before or after a country, and in Russian and Ukrainian a place
    followed by a word without a capital. `known` by start, without overlap.
    """
    known = list(known)
    starts = [span.start for span in known]
    result: dict[Span, float] = {}
    for span, confidence in found.items():
        first, last = bisect_left(starts, span.start), bisect_left(starts, span.stop)
        inside = [one for one in known[first:last] if one.stop <= span.stop and one != span]
        for piece in _parts(text, span, inside, language) or (span,):
            result[piece] = confidence
    return result


def _parts(text: str, span: Span, inside: list[Span], language: str) -> Sequence[Span]:
    """Return what a span is to be replaced by, nothing where it may stay."""
    if not inside or (inside[0].start, inside[0].stop) == (span.start, span.stop):
        return ()
    one, other = inside[0], inside[-1]
    joined = len(inside) > 1 and one.start == span.start and other.stop == span.stop
    if joined and all(_AND.fullmatch(text[left.stop : right.start]) for left, right in pairwise(inside)):
        return inside
    before, after = text[span.start : one.start], text[other.stop : span.stop]
    if len(inside) == 1 and one.type is EntityType.LOC:
        if not after and _are_titles(before, language):
            return inside
        if not before and language == "en" and _are_titles(after, language):
            return inside
    if one.start == span.start and one.type is EntityType.LOC and language != "en":
        following = text[one.stop : span.stop].split()
        if following and following[0].islower() and not _AND.fullmatch(f" {following[0]} "):
            return inside
    if (
        language == "en"
        and span.type is EntityType.PER
        and len(inside) == 1
        and one.type is EntityType.ORG
        and not after
    ):
        # "Korean Samsung".
        return inside
    return ()


def _are_titles(words: str, language: str) -> bool:
    """Whether words are nothing but titles."""
    titles = _TITLE[language].match(words.strip() + " X")
    return titles is not None and titles.end() == len(words.strip()) + 1


def _pieces(text: str, span: Span, language: str) -> list[Span]:
    """Return the span in the bounds of the guideline: none, one, or the two of «X (Y)»."""
    start, stop = span.start, span.stop
    result = []
    if bracket := _BRACKET.search(text, start + 1, stop):
        inner = text.rfind(")", bracket.end(), stop + 1)
        if inner < 0 or inner >= stop - 1:
            result += _pieces(text, Span(bracket.end(), stop, span.type), language)
            stop = bracket.start()
    if span.type is EntityType.PER:
        if title := _TITLE[language].match(text, start, stop):
            start = title.end()
        before = text[max(0, start - 12) : start]
        initials = _INITIALS_BEFORE.search(before)
        # "Mr. " looks like one too.
        if initials and initials[0].strip() not in _NO_INITIALS and not _are_titles(initials[0], language):
            start -= len(before) - initials.start()
    if span.type is EntityType.ORG and (kind := _KIND_BEFORE[language].match(text, start, stop)):
        start = kind.end()
    start, stop = trimmed(text, start, stop)
    stop = _closed(text, start, stop)
    if span.type is not EntityType.PER and _ADJECTIVE.fullmatch(text, start, stop) and _SMALL_WORD.match(text, stop):
        return result
    words = text[start:stop].lower().replace("’", "'").split()
    if words and not all(word in _COMMON[language] for word in words) and not _ROMAN.fullmatch(text, start, stop):
        result.insert(0, Span(start, stop, span.type))
    return result


def _closed(text: str, start: int, stop: int) -> int:
    """Return the end of a span, the closing quote mark included where the span has the opening one: «ТОВ « Благо »»."""
    if text.count("«", start, stop) > text.count("»", start, stop) and (mark := _CLOSING_QUOTE.match(text, stop)):
        return mark.end()
    return stop


def _voted(text: str, spans: Mapping[Span, float]) -> dict[Span, float]:
    """Return the spans, all of the same words with the type that the article gives them most."""
    votes: dict[str, Counter[EntityType]] = defaultdict(Counter)
    for span, confidence in spans.items():
        votes[text[span.start : span.stop]][span.type] += round(confidence * 1_000)
    result = {}
    for span, confidence in spans.items():
        kind = max(votes[text[span.start : span.stop]].items(), key=lambda item: (item[1], item[0]))[0]
        result[Span(span.start, span.stop, kind)] = confidence
    return result


def _surnames(text: str, spans: Mapping[Span, float]) -> dict[Span, float]:
    """Return the places where a surname stands alone that the article has in a full name, and no span is."""
    forms: set[str] = set()
    for span, confidence in spans.items():
        words = text[span.start : span.stop].split()
        if span.type is EntityType.PER and len(words) > 1 and confidence > REPEATED and words[-1][0].isupper():
            last = words[-1].lower()
            if len(last) >= MINIMUM and last.isalpha():
                forms |= {last} if last.isascii() else person_forms(last)
    taken = sorted(spans)
    found, current = {}, 0
    for match in _WORD.finditer(text):
        name = _POSSESSIVE.sub("", match[0])
        if not name[:1].isupper() or name.lower() not in forms:
            continue
        start, stop = match.start(), match.start() + len(name)
        while current < len(taken) and taken[current].stop <= start:
            current += 1
        within = current < len(taken) and taken[current].start < stop
        if within and (taken[current].start, taken[current].stop) != (start, stop):
            continue
        found[Span(start, stop, EntityType.PER)] = REPEATED
    return found
