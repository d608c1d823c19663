"""Topics against texts of one label each.

A map takes topic codes to the labels. The answer for a text is the label of the best scored topic of its event that
the map names; topics it does not name are ignored, and a text without any other has no answer, which is wrong. The
event holds what a consumer gets: the topics that reach the model's threshold.

The calibration error is over the answers' scores, so over the texts that got one. CPU time is that of the stage
`classify` alone.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from schemas import AnnotatedEvent, Topic
from streams.classify import Classify
from streams.classify.figures import calibration_error
from streams.errors import InputError
from streams.evaluation.answers import Answer, accuracy, coverage, macro_f1
from streams.evaluation.entities import rounded
from streams.evaluation.gold import LabelledText


@dataclass(frozen=True, slots=True)
class TopicFigures:
    """The answers to some texts and what they cost."""

    answers: tuple[Answer, ...]
    cpu_seconds: float

    @property
    def ece(self) -> float | None:
        """Expected calibration error of the answers; None where there are none."""
        given = [answer for answer in self.answers if answer.given is not None]
        if not given:
            return None
        scores = np.array([answer.score for answer in given])
        return calibration_error(scores, np.array([answer.right for answer in given]))

    def as_json(self) -> dict[str, Any]:
        """Return the figures as `newsflow eval topics --format json` prints them."""
        return {
            "accuracy": rounded(accuracy(self.answers)),
            "macro_f1": rounded(macro_f1(self.answers)),
            "coverage": rounded(coverage(self.answers)),
            "ece": rounded(self.ece),
            "ms_per_article": rounded(1000 * self.cpu_seconds / len(self.answers)),
            "n": len(self.answers),
        }


def answer(label: str, topics: Iterable[Topic], codes_to_labels: Mapping[str, str]) -> Answer:
    """Return the answer that an event's topics give for a text of this label."""
    named = [topic for topic in topics if topic.code in codes_to_labels]
    if not named:
        return Answer(label, None)
    best = max(named, key=lambda topic: topic.score)
    return Answer(label, codes_to_labels[best.code], best.score)


def measure(
    stage: Classify,
    texts: Sequence[LabelledText],
    codes_to_labels: Mapping[str, str],
    after_each: Callable[[], None] = lambda: None,
) -> TopicFigures:
    """Run the loaded stage over the texts as they stand; they have no titles and no entities.

    Raises:
        InputError: no text has a label of the map, or one is in a language that the stage does not support.
    """
    labels = {text.label for text in texts}
    if not labels & set(codes_to_labels.values()):
        raise InputError(
            f"The map takes no topic to any label of these texts: theirs are {', '.join(sorted(labels))}; "
            f"those of the map are {', '.join(sorted(set(codes_to_labels.values())))}."
        )
    answers = []
    cpu_seconds = 0.0
    for text in texts:
        prepared = text.prepared()
        event = AnnotatedEvent(article=prepared.article, skipped={}, provenance=(), entities=())
        start = time.process_time()
        enriched = stage.enrich(event)
        cpu_seconds += time.process_time() - start
        if enriched.skipped.get(stage.name) == "unsupported_language":
            raise InputError(f"{text.place}: `lang` is {text.language!r}; topics are not given in this language.")
        answers.append(answer(text.label, enriched.topics, codes_to_labels))
        after_each()
    return TopicFigures(tuple(answers), cpu_seconds)
