"""What the taggers of Russian and Ukrainian get wrong around known names, put right with the tables' help."""

import re

from schemas import EntityType
from streams.entities.countries import Gazetteer
from streams.entities.names import Names
from streams.entities.spans import Span

_DASH = re.compile(r"\s*[-‐‑–—−]\s*")
_ROLE = re.compile(
    r"(?:Віце-)?(?:Президент|Експрезидент|Прем['’ʼ]єр|Прем['’ʼ]єр-міністр|Канцлер|Міністр|Корол|Посол|Посл|Лідер|Глав|Голов"
    r"|Принц|Громадян|Уряд|Парламент)\w{0,4}\s+"
)
_SENTENCE_START = re.compile(r"(?:^|[.!?…:]\s|\n)[\s«\"„“(—–-]*$")
# First names too: «Чада Сміта», «Чаду Сміту».
_FIRST_NAMES = frozenset(("Чад",))


def without_countries(text: str, tagged: list[Span], known: list[Span], gazetteer: Gazetteer) -> list[Span]:
    """Return the spans with persons free of a country's oblique form: «Німеччини Фрідріх Мерц», «Президент Польщі».

    Where the country is in the nominative the name is a person's: «Чад Сміт» stays.
    """
    spans = []
    for span in tagged:
        inner = [
            name
            for name in known
            if span.type is EntityType.PER
            and span.start <= name.start < name.stop <= span.stop
            and _is_oblique(text[name.start : name.stop], gazetteer)
        ]
        if inner and inner[0].stop < span.stop and text[inner[0].stop].isspace():
            spans.append(Span(inner[0].stop + 1, span.stop, span.type))
        elif inner and inner[0].stop == span.stop and _ROLE.fullmatch(text, span.start, inner[0].start):
            continue
        else:
            spans.append(span)
    return spans


def _is_oblique(words: str, gazetteer: Gazetteer) -> bool:
    form = gazetteer.link(words, EntityType.PER)
    return bool(
        form
        and form.known.type is EntityType.LOC
        and words.isalpha()
        and form.base not in _FIRST_NAMES
        and words.lower() != form.base.lower()
    )


def without_dashes(text: str, tagged: list[Span], known: list[Span], gazetteer: Gazetteer) -> list[Span]:
    """Return the spans cut where a dash joins two known names: «Переговоры Россия-США», «Отношения США—Китай».

    What the tagger found before or behind the two in the same span goes: it is no name («Саммит», «Матч»).
    """
    starts = {name.start: name for name in known}
    stops = {name.stop: name for name in known}
    spans = []
    for span in tagged:
        if gazetteer.link(text[span.start : span.stop], span.type):
            spans.append(span)
            continue
        pairs = [
            (stops[dash.start()], starts[dash.end()])
            for dash in _DASH.finditer(text, span.start, span.stop)
            if dash.start() in stops and dash.end() in starts
        ]
        if not pairs or pairs[-1][1].stop < span.stop:
            # «Комиссия Украина-НАТО» names the two as well, "US-China Business Council" a body.
            spans.append(span)
            continue
        spans += sorted({name for pair in pairs for name in pair})
    return spans


def without_common_words(text: str, tagged: list[Span], names: Names) -> list[Span]:
    """Return the spans without the words that look like a person only for their capital: «Пожежа», «Синоптики»."""
    return [
        span
        for span in tagged
        if span.type is not EntityType.PER
        or any(mark.isspace() for mark in text[span.start : span.stop])
        or not _SENTENCE_START.search(text[max(0, span.start - 8) : span.start] if span.start else "")
        or names.is_personal(text[span.start : span.stop])
        or _is_capitalised_elsewhere(text[span.start : span.stop], text)
    ]


def _is_capitalised_elsewhere(word: str, text: str) -> bool:
    stem = re.escape(word[: max(4, len(word) - 2)])
    return bool(re.search(rf"(?<=[а-яіїєґ,][ \u00a0]){stem}", text))
