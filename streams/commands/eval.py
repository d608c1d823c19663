"""`newsflow eval`: how good the annotations are, on annotated texts of the user."""

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click
import orjson

if TYPE_CHECKING:
    from streams.evaluation.entities import Counts, Mistake, Tally
    from streams.evaluation.events import EventFigures
    from streams.evaluation.language import LanguageFigures
    from streams.evaluation.topics import TopicFigures

MISTAKES_SHOWN = 15
"""Mistakes of one kind that `--errors` shows."""
_CELL = 40
"""Characters of a mistake's column."""

_files = click.argument("files", metavar="FILE.jsonl...", nargs=-1, required=True)
_form = click.option(
    "--format", "form", type=click.Choice(["summary", "json"]), default="summary", help="json: one object."
)


@click.group(name="eval")
def eval_() -> None:
    """Measure entities, topics or language on annotated texts, one JSON object a line.

    Only measures: nothing of such a file goes into a model.
    """


@eval_.command()
@_files
@_form
@click.option("--errors", is_flag=True, help=f"The {MISTAKES_SHOWN} most frequent mistakes of each kind.")
def entities(files: tuple[str, ...], form: str, errors: bool) -> None:
    """Measure entities against annotated spans.

    A line is {"lang", "text", "spans": [{"start", "stop", "type", "lemma", "id"}]}: offsets in Unicode code points, end
    exclusive; type PER, LOC or ORG (others are left out); lemma (the nominative) and id (Wikidata) only where known.

    Recognition counts exact start, stop and type. Normal forms are compared over mentions with the bounds of a span
    that has a lemma; letter case, ё and the kind of apostrophe make no difference. Links are compared on spans with a
    Wikidata id: precision over the links that Newsflow gives there, recall over all of them. Times are CPU times.
    """
    from streams.entities import Entities, countries
    from streams.evaluation.entities import measure
    from streams.evaluation.gold import read_named
    from streams.progress import Progress
    from streams.settings import settings

    texts = read_named(files)
    stage = Entities(ukrainian_dictionary=settings().ukrainian_dictionary)
    stage.load()
    country_ids = frozenset(row.known.qid for row in countries.read_rows() if row.known.country)
    with Progress("texts", len(texts)) as progress:
        tallies = measure(stage, texts, country_ids, progress.advance)
    everything = tallies.pop("all")
    if form == "json":
        figures = everything.as_json()
        if errors:
            figures["errors"] = [
                {"mistake": m.what, "type": m.type, "text": m.words, "said": m.said, "gold": m.gold, "n": n}
                for kind in _by_kind(everything.mistakes).values()
                for m, n in kind
            ]
        click.echo(orjson.dumps(figures).decode())
        return
    if len(tallies) > 1:
        tallies["all"] = everything
    click.echo(f"{everything.texts:,} texts, {everything.characters:,} characters, {everything.micro.gold:,} spans")
    _show_tallies(tallies)
    if errors:
        for name, mistakes in _by_kind(everything.mistakes).items():
            click.echo(f"\n{name}")
            for mistake, n in mistakes:
                said_and_gold = f"{_cell(mistake.said)}  {_cell(mistake.gold)}" if mistake.said or mistake.gold else ""
                click.echo(f"{n:>6}  {mistake.type}  {_cell(mistake.words)}  {said_and_gold}".rstrip())


@eval_.command()
@_files
@click.option("--map", "map_file", metavar="MAP.json", required=True, help='{"medtop:…": "label", …}')
@_form
def topics(files: tuple[str, ...], map_file: str, form: str) -> None:
    """Measure topics against texts of one label each.

    A line is {"lang", "text", "label"}. MAP takes topic codes to labels. The answer for a text is the label of its best
    scored topic that MAP names; the others are ignored, and a text without any has no answer, which counts as wrong.

    coverage: share of texts with an answer. macro-F1: mean over the labels of the texts. ECE: expected calibration
    error of the answers' scores. Times are CPU times of the stage `classify`.
    """
    from streams.classify import Classify
    from streams.evaluation.gold import read_labelled, read_map
    from streams.evaluation.topics import measure
    from streams.progress import Progress
    from streams.settings import settings

    texts, codes_to_labels = read_labelled(files), read_map(map_file)
    stage = Classify(encoder=settings().topic_encoder)
    stage.load()
    with Progress("texts", len(texts)) as progress:
        measured = measure(stage, texts, codes_to_labels, progress.advance)
    _show_answers(measured, form)


@eval_.command()
@_files
@_form
def events(files: tuple[str, ...], form: str) -> None:
    """Measure event types against texts of one PLOVER type each.

    A line is {"lang", "text", "label"}; the label NONE stands for no event between actors.

    coverage: share of texts with a type, or rightly or wrongly without an event. quad class: accuracy of the four
    classes, which are also given where the type is not certain enough. ECE is over the types given.
    """
    from streams.classify import Classify
    from streams.evaluation.events import measure
    from streams.evaluation.gold import read_labelled
    from streams.progress import Progress
    from streams.settings import settings

    texts = read_labelled(files)
    stage = Classify(encoder=settings().topic_encoder)
    stage.load()
    with Progress("texts", len(texts)) as progress:
        measured = measure(stage, texts, progress.advance)
    _show_answers(measured, form)


