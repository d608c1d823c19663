"""Event types against sentences or articles of one PLOVER type each.

The answer is what the event holds that a consumer gets: its type, and its quad class, which is given alone where the
type is not certain enough. A text whose label is NONE is answered rightly by no event. CPU time is that of the stage
`classify`.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from schemas import AnnotatedEvent
from streams.classify import Classify
from streams.classify.event_triggers import NONE, QUAD_CLASSES
from streams.classify.figures import calibration_error
from streams.errors import InputError
from streams.evaluation.answers import Answer, accuracy, coverage, macro_f1
from streams.evaluation.entities import rounded
from streams.evaluation.gold import LabelledText


@dataclass(frozen=True, slots=True)
class EventFigures:
    """The answers to some texts and what they cost."""

    answers: tuple[Answer, ...]
    """Types."""
    quads: tuple[Answer, ...]
    """Quad classes of the same texts."""
    cpu_seconds: float

    def as_json(self) -> dict[str, Any]:
        """Return the figures as `newsflow eval events --format json` prints them."""
        given = [answer for answer in self.answers if answer.given not in (None, NONE)]
        scores = np.array([answer.score for answer in given])
        right = np.array([answer.right for answer in given], dtype=bool)
        return {
            "accuracy": rounded(accuracy(self.answers)),
            "macro_f1": rounded(macro_f1(self.answers)),
            "quad_accuracy": rounded(accuracy(self.quads)),
            "coverage": rounded(coverage(self.answers)),
            "ece": rounded(calibration_error(scores, right)) if given else None,
            "ms_per_article": rounded(1000 * self.cpu_seconds / len(self.answers)),
            "n": len(self.answers),
        }


def measure(
    stage: Classify, texts: Sequence[LabelledText], after_each: Callable[[], None] = lambda: None
) -> EventFigures:
    """Run the loaded stage over the texts as they stand; they have no titles and no entities.

    Raises:
        InputError: a label is no type of PLOVER, or a text is in a language that the stage does not support.
    """
    answers, quads, cpu_seconds = [], [], 0.0
    for text in texts:
        if text.label not in QUAD_CLASSES and text.label != NONE:
            known = ", ".join((*QUAD_CLASSES, NONE))
            raise InputError(f"{text.place}: `label` is {text.label!r}; it must be one of {known}.")
        prepared = text.prepared()
        annotated = AnnotatedEvent(article=prepared.article, skipped={}, provenance=(), entities=())
        start = time.process_time()
        enriched = stage.enrich(annotated)
        cpu_seconds += time.process_time() - start
        if enriched.skipped.get(stage.name) == "unsupported_language":
            raise InputError(f"{text.place}: `lang` is {text.language!r}; event types are not given in this language.")
        event = enriched.main_event
        if event is None:
            answers.append(Answer(text.label, NONE))
        else:
            answers.append(Answer(text.label, event.type, event.score or 0.0))
        quad = QUAD_CLASSES.get(text.label, NONE)
        quads.append(Answer(quad, event.quad_class if event else NONE, event.quad_score if event else 0.0))
        after_each()
    return EventFigures(tuple(answers), tuple(quads), cpu_seconds)
