"""Rows of the fault ledger in little, and the proof that they would see a bug."""

from pathlib import Path

import pytest

from streams.broker import LocalBroker
from tests.chaos import plants
from tests.chaos.rows import SHORT
from tests.planted_bugs import PLANTS

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]


@pytest.mark.parametrize("name", SHORT)
def test_nothing_is_lost_or_doubled_or_out_of_order(name: str, tmp_path: Path) -> None:
    with LocalBroker(tmp_path / "kafka") as broker:
        outcome = SHORT[name](broker, tmp_path)
    assert outcome.green, outcome


@pytest.mark.parametrize("plant", ["reorder"])
def test_a_planted_bug_is_caught(plant: str, kafka: LocalBroker, tmp_path: Path) -> None:
    outcome, shown = plants.run(plant, kafka, tmp_path)
    assert shown, outcome
    assert not outcome.green


def test_every_planted_bug_has_its_row() -> None:
    assert set(plants.CAUGHT_BY) == set(PLANTS)
