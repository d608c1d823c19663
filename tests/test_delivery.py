"""Delivery around faults, on a real Kafka with the real stages; rows of the fault ledger are in `test_chaos.py`."""

import asyncio
import json
import os
import signal
import time
from pathlib import Path

import psutil
import pytest

from streams.broker import LocalBroker
from streams.worker_child import WorkerChild
from tests.account import account
from tests.running_line import RunningLine, Sent

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(1800)]

TEXTS = {
    "ru": "Правительство Японии выделит помощь Турции после землетрясения, сообщили в Токио.",
    "uk": "Міністерство оборони України повідомило про нову допомогу від Польщі та Литви.",
    "en": "The European Commission said on Monday that Poland and Hungary had agreed to a new budget.",
}


def articles(count: int, keys: int = 20) -> tuple[list[str], list[Sent]]:
    """Return ids and records: `k3#17` is an article with record key `k3`, its number rises with each version."""
    names = [f"k{n % keys}#{n}" for n in range(count)]
    bodies = [
        json.dumps({"id": name, "text": list(TEXTS.values())[n % 3], "n": n}, ensure_ascii=False).encode()
        for n, name in enumerate(names)
    ]
    return names, [Sent(body, name.partition("#")[0].encode()) for name, body in zip(names, bodies, strict=True)]


def settled(line: RunningLine, names: list[str], seconds: float) -> None:
    """Wait until as many outcomes are committed as articles were published."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        now = asyncio.run(account(line.settings.brokers, line.settings.topic_prefix, names))
        if now.enriched + now.dead >= len(names):
            return
        time.sleep(1)


def test_a_stopped_worker_leaves_with_zero_and_its_successor_goes_on(kafka: LocalBroker, tmp_path: Path) -> None:
    line = RunningLine(kafka.bootstrap_servers, tmp_path)
    names, records = articles(200)
    with line:
        asyncio.run(line.publish(records))
        settled(line, names[:5], 60)
        assert line.worker.stop() == 0
        line.worker.start()
        settled(line, names, 90)
    result = asyncio.run(account(line.settings.brokers, line.settings.topic_prefix, names))
    assert result.clean, result


def test_an_owner_that_slept_through_a_rebalance_writes_nothing(kafka: LocalBroker, tmp_path: Path) -> None:
    line = RunningLine(kafka.bootstrap_servers, tmp_path)
    names, records = articles(300)
    successor = WorkerChild(line.settings, tmp_path / "successor.log")
    with line:
        asyncio.run(line.publish(records[:20]))
        settled(line, names[:20], 60)
        asyncio.run(line.publish(records[20:]))
        os.kill(line.worker.pid, signal.SIGSTOP)
        with successor:
            settled(line, names, 90)
            os.kill(line.worker.pid, signal.SIGCONT)
            time.sleep(3)
    result = asyncio.run(account(line.settings.brokers, line.settings.topic_prefix, names))
    assert result.clean, result


def test_a_supervisor_restarts_a_dead_process_and_stops_them_all(kafka: LocalBroker, tmp_path: Path) -> None:
    line = RunningLine(kafka.bootstrap_servers, tmp_path)
    line.create_topics()
    supervisor = WorkerChild(line.settings, tmp_path / "supervisor.log", processes=2)
    names, records = articles(100)
    with supervisor:
        parent = psutil.Process(supervisor.pid)
        _wait(lambda: supervisor.log_text().count("stages prepare") == 2)
        parent.children()[0].kill()
        asyncio.run(line.publish(records))
        settled(line, names, 90)
        assert "restarting" in supervisor.log_text()
        family = parent.children(recursive=True)
        assert supervisor.stop() == 0
    _, alive = psutil.wait_procs(family, timeout=5)
    assert not alive
    result = asyncio.run(account(line.settings.brokers, line.settings.topic_prefix, names))
    assert result.clean, result


def _wait(condition: object, seconds: float = 60) -> None:
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


def test_stages_can_run_in_workers_of_their_own(kafka: LocalBroker, tmp_path: Path) -> None:
    line = RunningLine(kafka.bootstrap_servers, tmp_path)
    line.create_topics()
    names, records = articles(60)
    first = WorkerChild(line.settings, tmp_path / "first.log", arguments=("--stages", "prepare,classify"))
    second = WorkerChild(line.settings, tmp_path / "second.log", arguments=("--stages", "entities"))
    with first, second:
        asyncio.run(line.publish(records))
        settled(line, names, 90)
    result = asyncio.run(account(line.settings.brokers, line.settings.topic_prefix, names))
    assert result.clean, result
    assert "stages prepare, classify" in first.log_text()


def test_a_worker_without_topics_says_what_to_do(kafka: LocalBroker, tmp_path: Path) -> None:
    line = RunningLine(kafka.bootstrap_servers, tmp_path)
    line.worker.start()
    _wait(lambda: line.worker.poll() is not None)
    assert line.worker.poll() == 2
    assert "newsflow topics" in line.worker.log_text()
    assert "Traceback" not in line.worker.log_text()


def test_a_worker_waits_for_its_broker(tmp_path: Path) -> None:
    with LocalBroker(tmp_path / "kafka") as broker:
        line = RunningLine(broker.bootstrap_servers, tmp_path)
        line.create_topics()
        broker.stop()
        line.worker.start()
        _wait(lambda: "Trying again" in line.worker.log_text())
        broker.start()
        (outcome,) = line.process(Sent(b'{"text": "NATO met in Japan."}', headers=(("x", None),)))
        assert not outcome.is_dead
        broker.stop()
        assert line.worker.stop() == 0
