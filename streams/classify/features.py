"""From text to features, the same at training and at run time.

Everything is a function of one word at a time (no word pairs), so that a word's features can be cached and a topic's
score can be traced back to words. Russian and Ukrainian are brought to one alphabet first: their news vocabulary is
largely cognate, and each language then learns from the other's examples (held-out first-topic accuracy of word and
character features alone: ru .39 → .54, uk .52 → .61).
"""

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path

MAX_CHARACTERS = 10_000
"""How much of an article is read, in code points. News says what it is about at its beginning: on MasakhaNEWS (3,100
characters on average) the first 1,500 give accuracy .814, the whole text .818. Bounds the time of a long article."""

CUES = Path(__file__).with_name("cues.tsv")
"""Cue words per topic and language, written by us; its header explains the notation."""

_WORD = re.compile(r"[^\W\d_]+(?:[-'’ʼ][^\W\d_]+)*|\d+")
_ONE_ALPHABET = str.maketrans(
    {"і": "и", "ї": "и", "є": "е", "ґ": "г", "ы": "и", "э": "е", "ё": "е", "ъ": "", "’": "", "'": "", "ʼ": ""}
)
_PREFIX = 5
_GRAMS = (3, 4, 5)
_LONGEST_WORD = 40
"""Longer runs of letters are no words; only their beginning counts, which bounds the time spent on one."""
_LONGEST_TOKEN = 2 * _LONGEST_WORD
_CACHED_TOKENS = 50_000
_NUMBER = "0"


@lru_cache(maxsize=_CACHED_TOKENS)
def common_form(token: str) -> str:
    """Return one word or number of a text as `words` gives it."""
    return _NUMBER if token[0].isdigit() else token.lower().translate(_ONE_ALPHABET)[:_LONGEST_WORD]


def _read(text: str) -> str:
    """Return what is read of a text: a long one up to its last word that stands there whole."""
    if len(text) <= MAX_CHARACTERS:
        return text
    beginning = text[:MAX_CHARACTERS]
    return beginning[: beginning.rfind(" ") + 1] or beginning


def words(text: str) -> list[str]:
    """Return the words of the first `MAX_CHARACTERS` of `text` in the common form that all features are made from.

    Lower case, one alphabet for Russian and Ukrainian, apostrophes dropped, every number written as `0`.
    """
    return _common_forms(_WORD.findall(_read(text)))


def placed_words(text: str) -> tuple[list[str], list[tuple[int, int]]]:
    """Return `words` and where each stands: (start, stop), code points into `text`, end exclusive."""
    tokens: list[str] = _WORD.findall(_read(text))
    places, stop = [], 0
    for token in tokens:
        # Faster than a match object a word: the next word is the next place where its letters stand.
        start = text.index(token, stop)
        stop = start + len(token)
        places.append((start, stop))
    return _common_forms(tokens), places


def _common_forms(tokens: list[str]) -> list[str]:
    return [common_form(token if len(token) <= _LONGEST_TOKEN else token[:_LONGEST_TOKEN]) for token in tokens]


def word_and_prefix(word: str) -> list[str]:
    """Return the first of `parts`: the word itself and its prefix, where it is longer than that."""
    return [f"={word}", f"^{word[:_PREFIX]}"] if len(word) > _PREFIX else [f"={word}"]


def parts(word: str) -> list[str]:
    """Return the features of one word of `words`: itself, its prefix, its character 3- to 5-grams with `<` and `>`."""
    bounded = f"<{word}>"
    found = word_and_prefix(word)
    for size in _GRAMS:
        found += [bounded[i : i + size] for i in range(len(bounded) - size + 1)]
    return found


def cue_of(word: str, cues: Mapping[str, object]) -> str | None:
    """Return the key in `cues` that fits `word`: the word itself (`word=`), else its longest known stem, else None."""
    exact = f"{word}="
    if exact in cues:
        return exact
    return next((word[:n] for n in range(len(word), 1, -1) if word[:n] in cues), None)


@cache
def cue_topics() -> dict[str, tuple[str, ...]]:
    """Return each cue of `CUES` in the common form of `words` with its topic codes, sorted. Training only.

    Raises:
        ValueError: a line is not `code TAB language TAB stems`.
    """
    found: dict[str, set[str]] = {}
    for line in CUES.read_text("utf-8").splitlines():
        if line.startswith("#"):
            continue
        code, _language, stems = line.split("\t")
        for stem in stems.split():
            found.setdefault(stem.lower().translate(_ONE_ALPHABET), set()).add(code)
    return {stem: tuple(sorted(found[stem])) for stem in sorted(found)}
