"""`newsflow topics-model`: rebuilds the models of the stage `classify`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from streams.errors import SettingsError

if TYPE_CHECKING:
    from streams.classify.report_page import Table

REPORT = Path("docs/topics-model.html")


@click.group("topics-model")
def topics_model() -> None:
    """Rebuild the models that give articles their topics and event types."""


@topics_model.command()
@click.option("--vectors/--keep-vectors", "with_vectors", default=True, help="Distil the word vectors anew, or not.")
@click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    default=REPORT,
    show_default=True,
    help="HTML page to write.",
)
def train(with_vectors: bool, report: Path) -> None:  # click calls it by name
    """Rebuild everything from the repository, the same bytes each time, and a report of held-out figures.

    Takes 20 minutes on two cores, and as long again for the word vectors. Needs the extra `models`.
    """
    try:
        from streams.classify import distil, encoder, encoder_train, event_model, event_train, model, vectors
        from streams.classify import train as topic_train
    except ModuleNotFoundError as error:
        raise SettingsError(f"`{error.name}` is not installed: pip install 'newsflow[models]'.") from None
    from streams.classify.labelled import DIRECTORY
    from streams.classify.report_page import Report
    from streams.progress import Progress

    if not DIRECTORY.is_dir():
        raise SettingsError(f"{DIRECTORY} is not there: run it in the repository, what is installed has no examples.")

    before = vectors.TABLE.read_bytes()
    try:
        if with_vectors:
            vectors.TABLE.write_bytes(distil.distil())
        with Progress("steps", topic_train.STEPS + event_train.STEPS + encoder_train.STEPS) as progress:
            trained = topic_train.train(progress.advance)
            events = event_train.train(progress.advance)
            head = encoder_train.train(trained.probabilities, progress.advance)
    except BaseException:
        # Models and vectors belong together: half a rebuild is none.
        vectors.TABLE.write_bytes(before)
        raise
    model.ARTEFACT.write_bytes(trained.content)
    event_model.ARTEFACT.write_bytes(events.content)
    encoder.ARTEFACT.write_bytes(head.content)
    page = Report(
        head=f"Trained on {trained.examples:,} labelled texts and {trained.cues:,} cue words for topics, "
        f"{events.sentences:,} labelled sentences for events, in Russian, Ukrainian and English, all written for it.",
        topics=trained.topics,
        thresholds=trained.thresholds,
        curve=trained.curve,
        reliability=trained.reliability,
        confusion=trained.confusion,
        children=trained.children,
        encoder=head.table,
        events=events.table,
        event_reliability=events.reliability,
        event_confusion=events.confusion,
    )
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text(page.html(), encoding="utf-8")
    for title, table in (
        ("topics of level 1", page.topics),
        ("thresholds", page.thresholds),
        ("topics of level 2, given the parent", page.children),
        ("topics of level 1 with the optional encoder", page.encoder),
        ("event types", page.events),
    ):
        click.echo(f"\n{title}, held out\n{_lines(table)}")
    click.echo(f"\n{report}: learning curve, reliability, confusion")


def _lines(table: "Table") -> str:
    rows = (table.head, *table.rows)
    widths = [max(len(row[column]) for row in rows) for column in range(len(table.head))]
    return "\n".join(
        "  "
        + "  ".join(
            f"{cell:<{w}}" if i == 0 else f"{cell:>{w}}" for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )
