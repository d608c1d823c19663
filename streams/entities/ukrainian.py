"""Ukrainian names in the nominative, by rules and a word list of our own.

The only dictionary on the package index (pymorphy3-dicts-uk) is GPLv3, so by default there is none: what the rules
cannot tell for certain keeps its form. The endings are those of the school grammar (declensions I to IV, adjectives).
Who may use that dictionary turns it on by a setting: it is asked where the rules leave a place's or a body's name as it
is. Of persons the rules know more.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import ClassVar

from schemas import EntityType, ModelReference
from streams.entities import weights
from streams.entities.common_words import CommonWords
from streams.entities.names import Names, cased_like, spelled, words_of
from streams.entities.recognition import UkrainianRecognizer
from streams.entities.russian import RussianNames
from streams.errors import SettingsError

WORDS = Path(__file__).with_name("ukrainian_words.txt")
CASES = 6
"""Nominative, genitive, dative, accusative, instrumental, locative, in this order wherever forms are listed."""

_CYRILLIC = re.compile(r"[а-яґєії]+(?:['’ʼ-][а-яґєії]+)*", re.IGNORECASE)
_VOWELS = "аеєиіїоуюя"
_REGION = re.compile(r"(?!батьківщ|спадщ|панщ|річниц|половин)[а-яіїєґ'-]{2,}(?:щин|ччин)(?:а|и|і|у|ою)")
_SURNAME = re.compile(
    r"(?:енк|[уюя]к|ськ|цьк|зьк|ич|[оеє]в|[иії]н|швіл|дз)(?:о|а|у|ом|ові|і|ий|ого|ому|им|ої|ою|я|ю|ем|еві)?$|.{3}(?:ко|ян)$"
)
# Pronouns and the like that a rare surname in the lists equals.
_NEVER_PERSONAL = frozenset(
    (
        "він",
        "вона",
        "воно",
        "вони",
        "це",
        "цей",
        "ця",
        "ці",
        "той",
        "та",
        "те",
        "ті",
        "його",
        "її",
        "їх",
        "їм",
        "наш",
        "президент",
        "пожежа",
        "церква",
        "жінки",
        "синоптики",
        "грудень",
        "січень",
    )
)
# Case endings in the Russian letters of the tagger's map.
_ENDINGS = ("а", "у", "ом", "ови", "ы", "и", "ою", "ею", "ю", "я", "ем", "еви")
# A surname that only a man's can end like, in an oblique case: «Малевича», «Мартинюком».
_DECLINED_MAN = re.compile(r"(?:ого|ому|им|енк[аоу][мв]?і?|(?:ич|[уюая]к|ик)(?:а|у|ом|ем|ові|еві))$")
_SOFTENED = {"к": "ц", "г": "з", "х": "с"}
_SIBILANTS = "жчшщ"
# A word with one of these endings before another word of the name qualifies it: «Північна Корея», «Сполучені Штати».
_ADJECTIVE = re.compile(
    r"(?:(?:ськ|цьк|зьк|н|ов|ев|єв|велик|мал|стар|біл|чорн|верхн|нижн|вищ|перш)(?:ий|ій|а|е|і)|[дтжшр]н[яє])$"
)
_ADJECTIVE_FORMS = re.compile(
    r"(?P<stem>.*(?:ськ|цьк|зьк|н|ов|ев|єв|велик|мал|стар|біл|чорн))(?P<ending>ого|ому|им|ім|ої|ій|у|ою|их|ими|ий|а|е|і)"
)
_ADJECTIVAL_SURNAME = re.compile(r"(.+(?:ськ|цьк|зьк))(ого|ому|им|ім|ої|ій|у|ою)")


def _noun(word: str) -> list[tuple[str, ...]]:
    """Return the six cases of a lower-case noun in the nominative, each with all its possible forms."""
    stem, one, two = word[:-1], word[-1:], word[-2:]

    def cases(gen: str, dat: str, acc: str, ins: str, loc: str, base: str = stem) -> list[tuple[str, ...]]:
        marks = {"=": word, "-": base}
        return [
            (word,),
            *(tuple(marks.get(end, base + end) for end in ends.split()) for ends in (gen, dat, acc, ins, loc)),
        ]

    indeclinable: list[tuple[str, ...]] = [(word,)] * CASES
    if word.endswith(("область",)):
        return [(word,), ("області",), ("області",), (word,), ("областю",), ("області",)]
    if word == "море":
        return cases("я", "ю", "=", "ем", "і ю")
    if word in ("схід", "захід"):
        return cases("у", "у ові", "=", "ом", "і", word[:-2] + "од")
    if word == "авів":
        # «Тель-Авів» keeps its і.
        return cases("а", "у ові", "=", "ом", "і", word)
    if two == "'я" or word.endswith(("жжя", "сся", "лля", "ння", "ття")):
        return cases("я", "ю", "я", "ям", "і ю")
    if one == "я":
        soft = stem[-1:] in _VOWELS
        return cases("ї", "ї", "ю", "єю", "ї") if soft else cases("і", "і", "ю", "ею", "і")
    if one == "а":
        last = stem[-1:]
        locative = stem[:-1] + _SOFTENED.get(last, last) + "і"
        forms = cases("і", "=", "у", "ею", "=") if last in _SIBILANTS + "ц" else cases("и", "=", "у", "ою", "=")
        return [*forms[:2], (locative,), *forms[3:5], (locative,)]
    if one == "о" and stem[-1:] not in _VOWELS and len(word) > 4:
        return cases("а", "у ові", "= а", "ом", "і у ові")
    if one == "й" and stem[-1:] in _VOWELS:
        return cases("ю я", "ю єві", "= я", "єм", "ї ю єві")
    if word == "білорусь":
        return [(word,), ("білорусі",), ("білорусі",), (word,), ("білоруссю",), ("білорусі",)]
    if word == "єгипет":
        return cases("у", "у ові", "=", "ом", "і", "єгипт")
    if word.endswith("день") and len(word) > 4:
        # «Відень»: Відня.
        return cases("ня", "ню неві", "=", "нем", "ні ню", word[:-3])
    if word.endswith("ець"):
        return cases("ця", "цю цеві", "= ця", "цем", "ці цю", word[:-3])
    if one == "ь":
        stem = stem[:-2] + "ол" if stem.endswith("піл") else stem
        return cases("я ю", "ю еві", "= я", "ем", "і ю еві", stem)
    if two in ("ів", "їв"):
        return cases("а у", "у ові", "= а", "ом", "і у ові", word[:-2] + ("єв" if two == "їв" else "ов"))
    if one == "и":
        return cases("ів -", "ам", "= ів", "ами", "ах")
    if one == "і" and word.endswith(("нці", "вці")):
        return cases("ів", "ям", "=", "ями", "ях")
    if one.isalpha() and one not in _VOWELS:
        instrumental = "ем" if one in _SIBILANTS else "ом"
        forms = cases("а у", "у ові", "= а", instrumental, "і у ові", word)
        # «у Страсбурзі».
        return [*forms[:5], (word[:-1] + "зі", *forms[5])] if one == "г" else forms
    return indeclinable


def _adjective(word: str) -> list[tuple[str, ...]]:
    """Return the six cases of a lower-case adjective in the nominative."""
    if word.endswith(("ий", "ій")):
        stem, ends = word[:-2], "ого ому ого им ому|ім" if word.endswith("ий") else "ього ьому ього ім ьому|ім"
    elif word.endswith("а"):
        stem, ends = word[:-1], "ої ій у ою ій"
    elif word.endswith("я"):
        stem, ends = word[:-1], "ьої ій ю ьою ій"
    elif word.endswith("е"):
        stem, ends = word[:-1], "ого ому е им ому|ім"
    elif word.endswith("є"):
        stem, ends = word[:-1], "ього ьому є ім ьому|ім"
    else:
        stem, ends = word[:-1], "их им і ими их"
    return [(word,), *(tuple(stem + end for end in options.split("|")) for options in ends.split())]


class UkrainianNames(Names):
    """Rules for what is certain; every other name keeps its form."""

    def __init__(self, dictionary: RussianNames | None = None) -> None:
        """Make the rules; `dictionary` is the Russian one, for what it says of a word's spelling in Russian."""
        self._models: tuple[ModelReference, ...] = ()
        self._words: dict[str, dict[str, set[str]]] = {}
        self._dictionary = dictionary or RussianNames()
        self._personal: frozenset[str] = frozenset()
        self._common = CommonWords("uk")

    def load(self) -> None:
        """Read the word list."""
        if self._models:
            return
        for line in WORDS.read_text(encoding="utf-8").splitlines():
            if line.startswith("#"):
                continue
            kind, words = line.split("\t")
            forms: dict[str, set[str]] = defaultdict(set)
            for word in words.lower().split():
                for options in self._place(word):
                    for form in options:
                        forms[form].add(word)
            self._words[kind] = dict(forms)
        lists = [weights.package_folder("natasha") / "data" / "dict" / name for name in ("first.txt", "last.txt")]
        self._personal = frozenset(word for path in lists for word in path.read_text(encoding="utf-8").split())
        self._dictionary.load()
        self._common.load()
        self._models = (
            *self._common.models(),
            weights.file_reference("newsflow-ukrainian-words", WORDS),
            *(weights.file_reference(f"natasha-names-{path.stem}", path) for path in lists),
        )

    def models(self) -> tuple[ModelReference, ...]:
        """Return the word lists."""
        return self._models

    @staticmethod
    def _place(word: str) -> list[tuple[str, ...]]:
        """Return the six cases of one lower-case word; of parts joined by a hyphen the last declines."""
        before, hyphen, last = word.rpartition("-")
        adjectival = word.endswith(("ський", "цький"))
        forms = _adjective(last) if adjectival else _noun(last)
        return [tuple(before + hyphen + form for form in options) for options in forms]

    def case_forms(self, name: str) -> frozenset[str]:
        """Return the six cases of a place's or body's name: adjectives with their noun, both sides of «і»."""
        words = words_of(name)
        declined: list[tuple[int, str, list[tuple[str, ...]]]] = []
        for index, (start, word) in enumerate(words):
            if not _CYRILLIC.fullmatch(word) or (word.isupper() and len(word) > 1):
                break
            if index + 1 < len(words) and _ADJECTIVE.search(word.lower()):
                declined.append((start, word, _adjective(word.lower())))
                continue
            declined.append((start, word, self._place(word.lower())))
            if index + 2 < len(words) and words[index + 1][1] in ("і", "та", "й"):
                start, word = words[index + 2]
                declined.append((start, word, self._place(word.lower())))
            break
        forms = {name}
        for case in range(CASES):
            for choice in product(*(options[case] for _, _, options in declined)):
                form = name
                for (start, word, _), new in sorted(zip(declined, choice, strict=True), reverse=True):
                    form = form[:start] + cased_like(new, word) + form[start + len(word) :]
                forms.add(form)
        return frozenset(forms)

    def word_features(self, word: str) -> Sequence[str]:
        """Return what the word lists say of a word, and what the Russian dictionary does of its spelling in Russian."""
        low = spelled(word)
        found = [f"l={kind}" for kind in ("masculine", "feminine", "place", "noun") if low in self._words[kind]]
        if self.is_place(word):
            found.append("l=only-place")
        if self.is_personal(word):
            found.append("l=personal")
        return (*found, *self._common.features(low), *self._dictionary.word_features(UkrainianRecognizer.mapped(low)))

    def is_place(self, word: str) -> bool:
        """Return whether the word list has it as a form of places alone, or it ends like «Київщина», «Одещина»."""
        low = spelled(word.lower())
        if _REGION.fullmatch(low):
            return True
        return low in self._words["place"] and not any(low in self._words[kind] for kind in ("masculine", "feminine"))

    def is_personal(self, word: str) -> bool:
        """Return whether a word is a known first name or surname in any case, or has a surname's ending."""
        low = spelled(word.lower())
        if low in _NEVER_PERSONAL:
            return False
        if _SURNAME.search(low) or any(low in self._words[kind] for kind in ("masculine", "feminine")):
            return True
        mapped = UkrainianRecognizer.mapped(low)
        stems = {
            mapped,
            *(mapped[: -len(end)] for end in _ENDINGS if mapped.endswith(end) and len(mapped) > len(end) + 2),
        }
        return any(stem + end in self._personal for stem in stems for end in ("", "а", "о", "й", "я", "ь"))

    def nominative(self, name: str, kind: EntityType) -> str:
        """Return the nominative where the rules are certain: «Володимира Зеленського» gives «Володимир Зеленський»."""
        words = words_of(name)
        if not words or not all(_CYRILLIC.fullmatch(word) for _, word in words[:2]):
            return name
        forms = self._person(words) if kind is EntityType.PER else self._body(words)
        for start, word, form in sorted(forms, reverse=True):
            name = name[:start] + cased_like(form, word) + name[start + len(word) :]
        return name

    def _person(self, words: list[tuple[int, str]]) -> list[tuple[int, str, str]]:
        forms: list[tuple[int, str, str]] = []
        gender: str | None = None
        oblique: bool | None = None
        rest = words
        for start, word in words:
            if not _CYRILLIC.fullmatch(word) or len(word) < 2:
                continue
            low = spelled(word.lower())
            if gender is None and len(words) > 1:
                men = self._words["masculine"].get(low, set())
                women = self._words["feminine"].get(low, set())
                surname = words[-1][1].lower()
                if men and women:
                    # «Олександра»: her nominative, his genitive; the surname decides.
                    feminine = low in women and re.search(r"(?:ська|цька|енко|ова|ева|єва|іна|ої|ій)$", surname)
                    masculine = _DECLINED_MAN.search(surname) and not surname.endswith("енко")
                    men, women = (set() if feminine or not masculine else men), (set() if masculine else women)
                found = men or women
                if len(found) == 1:
                    gender = "masculine" if men else "feminine"
                    nominative = next(iter(found))
                    # «Джо», «Гілларі» do not decline: they say nothing of the surname's case.
                    fixed = {form for options in self._place(nominative) for form in options} == {nominative}
                    oblique = None if fixed else low != nominative
                    forms.append((start, word, nominative))
                    rest = [item for item in words if item[0] != start]
                    break
        if oblique is False:
            return []
        for start, word in rest:
            form = self._surname(word.lower(), gender)
            if form is not None:
                forms.append((start, word, form))
        return forms

    @staticmethod
    def _surname(word: str, gender: str | None) -> str | None:
        if match := _ADJECTIVAL_SURNAME.fullmatch(word):
            feminine = match[2] in ("ої", "ій", "у", "ою")
            return match[1] + ("а" if feminine else "ий")
        if match := re.fullmatch(r"(.+енк)(?:а|у|ом|ові)", word):
            return match[1] + "о" if gender != "feminine" else None
        if match := re.fullmatch(r"(.+(?:ович|евич|євич|їч|ьч|[^аеєиіїоуюя]ич))(?:а|у|ем|еві)", word):
            return match[1] if gender != "feminine" else None
        if match := re.fullmatch(r"(.+(?:івн|ївн))(?:и|і|у|ою)", word):
            return match[1] + "а"
        if match := re.fullmatch(r"(.+(?:ов|ев|єв|ін|їн))(?:а|у|им|і|ові)", word):
            if gender == "masculine":
                return match[1]
            # Without a first name «-ова» is her nominative as well as his genitive; «-овим» is his alone.
            return match[1] if gender is None and word.endswith(("овим", "євим", "евим", "ові")) else None
        if match := re.fullmatch(r"(.+(?:ов|ев|єв|ін|їн))(?:ої|ій|у|ою)", word):
            return match[1] + "а"
        if match := re.fullmatch(r"(.+(?:[ую]к|ак|як|ик))(?:ом|ові)", word):
            return match[1]
        if gender is None and (match := re.fullmatch(r"(.{2,}[бвгґдзлмнпрстфхц])(?:ом|ові)", word)):
            return match[1]
        if gender == "masculine":
            if match := re.fullmatch(r"(.{2,}[бвгґдзклмнпрстфхжчшщц])(?:а|у|ом|ем|ові|еві)", word):
                return match[1]
            if match := re.fullmatch(r"(.+[еаоуи])(?:я|ю|єм|єві)", word):
                return match[1] + "й"
        return None

    def _body(self, words: list[tuple[int, str]]) -> list[tuple[int, str, str]]:
        """Return new forms for the leading adjectives and the noun of a place's or body's name."""
        start, word = words[0]
        if word.isupper() and len(word) > 1:
            return []
        low = spelled(word.lower())
        adjective = _ADJECTIVE_FORMS.fullmatch(low) if len(words) > 1 else None
        if adjective and low not in self._words["noun"]:
            return self._with_adjective(words, adjective)
        for kind in ("place", "noun"):
            if low in self._words[kind]:
                found = self._words[kind][low]
                return [] if low in found or len(found) > 1 else [(start, word, next(iter(found)))]
        if len(low) > 4 and (match := re.fullmatch(r"(.+[^аеєиіїоуюя'])(?:ії|ію|ією)", low)):
            return [(start, word, match[1] + "ія")]
        if match := re.fullmatch(r"(.+ськ)(?:у|ом|ові)", low):
            return [(start, word, match[1])] if len(words) == 1 else []
        if match := re.fullmatch(r"(.+(?:івк|ївк|инк|щин|ччин))(?:и|у|ою|і)", low):
            return [(start, word, match[1] + "а")]
        if match := re.fullmatch(r"(.+(?:ів|їв|ин))ці", low):
            return [(start, word, match[1] + "ка")]
        if match := re.fullmatch(r"(.+град|.+бург|.+город|.+форд|.+таун|.+сток)(?:а|у|ом|і)", low):
            return [(start, word, match[1])]
        return []

    def _with_adjective(self, words: list[tuple[int, str]], first: re.Match[str]) -> list[tuple[int, str, str]]:
        ending = first["ending"]
        genders = {**dict.fromkeys(("ого", "ому", "им", "ім"), "m"), **dict.fromkeys(("ої", "ій", "у", "ою"), "f")}
        if ending not in genders:
            return []
        forms = []
        for start, word in words:
            low = spelled(word.lower())
            match = _ADJECTIVE_FORMS.fullmatch(low)
            known = self._words["noun"].get(low) or self._words["place"].get(low)
            if match and not known and match["ending"] in genders and (start, word) != words[-1]:
                forms.append((start, word, match["stem"]))
                continue
            noun = (
                next(iter(known))
                if known and len(known) == 1
                else self._feminine(low)
                if genders[ending] == "f"
                else None
            )
            if noun is None or (genders[ending] == "f") != noun.endswith(("а", "я", "область")):
                return []
            gender = "а" if genders[ending] == "f" else "е" if noun.endswith(("о", "е", "я")) else "ий"
            return [*((at, old, stem + gender) for at, old, stem in forms), (start, word, noun)]
        return []

    @staticmethod
    def _feminine(word: str) -> str | None:
        if match := re.fullmatch(r"(.+і)(?:ї|ю|єю)", word):
            return match[1] + "я"
        if match := re.fullmatch(r"(.+[бвгґдзклмнпрстфх])(?:и|у|ою)", word):
            return match[1] + "а"
        return None


