"""Delivery under faults, on a real Kafka with the real stages: nothing lost, nothing twice, in order."""

import asyncio
import json
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from aiokafka import TopicPartition

from streams import kafka as clients
from streams.broker import LocalBroker
from streams.delivery.agents import TRANSACTION_BYTES
from streams.worker_child import WorkerChild
from tests.account import Account, account
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


def test_workers_killed_again_and_again_lose_and_double_nothing(
    kafka: LocalBroker, tmp_path: Path, request: pytest.FixtureRequest, progress: Callable[[str], None]
) -> None:
    line = RunningLine(kafka.bootstrap_servers, tmp_path)
    line.create_topics()
    names, records = articles(request.config.getoption("--kill-articles"))
    rng = random.Random(4)
    workers = [WorkerChild(line.settings, tmp_path / f"worker-{n}.log") for n in range(2)]
    for worker in workers:
        worker.start()
    kills = 0
    done = Account(len(names))
    try:
        asyncio.run(line.publish(records[:10]))
        # The first kill must strike work, not start-up.
        settled(line, names[:1], 60)
        asyncio.run(line.publish(records[10:]))
        deadline = time.monotonic() + 300 + len(names) / 5
        while done.enriched + done.dead < len(names):
            assert time.monotonic() < deadline, done
            victim = rng.choice(workers)
            victim.kill()
            kills += 1
            victim.start()
            time.sleep(rng.choice((0.05, rng.uniform(2, 6))))
            done = asyncio.run(account(line.settings.brokers, line.settings.topic_prefix, names))
    finally:
        for worker in workers:
            worker.stop()
    result = asyncio.run(account(line.settings.brokers, line.settings.topic_prefix, names))
    progress(
        f"{len(names)} articles, {kills} x kill -9 of one of two workers: {result.enriched} enriched, "
        f"{len(result.lost)} lost, {len(result.doubled)} doubled, {len(result.order)} keys out of order"
    )
    assert kills >= 3
    assert result.clean, result
    assert (result.enriched, result.dead) == (len(names), 0)


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


def test_a_broker_that_dies_and_comes_back_costs_nothing(tmp_path: Path) -> None:
    with LocalBroker(tmp_path / "kafka") as broker:
        line = RunningLine(broker.bootstrap_servers, tmp_path)
        line.create_topics()
        names, records = articles(300)
        with WorkerChild(line.settings, tmp_path / "supervisor.log", processes=2) as workers:
            asyncio.run(line.publish(records[:200]))
            settled(line, names[:20], 60)
            broker.kill()
            time.sleep(8)
            broker.start()
            asyncio.run(line.publish(records[200:]))
            settled(line, names, 120)
            assert workers.stop() == 0
            said = workers.log_text().splitlines()
            assert len(said) < 200, "a log that nobody can read:\n" + "\n".join(said[:50])
        result = asyncio.run(account(line.settings.brokers, line.settings.topic_prefix, names))
    assert result.clean, result
    assert result.enriched == len(names)


def test_a_transaction_is_bounded_in_bytes(kafka: LocalBroker, tmp_path: Path) -> None:
    line = RunningLine(kafka.bootstrap_servers, tmp_path, partitions=1, breaker_share=1)
    line.create_topics()
    # An array is dead-lettered in no time: all of them would fit into the time of one transaction or two.
    asyncio.run(line.publish([Sent(b"[" + b" " * 300_000 + b"]") for _ in range(40)]))
    with line.worker:
        line.process(Sent(b'{"text": "NATO met in Japan."}'))
    dead = TopicPartition(line.settings.topic("articles.dead"), 0)

    async def end() -> int:
        async with clients.consumer(line.settings) as consumer:
            consumer.assign([dead])
            return int((await consumer.end_offsets([dead]))[dead])

    transactions = asyncio.run(end()) - 40  # each ends with a marker, which has an offset of its own
    assert transactions >= 40 * 300_000 / (2 * TRANSACTION_BYTES)


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
