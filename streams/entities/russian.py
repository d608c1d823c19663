"""Russian names in the nominative, by the pymorphy3 dictionary (MIT)."""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from math import log
from typing import Any, ClassVar

from schemas import EntityType, ModelReference
from streams.entities import weights
from streams.entities.names import MEMORY, Names, cased_like, words_of

CASES = ("nomn", "gent", "datv", "accs", "ablt", "loct")
# pymorphy's names for what are cases of their own to it: «в лесу», «чашку чаю».
ODD_CASES = {"gen1": "gent", "gen2": "gent", "acc2": "accs", "loc1": "loct", "loc2": "loct"}
_CYRILLIC = re.compile(r"[а-яё]+(?:-[а-яё]+)*", re.IGNORECASE)
# An acronym with a case ending, as headlines decline it: «МИДа», «МВФом».
_DECLINED_ACRONYM = re.compile(r"([А-ЯЁ]{2,})(?:а|у|ом|е|ы|ов|ам)")
# The endings of a man's name that the dictionary does not know, by its nominative's end: consonant, soft sign, й.
_MASCULINE = {
    "gent": ("а", "я", "я"),
    "datv": ("у", "ю", "ю"),
    "accs": ("а", "я", "я"),
    "ablt": ("ом", "ем", "ем"),
    "loct": ("е", "е", "е"),
}
_VOWELS = "аеёиоуыэюя"
# How much likelier a reading is that fits the entity's type: well above any ratio of two readings in the dictionary.
FITTING = 50.0
# Men's names that the dictionary holds for as common as the women's they share forms with: «Юлию», «Юлии».
RARE = frozenset(("юлий",))
_NAME_KINDS = frozenset(("Name", "Surn", "Patr", "Geox", "Orgn", "Abbr"))


