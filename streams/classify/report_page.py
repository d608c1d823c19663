"""The report of a training as one HTML page that needs nothing else: tables, and pictures drawn as SVG."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from streams.classify.figures import BINS, Bin

_SIZE = 320
_MARGIN = 44
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; color: #1d2433 }
h1 { font-size: 1.6rem } h2 { font-size: 1.2rem; margin-top: 2.5rem }
table { border-collapse: collapse; margin: 1rem 0 } td, th { padding: .15rem .7rem; text-align: right }
th:first-child, td:first-child { text-align: left } tr:nth-child(even) { background: #f4f6fa }
.pictures { display: flex; flex-wrap: wrap; gap: 2rem } figure { margin: 0 } figcaption { max-width: 24rem }
svg text { font: 11px system-ui, sans-serif; fill: #1d2433 }
"""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of a table; the first cell of each is its name."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Curve:
    """Figures of models trained on growing shares of the examples."""

    examples: tuple[int, ...]
    lines: dict[str, tuple[float, ...]]
    """Name of a figure to its values, one per number of examples."""


@dataclass(frozen=True, slots=True)
class Confusion:
    """How often a text of one label (row) was given another (column)."""

    labels: tuple[str, ...]
    counts: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Report:
    """What a training found on texts that its models had not seen."""

    head: str
    """What it was trained on, in a sentence or two."""
    topics: Table
    thresholds: Table
    curve: Curve
    reliability: list[Bin | None]
    confusion: Confusion
    children: Table
    encoder: Table
    events: Table
    event_reliability: list[Bin | None]
    event_confusion: Confusion

    def html(self) -> str:
        """Return the page."""
        parts = [
            "<!doctype html><html lang='en'><meta charset='utf-8'><title>Newsflow: topic and event models</title>",
            f"<style>{_STYLE}</style><h1>Newsflow: topic and event models</h1>",
            f"<p>{escape(self.head)} All figures are held out: each example was scored by a model that had not seen "
            "it. Made by <code>newsflow topics-model train</code>.</p>",
            "<h2>Topics of level 1</h2>",
            _table(self.topics),
            "<div class='pictures'>",
            _figure(_curve(self.curve), "Learning curve: figures on the first fifth, by the number of examples used."),
            _figure(_reliability(self.reliability), "Reliability: share right by score, all topics of all examples."),
            "</div><p>Thresholds:</p>",
            _table(self.thresholds),
            _figure(_heat(self.confusion), "Confusion: rows are an example's main topic, columns the best scored one."),
            "<h2>Topics of level 2, given the right topic of level 1</h2>",
            _table(self.children),
            "<h2>Topics of level 1 with the optional encoder</h2>",
            _table(self.encoder),
            "<h2>Event types</h2>",
            _table(self.events),
            "<div class='pictures'>",
            _figure(_reliability(self.event_reliability), "Reliability: share right by the score of the best type."),
            _figure(_heat(self.event_confusion), "Confusion: rows are a sentence's type, columns the best scored one."),
            "</div></html>",
        ]
        return "\n".join(parts) + "\n"


def _table(table: Table) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in table.head)
    rows = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in table.rows)
    return f"<table><tr>{head}</tr>{rows}</table>"


def _figure(picture: str, caption: str) -> str:
    return f"<figure>{picture}<figcaption>{escape(caption)}</figcaption></figure>"


def _svg(width: float, height: float, parts: Sequence[str]) -> str:
    return f"<svg viewBox='0 0 {width:g} {height:g}' width='{width:g}' height='{height:g}'>{''.join(parts)}</svg>"


def _text(x: float, y: float, words: str, anchor: str = "middle") -> str:
    return f"<text x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}'>{escape(words)}</text>"


