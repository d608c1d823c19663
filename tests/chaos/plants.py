"""Which row must see which planted bug, and as what."""

import os
from pathlib import Path

from streams.broker import LocalBroker
from tests.chaos.arena import Outcome
from tests.chaos.load_rows import poison_flood
from tests.chaos.rows import SHORT, Row, zombie

MISSED = "stops missed"
"""Not a field of the account: the row counts the stops that it saw."""
CAUGHT_BY: dict[str, tuple[str, Row, str]] = {
    "ack_before_send": ("worker-kill", SHORT["worker-kill"], "lost"),
    "send_before_ack": ("worker-kill", SHORT["worker-kill"], "doubled"),
    "read_uncommitted": ("worker-kill", SHORT["worker-kill"], "doubled"),
    "reorder": ("worker-kill", SHORT["worker-kill"], "order"),
    "no_fence": ("zombie", lambda broker, home: zombie(broker, home, turns=3), "doubled"),
    "skip_dead_letter": ("poison", SHORT["poison"], "lost"),
    "skip_tombstone": ("worker-kill", SHORT["worker-kill"], "tombstones_lost"),
    "no_breaker": ("poison-flood", lambda broker, home: poison_flood(broker, home, count=1_500, starts=1), MISSED),
}
"""Planted bug to the row that runs with it, in little, and the field of its account that must not be empty."""


def run(plant: str, broker: LocalBroker, home: Path) -> tuple[Outcome, int]:
    """Return the row's outcome with the bug planted, and how many articles or keys show it."""
    _, row, field = CAUGHT_BY[plant]
    os.environ["NEWSFLOW_PLANT"] = plant
    try:
        outcome = row(broker, home)
    finally:
        del os.environ["NEWSFLOW_PLANT"]
    return outcome, outcome.planned - outcome.struck if field == MISSED else len(getattr(outcome.account, field))
