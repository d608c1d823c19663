"""The rows of the fault ledger."""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from streams import dead_letters
from streams.broker import LocalBroker
from tests.account import read_topic
from tests.chaos.arena import FAULTY, Arena, Outcome
from tests.chaos.load_rows import LOAD_ROWS
from tests.chaos.network_rows import NETWORK_ROWS
from tests.faulty_worker import FAIL_CLASSIFY, FAIL_ENTITIES, HANG

Row = Callable[[LocalBroker, Path], Outcome]


def worker_kill(broker: LocalBroker, home: Path, rapid: int = 24, spaced: int = 10) -> Outcome:
    """kill -9 of a random one of three workers: first at once again, every third within 100 ms of its start, then with
    time to recover. Recovery is that of the latter."""
    arena = Arena(broker, home)
    patience = arena.line.settings.session_timeout + 5
    workers = [arena.worker() for _ in range(3)]
    loading = arena.load(60)
    arena.settle(20)
    for kill in range(rapid):
        victim = arena.random.choice(workers)
        arena.strike(victim.kill)
        victim.start()
        if kill % 3 == 2:
            time.sleep(arena.random.uniform(0.0, 0.1))
            victim.kill()
            victim.start()
        time.sleep(arena.random.uniform(1.0, 3.5))
    time.sleep(patience if spaced else 0)
    arena.faults.clear()
    for _ in range(spaced):
        victim = arena.random.choice(workers)
        arena.strike(victim.kill)
        victim.start()
        time.sleep(patience)
    loading.end()
    arena.settle()
    result = arena.finish(
        "worker-kill", rapid + spaced, workers, f"{aborted(arena)} records in transactions cut short; "
    )
    result.recovery_limit = patience if spaced else float("inf")
    return result


def aborted(arena: Arena) -> int:
    """Count the records that were written in transactions which a fault cut short: no committed reader sees them."""

    def records(level: str) -> int:
        topics = (arena.line.settings.topic(f"articles.{name}") for name in ("prepared", "annotated", "enriched"))
        return sum(len(asyncio.run(read_topic(arena.broker.bootstrap_servers, topic, level))) for topic in topics)

    return records("read_uncommitted") - records("read_committed")


def worker_roll(broker: LocalBroker, home: Path, stops: int = 20) -> Outcome:
    """SIGTERM to one worker after another under load, as a deployment does: the next one when the last is back at work.
    Each must exit 0."""
    arena = Arena(broker, home)
    workers = [arena.worker() for _ in range(3)]
    loading = arena.load(60)
    arena.settle(20)
    codes = []
    for stop in range(stops):
        worker = workers[stop % 3]
        arena.strike(lambda worker=worker: codes.append(worker.stop()))  # type: ignore[misc]  # bound now
        worker.start()
        deadline = time.monotonic() + 60
        while "stages prepare" not in worker.log_text() and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(1)
    loading.end()
    arena.settle()
    result = arena.finish("worker-roll", stops, workers, f"{codes.count(0)} stops exited 0; ")
    # A stop that did not exit 0 is a fault that missed.
    result.struck -= len(codes) - codes.count(0)
    return result


def zombie(broker: LocalBroker, home: Path, turns: int = 10) -> Outcome:
    """SIGSTOP of one of two workers for longer than the session timeout, then SIGCONT: it must not write."""
    arena = Arena(broker, home)
    workers = [arena.worker() for _ in range(2)]
    loading = arena.load(45)
    arena.settle(20)
    for turn in range(turns):
        victim = workers[turn % 2]
        arena.strike(lambda victim=victim: os.kill(victim.pid, signal.SIGSTOP))  # type: ignore[misc]  # bound now
        time.sleep(arena.line.settings.session_timeout + 3)
        os.kill(victim.pid, signal.SIGCONT)
        time.sleep(3)
        if victim.poll() is not None:
            victim.start()
    loading.end()
    arena.settle()
    return arena.finish("zombie", turns, workers)


