"""What the rows with a network stand on: a link that is cut and slowed down, three brokers, the time of a recovery."""

import asyncio
import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import GroupLoadInProgressError, KafkaError, NotCoordinatorForGroupError
from aiokafka.protocol.commit import OffsetFetchRequest, OffsetFetchResponse_v3

from streams import kafka as clients
from streams import publishing, topics
from streams.article_files import ArticleFile
from streams.broker import LocalBroker
from streams.broker.local import free_port
from streams.delivery.consumer import BoundedConsumer, ReadCommittedThread
from streams.errors import BrokerUnavailable, TopicsMissing
from streams.line import newsflow_line
from streams.stage import RawArticle
from tests.chaos.cluster import LocalCluster
from tests.chaos.proxy import HOST, Proxy
from tests.chaos.recovery import Progress
from tests.running_line import RunningLine, Sent
from tests.test_broker import make_topic, read


class Echo(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        while data := self.request.recv(4096):
            self.request.sendall(data)


@pytest.fixture
def link() -> Iterator[Proxy]:
    with socketserver.ThreadingTCPServer((HOST, 0), Echo) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with Proxy(server.server_address[1], free_port(HOST)) as proxy:
            yield proxy
        server.shutdown()


def connect(link: Proxy) -> socket.socket:
    return socket.create_connection((HOST, link.port), timeout=10)


def answer(client: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = client.recv(size - len(data))
        if not part:
            break
        data += part
    return data


def test_a_cut_link_holds_everything_and_delivers_it_afterwards(link: Proxy) -> None:
    with connect(link) as old:
        old.sendall(b"before")
        assert answer(old, 6) == b"before"
        link.cut()
        old.sendall(b"during")
        old.settimeout(0.3)
        with connect(link) as new:
            new.settimeout(0.3)
            new.sendall(b"new")
            for client in (old, new):
                with pytest.raises(TimeoutError):
                    client.recv(1)
                client.settimeout(10)
            link.restore()
            assert answer(old, 6) == b"during"
            assert answer(new, 3) == b"new"


def test_the_end_of_a_connection_does_not_pass_a_cut_link(link: Proxy) -> None:
    with connect(link) as client:
        client.sendall(b"x")
        assert answer(client, 1) == b"x"
        link.cut()
        client.shutdown(socket.SHUT_WR)
        client.settimeout(0.3)
        with pytest.raises(TimeoutError):
            client.recv(1)
        client.settimeout(10)
        link.restore()
        assert client.recv(1) == b""


def test_a_slow_link_delays_each_way_and_bounds_all_connections_together(link: Proxy) -> None:
    with connect(link) as one, connect(link) as two:
        for client in (one, two):
            client.sendall(b"x")
            assert answer(client, 1) == b"x"
        link.restore(delay=0.1, bits_per_second=800_000)
        began = time.monotonic()
        one.sendall(b"x")
        answer(one, 1)
        assert 0.2 <= time.monotonic() - began < 0.4
        data = bytes(50_000)
        began = time.monotonic()
        for client in (one, two):
            client.sendall(data)
        assert answer(one, len(data)) == answer(two, len(data)) == data
        # 100 kB each way at 100 kB/s, both ways at once.
        assert 1.1 <= time.monotonic() - began < 2


def test_recovery_is_that_of_the_partition_that_rested_longest() -> None:
    progress = Progress(2)
    own: dict[int, bytes] = {}
    for key in (b"a", b"b", b"c", b"d", b"e", b"f"):
        own.setdefault(progress.partition(key), key)
    for at in range(10):
        for key in own.values():
            progress.went_in([key], at)
    for at in range(10):
        progress.came_out([own[0]], at + 0.1)
        # The other one rests from 2 to 7.
        progress.came_out([own[1]], at + 0.1 if at < 2 else max(at, 7) + 0.1)
    assert progress.recovery([2.0]) == pytest.approx([5.1])
    # Before this fault all was done: its time counts from the next record.
    assert progress.recovery([8.5]) == pytest.approx([0.1])
    assert progress.recovery([9.5]) == [0.0]
    assert progress.recovery([]) == []
    assert progress.longest_wait(0.0, 10.0) == pytest.approx(5.1)
    progress.went_in([own[0]], 11)
    assert progress.recovery([10.0]) == [float("inf")]


@pytest.mark.kafka
def test_three_brokers_lose_nothing_with_one(tmp_path: Path) -> None:
    with LocalCluster(tmp_path, heap_mb=256) as cluster:
        line = RunningLine(cluster.bootstrap_servers, tmp_path, replication=3, partitions=1)
        line.create_topics()
        raw = line.settings.topic("articles.raw")
        assert len(cluster.bootstrap_servers.split(",")) == 3
        asyncio.run(cluster.until_in_sync(30))
        asyncio.run(line.publish([Sent(b"0")]))
        for number, node in enumerate(cluster.nodes, 1):
            node.kill()
            asyncio.run(line.publish([Sent(b"%d" % number)]))
            assert asyncio.run(cluster.out_of_sync())
            node.start()
            asyncio.run(cluster.until_in_sync(30))
        assert asyncio.run(read(cluster.bootstrap_servers, raw)) == [b"0", b"1", b"2", b"3"]


@pytest.mark.kafka
def test_a_consumer_stops_while_it_waits_for_a_lost_broker(tmp_path: Path) -> None:
    async def scenario(broker: LocalBroker) -> None:
        topic = await make_topic(broker.bootstrap_servers)
        consumer = BoundedConsumer(
            bootstrap_servers=broker.bootstrap_servers, retry_backoff_ms=20_000, fetch_max_wait_ms=100
        )
        await consumer.start()
        partition = TopicPartition(topic, 0)
        consumer.assign([partition])
        await consumer.seek_to_beginning(partition)
        assert await consumer.position(partition) == 0
        await consumer.getmany(timeout_ms=500)
        broker.kill()
        # The fetch that was under way has failed and waits.
        await asyncio.sleep(1)
        await asyncio.wait_for(consumer.stop(), 10)

    with LocalBroker(tmp_path, heap_mb=256) as broker:
        asyncio.run(scenario(broker))


@pytest.mark.kafka
def test_rewinding_passes_over_partitions_that_were_lost_meanwhile(kafka: LocalBroker, tmp_path: Path) -> None:
    line = RunningLine(kafka.bootstrap_servers, tmp_path, partitions=2)
    line.create_topics()
    kept, lost = (TopicPartition(line.settings.topic("articles.raw"), number) for number in range(2))

    class Losing(AIOKafkaConsumer):  # type: ignore[misc]  # aiokafka ships no types
        async def committed(self, partition: TopicPartition) -> Any:
            offset = await super().committed(partition)
            if lost in self.assignment():
                self.unsubscribe()
                self.assign([kept])
            return offset

    async def scenario() -> None:
        consumer = Losing(**clients.connection(line.settings), group_id=line.settings.app_id, enable_auto_commit=False)
        await consumer.start()
        try:
            consumer.assign([kept, lost])
            thread = Mock(_ensure_consumer=lambda: consumer)
            assert await ReadCommittedThread._rewind(thread) == {kept: None}
            assert await consumer.position(kept) == 0
        finally:
            await consumer.stop()

    asyncio.run(scenario())


@pytest.mark.kafka
@pytest.mark.parametrize("error", [GroupLoadInProgressError, NotCoordinatorForGroupError])
def test_a_coordinator_that_is_not_ready_is_asked_again(kafka: LocalBroker, error: type[KafkaError]) -> None:
    async def scenario() -> None:
        partition = TopicPartition(await make_topic(kafka.bootstrap_servers), 0)
        consumer = BoundedConsumer(
            bootstrap_servers=kafka.bootstrap_servers, group_id=partition.topic, enable_auto_commit=False
        )
        await consumer.start()
        try:
            consumer.assign([partition])
            await consumer.commit({partition: 7})
            unready = [OffsetFetchResponse_v3(0, [], error.errno)] * 2
            send = consumer._client.send

            async def answer(node: int, request: Any, **options: Any) -> Any:
                if unready and isinstance(request, OffsetFetchRequest):
                    return unready.pop()
                return await send(node, request, **options)

            consumer._client.send = answer
            assert await consumer.committed(partition) == 7
            assert not unready
        finally:
            await consumer.stop()

    asyncio.run(asyncio.wait_for(scenario(), 30))


@pytest.mark.kafka
def test_publish_ends_when_its_broker_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "SHORTEST_PATIENCE", 2.0)
    monkeypatch.setattr(clients, "CLOSED_WITHIN", 1.0)
    monkeypatch.setattr(publishing, "PATIENCE", 2.0)
    articles = [ArticleFile(f"{n}.txt", RawArticle(b"x" * 10_000, "text/plain")) for n in range(20)]
    new_producer = clients.new_producer

    def losing(*arguments: Any) -> AIOKafkaProducer:
        producer = new_producer(*arguments)
        start = producer.start

        async def start_and_lose_it() -> None:
            await start()
            broker.kill()

        producer.start = start_and_lose_it
        return producer

    with LocalBroker(tmp_path, heap_mb=256, extra={"auto.create.topics.enable": "true"}) as broker:
        line = RunningLine(broker.bootstrap_servers, tmp_path, partitions=1, live_timeout=1)
        for _ in range(2):
            # Asking for topics must not create them.
            with pytest.raises(TopicsMissing):
                asyncio.run(topics.check(line.settings, newsflow_line(line.settings)))
        line.create_topics()
        monkeypatch.setattr(clients, "new_producer", losing)
        with pytest.raises(BrokerUnavailable, match=r"0\.txt was not acknowledged"):
            asyncio.run(asyncio.wait_for(publishing.publish(line.settings, articles), 30))