class RussianNames(Names):
    """Inflects the words of a name that agree with its head, and leaves its dependents alone."""

    LANGUAGE: ClassVar[str] = "ru"
    """Language of the dictionary, as pymorphy3 names it."""
    LETTERS: ClassVar[re.Pattern[str]] = _CYRILLIC
    """What a word of the language is made of."""

    def __init__(self) -> None:
        self._morph: Any = None
        self._models: tuple[ModelReference, ...] = ()
        self._readings = lru_cache(MEMORY)(self._parse)
        self._remembered = lru_cache(MEMORY)(self._nominative)
        # «министерство», «партия»: thousands of known names have few heads.
        self._inflected = lru_cache(MEMORY)(self._inflect)

    def load(self) -> None:
        """Load the dictionary, a tenth of a second."""
        if self._morph is None:
            import pymorphy3  # type: ignore[import-untyped]  # pymorphy3 ships no types

            self._morph = pymorphy3.MorphAnalyzer(lang=self.LANGUAGE)
            package = f"pymorphy3-dicts-{self.LANGUAGE}"
            self._models = (weights.package_reference(package.replace("-", "_"), package),)

    def models(self) -> tuple[ModelReference, ...]:
        """Return the dictionary."""
        return self._models

    def nominative(self, name: str, kind: EntityType) -> str:
        """Return the nominative: «Соединенными Штатами Америки» gives «Соединенные Штаты Америки»."""
        return self._remembered(name, kind)

    def word_features(self, word: str) -> Sequence[str]:
        """Return part of speech and case of the likeliest reading, and which kinds of name any reading is."""
        # Tags alone cost half of what whole readings do.
        tags = [tag for tag in _answers(self._morph.tag, word) if not _is_fixed_adjective(tag)]
        if not tags:
            return ()
        kinds = sorted({kind for tag in tags[:4] for kind in _NAME_KINDS & tag.grammemes})
        known = "" if self._morph.word_is_known(word) else "?"
        return (f"m={tags[0].POS}{known}", f"c={tags[0].case}", f"n={'+'.join(kinds)}{known}")

    def case_forms(self, name: str) -> frozenset[str]:
        """Return the six cases of a place's or body's name."""
        # «Босния и Герцеговина» declines on both sides.
        heads = [(part, self._head(words_of(part), given="nomn")) for part in name.split(" и ")]
        in_cases = (" и ".join(self._in_case(part, head, case) for part, head in heads) for case in CASES[1:])
        return frozenset((name, *in_cases))

    def _in_case(self, name: str, head: list[tuple[int, str, Any]], case: str) -> str:
        return _put(name, [(start, word, self._inflected(reading, case)) for start, word, reading in head])

    def _nominative(self, name: str, kind: EntityType) -> str:
        words = words_of(name)
        if kind is EntityType.PER:
            return _put(name, self._person(words))
        head = self._head(words, given=None)
        forms = [(start, word, self._inflected(reading, "nomn")) for start, word, reading in head]
        if len(head) < len(words) and (acronym := _DECLINED_ACRONYM.fullmatch(words[len(head)][1])):
            name = name[: words[len(head)][0]] + acronym[1] + name[words[len(head)][0] + len(acronym[0]) :]
        return _put(name, forms)

    def _parse(self, word: str) -> tuple[Any, ...]:
        return tuple(reading for reading in _answers(self._morph.parse, word) if not _is_fixed_adjective(reading.tag))

    def _person(self, words: list[tuple[int, str]]) -> list[tuple[int, str, str | None]]:
        """Return the nominative of each word of a person's name: the case and gender that suit them all best."""
        options: list[tuple[int, str, dict[tuple[str, str], tuple[float, Any]]]] = []
        for start, word in words:
            if not self.LETTERS.fullmatch(word) or len(word) < 2 or word.islower():
                continue
            # «МЭЙ» is a name in a headline, «ДР» an abbreviation: capitals alone are no reason to leave a long word.
            readings: dict[tuple[str, str], tuple[float, Any]] = {}
            for reading in self._readings(word.lower()):
                tag = reading.tag
                if tag.number == "plur" or tag.case is None or tag.POS not in ("NOUN", "ADJF"):
                    continue
                weight = reading.score * (FITTING if {"Name", "Surn", "Patr"} & tag.grammemes else 1.0)
                weight *= 0.2 if reading.normal_form in RARE else 1.0
                genders = ("masc", "femn") if tag.gender is None or "ms-f" in tag.grammemes else (tag.gender,)
                for gender in genders:
                    key = (ODD_CASES.get(tag.case, tag.case), gender)
                    if key not in readings or readings[key][0] < weight:
                        readings[key] = (weight, reading)
            if readings:
                options.append((start, word, readings))
        keys = [(case, gender) for case in CASES for gender in ("masc", "femn")]

        def suits(key: tuple[str, str]) -> float:
            # A word that cannot stand in this case costs more than any rare reading.
            return sum(log(readings[key][0] + 1e-9) if key in readings else -25.0 for _, _, readings in options)

        if not options:
            return []
        best = max(keys, key=suits)
        case, gender = best
        chosen = [
            (start, word, self._inflected(readings[best][1], "nomn"))
            for start, word, readings in options
            if best in readings
        ]
        if chosen and gender == "masc" and case in _MASCULINE:
            # «Доминика Рааба»: the first name tells the case of a surname that no dictionary knows.
            done = {start for start, _, _ in chosen}
            chosen += [(start, word, _man(word.lower(), case)) for start, word in words if start not in done]
        return chosen

    def _head(self, words: list[tuple[int, str]], given: str | None) -> list[tuple[int, str, Any]]:
        """Return readings of the leading adjectives and their noun; none where the name has no such head.

        Args:
            words: The name's words with their offsets.
            given: The case the name stands in, where it is known.
        """
        adjectives: list[tuple[int, str, list[Any]]] = []
        for start, word in words:
            if not self.LETTERS.fullmatch(word) or len(word) < 2:
                return []
            if word[:2].isupper() and (len(word) < 6 or not self._readings(word.lower())[0].is_known):
                return self._before_acronym(adjectives)
            readings = [
                reading
                for reading in self._readings(word.lower())
                if reading.tag.case and (given is None or ODD_CASES.get(reading.tag.case, reading.tag.case) == given)
            ]
            nouns = [
                reading for reading in readings if reading.tag.POS == "NOUN" and "Abbr" not in reading.tag.grammemes
            ]
            qualifying = [reading for reading in readings if reading.tag.POS in ("ADJF", "PRTF")]
            if qualifying and (start, word) != words[-1] and (not nouns or nouns[0].score < qualifying[0].score):
                adjectives.append((start, word, qualifying))
                continue
            return self._agreeing(adjectives, start, word, nouns or qualifying)
        return []

    @staticmethod
    def _before_acronym(adjectives: list[tuple[int, str, list[Any]]]) -> list[tuple[int, str, Any]]:
        """Return the adjectives before an acronym, «британского МИД»: of a man's or woman's gender, never neuter."""
        return [
            (start, word, min(readings, key=lambda reading: (reading.tag.gender == "neut", -reading.score)))
            for start, word, readings in adjectives
        ]

    @staticmethod
    def _agreeing(
        adjectives: list[tuple[int, str, list[Any]]], start: int, word: str, nouns: list[Any]
    ) -> list[tuple[int, str, Any]]:
        best: tuple[float, list[tuple[int, str, Any]]] = (0.0, [])
        for noun in nouns:
            chosen, weight = [], noun.score
            weight *= FITTING if "Geox" in noun.tag.grammemes or "Orgn" in noun.tag.grammemes else 1.0
            # «Украины» is the genitive, not the plural of a country; «Филиппины» has no singular.
            proper = "Geox" in noun.tag.grammemes or "Name" in noun.tag.grammemes
            weight *= 0.05 if noun.tag.number == "plur" and proper and "Pltm" not in noun.tag.grammemes else 1.0
            for at, adjective, readings in adjectives:
                fitting = [
                    reading
                    for reading in readings
                    if ODD_CASES.get(reading.tag.case, reading.tag.case) == ODD_CASES.get(noun.tag.case, noun.tag.case)
                    and reading.tag.number == noun.tag.number
                    and (reading.tag.gender in (None, noun.tag.gender) or noun.tag.gender is None)
                ]
                if not fitting:
                    break
                chosen.append((at, adjective, fitting[0]))
                weight *= fitting[0].score
            else:
                if weight > best[0]:
                    best = (weight, [*chosen, (start, word, noun)])
        return best[1]

    @staticmethod
    def _inflect(reading: Any, case: str) -> str | None:  # noqa: ANN401  # pymorphy3 ships no types
        """Return the word's form in a case, in its own number and gender; None where it has none."""
        tag = reading.tag
        if "Fixd" in tag.grammemes or tag.case == case:
            return None
        wanted = {case, tag.number} - {None}
        if tag.number == "sing" and tag.gender and "ms-f" not in tag.grammemes:
            wanted.add(tag.gender)
        form = reading.inflect(wanted) or reading.inflect({case, tag.number} - {None})
        return str(form.word) if form else None


