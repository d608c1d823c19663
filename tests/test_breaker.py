"""A stage that dead-letters most of what it reads stops, stays stopped over restarts, and goes on when told to."""

import asyncio
import time
from pathlib import Path

import pytest

from schemas import DeadLetterReason
from streams import breaker_state
from streams.broker import LocalBroker
from streams.delivery.breaker import Breaker
from streams.delivery.records import Outgoing
from streams.errors import BreakerOpen
from streams.settings import Settings
from streams.worker_child import WorkerChild
from tests.account import read_topic
from tests.running_line import RunningLine, Sent

GOOD = Outgoing("articles.prepared", b"k", b"v", ())
BAD = Outgoing("articles.dead", b"k", b"v", (), DeadLetterReason.BROKEN_JSON)


def breaker(**changed: object) -> Breaker:
    return Breaker(Settings.model_validate({"breaker_records": 10} | changed), "prepare", "articles.raw")


def test_more_than_the_share_of_the_latest_records_opens_it() -> None:
    it = breaker()
    it.record([BAD] * 5 + [GOOD] * 5)
    it.check()
    it.record([BAD] * 5 + [GOOD] * 4)
    it.check()
    it.record([BAD])
    with pytest.raises(BreakerOpen, match=r"stage prepare dead-lettered 6 of its latest 10 .*6 broken_json"):
        it.check()


def test_once_open_it_stays_open() -> None:
    it = breaker()
    it.record([BAD] * 10)
    it.record([GOOD] * 10)
    with pytest.raises(BreakerOpen, match="10 broken_json"):
        it.check()


def test_too_few_records_open_nothing() -> None:
    it = breaker()
    it.record([BAD] * 9)
    it.check()


def test_a_share_of_one_never_opens_it() -> None:
    it = breaker(breaker_share=1)
    it.record([BAD] * 10)
    it.check()


def test_a_successor_knows_what_was_seen() -> None:
    first, second = breaker(), breaker()
    first.record([BAD] * 10)
    second.record([GOOD] * 3)
    second.adopt([first.metadata()])
    with pytest.raises(BreakerOpen, match="10 broken_json"):
        second.check()


@pytest.mark.parametrize("order", [1, -1])
def test_a_successor_stays_open_whichever_partition_says_so(order: int) -> None:
    opened, fine, successor = breaker(), breaker(), breaker()
    opened.record([BAD] * 10)
    fine.record([GOOD] * 10)
    successor.adopt([opened.metadata(), fine.metadata()][::order])
    with pytest.raises(BreakerOpen, match="10 broken_json"):
        successor.check()


def test_strange_metadata_is_no_harm() -> None:
    it = breaker()
    it.adopt(("", "someone else's", "newsflow1:", "newsflow1:..z"))
    it.check()


@pytest.mark.kafka
def test_a_flood_of_poison_stops_the_line_instead_of_draining_it(kafka: LocalBroker, tmp_path: Path) -> None:
    line = RunningLine(kafka.bootstrap_servers, tmp_path, batch_size=30)
    line.create_topics()
    poison = [Sent(b"[]", f"k{n}".encode()) for n in range(900)]
    good = [Sent(b'{"text": "NATO met in Japan."}', f"g{n}".encode()) for n in range(20)]
    asyncio.run(line.publish([*poison, *good]))
    drained = []
    for _ in range(3):
        line.worker.start()
        assert ended(line.worker) == 78
        assert "stage prepare dead-lettered" in line.worker.log_text()
        assert "json_not_object" in line.worker.log_text()
        drained.append(settled(line))
    assert 100 < drained[0] < 600
    assert drained[0] == drained[1] == drained[2], "a restart must not drain the topic by and by"

    assert asyncio.run(breaker_state.close(line.settings)) > 0
    patient = WorkerChild(line.settings, tmp_path / "patient.log", extra={"NEWSFLOW_BREAKER_SHARE": "1"})
    with patient:
        deadline = time.monotonic() + 60
        while enriched(line) < len(good) or dead(line) < len(poison):
            assert time.monotonic() < deadline, patient.log_text()[-2000:]
            time.sleep(0.5)
    assert (enriched(line), dead(line)) == (len(good), len(poison))


def ended(worker: WorkerChild) -> int | None:
    deadline = time.monotonic() + 60
    while worker.poll() is None:
        assert time.monotonic() < deadline, worker.log_text()[-2000:]
        time.sleep(0.1)
    return worker.poll()


def settled(line: RunningLine) -> int:
    """Count the dead letters when what the worker had committed last is visible: the broker ends it by itself."""
    before, now = -1, dead(line)
    while now != before:
        time.sleep(1)
        before, now = now, dead(line)
    return now


def dead(line: RunningLine) -> int:
    return len(asyncio.run(read_topic(line.settings.brokers, line.settings.topic("articles.dead"))))


def enriched(line: RunningLine) -> int:
    return len(asyncio.run(read_topic(line.settings.brokers, line.settings.topic("articles.enriched"))))
