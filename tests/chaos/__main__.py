"""Run rows of the fault ledger and write `docs/fault-ledger.md`."""

import importlib.metadata
import os
import shutil
import sys
import tempfile
import time
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

from streams.broker import LocalBroker, jars
from tests.chaos import plants
from tests.chaos.arena import Outcome
from tests.chaos.network_rows import NETWORK_ROWS
from tests.chaos.rows import ROWS
from tests.planted_bugs import PLANTS

LEDGER = Path(__file__).parent.parent.parent / "docs" / "fault-ledger.md"


def say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def run(name: str) -> Outcome:
    say(f"{name}: {ROWS[name].__doc__}")
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix=f"chaos-{name}-") as home:
        broker = LocalBroker(Path(home) / "kafka")
        with nullcontext() if name in NETWORK_ROWS else broker:
            outcome = ROWS[name](broker, Path(home))
        if not outcome.green:
            # A row that is red once in many runs says why only in its workers' logs.
            logs = Path(tempfile.mkdtemp(prefix=f"chaos-{name}-red-"))
            for log in Path(home).rglob("*.log"):
                shutil.copy(log, logs / log.relative_to(home).as_posix().replace("/", "-"))
            say(f"{name} is red; its logs are in {logs}")
    outcome.seconds = time.monotonic() - began
    say(row(outcome))
    return outcome


def row(o: Outcome) -> str:
    a = o.account
    recovery = f"{max(o.recovery):.1f}" if o.recovery else "–"
    cells = [o.row, a.published + a.replayed, a.enriched, a.tombstones, a.dead]
    cells += [len(a.lost), len(a.tombstones_lost), len(a.doubled), len(a.order), len(a.differing)]
    cells += [f"{o.struck} of {o.planned}", recovery, round(o.seconds), ("green" if o.green else "RED") + f" {o.notes}"]
    return "| " + " | ".join(str(cell).strip() for cell in cells) + " |"


def run_plant(name: str) -> tuple[str, bool]:
    """Return the ledger's line for a planted bug, and whether it was caught."""
    row_name, _, field = plants.CAUGHT_BY[name]
    say(f"{name}: {PLANTS[name].__doc__}")
    with tempfile.TemporaryDirectory(prefix=f"plant-{name}-") as home, LocalBroker(Path(home) / "kafka") as broker:
        outcome, shown = plants.run(name, broker, Path(home))
    caught = bool(shown) and not outcome.green
    line = f"| {name} | {PLANTS[name].__doc__} | {row_name} | {shown} {field} | {'caught' if caught else 'MISSED'} |"
    say(line)
    return line, caught


def replace_lines(lines: list[str]) -> None:
    """Put the lines in the places of the ledger's that begin with the same name; the rest of it stays."""
    new = {line.split(" | ")[0]: line.replace(" | run alone |", " (run alone) |") for line in lines}
    old = LEDGER.read_text().splitlines()
    LEDGER.write_text("\n".join(new.get(line.split(" | ")[0], line) for line in old) + "\n")


def main() -> int:
    names = sys.argv[1:] or [*ROWS, "plants"]
    outcomes = [run(name) for name in names if name != "plants"]
    planted = [run_plant(name) for name in plants.CAUGHT_BY] if "plants" in names else []
    if names == [*ROWS, "plants"]:
        versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("faust-streaming", "aiokafka"))
        text = LEDGER_TEXT.format(
            date=f"{datetime.now(UTC):%Y-%m-%d}",
            kafka=jars.kafka_version(jars.locked_jars()),
            versions=versions,
            cores=len(os.sched_getaffinity(0)),
            head="| " + " | ".join(HEAD) + " |\n|" + "---|" * len(HEAD),
            rows="\n".join(map(row, outcomes)),
            faults="\n".join(f"* **{name}**: {function.__doc__}" for name, function in ROWS.items()),
            plants="\n".join(line for line, _ in planted),
        )
        LEDGER.write_text(text)
    elif LEDGER.exists():
        replace_lines([row(outcome) + " run alone |" for outcome in outcomes] + [line for line, _ in planted])
    return 0 if all(outcome.green for outcome in outcomes) and all(caught for _, caught in planted) else 1


HEAD = (
    *("row", "published", "enriched", "tombstones", "dead", "lost", "tombstones lost", "doubled"),
    *("keys out of order", "differing bytes"),
    *("faults that struck work", "longest recovery, s", "took, s", ""),
)
LEDGER_TEXT = """# Fault ledger

`make chaos`, {date}, Apache Kafka {kafka} (one node), {versions}, Python 3.11, {cores} cores. Real broker, real
stages, real enrichers, numbered articles of three languages. The checker reads the topics (read_committed) and knows
nothing of our code.

{head}
{rows}

Recovery: from the fault until every partition with work has brought an outcome; for broker-kill from the return of the
broker to the first outcome. In `replay` the replayed articles are on both topics, dead first and enriched later, so
"published" counts them twice. In `cluster` there are three brokers.

{faults}

## Planted bugs

Each is planted in the delivery of the workers of one row, in little (`tests/planted_bugs.py`, out of `newsflow`'s
reach); the checker must see it.

| bug | what it does | row | seen | |
|---|---|---|---|---|
{plants}
"""

if __name__ == "__main__":
    sys.exit(main())
