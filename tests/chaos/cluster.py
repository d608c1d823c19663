"""Three Kafka nodes on this machine that replicate to each other; here because only tests need more than one."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from streams.broker import LocalBroker
from streams.broker.local import free_port, new_cluster_id
from streams.broker.server import CONTROLLER_HOST

NODES = 3
HOST = "127.0.0.1"
REPLICATION = {
    "default.replication.factor": "3",
    "min.insync.replicas": "2",
    "offsets.topic.replication.factor": "3",
    "transaction.state.log.replication.factor": "3",
    "transaction.state.log.min.isr": "2",
    "share.coordinator.state.topic.replication.factor": "3",
    "share.coordinator.state.topic.min.isr": "2",
}
"""Settings with which any one node may be lost: what is acknowledged is on two."""


class LocalCluster:
    """Three nodes, each broker and controller; a node that was killed is started again with its `start`.

    The nodes end with this process, as LocalBroker promises.
    """

    def __init__(self, data_dir: Path, *, heap_mb: int = 320) -> None:
        """Describe a cluster; nothing happens before `start`.

        Args:
            data_dir: gets a directory per node.
            heap_mb: Java's heap per node at most, MiB.
        """
        ports: list[int] = []
        for _ in range(2 * NODES):
            ports.append(free_port(HOST, but=ports))
        controllers = dict(enumerate(ports[NODES:], 1))
        voters = ",".join(f"{node}@{CONTROLLER_HOST}:{port}" for node, port in controllers.items())
        cluster_id = new_cluster_id()
        self.nodes = [
            LocalBroker(
                data_dir / f"node-{node}",
                port,
                heap_mb=heap_mb,
                node_id=node,
                controller_port=controllers[node],
                cluster_id=cluster_id,
                extra=REPLICATION | {"controller.quorum.voters": voters},
            )
            for node, port in enumerate(ports[:NODES], 1)
        ]

    @property
    def bootstrap_servers(self) -> str:
        """`host:port` of every node for clients."""
        return ",".join(node.bootstrap_servers for node in self.nodes)

    def start(self) -> Self:
        """Start all nodes and return when each answers clients.

        Raises:
            BrokerFailed: a node did not come up; none is left running.
        """
        try:
            # At once: no node answers before two of them have elected a controller.
            with ThreadPoolExecutor(NODES) as pool:
                list(pool.map(LocalBroker.start, self.nodes))
        except BaseException:
            self.kill()
            raise
        return self

    def kill(self) -> None:
        """End all nodes at once."""
        for node in self.nodes:
            node.kill()

    async def out_of_sync(self) -> list[str]:
        """Return the partitions that do not have every replica in sync, the internal topics' included."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap_servers)
        await admin.start()
        try:
            topics = await admin.describe_topics()
        finally:
            await admin.close()
        return [
            f"{topic['topic']}/{partition['partition']}"
            for topic in topics
            for partition in topic["partitions"]
            if len(partition["isr"]) < NODES
        ]

    async def until_in_sync(self, seconds: float) -> float:
        """Wait until every replica of every partition is in sync; return the seconds that took.

        Raises:
            TimeoutError: it took longer than that.
        """
        began = time.monotonic()
        missing = ["the answer of a broker"]
        while time.monotonic() < began + seconds:
            try:
                missing = await self.out_of_sync()
            except (KafkaError, OSError) as error:
                missing = [str(error)]
            if not missing:
                return time.monotonic() - began
            await asyncio.sleep(0.2)
        raise TimeoutError(f"not in sync after {seconds:.0f} s: {', '.join(missing)}")

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