def _axes(x_labels: dict[float, str]) -> list[str]:
    """Return a frame with 0..1 upwards and labels at places 0..1 along."""
    parts = [
        f"<rect x='{_MARGIN}' y='10' width='{_SIZE}' height='{_SIZE}' fill='none' stroke='#9aa5b8'/>",
    ]
    for step in range(0, 11, 2):
        y = _y(step / 10)
        parts += [
            f"<line x1='{_MARGIN}' x2='{_MARGIN + _SIZE}' y1='{y:.1f}' y2='{y:.1f}' stroke='#e3e8f0'/>",
            _text(_MARGIN - 6, y + 4, f"{step / 10:.1f}", "end"),
        ]
    return parts + [_text(_x(place), _SIZE + 26, words) for place, words in x_labels.items()]


def _x(value: float) -> float:
    return _MARGIN + value * _SIZE


def _y(value: float) -> float:
    return 10 + (1 - value) * _SIZE


def _reliability(bins: Sequence[Bin | None]) -> str:
    parts = _axes({step / 10: f"{step / 10:.1f}" for step in range(0, 11, 2)})
    parts.append(f"<line x1='{_x(0)}' y1='{_y(0)}' x2='{_x(1)}' y2='{_y(1)}' stroke='#9aa5b8' stroke-dasharray='4'/>")
    for number, entry in enumerate(bins):
        if entry:
            left, width = _x(number / BINS), _SIZE / BINS - 2
            parts += [
                f"<rect x='{left + 1:.1f}' y='{_y(entry.correct):.1f}' width='{width:.1f}' "
                f"height='{entry.correct * _SIZE:.1f}' fill='#4a7bd0' opacity='.75'><title>{entry.count} scores, "
                f"mean {entry.confidence:.3f}, right {entry.correct:.3f}</title></rect>",
                f"<circle cx='{_x(entry.confidence):.1f}' cy='{_y(entry.correct):.1f}' r='3' fill='#c2410c'/>",
            ]
    return _svg(_SIZE + _MARGIN + 20, _SIZE + 40, parts)


_COLOURS = ("#4a7bd0", "#c2410c", "#15803d", "#7e22ce")


def _curve(curve: Curve) -> str:
    most = max(curve.examples)
    parts = _axes({n / most: f"{n:,}" for n in curve.examples})
    for number, (name, values) in enumerate(curve.lines.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        points = [(_x(n / most), _y(value)) for n, value in zip(curve.examples, values, strict=True)]
        parts.append(
            f"<polyline points='{' '.join(f'{x:.1f},{y:.1f}' for x, y in points)}' fill='none' stroke='{colour}' "
            "stroke-width='2'/>"
        )
        parts += [f"<circle cx='{x:.1f}' cy='{y:.1f}' r='3' fill='{colour}'/>" for x, y in points]
        parts.append(_text(points[-1][0] - 8, points[-1][1] - 8, f"{name} {values[-1]:.3f}", "end"))
    return _svg(_SIZE + _MARGIN + 20, _SIZE + 40, parts)


def _heat(confusion: Confusion) -> str:
    cell, left, top = 26, 190, 150
    parts = []
    sums = np.maximum(1, confusion.counts.sum(axis=1))
    for row, label in enumerate(confusion.labels):
        y = top + row * cell
        parts.append(_text(left - 6, y + 17, label[:30], "end"))
        place = f"translate({left + row * cell + 17:.0f},{top - 6}) rotate(-60)"
        parts.append(f"<text transform='{place}'>{escape(label[:24])}</text>")
        for column, count in enumerate(confusion.counts[row].tolist()):
            share = count / int(sums[row])
            colour = "#15803d" if row == column else "#c2410c"
            parts.append(
                f"<rect x='{left + column * cell}' y='{y}' width='{cell - 1}' height='{cell - 1}' fill='{colour}' "
                f"opacity='{0.04 + 0.96 * share:.3f}'/>"
            )
            if count:
                parts.append(_text(left + column * cell + cell / 2, y + 17, str(count)))
    width = left + cell * len(confusion.labels) + 90
    return _svg(width, top + cell * len(confusion.labels) + 10, parts)
