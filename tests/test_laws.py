"""The laws of `streams/stage.py`, over every stage and every sample article."""

from pathlib import Path
from typing import Any

import pytest

from schemas import AnnotatedEvent, EnrichedEvent, PreparedEvent, encode
from streams import article_files
from streams.article_files import ArticleFile
from streams.errors import ArticleRejected
from streams.line import Line, newsflow_line
from streams.settings import Settings

SAMPLES = article_files.read(
    sorted(
        str(p) for p in (Path(__file__).parent.parent / "samples").iterdir() if p.suffix in article_files.CONTENT_TYPES
    )
)

GOOD = [article for article in SAMPLES if "broken" not in article.place]
"""Those that the line takes; what becomes of the others is `test_broken_samples_are_refused`."""


@pytest.fixture(scope="module")
def line() -> Line:
    line = newsflow_line(Settings())
    line.load()
    return line


def steps(line: Line, article: ArticleFile) -> list[tuple[Any, PreparedEvent]]:
    """Return input and output of every stage."""
    done: list[tuple[Any, PreparedEvent]] = []
    event: Any = article.raw
    for stage in line.stages:
        result = stage.enrich(event)
        done.append((event, result))
        event = result
    return done


@pytest.mark.parametrize("article", GOOD, ids=lambda article: Path(article.place).name)
class TestLaws:
    def test_mentions_are_where_they_say(self, line: Line, article: ArticleFile) -> None:
        for _, event in steps(line, article):
            if isinstance(event, AnnotatedEvent):
                for entity in event.entities:
                    for mention in entity.mentions:
                        assert event.article.text[mention.start : mention.stop] == mention.text

    def test_input_is_never_mutated(self, line: Line, article: ArticleFile) -> None:
        for before, _ in steps(line, article):
            if isinstance(before, PreparedEvent):
                stage = line.stages[len(before.provenance)]
                bytes_before = encode(before)
                stage.enrich(before)
                assert encode(before) == bytes_before

    def test_same_input_same_bytes(self, line: Line, article: ArticleFile) -> None:
        first = [encode(event) for _, event in steps(line, article)]
        assert [encode(event) for _, event in steps(line, article)] == first

    def test_output_survives_the_topic(self, line: Line, article: ArticleFile) -> None:
        for stage, (_, event) in zip(line.stages, steps(line, article), strict=True):
            again = stage.event.model_validate_json(encode(event))
            assert again == event
            assert encode(again) == encode(event)

    def test_reading_from_the_topic_changes_nothing(self, line: Line, article: ArticleFile) -> None:
        done = steps(line, article)
        event: Any = article.raw
        for stage in line.stages:
            event = stage.event.model_validate_json(encode(stage.enrich(event)))
        assert encode(event) == encode(done[-1][1])

    def test_every_stage_adds_its_provenance(self, line: Line, article: ArticleFile) -> None:
        for number, (_, event) in enumerate(steps(line, article), start=1):
            assert [p.stage for p in event.provenance] == [stage.name for stage in line.stages[:number]]

    def test_every_empty_annotation_says_why(self, line: Line, article: ArticleFile) -> None:
        event = steps(line, article)[-1][1]
        assert isinstance(event, EnrichedEvent)
        assert bool(event.entities) != ("entities" in event.skipped)
        assert bool(event.topics) != ("classify" in event.skipped)
        assert (event.main_event is None) == ("classify.main_event" in event.skipped)
        assert (event.article.language is None) == ("prepare" in event.skipped)


def test_an_article_alone_and_after_others_gives_the_same_bytes(line: Line) -> None:
    forwards = {article.place: encode(line.enrich(article.raw)) for article in GOOD}
    backwards = {article.place: encode(line.enrich(article.raw)) for article in reversed(GOOD)}
    assert forwards == backwards


def test_samples_cover_every_language_and_every_kind_of_file() -> None:
    names = {Path(article.place.partition(":")[0]).name for article in SAMPLES}
    assert {Path(name).suffix for name in names} == {".txt", ".html", ".json", ".jsonl"}
    assert {name[:2] for name in names} >= {"ru", "uk", "en"}


def test_broken_samples_are_refused(line: Line) -> None:
    broken = [article for article in SAMPLES if article not in GOOD]
    assert len(broken) == 4
    for article in broken:
        with pytest.raises(ArticleRejected):
            line.enrich(article.raw)
