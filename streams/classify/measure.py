"""Measure the topic model on labelled texts of others: `python -m streams.classify.measure FILE --map MAP.json`.

Only measures; nothing of such a file ever goes into the model. FILE has one JSON object a line with `text` and
`label`; MAP takes topic codes to the set's labels, `{"medtop:…": "label", …}`. Codes it lacks are ignored; the most
probable of the rest is the answer.
"""

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import click
import numpy as np

from streams.classify import figures, model


@dataclass(frozen=True, slots=True)
class Measured:
    """Figures of one file."""

    n: int
    accuracy: float
    """Share of texts whose answer is the label, whatever its probability."""
    macro_f1: float
    """Mean F1 of the set's labels for the same answers."""
    coverage: float
    """Share of texts whose answer reaches the model's threshold: the others would get no mapped topic."""
    accuracy_covered: float
    """Share of those that is right."""
    ece: float
    """Expected calibration error of the answers' probabilities, all texts."""
    ms_per_article: float


def measure(texts: list[str], labels: list[str], codes_to_labels: dict[str, str]) -> Measured:
    """Return the figures for texts and their labels.

    Raises:
        ValueError: the map names none of the model's topics, or there are no texts.
    """
    loaded = model.load()
    columns = [i for i, code in enumerate(loaded.codes) if code in codes_to_labels]
    if not columns or not texts:
        raise ValueError("nothing to measure: no texts, or a map without any topic of the model")
    start = time.perf_counter()
    scores = np.array([loaded.probabilities(text) for text in texts])[:, columns]
    elapsed = time.perf_counter() - start
    answers = [codes_to_labels[loaded.codes[columns[i]]] for i in scores.argmax(axis=1)]
    known = sorted(set(labels))
    true = np.array([[label == name for name in known] for label in labels])
    given = np.array([[answer == name for name in known] for answer in answers])
    right = (true & given).any(axis=1)
    best = scores.max(axis=1)
    covered = best >= loaded.threshold
    return Measured(
        n=len(texts),
        accuracy=float(right.mean()),
        macro_f1=figures.label_figures(given, true).macro_f1,
        coverage=float(covered.mean()),
        accuracy_covered=float(right[covered].mean()) if covered.any() else 0.0,
        ece=figures.calibration_error(best, right),
        ms_per_article=1000 * elapsed / len(texts),
    )


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--map", "map_file", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def main(file: Path, map_file: Path) -> None:
    """Print the figures of FILE as one line of JSON."""
    entries = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    got = measure(
        [entry["text"] for entry in entries],
        [entry["label"] for entry in entries],
        json.loads(map_file.read_text("utf-8")),
    )
    click.echo(json.dumps({"file": file.name} | {name: round(value, 3) for name, value in asdict(got).items()}))


if __name__ == "__main__":
    main()