@eval_.command()
@_files
@click.option("--words", type=click.IntRange(1), help="Read only so many words of each text.")
@_form
def language(files: tuple[str, ...], words: int | None, form: str) -> None:
    """Measure language identification.

    A line is {"lang", "text"}. A language that Newsflow does not know should come out as "other"; a text too short to
    tell has no answer, which counts as wrong.
    """
    from streams.evaluation.gold import read_texts
    from streams.evaluation.language import measure
    from streams.prepare.language import LanguageDetector
    from streams.progress import Progress

    texts = read_texts(files)
    detector = LanguageDetector()
    with Progress("texts", len(texts)) as progress:
        measured = measure(detector, texts, words, progress.advance)
    _show_answers(measured, form)


def _show_tallies(tallies: "Mapping[str, Tally]") -> None:
    click.echo(f"\n{'recognition':<14}{'spans':>8}{'found':>8}{'p':>8}{'r':>8}{'f1':>8}")
    for name, tally in tallies.items():
        for kind, counts in {"micro": tally.micro, **tally.recognition}.items():
            title = f"{name} {kind}"
            click.echo(f"{title:<14}{counts.gold:>8,}{counts.said:>8,}{_three(counts)}")
    click.echo(f"\n{'normal form':<14}{'n':>8}{'exact':>8}")
    for name, tally in tallies.items():
        click.echo(f"{name:<14}{tally.normal_form.gold:>8,}{_figure(tally.normal_form.r)}")
    click.echo(f"\n{'links':<14}{'n':>8}{'given':>8}{'p':>8}{'r':>8}")
    for name, tally in tallies.items():
        for what, counts in ((name, tally.links), (f"{name} countries", tally.countries)):
            click.echo(f"{what:<14}{counts.gold:>8,}{counts.said:>8,}{_figure(counts.p)}{_figure(counts.r)}")
    click.echo(f"\n{'cost':<14}CPU-ms per 1,000 characters")
    for name, tally in tallies.items():
        click.echo(f"{name:<14}{tally.ms_per_1000_chars:>8.2f}")


def _show_answers(measured: "TopicFigures | LanguageFigures | EventFigures", form: str) -> None:
    from streams.evaluation.answers import confusion

    figures = measured.as_json()
    if form == "json":
        click.echo(orjson.dumps(figures).decode())
        return
    counts = confusion(measured.answers)
    click.echo(f"{'texts':<16}{figures['n']:>8,}")
    for name, title in (
        ("accuracy", "accuracy"),
        ("macro_f1", "macro-F1"),
        ("quad_accuracy", "quad class"),
        ("coverage", "coverage"),
        ("ece", "ECE"),
    ):
        if name in figures:
            click.echo(f"{title:<16}{_figure(figures[name])}")
    click.echo(f"{'CPU-ms per text':<16}{figures['ms_per_article']:>8.2f}")
    labels = sorted({label for label, _ in counts})
    columns: list[str | None] = [*sorted({given for _, given in counts if given} | set(labels)), None]
    numbers = {column: str(number) for number, column in enumerate(columns[:-1], start=1)}
    width = max(len(column or "") for column in columns)
    click.echo("\nconfusion: rows are labels, columns are answers")
    click.echo(" " * (width + 5) + "".join(f"{numbers.get(column, 'none'):>6}" for column in columns))
    for column in columns[:-1]:
        cells = "".join(f"{counts[column, given] or '·':>6}" for given in columns) if column in labels else ""
        click.echo(f"{numbers[column]:>3}  {column:<{width}}{cells}")


def _by_kind(mistakes: "Counter[Mistake]") -> "dict[str, list[tuple[Mistake, int]]]":
    """Return the most frequent mistakes of each kind, most frequent first, always in the same order."""
    kinds: dict[str, list[tuple[Mistake, int]]] = {}
    for mistake, n in sorted(mistakes.items(), key=lambda item: (-item[1], item[0])):
        kinds.setdefault(mistake.what, []).append((mistake, n))
    return {name: kinds[name][:MISTAKES_SHOWN] for name in sorted(kinds)}


def _three(counts: "Counts") -> str:
    return _figure(counts.p) + _figure(counts.r) + _figure(counts.f1)


def _figure(value: float | None) -> str:
    return f"{'–' if value is None else f'{value:.3f}':>8}"


def _cell(words: str) -> str:
    line = " ".join(words.split())
    return f"{line if len(line) <= _CELL else line[: _CELL - 2] + ' …':<{_CELL}}"
