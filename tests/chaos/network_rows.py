"""Rows with a network between: three brokers of which one is lost, a worker that is cut from its broker.

They start brokers of their own, which the one that they are given (not started) cannot be.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import psutil
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from streams import kafka
from streams.broker import LocalBroker
from streams.broker.local import free_port
from streams.worker_child import WorkerChild
from tests.chaos.arena import KEYS, Arena, Outcome
from tests.chaos.cluster import LocalCluster
from tests.chaos.proxy import HOST, Proxy

Row = Callable[[LocalBroker, Path], Outcome]

DELAY = 0.1
"""Seconds that a slow link takes each way: a request and its answer take twice as long."""
BITS_PER_SECOND = 3_000_000


def cluster(_broker: LocalBroker, home: Path, kills: int = 10) -> Outcome:
    """kill -9 of a random one of three brokers (three replicas, two in sync), each back in sync before the next.

    Each of the first kills meets a partition whose first records have just been published, while a third worker joins
    or leaves: the rebalance finds partitions without a committed offset."""
    per_second = 30
    with LocalCluster(home / "cluster") as brokers:
        arena = Arena(brokers, home, replication=3)
        asyncio.run(brokers.until_in_sync(60))
        by_partition: dict[int, list[int]] = defaultdict(list)
        for key in range(KEYS):
            by_partition[arena.progress.partition(b"k%d" % key)].append(key)
        unopened = [keys for _, keys in sorted(by_partition.items())]
        per_partition = per_second / len(unopened)
        steady = arena.worker(processes=2)
        until_members(arena, 2)
        third: WorkerChild | None = None
        loading, without_commit, in_sync = [], [], []
        for kill in range(kills):
            opens = bool(unopened)
            if opens:
                without_commit.append(uncommitted(arena))
                loading.append(arena.load(per_partition, keys=unopened.pop(0)))
                time.sleep(arena.random.uniform(0.1, 0.4))
            node = arena.random.choice(brokers.nodes)
            arena.strike(node.kill)
            if third is None:
                third = arena.worker()
            elif opens and kill % 2:
                third.stop()
            elif third.poll() is not None:
                # It has no supervisor: it was stopped, or met what only a restart puts right.
                third.start()
            time.sleep(arena.random.uniform(6, 10))
            node.start()
            in_sync.append(asyncio.run(brokers.until_in_sync(60)))
            time.sleep(3)
        for load in loading:
            load.end()
        arena.settle()
        assert third is not None
        restarts = steady.log_text().count("; restarting in")
        result = arena.finish(
            "cluster",
            kills,
            [steady, third],
            f"partitions without a commit at the first kills: {', '.join(map(str, without_commit))}; in sync at most "
            f"{max(in_sync):.1f} s after the return; restarts by the supervisor {restarts}; ",
        )
    result.notes += f"recoveries {figures(result.recovery)}"
    # The broker's session (4 s), an election where it was the controller as well, then the clients' retries.
    result.recovery_limit = 15
    return result


def partition(_broker: LocalBroker, home: Path, rounds: int = 3, phase: float = 60.0) -> Outcome:
    """One of two workers (a supervisor with two processes) is cut from the broker for 60 s, then has 100 ms each way
    and 3 Mbit/s for 60 s: the other one goes on, it writes nothing afterwards and comes back by itself."""
    per_second = 30
    ports: list[int] = []
    for _ in range(4):
        ports.append(free_port(HOST, but=ports))
    direct, controller, behind, front = ports
    listeners = {
        "listeners": f"PLAINTEXT://{HOST}:{direct},LINK://{HOST}:{behind},CONTROLLER://{HOST}:{controller}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{direct},LINK://{HOST}:{front}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,LINK:PLAINTEXT,CONTROLLER:PLAINTEXT",
    }
    with (
        LocalBroker(home / "linked", direct, controller_port=controller, extra=listeners) as broker,
        Proxy(behind, front) as link,
    ):
        arena = Arena(broker, home)
        near = arena.worker()
        far = arena.worker(processes=2, brokers=link.address)
        until_members(arena, 3)
        assert peers(far) == {front}, "the worker goes past the link"
        loading = arena.load(per_second)
        arena.settle(50)
        back, slow = [], []
        for _ in range(rounds):
            arena.strike(link.cut)
            time.sleep(phase)
            arena.strike(lambda: link.restore(DELAY, BITS_PER_SECOND))
            restored = time.monotonic()
            back.append(until_members(arena, 3, phase))
            # One that is not back has failed.
            arena.struck -= back[-1] == float("inf")
            time.sleep(max(0.0, restored + phase - time.monotonic()))
            slow.append(arena.progress.longest_wait(restored, time.monotonic()))
        link.restore()
        loading.end()
        arena.settle()
        restarts = far.log_text().count("; restarting in")
        result = arena.finish("partition", 2 * rounds, [near, far])
    # Of the cuts: when the link is back nothing is at rest, what then rests is a partition in the rebalance.
    result.recovery, result.recovery_limit = result.recovery[::2], arena.line.settings.session_timeout + 5
    result.notes = (
        f"recoveries {figures(result.recovery)}; back in the group {figures(back)} s after the cut, restarted by its "
        f"supervisor {restarts} times; longest rest of a partition on the slow link {figures(slow)} s; {result.notes}"
    )
    return result


def figures(seconds: list[float]) -> str:
    return ", ".join(f"{value:.1f}" for value in seconds)


def until_members(arena: Arena, count: int, seconds: float = 60.0) -> float:
    """Wait until so many workers share the work; return the seconds that took, infinite where it took too long."""
    began = time.monotonic()

    async def wait() -> float:
        async with kafka.admin(arena.line.settings) as admin:
            while time.monotonic() < began + seconds:
                try:
                    (answer,) = await admin.describe_consumer_groups([arena.line.settings.app_id])
                    _, _, state, _, _, members, *_ = answer.groups[0]
                    if state == "Stable" and len(members) == count:
                        return time.monotonic() - began
                except KafkaError:
                    pass  # the coordinator moves
                await asyncio.sleep(0.2)
        return float("inf")

    return asyncio.run(wait())


def uncommitted(arena: Arena) -> int:
    """Count the partitions of the stages' inputs for which the group has not committed an offset."""
    settings = arena.line.settings
    inputs = [settings.topic(f"articles.{name}") for name in ("raw", "prepared", "annotated")]
    partitions = [TopicPartition(topic, number) for topic in inputs for number in range(settings.partitions)]

    async def count() -> int:
        async with kafka.admin(settings) as admin:
            offsets = await kafka.committed(admin, settings.app_id, partitions)
        return sum(offset.offset < 0 for offset in offsets.values())

    return asyncio.run(count())


def peers(worker: WorkerChild) -> set[int]:
    """Return the ports to which the worker's processes have connections."""
    processes = [psutil.Process(worker.pid), *psutil.Process(worker.pid).children(recursive=True)]
    connections = [c for process in processes for c in process.net_connections("tcp") if c.raddr]
    return {c.raddr.port for c in connections}


NETWORK_ROWS: dict[str, Row] = {"cluster": cluster, "partition": partition}
"""Rows that start brokers of their own."""