def _man(word: str, case: str) -> str | None:
    """Return the nominative of a man's name that stands in a case; None where it has not that case's ending."""
    if not _CYRILLIC.fullmatch(word):
        return None
    for ending, last in zip(_MASCULINE[case], ("", "ь", "й"), strict=True):
        stem = word.removesuffix(ending)
        if len(stem) > 2 and stem != word and (stem[-1] in _VOWELS) == (last == "й"):
            return stem + last
    return None


def _put(name: str, forms: list[tuple[int, str, str | None]]) -> str:
    """Return the name with its words at the given offsets in new forms, capitals as they were."""
    for start, word, form in sorted(forms, reverse=True):
        if form is None:
            continue
        # pymorphy writes ё where it belongs; news mostly does not, and a name should look like its text.
        form = form if "ё" in name.lower() else form.replace("ё", "е")
        name = name[:start] + cased_like(form, word) + name[start + len(word) :]
    return name


def _answers(question: Callable[[str], Sequence[Any]], word: str) -> Sequence[Any]:
    try:
        return question(word)
    except ValueError:
        # pymorphy3 asks Unicode for each letter's name, and some letters have none.
        return ()


def _is_fixed_adjective(tag: Any) -> bool:  # noqa: ANN401  # pymorphy3's tag, untyped
    # pymorphy reads «индо-тихоокеанского» as an adjective that does not decline.
    return tag.POS == "ADJF" and "Fixd" in tag.grammemes
