"""The line: which stages there are and in which order. A new stage is one line here.

articles.raw -> prepare -> articles.prepared -> entities -> articles.annotated -> classify -> articles.enriched
"""

import gc
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from schemas import SCHEMA_VERSION, EnrichedEvent, PreparedEvent
from schemas.headers import DEAD, RAW
from streams.classify import Classify
from streams.entities import Entities
from streams.prepare import Prepare
from streams.settings import Settings
from streams.stage import RawArticle, Stage

AnyStage = Stage[Any, PreparedEvent]
"""A stage whose input type is known only to the stage before it."""


@dataclass(frozen=True)
class Line:
    """Stages in the order in which an article passes them; each reads the topic that the one before it writes."""

    stages: tuple[AnyStage, ...]

    @property
    def topics(self) -> tuple[str, ...]:
        """All topics of the line, in the order in which an article passes them; the dead letters come last."""
        return (RAW, *(stage.writes for stage in self.stages), DEAD)

    @property
    def enriched(self) -> str:
        """The topic of the public event: what the last stage writes."""
        return self.stages[-1].writes

    @property
    def version(self) -> str:
        """Version of the whole line, e.g. `1.0.0/prepare=1,entities=1`: it changes with any stage's or schema's."""
        return f"{SCHEMA_VERSION}/" + ",".join(f"{stage.name}={stage.version}" for stage in self.stages)

    def before(self, stage: AnyStage) -> AnyStage | None:
        """Return the stage whose events `stage` reads; None for the first, which reads raw articles."""
        place = self.stages.index(stage)
        return self.stages[place - 1] if place else None

    def reads(self, stage: AnyStage) -> str:
        """Return the topic that `stage` reads."""
        before = self.before(stage)
        return before.writes if before else RAW

    def load(self, stages: Sequence[AnyStage] | None = None) -> None:
        """Load the models of the stages (all of them when none are given); takes seconds."""
        for stage in self.stages if stages is None else stages:
            stage.load()
        # The models live as long as the process: the garbage collector need not walk them again and again.
        gc.collect()
        gc.freeze()

    def enrich(self, raw: RawArticle) -> EnrichedEvent:
        """Return the enriched event of one raw article, without Kafka: the same bytes as through the topics.

        Raises:
            ArticleRejected: a stage refuses the article.
        """
        event: Any = raw
        for stage in self.stages:
            event = stage.enrich(event)
        return cast(EnrichedEvent, event)


def newsflow_line(settings: Settings) -> Line:
    """Return Newsflow's line. This is the one place where stages are wired."""
    return Line(
        stages=(
            Prepare(max_text_length=settings.max_text_length, max_json_depth=settings.max_json_depth),
            Entities(ukrainian_dictionary=settings.ukrainian_dictionary),
            Classify(encoder=settings.topic_encoder),
        )
    )
