"""Case forms of persons' names by their endings alone: for names that are known, so that forms too many do no harm.

The endings are those of the school grammars of Russian and Ukrainian. A name that could decline may also stay as it is:
«Ангелы Меркель», «Ким Чен Ына».
"""

from functools import lru_cache
from itertools import product

CASES = 5
"""Genitive, dative, accusative, instrumental, locative, in this order wherever endings are listed."""

# By ending, the longest first: what goes off, and the endings of the five cases ("|" between several).
_ENDINGS: tuple[tuple[str, int, tuple[str, ...]], ...] = (
    ("ский", 2, ("ого", "ому", "ого", "им", "ом")),
    ("цкий", 2, ("ого", "ому", "ого", "им", "ом")),
    ("ський", 2, ("ого", "ому", "ого", "им", "ому|ім")),
    ("цький", 2, ("ого", "ому", "ого", "им", "ому|ім")),
    ("зький", 2, ("ого", "ому", "ого", "им", "ому|ім")),
    ("ская", 2, ("ой", "ой", "ую", "ой|ою", "ой")),
    ("цкая", 2, ("ой", "ой", "ую", "ой|ою", "ой")),
    ("ська", 1, ("ої", "ій", "у", "ою", "ій")),
    ("цька", 1, ("ої", "ій", "у", "ою", "ій")),
    ("ова", 1, ("ой|ої", "ой|ій", "у", "ой|ою", "ой|ій")),
    ("ева", 1, ("ой|ої", "ой|ій", "у", "ой|ою", "ой|ій")),
    ("єва", 1, ("ої", "ій", "у", "ою", "ій")),
    ("ина", 1, ("ой|ы|и|ої", "ой|е|ій|і", "у", "ой|ою", "ой|е|ій|і")),
    ("іна", 1, ("ої|и", "ій|і", "у", "ою", "ій|і")),
    ("ый", 2, ("ого", "ому", "ого", "ым", "ом")),
    ("ой", 2, ("ого", "ому", "ого", "ым|им", "ом")),
    ("ий", 2, ("ия|ія|ого|его", "ию|ію|ому|ему", "ия|ія|ого|его", "ием|ієм|им", "ии|ії|ом|ем|ому")),
    ("ій", 1, ("я", "ю|єві", "я", "єм", "ї|ю|єві")),
    ("ая", 2, ("ой", "ой", "ую", "ой|ою", "ой")),
    ("ец", 2, ("ца", "цу", "ца", "цом|цем", "це")),
    ("ець", 3, ("ця", "цю|цеві", "ця", "цем", "цеві|ці|цю")),
    ("вел", 2, ("ла", "лу", "ла", "лом", "ле")),
    ("ко", 1, ("а", "у|ові", "а", "ом", "у|ові|і")),
    ("о", 1, ("а", "у|ові", "а", "ом", "у|ові|і")),
    ("га", 2, ("ги", "ге|зі", "гу", "гой|гою", "ге|зі")),
    ("ка", 2, ("ки", "ке|ці", "ку", "кой|кою", "ке|ці")),
    ("ха", 2, ("хи", "хе|сі", "ху", "хой|хою", "хе|сі")),
    ("ія", 1, ("ї", "ї", "ю", "єю", "ї")),
    ("ия", 1, ("и", "и", "ю", "ей|ею", "и")),
    ("а", 1, ("ы|и|і", "е|і", "у", "ой|ою|ей|ею", "е|і")),
    ("я", 1, ("и|і|ї", "е|і|ї", "ю", "ей|ею|єю", "е|і|ї")),
    ("й", 1, ("я", "ю|єві|еві", "я", "ем|єм", "е|ї|ю|єві")),
    ("ь", 1, ("я", "ю|еві", "я", "ем", "е|і|ю|еві")),
    ("ов", 0, ("а", "у|ові", "а", "ым|им", "е|у|ові|і")),
    ("ев", 0, ("а", "у|ові", "а", "ым|им", "е|у|ові|і")),
    ("єв", 0, ("а", "у|ові", "а", "им", "у|ові|і")),
    ("ин", 0, ("а", "у|ові", "а", "ым|им|ом", "е|у|ові|і")),
    ("ін", 0, ("а", "у|ові", "а", "им|ом", "у|ові|і")),
    ("ын", 0, ("а", "у", "а", "ым|ом", "е")),
)
_CONSONANTS = "бвгґджзклмнпрстфхцчшщ"
_HARD = ("а", "у|ові|еві", "а", "ом|ем", "е|у|ові|еві|і")


@lru_cache(20_000)
def word_forms(word: str) -> tuple[tuple[str, ...], ...]:
    """Return the forms of a lower-case word in each of the five cases, the word itself always among them."""
    stem, endings = word, _HARD if word[-1:] in _CONSONANTS and word else ("",) * CASES
    for ending, off, cases in _ENDINGS:
        if word.endswith(ending) and len(word) > len(ending):
            stem, endings = word[: len(word) - off], cases
            break
    return tuple((word, *(stem + end for end in case.split("|"))) for case in endings)


def person_forms(name: str) -> frozenset[str]:
    """Return a lower-case name with the forms that it can take in the five cases."""
    forms = {name}
    words = [word_forms(word) for word in name.split(" ")]
    if len(words) <= 4:
        for case in range(CASES):
            forms.update(" ".join(chosen) for chosen in product(*(word[case] for word in words)))
    return frozenset(forms)
