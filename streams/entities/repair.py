"""What the taggers of Russian and Ukrainian get wrong around known names, put right with the tables' help."""

import re

from schemas import EntityType
from streams.entities.countries import Gazetteer
from streams.entities.spans import Span

_ROLE = re.compile(
    r"(?:Віце-)?(?:Президент|Експрезидент|Прем['’ʼ]єр|Прем['’ʼ]єр-міністр|Канцлер|Міністр|Корол|Посол|Посл|Лідер|Глав|Голов"
    r"|Принц|Громадян|Уряд|Парламент)\w{0,4}\s+"
)
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
