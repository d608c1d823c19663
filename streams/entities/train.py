"""Train the sequence models on the annotated texts: `python -m streams.entities.train [ru uk en] [--curve]`.

Writes `sequence.{language}.crf`, the same bytes from the same texts and packages. Prints how well names are found in
texts left out of training (five parts, by turns), beside the tagger alone; with `--curve` also how that grows with the
number of texts.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from streams.entities import Entities, annotated_texts
from streams.entities.annotated_texts import AnnotatedText
from streams.entities.sequence import Hit, SequenceModel, labels, model_path, tidied
from streams.entities.spans import Span, without_overlap

PARTS = 5
PARAMETERS = {"c1": 0.05, "c2": 0.05, "max_iterations": 120, "feature.possible_transitions": True}
"""L1 and L2 weight and the most iterations, chosen by the cross-validation that this prints."""

Prepared = tuple[AnnotatedText, list[Span], list[Hit], list[tuple[list[tuple[int, int]], list[list[str]]]]]
"""A text with what the tagger and the tables say of it, and the tokens and features of its lines."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, write, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("languages", nargs="*", default=["ru", "uk", "en"])
    parser.add_argument("--curve", action="store_true")
    parser.add_argument("--check", action="store_true", help="cross-validation too")
    given = parser.parse_args(arguments)
    stage = Entities(sequence=False)
    stage.load()
    for language in given.languages:
        prepared = [_prepared(stage, language, text) for text in annotated_texts.read(language)]
        if given.check or given.curve:
            for share in (0.25, 0.5, 0.75, 1.0) if given.curve else (1.0,):
                count = round(len(prepared) * (1 - 1 / PARTS) * share)
                _say(f"{language}: {count} texts: {_figures(*_cross_validated(stage, language, prepared, share))}")
            right = sum(len(set(base) & set(text.spans)) for text, base, *_ in prepared)
            said = sum(len(base) for _, base, *_ in prepared)
            gold = sum(len(text.spans) for text, *_ in prepared)
            _say(f"{language}: without the model: {_figures(right, said, gold)}")
        path = model_path(language)
        _train(prepared, path)
        _say(f"{language}: {len(prepared)} texts -> {path.name}, {path.stat().st_size:,} bytes")


def _figures(right: int, said: int, gold: int) -> str:
    return f"F1 {2 * right / (said + gold):.3f}, P {right / said:.3f}, R {right / gold:.3f}"


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")


def _prepared(stage: Entities, language: str, text: AnnotatedText) -> Prepared:
    base, hits = stage.evidence(text.text, language)
    return text, base, hits, list(stage.token_features(language).lines(text.text, base, hits))


def _train(prepared: Sequence[Prepared], path: Path) -> None:
    import pycrfsuite  # type: ignore[import-untyped]  # it ships no types

    trainer = pycrfsuite.Trainer(verbose=False)
    trainer.set_params(PARAMETERS)
    for text, _, _, lines in prepared:
        for tokens, row in lines:
            trainer.append(row, labels(tokens, text.spans))
    trainer.train(str(path))


def _cross_validated(
    stage: Entities, language: str, prepared: Sequence[Prepared], share: float
) -> tuple[int, int, int]:
    right = said = gold = 0
    for part in range(PARTS):
        rest = [one for number, one in enumerate(prepared) if number % PARTS != part]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model"
            _train(rest[: round(len(rest) * share)], path)
            model = SequenceModel(language, stage.token_features(language), path)
            model.load()
            for text, base, hits, *_ in prepared[part::PARTS]:
                found = set(without_overlap(tidied(text.text, model.label(text.text, base, hits))))
                right += len(found & set(text.spans))
                said += len(found)
                gold += len(text.spans)
    return right, said, gold


if __name__ == "__main__":
    main()
