"""The main event of an article: which sentence reports it, its PLOVER type and quad class."""

import re
from collections.abc import Mapping, Sequence

import razdel  # type: ignore[import-untyped]  # razdel ships no types

from schemas import MainEvent, Topic
from streams.classify import features
from streams.classify.event_model import EventModel
from streams.classify.event_triggers import NONE, QUAD_CLASSES
from streams.classify.evidence import ReadText
from streams.classify.given_topics import SCORE_DECIMALS

SENTENCES = 8
"""Sentences looked at, the title among them: news says at its beginning what has happened."""

MAX_CHARACTERS = 2_000
"""Of the article's beginning, in code points; bounds the time that odd texts take."""

LATER = 0.9
"""What each sentence further on counts less, so that of two events the first is the main one."""

LEAST = 0.4
"""A sentence whose likeliest quad class is less likely than this, or than no event, reports none."""

TYPE_LEAST = 0.3
"""Below this probability of its type, an event has its quad class only."""

PLAY = frozenset(f"medtop:{number}000000" for number in ("01", "10", "15", "17"))
"""Arts, leisure, sport, weather: a striker's shot, a battle on the screen, a storm that hits."""

ACTORS = frozenset(f"medtop:{number}000000" for number in ("02", "03", "04", "09", "11", "12", "14", "16"))
"""Topics that events between actors belong to."""

SURE = 0.8
"""Score of a topic from which it is taken for sure."""

_FEWEST_WORDS = 3
_LINE = re.compile(r"[^\n]+")


def sentences(article: ReadText) -> list[tuple[int, int]]:
    """Return the first sentences as (start, stop) in `article.whole`, the title one of them; a line ends a sentence."""
    found: list[tuple[int, int]] = []
    if article.title is not None:
        found += _sentences(article.title, 0)[:1]
    found += _sentences(article.text, len(article.whole) - len(article.text))
    return found[:SENTENCES]


def _sentences(text: str, shift: int) -> list[tuple[int, int]]:
    """Return the first sentences of a text as (start, stop), `shift` added; one that is cut ends with a whole word."""
    found: list[tuple[int, int]] = []
    beginning = text[:MAX_CHARACTERS]
    for line in _LINE.finditer(beginning):
        found += [(line.start() + part.start, line.start() + part.stop) for part in razdel.sentenize(line[0])]
        if len(found) >= SENTENCES:
            break
    if found and found[-1][1] == len(beginning) < len(text):
        start, stop = found.pop()
        # What is cut is no sentence; a text that begins with so long a one has nothing else to show.
        if not found:
            found = [(start, max(beginning.rfind(" ", start, stop), start) or stop)]
    return [(start + shift, stop + shift) for start, stop in found if start < stop]


def is_of_play(topics: Sequence[Topic]) -> bool:
    """Return whether an article is about what borrows the words of conflict: sport, the arts, leisure, the weather.

    So it is where one of those is its only sure topic, and none is given that events between actors belong to.
    """
    given = {topic.code: topic.score for topic in topics if topic.parent is None}
    sure = {code for code, score in given.items() if score >= SURE}
    return bool(sure) and sure <= PLAY and not given.keys() & ACTORS


def main_event(article: ReadText, topics: Sequence[Topic], model: EventModel) -> MainEvent | None:
    """Return the article's main event; None where no sentence reports one, or its topics leave no room for any."""
    if is_of_play(topics):
        return None
    best: tuple[float, int, int, dict[str, float]] | None = None
    for number, (start, stop) in enumerate(sentences(article)):
        if best and best[0] >= LATER**number:
            break  # nothing that comes now can count as much
        words = features.words(article.whole[start:stop])
        if len(words) < _FEWEST_WORDS:
            continue
        of_type = dict(zip(model.types, model.probabilities(words).tolist(), strict=True))
        most = max(_of_classes(of_type).values())
        weighed = most * LATER**number
        if most >= max(LEAST, of_type[NONE]) and (best is None or weighed > best[0]):
            best = (weighed, start, stop, of_type)
    if best is None:
        return None
    _, start, stop, of_type = best
    of_class = _of_classes(of_type)
    quad = max(of_class, key=lambda name: of_class[name])
    kind = max((kind for kind in QUAD_CLASSES if QUAD_CLASSES[kind] == quad), key=lambda kind: of_type[kind])
    sure = of_type[kind] >= TYPE_LEAST
    return MainEvent(
        type=kind if sure else None,  # type: ignore[arg-type]  # the model's types are the contract's; a test says so
        score=round(of_type[kind], SCORE_DECIMALS) if sure else None,
        quad_class=quad,  # type: ignore[arg-type]  # the same
        quad_score=round(of_class[quad], SCORE_DECIMALS),
        sentence=article.passage(start, stop),
    )


def _of_classes(of_type: Mapping[str, float]) -> dict[str, float]:
    of_class: dict[str, float] = dict.fromkeys(QUAD_CLASSES.values(), 0.0)
    for kind, quad in QUAD_CLASSES.items():
        of_class[quad] += of_type[kind]
    return of_class
