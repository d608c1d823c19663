"""Which language a text is in: one of the seven the line knows, another one, or too short to tell.

Two witnesses are added up: how often the letters that tell Slavic alphabets apart occur, and py3langid's model. Where
the letters are certain by themselves, which is nearly every article, the model is not asked.
"""

import hashlib
import math
import unicodedata
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import py3langid.langid as langid  # type: ignore[import-untyped]  # py3langid ships no types

from schemas import ModelReference
from schemas.events import Language

LANGUAGES: tuple[Language, ...] = ("ru", "uk", "be", "bg", "sr", "mk", "en")

_SAMPLE = 5000
_MODEL_SAMPLE = 1500
_SLICES = 5

_CYRILLIC: tuple[Language, ...] = ("ru", "uk", "be", "bg", "sr", "mk")
# Share of each letter (or group of letters) in running text, in per mille, from general knowledge of the languages;
# what never occurs in a language still does in names and quotations: `_STRAY`.
_LETTER_SHARES: dict[str, tuple[float, float, float, float, float, float]] = {
    # letters: ru, uk, be, bg, sr, mk
    "а": (80, 75, 165, 120, 115, 125),
    "о": (110, 94, 30, 85, 90, 100),
    "е": (85, 46, 40, 88, 88, 95),
    "і": (0, 56, 62, 0, 0, 0),
    "їєґ": (0, 11, 0, 0, 0, 0),
    "ў": (0, 0, 13, 0, 0, 0),
    "ы": (19, 0, 40, 0, 0, 0),
    "э": (3.3, 0, 15, 0, 0, 0),
    "ё": (0.5, 0, 7, 0, 0, 0),
    "ъ": (0.4, 0, 0, 16, 0, 0),
    "и": (74, 60, 0, 90, 95, 85),
    "й": (12, 12, 10, 7, 0, 0),
    "ь": (17, 18, 16, 0.2, 0, 0),
    "щ": (3.6, 5.5, 0, 5, 0, 0),
    "я": (20, 22, 40, 21, 0, 0),
    "ю": (6.4, 9, 9, 1.5, 0, 0),
    "ј": (0, 0, 0, 0, 47, 20),
    "ћђ": (0, 0, 0, 0, 8, 0),
    "љњџ": (0, 0, 0, 0, 13, 4),
    "ќѓѕ": (0, 0, 0, 0, 0, 8),
}
_STRAY = 0.3
_ALPHABETS = frozenset("абвгдежзийклмнопрстуфхцчшщъыьэюя" + "".join(_LETTER_SHARES))
_PRIOR = (0.0, 0.0, -3.0, -3.0, -3.0, -3.0)
"""Logarithm; ours are the languages that arrive."""
_CERTAIN = 12.0
_CERTAIN_LETTERS = 60
"""Nats by which letters alone must lead, and how many letters it takes, to do without the model."""

_MODEL_WEIGHT = 3.0
"""The model's probabilities are flattened for short texts, by design; its votes count more than they say."""

