"""The topics that an article is given, each with its evidence."""

from dataclasses import dataclass

from schemas import Topic
from streams.classify.encoder import Encoder
from streams.classify.evidence import ReadText, Words
from streams.classify.model import Floats, Reading, TopicModel
from streams.classify.topics import TopicTable

SCORE_DECIMALS = 4
"""Scores are rounded to this: what is beyond says nothing, and may differ in the last bit between machines."""


@dataclass(frozen=True, slots=True)
class _Given:
    """A topic of level 1, or of level 2 where `child` is a number in the model's `child_codes`."""

    topic: int
    probability: float
    child: int | None = None
    of_child: float = 1.0
    """The child's probability once the parent applies."""


def given_topics(
    article: ReadText, language: str, model: TopicModel, table: TopicTable, encoder: Encoder | None = None
) -> tuple[Topic, ...]:
    """Return the topics of an article, highest score first.

    Of level 1 those that reach the model's threshold, where none does the best one if it reaches the lower threshold;
    of level 2 those below them that are probable enough once the parent applies.
    """
    words = Words(article)
    reading = model.read(words.words)
    topics = []
    probabilities = model.probabilities(reading)
    if encoder:
        probabilities = encoder.mixed(probabilities, article.whole, language)
    of_topics: dict[int, Floats] = {}
    for given in _given(model, reading, probabilities.tolist()):
        parent = model.codes[given.topic]
        if given.child is None:
            code, drops = parent, model.drops(reading, given.topic)
            of_topics[given.topic] = drops
        else:
            code = model.child_codes[given.child]
            drops = model.child_drops(reading, given.child, given.of_child, given.probability, of_topics[given.topic])
        topics.append(
            Topic(
                code=code,
                name=table.names[code],
                score=round(given.probability * given.of_child, SCORE_DECIMALS),
                level=1 if given.child is None else 2,
                parent=None if given.child is None else parent,
                evidence=tuple(article.passage(start, stop) for start, stop in words.strongest(reading.words, drops)),
            )
        )
    return tuple(sorted(topics, key=lambda topic: (-topic.score, topic.level, topic.code)))


def _given(model: TopicModel, reading: Reading, probabilities: list[float]) -> list[_Given]:
    """Return the topics, those of level 1 first."""
    given = [number for number, p in enumerate(probabilities) if p >= model.threshold]
    best = max(range(len(probabilities)), key=lambda number: probabilities[number])
    if not given and probabilities[best] >= model.best_threshold:
        given = [best]
    found = [_Given(number, probabilities[number]) for number in given]
    if given:
        for child, p in enumerate(model.child_probabilities(reading).tolist()):
            parent = model.parent(child)
            if parent in given and p >= model.child_threshold:
                found.append(_Given(parent, probabilities[parent], child, p))
    return found
