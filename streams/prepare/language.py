"""Which language a text is in: one of the seven the line knows, another one, or too short to tell.

For Cyrillic three witnesses are added up: how often the letters that tell Slavic alphabets apart occur, frequent words
and endings, and py3langid's model. Where the letters are certain by themselves, which is nearly every article, the
others are not asked. For Latin letters the model decides alone.
"""

import hashlib
import math
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import py3langid.langid as langid  # type: ignore[import-untyped]  # py3langid ships no types

from schemas import LanguagePart, ModelReference
from schemas.events import Language
from streams.prepare.slavic_words import ENDINGS, WORDS, Rates

LANGUAGES: tuple[Language, ...] = ("ru", "uk", "be", "bg", "sr", "mk", "en")

_SAMPLE = 5000
_MODEL_SAMPLE = 1500
_SLICES = 5

_CYRILLIC: tuple[Language, ...] = ("ru", "uk", "be", "bg", "sr", "mk")
# Share of each letter (or group of letters) in running text, in per mille, from general knowledge of the languages;
# what never occurs in a language still does in names and quotations: `_STRAY`.
_LETTER_SHARES: dict[str, tuple[float, float, float, float, float, float]] = {
    # letters: ru, uk, be, bg, sr, mk
    "а": (80, 75, 165, 119, 116, 127),
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
    "у": (26, 35, 33, 15, 42, 21),
    "т": (63, 53, 30, 73, 45, 76),
    "н": (67, 67, 64, 73, 55, 69),
    "в": (45, 54, 29, 46, 37, 41),
    "л": (43, 36, 36, 35, 33, 32),
    "м": (32, 31, 30, 24, 35, 27),
    "з": (16, 23, 33, 24, 17, 21),
    "ц": (5, 9, 33, 10, 8, 12),
    "х": (10, 11, 11, 8, 7, 1),
    "ч": (14, 14, 15, 15, 10, 7),
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
_PRIOR: Rates = (0.0, 0.0, -3.0, -3.0, -2.0, -3.0)
"""Logarithm; ours are the languages that arrive."""
_LETTERS_WEIGHT = 0.5
_WORDS_WEIGHT = 1.3
_MODEL_WEIGHT = 0.5
_MODEL_SAYS_AT_MOST = 8.0
"""Nats. The letters, the words and the model see much the same things, and the model is sometimes sure and wrong."""
_TAG_WEIGHT = 4.0
"""Nats for the language that the article says it is in."""
_CERTAIN = 12.0
_CERTAIN_LETTERS = 60
"""Nats by which letters alone must lead, and how many letters it takes, to do without the model."""

_TELLING_ENDING = 4
_LONGEST_ENDING = max(map(len, ENDINGS))
_WORD = re.compile(r"[\u0400-\u04ff]+")

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
_ENGLISH_WORDS = frozenset(
    (
        "the", "of", "and", "for", "with", "from", "that", "this", "are", "were", "has", "have", "by", "after", "says",
        "who", "will", "not", "his", "its", "to", "on", "at",
    )
)  # fmt: skip
_PER_ENGLISH_WORD = 6.0
"""Times by which another language has to lead the more, for each such word of a short text, three at most."""
_SHORT = 250


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the text says of its language. `language` None: another language where `sure`, else too short to tell."""

    language: Language | None
    sure: bool


_CYRILLIC_LETTER = re.compile("[\u0400-\u052f]")
_LATIN_LETTER = re.compile("[A-Za-z\u00c0-\u024f]")
_NEVER_IN: dict[Language | None, re.Pattern[str]] = {"ru": re.compile("[іїєґІЇЄҐўЎ]"), "uk": re.compile("[ыэёъЫЭЁЪ]")}
_FOREIGN_IN_PARAGRAPH = 3
"""Letters from which on a paragraph is looked at; fewer are a name's."""
_TRUSTED_LETTERS = 60
_TRUSTED_ENGLISH = 250
"""A tag is believed for texts of fewer letters."""
_IN_CYRILLIC = frozenset(("ba", "cv", "kk", "ky", "mn", "os", "sah", "tg", "tt"))
_IN_LATIN = frozenset(
    (
        "az", "bs", "ca", "cs", "da", "de", "es", "et", "eu", "fi", "fr", "ga", "gl", "hr", "hu", "id", "is", "it",
        "lt", "lv", "ms", "nb", "nl", "nn", "no", "pl", "pt", "ro", "sk", "sl", "sq", "sv", "sw", "tr", "uz", "vi",
    )
)  # fmt: skip
"""Tags of other languages, by script."""


class LanguageDetector:
    """py3langid's model, loaded once, never its global one. Detection changes nothing: threads may share it."""

    def __init__(self) -> None:
        path = Path(langid.MODEL_DIR) / langid.MODEL_FILE
        self.model = ModelReference(name="py3langid-0.4.0", sha256=hashlib.sha256(path.read_bytes()).hexdigest())
        self._identifier = langid.LanguageIdentifier.from_model_file(path, norm_probs=True)

    def detect(self, text: str, raw_tag: str | None = None) -> Verdict:
        """Return the language of the text; beyond 5,000 characters a sample from all over it decides.

        Args:
            text: the text.
            raw_tag: what the article says of its language. It is believed of a short text unless the letters
                contradict, and settles what a longer one leaves open.
        """
        tag = given_language(raw_tag) if raw_tag else None
        sample = _slices(text, _SAMPLE)
        letters = Counter(c for c in sample.casefold() if c.isalpha())
        cyrillic = {c: n for c, n in letters.items() if "\u0400" <= c <= "\u052f"}
        latin = {c: n for c, n in letters.items() if c <= "\u024f"}
        in_cyrillic, in_latin, total = sum(cyrillic.values()), sum(latin.values()), letters.total()
        if in_cyrillic >= max(in_latin, total / 2):
            if raw_tag and total < _TRUSTED_LETTERS and (trusted := _cyrillic_tag(raw_tag, cyrillic)):
                return trusted
            return self._cyrillic(sample, cyrillic, in_cyrillic, tag) if in_cyrillic else Verdict(None, sure=False)
        if in_latin > total / 2:
            if tag == "en" and total < _TRUSTED_ENGLISH:
                return Verdict(tag, sure=True)
            if raw_tag and total < _TRUSTED_LETTERS and _primary(raw_tag) in _IN_LATIN:
                return Verdict(None, sure=True)
            # A quotation in Cyrillic would lead the model to a language of both.
            return self._latin(_CYRILLIC_LETTER.sub(" ", sample) if in_cyrillic else sample, latin, in_latin)
        return Verdict(None, sure=total - in_cyrillic - in_latin > total / 2)

    def _cyrillic(self, sample: str, letters: dict[str, int], total: int, tag: Language | None) -> Verdict:
        foreign = sum(n for c, n in letters.items() if c not in _ALPHABETS)
        if foreign > max(1, _FOREIGN_LETTERS * total):
            return Verdict(None, sure=True)
        by_letters = _letter_scores(letters, total)
        first, second, *_ = sorted(
            (score + prior for score, prior in zip(by_letters, _PRIOR, strict=True)), reverse=True
        )
        turkic = letters.get("ы", 0) > _TURKIC_Y * total
        if total >= _CERTAIN_LETTERS and first - second >= _CERTAIN and not turkic:
            leader = max(range(len(_CYRILLIC)), key=lambda i: by_letters[i] + _PRIOR[i])
            return Verdict(_CYRILLIC[leader], sure=True)
        probabilities = self._probabilities(sample)
        best = max(probabilities, key=lambda c: probabilities[c])
        ours = max(probabilities[c] for c in _CYRILLIC)
        if best not in LANGUAGES and (turkic or total >= _HEADLINE) and probabilities[best] > _LEADS * ours:
            return Verdict(None, sure=True)
        # The model divides its scores by the square root of the number of bytes.
        scale = _MODEL_WEIGHT * math.sqrt(len(_slices(sample, _MODEL_SAMPLE).encode()))
        by_words = _word_scores(sample)
        scores: dict[Language, float] = {}
        for i, language in enumerate(_CYRILLIC):
            by_model = scale * math.log((probabilities[language] + 1e-30) / (ours + 1e-30))
            scores[language] = (
                _PRIOR[i]
                + _LETTERS_WEIGHT * by_letters[i]
                + _WORDS_WEIGHT * by_words[i]
                + max(by_model, -_MODEL_SAYS_AT_MOST)
                + (_TAG_WEIGHT if language == tag else 0)
            )
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
        clear = _LEADS
        if total < _HEADLINE:
            clear = _LEADS_ACCENTED if accented else _LEADS_IN_HEADLINE
        if total < _SHORT:
            english = sum(word.strip(".,:;!?'\"()") in _ENGLISH_WORDS for word in sample.lower().split())
            clear *= _PER_ENGLISH_WORD ** min(english, 3)
        return Verdict(None, sure=True) if leads > clear else Verdict("en", sure=True)

    def _probabilities(self, sample: str) -> dict[str, float]:
        """Return the model's probability for each of its 140 languages."""
        return dict(self._identifier.rank(_slices(sample, _MODEL_SAMPLE)))

    def parts(self, text: str, language: Language | None) -> tuple[LanguagePart, ...]:
        """Return the stretches of a text that mixes languages; none where it is in one.

        A paragraph is of another language than the whole text where its script or the letters that only some
        languages have make it likely, and the detector is sure; one too short to tell goes with what is before it.
        """
        found: list[tuple[int, int, Language | None]] = []
        start = 0
        for paragraph in text.split("\n"):
            stop = start + len(paragraph)
            verdict = self._paragraph(paragraph, language)
            own = verdict.language if verdict.sure else found[-1][2] if found else language
            if found and found[-1][2] == own:
                found[-1] = (found[-1][0], stop, own)
            else:
                found.append((start, stop, own))
            start = stop + 1
        if len(found) < 2:
            return ()
        return tuple(LanguagePart(start=start, stop=stop, language=own) for start, stop, own in found)

    def _paragraph(self, paragraph: str, language: Language | None) -> Verdict:
        """Return the language of a paragraph, which is the whole text's unless the letters speak against it."""
        cyrillic, latin = len(_CYRILLIC_LETTER.findall(paragraph)), len(_LATIN_LETTER.findall(paragraph))
        if cyrillic + latin < _TRUSTED_LETTERS:
            return Verdict(None, sure=False)
        foreign = len(_NEVER_IN[language].findall(paragraph)) if language in _NEVER_IN else 0
        if (latin > cyrillic) == (language == "en" or language is None) and foreign < _FOREIGN_IN_PARAGRAPH:
            return Verdict(language, sure=True)
        return self.detect(paragraph)


def _slices(text: str, length: int) -> str:
    """Return the text, or pieces from all over it where it is longer than `length` characters."""
    if len(text) <= length:
        return text
    size = length // _SLICES
    step = (len(text) - size) // (_SLICES - 1)
    return " ".join(text[i * step : i * step + size] for i in range(_SLICES))


def _letter_scores(letters: dict[str, int], total: int) -> list[float]:
    """Return the log-likelihood (nats, up to a constant) of the letter counts in each Cyrillic language."""
    counts = [sum(letters.get(c, 0) for c in group) for group in _LETTER_SHARES]
    rest = total - sum(counts)
    scores = []
    for index in range(len(_CYRILLIC)):
        shares = [max(row[index], _STRAY) / 1000 for row in _LETTER_SHARES.values()]
        score = rest * math.log(1 - sum(shares))
        scores.append(score + sum(n * math.log(share) for n, share in zip(counts, shares, strict=True) if n))
    return scores


def _logarithms(table: dict[str, Rates], at_least: float) -> dict[str, tuple[float, ...]]:
    return {form: tuple(math.log(max(rate, at_least) / 1000) for rate in rates) for form, rates in table.items()}


_WORD_LOGARITHMS = _logarithms(WORDS, 0.15)
_ENDING_LOGARITHMS = _logarithms(ENDINGS, 0.7)
_OTHER_WORD = tuple(math.log(1 - sum(rates) / 1000) for rates in zip(*WORDS.values(), strict=True))
_NOTHING = (0.0,) * len(_CYRILLIC)


def _word_scores(text: str) -> list[float]:
    """Return the log-likelihood (nats, up to a constant) of the words and endings in each Cyrillic language."""
    scores = [0.0] * len(_CYRILLIC)
    for word in _WORD.findall(text.casefold()):
        terms = _WORD_LOGARITHMS.get(word)
        if terms is None:
            ending = _ending(word) if len(word) >= _TELLING_ENDING else _NOTHING
            terms = tuple(a + b for a, b in zip(_OTHER_WORD, ending, strict=True))
        scores = [score + term for score, term in zip(scores, terms, strict=True)]
    return scores


def _ending(word: str) -> tuple[float, ...]:
    for length in range(_LONGEST_ENDING, 0, -1):
        if (terms := _ENDING_LOGARITHMS.get(word[-length:])) is not None:
            return terms
    return _NOTHING


def _cyrillic_tag(raw_tag: str, letters: dict[str, int]) -> Verdict | None:
    """Return what the tag says of a text in Cyrillic, None where it says nothing or the letters contradict it."""
    tag = given_language(raw_tag)
    if tag is None or tag == "en":
        return Verdict(None, sure=True) if _primary(raw_tag) in _IN_CYRILLIC else None
    index = _CYRILLIC.index(tag)
    missing = [letter for group, row in _LETTER_SHARES.items() if row[index] == 0 for letter in group]
    return None if any(letter in letters for letter in missing) else Verdict(tag, sure=True)


# "ua" and "by" are countries, and what sites write all the same.
_NAMES = {
    "rus": "ru",
    "ukr": "uk",
    "eng": "en",
    "bel": "be",
    "bul": "bg",
    "srp": "sr",
    "mkd": "mk",
    "ua": "uk",
    "by": "be",
}


def _primary(raw: str) -> str:
    return unicodedata.normalize("NFKC", raw).strip().lower().replace("_", "-").partition("-")[0]


def given_language(raw: str) -> Language | None:
    """Return the language that a tag such as `ru`, `ru-RU`, `RUS` names; None for one that the line does not know."""
    primary = _primary(raw)
    code = _NAMES.get(primary, primary)
    return next((language for language in LANGUAGES if language == code), None)
