"""Run rows of the fault ledger and write `docs/fault-ledger.md`."""

import importlib.metadata
import os
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from streams.broker import LocalBroker, jars
from tests.chaos.arena import Outcome
from tests.chaos.rows import MISSING, ROWS

LEDGER = Path(__file__).parent.parent.parent / "docs" / "fault-ledger.md"


def say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def run(name: str) -> Outcome:
    say(f"{name}: {ROWS[name].__doc__}")
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix=f"chaos-{name}-") as home, LocalBroker(Path(home) / "kafka") as broker:
        outcome = ROWS[name](broker, Path(home))
    outcome.seconds = time.monotonic() - began
    say(row(outcome))
    return outcome


def row(o: Outcome) -> str:
    a = o.account
    recovery = f"{max(o.recovery):.1f}" if o.recovery else "–"
    cells = [o.row, a.published, a.enriched, a.dead, len(a.lost), len(a.doubled), len(a.order), len(a.differing)]
    cells += [f"{o.struck} of {o.planned}", recovery, round(o.seconds), ("green" if o.green else "RED") + f" {o.notes}"]
    return "| " + " | ".join(str(cell).strip() for cell in cells) + " |"


def main() -> int:
    names = sys.argv[1:] or list(ROWS)
    outcomes = [run(name) for name in names]
    if names == list(ROWS):
        versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("faust-streaming", "aiokafka"))
        text = LEDGER_TEXT.format(
            date=f"{datetime.now(UTC):%Y-%m-%d}",
            kafka=jars.kafka_version(jars.locked_jars()),
            versions=versions,
            cores=len(os.sched_getaffinity(0)),
            head="| " + " | ".join(HEAD) + " |\n|" + "---|" * len(HEAD),
            rows="\n".join(map(row, outcomes)),
            faults="\n".join(f"* **{name}**: {function.__doc__}" for name, function in ROWS.items()),
            missing=", ".join(MISSING),
        )
        LEDGER.write_text(text)
    return 0 if all(outcome.green for outcome in outcomes) else 1


HEAD = (
    *("row", "published", "enriched", "dead", "lost", "doubled", "keys out of order", "differing bytes"),
    *("faults that struck work", "longest recovery, s", "took, s", ""),
)
LEDGER_TEXT = """# Fault ledger

`make chaos`, {date}, Apache Kafka {kafka} (one node), {versions}, Python 3.11, {cores} cores. Real broker, real
stages, real enrichers, numbered articles of three languages. The checker reads the topics (read_committed) and knows
nothing of our code.

{head}
{rows}

Recovery: from the fault (for broker-kill: from the broker's return) to the next committed event. In `replay` the
replayed articles are on both topics, dead first and enriched later, so "published" counts them twice.

{faults}

`poison-flood` (the breaker) is `tests/test_breaker.py`. Not built yet: {missing}; planted bugs.
"""

if __name__ == "__main__":
    sys.exit(main())