class UkrainianDictionary(RussianNames):
    """The GPLv3 dictionary of the extra `ukrainian-dictionary`, read as the Russian one is."""

    LANGUAGE: ClassVar[str] = "uk"
    LETTERS: ClassVar[re.Pattern[str]] = _CYRILLIC

    def __init__(self) -> None:
        """Make the names.

        Raises:
            SettingsError: the dictionary is not installed.
        """
        if find_spec("pymorphy3_dicts_uk") is None:
            raise SettingsError(
                "NEWSFLOW_UKRAINIAN_DICTIONARY is on, but the dictionary is not installed: "
                "pip install 'newsflow[ukrainian-dictionary]' (GPLv3), or turn the setting off."
            )
        super().__init__()


class UkrainianDictionaryNames(UkrainianNames):
    """The rules first; where they leave a place or a body as it is, the dictionary."""

    def __init__(self, russian: RussianNames | None = None) -> None:
        """Make the names.

        Raises:
            SettingsError: the dictionary is not installed.
        """
        super().__init__(russian)
        self._ukrainian = UkrainianDictionary()

    def load(self) -> None:
        """Read the word list and the dictionary."""
        super().load()
        self._ukrainian.load()

    def models(self) -> tuple[ModelReference, ...]:
        """Return the word lists and the dictionary."""
        return (*super().models(), *self._ukrainian.models())

    def nominative(self, name: str, kind: EntityType) -> str:
        """Return the nominative: «Нідерландах», which no rule of ours knows, gives «Нідерланди»."""
        by_rule = super().nominative(name, kind)
        if kind is EntityType.PER or by_rule != name:
            return by_rule
        return self._ukrainian.nominative(name, kind)
