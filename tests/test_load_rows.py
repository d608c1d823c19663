"""What the ledger's rows under load stand on, without Kafka: the nonsense in little, and the wrong clock."""

import platform
import subprocess
import sys
import time
from pathlib import Path

import pytest

from schemas import DeadLetterReason
from streams.delivery.records import Incoming, dead_letter
from streams.line import newsflow_line
from streams.settings import Settings
from tests.chaos.fuzzed_records import MAKERS, Fuzzed, Generator, fuzzed, try_records, wrong_with

ROOT = Path(__file__).parent.parent
CLOCK = (
    "import sys, time; from datetime import datetime; from tests import clock_worker; "
    "monotonic = time.monotonic(); clock_worker.shift(int(sys.argv[1])); "
    "from aiokafka.record.default_records import DefaultRecordBatchBuilder as Builder; "
    "record = Builder(2, 0, 0, -1, -1, -1, 1000).append(0, None, b'k', b'v', []); "
    "print(time.time(), datetime.now().timestamp(), record.timestamp / 1000, time.monotonic() - monotonic)"
)


def test_nonsense_is_prepared_or_dead_and_raises_nothing_unforeseen() -> None:
    found = try_records(11, 1_500, frozenset())
    assert found.wrong == []
    assert found.done == found.prepared + found.dead.total() == 1_500
    assert set(found.kinds) == set(MAKERS)
    assert min(found.prepared, found.dead.total()) > 300


def test_the_same_seed_makes_the_same_nonsense() -> None:
    assert list(fuzzed(5, 40))[39] == Generator(5).record(39) != Generator(6).record(39)


def test_an_unforeseen_exception_and_a_changed_original_are_findings() -> None:
    record = Fuzzed("text", b"k", b"{", (("content-type", b"text/plain"),))
    incoming = Incoming("articles.raw", 0, 0, 0, record.key, record.value, record.headers)
    stage = newsflow_line(Settings()).stages[0]

    def found(reason: DeadLetterReason, of: Fuzzed) -> str:
        return wrong_with(of, dead_letter(stage, incoming, reason, ZeroDivisionError("a bug"))) or ""

    assert found(DeadLetterReason.BROKEN_JSON, record) == ""
    assert found(DeadLetterReason.ENRICHER_FAILED, record).startswith("unforeseen: ZeroDivisionError: a bug")
    assert "not the original" in found(DeadLetterReason.EMPTY, Fuzzed("text", b"k", b"[", record.headers))
    assert "lacks headers" in found(DeadLetterReason.EMPTY, Fuzzed("text", b"k", b"{", (("x", b""),)))


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the clock is shifted by machine code for x86-64")
@pytest.mark.parametrize("offset", [3_600, -3_600])
def test_a_shifted_clock_is_what_python_and_compiled_code_see(offset: int) -> None:
    shown = subprocess.run(
        [sys.executable, "-c", CLOCK, str(offset)], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    *seen, monotonic = map(float, shown.split())
    assert len(seen) == 3
    assert all(abs(one - offset - time.time()) < 60 for one in seen), shown
    assert 0 <= monotonic < 60