_FOREIGN_LETTERS = 0.015
_TURKIC_Y = 0.045
"""Share of "ы" that no Slavic text reaches; Kyrgyz, Kazakh and Chuvash do."""
_ACCENTED = 0.02
_LONG = 400
_FEW_LETTERS = 8
_FEW_WORDS = 3
_HEADLINE = 80
_LEADS = 5.0
_LEADS_IN_HEADLINE = 8.0
_LEADS_ACCENTED = 3.0
_ABSTAIN = 0.5


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the text says of its language. `language` None: another language where `sure`, else too short to tell."""

    language: Language | None
    sure: bool


class LanguageDetector:
    """py3langid's model, loaded once, never its global one. Detection changes nothing: threads may share it."""

    def __init__(self) -> None:
        path = Path(langid.MODEL_DIR) / langid.MODEL_FILE
        self.model = ModelReference(name="py3langid-0.4.0", sha256=hashlib.sha256(path.read_bytes()).hexdigest())
        self._identifier = langid.LanguageIdentifier.from_model_file(path, norm_probs=True)

    def detect(self, text: str) -> Verdict:
        """Return the language of the text; beyond 5,000 characters a sample from all over it decides."""
        sample = _slices(text, _SAMPLE)
        letters = Counter(c for c in sample.casefold() if c.isalpha())
        cyrillic = {c: n for c, n in letters.items() if "\u0400" <= c <= "\u052f"}
        latin = {c: n for c, n in letters.items() if c <= "\u024f"}
        in_cyrillic, in_latin, total = sum(cyrillic.values()), sum(latin.values()), letters.total()
        if in_cyrillic >= max(in_latin, total / 2):
            return self._cyrillic(sample, cyrillic, in_cyrillic) if in_cyrillic else Verdict(None, sure=False)
        if in_latin > total / 2:
            return self._latin(sample, latin, in_latin)
        return Verdict(None, sure=total - in_cyrillic - in_latin > total / 2)

    def _cyrillic(self, sample: str, letters: dict[str, int], total: int) -> Verdict:
        foreign = sum(n for c, n in letters.items() if c not in _ALPHABETS)
        if foreign > max(1, _FOREIGN_LETTERS * total):
            return Verdict(None, sure=True)
        scores = _letter_scores(letters, total)
        leader = max(_CYRILLIC, key=lambda c: scores[c])
        ranked = sorted(scores.values(), reverse=True)
        turkic = letters.get("ы", 0) > _TURKIC_Y * total
        if total >= _CERTAIN_LETTERS and ranked[0] - ranked[1] >= _CERTAIN and not turkic:
            return Verdict(leader, sure=True)
        probabilities = self._probabilities(sample)
        best = max(probabilities, key=lambda c: probabilities[c])
        ours = max(probabilities[c] for c in _CYRILLIC)
        if best not in LANGUAGES and (turkic or total >= _HEADLINE) and probabilities[best] > _LEADS * ours:
            return Verdict(None, sure=True)
        for language in _CYRILLIC:
            scores[language] += _MODEL_WEIGHT * math.log(probabilities[language] + 1e-9)
        winner = max(_CYRILLIC, key=lambda c: scores[c])
        weight = sum(math.exp(score - scores[winner]) for score in scores.values())
        return Verdict(winner, sure=True) if 1 / weight >= _ABSTAIN else Verdict(None, sure=False)

    def _latin(self, sample: str, letters: dict[str, int], total: int) -> Verdict:
        accented = sum(n for c, n in letters.items() if c > "z")
        if total >= _LONG and accented > _ACCENTED * total:
            return Verdict(None, sure=True)
        if total < _FEW_LETTERS or len(sample.split()) < _FEW_WORDS:
            return Verdict(None, sure=False)
        probabilities = self._probabilities(sample)
        best = max(probabilities, key=lambda c: probabilities[c])
        leads = probabilities[best] / (probabilities["en"] + 1e-9)
        # Headlines are names and nouns: another language has to be clear. Creole and Pidgin are close to English.
        if total < _HEADLINE:
            foreign = leads > _LEADS_IN_HEADLINE or (accented > 0 and leads > _LEADS_ACCENTED)
        else:
            foreign = leads > _LEADS
        return Verdict(None, sure=True) if foreign else Verdict("en", sure=True)

    def _probabilities(self, sample: str) -> dict[str, float]:
        """Return the model's probability for each of its 140 languages."""
        return dict(self._identifier.rank(_slices(sample, _MODEL_SAMPLE)))


def _slices(text: str, length: int) -> str:
    """Return the text, or pieces from all over it where it is longer than `length` characters."""
    if len(text) <= length:
        return text
    size = length // _SLICES
    step = (len(text) - size) // (_SLICES - 1)
    return " ".join(text[i * step : i * step + size] for i in range(_SLICES))


def _letter_scores(letters: dict[str, int], total: int) -> dict[Language, float]:
    """Return the log-likelihood (nats, up to a constant) of the letter counts in each Cyrillic language."""
    counts = [sum(letters.get(c, 0) for c in group) for group in _LETTER_SHARES]
    rest = total - sum(counts)
    scores: dict[Language, float] = {}
    for index, language in enumerate(_CYRILLIC):
        shares = [max(row[index], _STRAY) / 1000 for row in _LETTER_SHARES.values()]
        score = _PRIOR[index] + rest * math.log(1 - sum(shares))
        scores[language] = score + sum(n * math.log(share) for n, share in zip(counts, shares, strict=True) if n)
    return scores


_NAMES = {"rus": "ru", "ukr": "uk", "eng": "en", "bel": "be", "bul": "bg", "srp": "sr", "mkd": "mk"}


def given_language(raw: str) -> Language | None:
    """Return the language that a tag such as `ru`, `ru-RU`, `RUS` names; None for one that the line does not know."""
    primary = unicodedata.normalize("NFKC", raw).strip().lower().replace("_", "-").partition("-")[0]
    code = _NAMES.get(primary, primary)
    return next((language for language in LANGUAGES if language == code), None)