def scale(broker: LocalBroker, home: Path) -> Outcome:
    """Workers join and leave under load, one to four and back."""
    arena = Arena(broker, home)
    workers = [arena.worker()]
    loading = arena.load(50)
    arena.settle(20)
    for _ in range(2):
        for _ in range(3):
            arena.strike(lambda: workers.append(arena.worker()))
            time.sleep(6)
        for _ in range(3):
            arena.strike(lambda: workers.pop().stop())
            time.sleep(4)
    loading.end()
    arena.settle()
    return arena.finish("scale", 10, workers)


def broker_kill(broker: LocalBroker, home: Path, kills: int = 5, away: float = 20, per_kill: int = 8_000) -> Outcome:
    """kill -9 of the only broker, back after 20 s. Articles are published just before: only the line is at stake."""
    arena = Arena(broker, home)
    workers = [arena.worker(processes=2)]
    back = []
    for kill in range(kills):
        # However fast the machine, work waits in every partition now and when the broker is back.
        arena.publish(per_kill)
        arena.settle(kill * per_kill + 20)
        arena.strike(broker.kill)
        time.sleep(away)
        broker.start()
        back.append(time.monotonic())
        time.sleep(20)
    arena.faults = back
    arena.settle(seconds=600)
    result = arena.finish("broker-kill", kills, workers)
    result.notes += f"every partition within {max(result.recovery):.1f} s; "
    # With thousands of articles waiting in each partition of each stage, the first of the last one takes its turn.
    result.recovery = arena.progress.first_outcomes(back)
    result.recovery_limit = 10
    return result


def poison(broker: LocalBroker, home: Path, count: int = 3_000) -> Outcome:
    """One article in a hundred is undecodable, oversized or raises; all the rest must be unharmed."""
    arena = Arena(broker, home, FAULTY)
    poisons = (FAIL_ENTITIES, FAIL_CLASSIFY, " слово" * 170_000)
    workers = [arena.worker() for _ in range(2)]
    arena.load(100, count, lambda number: poisons[number // 100 % 3] if number % 100 == 50 else "").join()
    arena.settle()
    result = arena.finish("poison", 0, workers)
    result.planned, result.struck = count // 100, result.account.dead
    return result


def slow(broker: LocalBroker, home: Path) -> Outcome:
    """Five articles hang a stage in C code; each is a dead letter after the deadline of 3 s, the line goes on."""
    arena = Arena(broker, home, FAULTY, article_deadline=3)
    workers = [arena.worker() for _ in range(2)]
    arena.load(50, 500, lambda number: HANG if number % 100 == 60 else "").join()
    arena.settle()
    result = arena.finish("slow", 0, workers)
    result.planned, result.struck = 5, result.account.dead
    return result


def replay(broker: LocalBroker, home: Path) -> Outcome:
    """A stage fails on a tenth of the articles; the stage is mended, the dead letters are replayed, twice. Each is to
    be dead exactly once and enriched exactly once, all others stay in order."""
    arena = Arena(broker, home, FAULTY)
    broken = arena.worker()
    arena.publish(500, lambda number: FAIL_ENTITIES if number % 10 == 5 else "")
    failing = [name for name in arena.names if int(name.partition("#")[2]) % 10 == 5]
    arena.settle()
    broken.stop()
    arena._program = ("-m", "streams")
    mended = arena.worker()
    first = asyncio.run(dead_letters.replay(arena.line.settings))
    arena.settle(len(arena.names) + first.sent)
    second = asyncio.run(dead_letters.replay(arena.line.settings))
    result = arena.finish("replay", 50, [mended], f"replayed {first.sent}, then {second.sent}; ", failing)
    result.struck = first.sent if second.sent == 0 else 0
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
    **NETWORK_ROWS,
    **LOAD_ROWS,
}
SHORT: dict[str, Row] = {
    "worker-kill": partial(worker_kill, rapid=6, spaced=0),
    "worker-roll": partial(worker_roll, stops=2),
    "broker-kill": partial(broker_kill, kills=1, away=8, per_kill=3_000),
    "poison": partial(poison, count=600),
}
"""The rows that `make test` runs, in little."""
