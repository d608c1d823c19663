"""The rows of the fault ledger."""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from streams import dead_letters
from streams.broker import LocalBroker
from tests.chaos.arena import Arena, Outcome
from tests.faulty_worker import FAIL_CLASSIFY, FAIL_ENTITIES, HANG

FAULTY = (str(Path(__file__).parent.parent / "faulty_worker.py"),)
Row = Callable[[LocalBroker, Path], Outcome]


def worker_kill(broker: LocalBroker, home: Path) -> Outcome:
    """kill -9 of a random one of three workers, every third one within 100 ms of its start."""
    arena = Arena(broker, home)
    workers = [arena.worker() for _ in range(3)]
    articles = arena.articles(6_000)
    loading = arena.load(articles, 60)
    arena.settle(20)
    for kill in range(36):
        victim = arena.random.choice(workers)
        arena.strike(victim.kill, len(articles))
        victim.start()
        if kill % 3 == 2:
            time.sleep(arena.random.uniform(0.0, 0.1))
            victim.kill()
            victim.start()
        time.sleep(arena.random.uniform(1.0, 3.5))
    loading.join()
    arena.settle(len(articles))
    return arena.finish("worker-kill", 30, workers)


def worker_roll(broker: LocalBroker, home: Path) -> Outcome:
    """SIGTERM to one worker after another under load, as a deployment does; each must exit 0."""
    arena = Arena(broker, home)
    workers = [arena.worker() for _ in range(3)]
    articles = arena.articles(5_000)
    loading = arena.load(articles, 60)
    arena.settle(20)
    codes = set()
    for stop in range(20):
        worker = workers[stop % 3]
        arena.strike(lambda worker=worker: codes.add(worker.stop()), len(articles))  # type: ignore[misc]  # bound now
        worker.start()
        time.sleep(3)
    loading.join()
    arena.settle(len(articles))
    notes = "every stop exited 0; " if codes == {0} else f"stops exited {codes}; "
    return arena.finish("worker-roll", 20, workers, notes)


def zombie(broker: LocalBroker, home: Path) -> Outcome:
    """SIGSTOP of one of two workers for longer than the session timeout, then SIGCONT: it must not write."""
    arena = Arena(broker, home)
    workers = [arena.worker() for _ in range(2)]
    articles = arena.articles(6_000)
    loading = arena.load(articles, 45)
    arena.settle(20)
    for turn in range(10):
        victim = workers[turn % 2]
        arena.strike(lambda victim=victim: os.kill(victim.pid, signal.SIGSTOP), len(articles))  # type: ignore[misc]  # bound now
        time.sleep(arena.line.settings.session_timeout + 3)
        os.kill(victim.pid, signal.SIGCONT)
        time.sleep(3)
        if victim.poll() is not None:
            victim.start()
    loading.join()
    arena.settle(len(articles))
    return arena.finish("zombie", 10, workers)


def scale(broker: LocalBroker, home: Path) -> Outcome:
    """Workers join and leave under load, one to four and back."""
    arena = Arena(broker, home)
    workers = [arena.worker()]
    articles = arena.articles(4_000)
    loading = arena.load(articles, 50)
    arena.settle(20)
    for _ in range(2):
        for _ in range(3):
            arena.strike(lambda: workers.append(arena.worker()), len(articles))
            time.sleep(6)
        for _ in range(3):
            arena.strike(lambda: workers.pop().stop(), len(articles))
            time.sleep(4)
    loading.join()
    arena.settle(len(articles))
    return arena.finish("scale", 10, workers)


def broker_kill(broker: LocalBroker, home: Path) -> Outcome:
    """kill -9 of the only broker, back after 20 s. The articles were published before: only the line is at stake."""
    arena = Arena(broker, home)
    workers = [arena.worker(processes=2)]
    articles = arena.articles(40_000)
    asyncio.run(arena.line.publish(articles))
    arena.settle(20)
    back = []
    for _ in range(5):
        arena.strike(broker.kill, len(articles))
        time.sleep(20)
        broker.start()
        back.append(time.monotonic())
        time.sleep(12)
    arena.faults = back
    arena.settle(len(articles), 600)
    return arena.finish("broker-kill", 5, workers)


def poison(broker: LocalBroker, home: Path) -> Outcome:
    """One article in a hundred is undecodable, oversized or raises; all the rest must be unharmed."""
    arena = Arena(broker, home, FAULTY)
    poisons = (FAIL_ENTITIES, FAIL_CLASSIFY, " слово" * 170_000)
    workers = [arena.worker() for _ in range(2)]
    articles = arena.articles(3_000, lambda number: poisons[number // 100 % 3] if number % 100 == 50 else "")
    arena.load(articles, 100).join()
    arena.settle(len(articles))
    result = arena.finish("poison", 0, workers)
    result.planned, result.struck = 30, result.account.dead
    return result


def slow(broker: LocalBroker, home: Path) -> Outcome:
    """Five articles hang a stage in C code; each is a dead letter after the deadline of 3 s, the line goes on."""
    arena = Arena(broker, home, FAULTY, article_deadline=3)
    workers = [arena.worker() for _ in range(2)]
    articles = arena.articles(500, lambda number: HANG if number % 100 == 60 else "")
    arena.load(articles, 50).join()
    arena.settle(len(articles))
    result = arena.finish("slow", 0, workers)
    result.planned, result.struck = 5, result.account.dead
    return result


def replay(broker: LocalBroker, home: Path) -> Outcome:
    """A stage fails on a tenth of the articles; the stage is mended, the dead letters are replayed, twice."""
    arena = Arena(broker, home, FAULTY)
    broken = arena.worker()
    articles = arena.articles(500, lambda number: FAIL_ENTITIES if number % 10 == 5 else "")
    asyncio.run(arena.line.publish(articles))
    arena.settle(len(articles))
    broken.stop()
    arena._program = ("-m", "streams")
    mended = arena.worker()
    first = asyncio.run(dead_letters.replay(arena.line.settings))
    arena.settle(len(articles) + first.sent)
    second = asyncio.run(dead_letters.replay(arena.line.settings))
    result = arena.finish("replay", 50, [mended], f"replayed {first.sent}, then {second.sent}; ")
    # Each replayed article is on both topics: dead first, then enriched. Order within its key cannot hold.
    result.struck = first.sent if second.sent == 0 else 0
    found = result.account
    found.doubled = {name: count for name, count in found.doubled.items() if count > 2}
    found.order = []
    found.published += found.dead
    return result


ROWS: dict[str, Row] = {
    "worker-kill": worker_kill,
    "worker-roll": worker_roll,
    "zombie": zombie,
    "scale": scale,
    "broker-kill": broker_kill,
    "poison": poison,
    "slow": slow,
    "replay": replay,
}
MISSING = ("cluster", "partition", "big", "disk-full", "clock", "fuzz", "soak")
"""Rows that are planned and not built yet."""
