"""Language identification against texts of known language.

The text goes to the detector of `prepare` as it stands, or its first words where only those are asked for. `lang` may
be any language: one that Newsflow does not know should come out as `other`. A text too short to tell has no answer,
which is wrong.
"""

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from streams.evaluation.answers import Answer, accuracy, coverage, macro_f1
from streams.evaluation.entities import rounded
from streams.evaluation.gold import LANGUAGES, GoldText
from streams.prepare.language import LanguageDetector

OTHER = "other"
"""Answer and label for every language that Newsflow does not know."""


@dataclass(frozen=True, slots=True)
class LanguageFigures:
    """The answers to some texts and what they cost."""

    answers: tuple[Answer, ...]
    cpu_seconds: float

    def as_json(self) -> dict[str, Any]:
        """Return the figures as `newsflow eval language --format json` prints them."""
        return {
            "accuracy": rounded(accuracy(self.answers)),
            "macro_f1": rounded(macro_f1(self.answers)),
            "coverage": rounded(coverage(self.answers)),
            "ms_per_article": rounded(1000 * self.cpu_seconds / len(self.answers)),
            "n": len(self.answers),
        }


def first_words(text: str, count: int) -> str:
    """Return the text up to the end of its word number `count`; all of it where it has fewer."""
    words = re.match(rf"\s*(?:\S+\s+){{{count - 1}}}\S+", text)
    return words[0] if words else text


def measure(
    detector: LanguageDetector,
    texts: Iterable[GoldText],
    words: int | None = None,
    after_each: Callable[[], None] = lambda: None,
) -> LanguageFigures:
    """Return the detector's answers for the texts, or for their first `words` words."""
    answers = []
    cpu_seconds = 0.0
    for text in texts:
        read = text.text if words is None else first_words(text.text, words)
        start = time.process_time()
        verdict = detector.detect(read)
        cpu_seconds += time.process_time() - start
        label = text.language if text.language in LANGUAGES else OTHER
        answers.append(Answer(label, verdict.language or (OTHER if verdict.sure else None)))
        after_each()
    return LanguageFigures(tuple(answers), cpu_seconds)
