"""The local Kafka: it really is one, keeps its data, and leaves nothing behind."""

import asyncio
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import UnknownTopicOrPartitionError

from streams.broker import LocalBroker, jars, probe, server
from streams.errors import BrokerFailed, PortTaken

kafka_test = pytest.mark.kafka


@asynccontextmanager
async def producing(servers: str, transactional_id: str | None = None) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(
        bootstrap_servers=servers, transactional_id=transactional_id, max_request_size=server.LARGEST_MESSAGE
    )
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def make_topic(servers: str, **configuration: str) -> str:
    name = f"test.{uuid.uuid4().hex}"
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, 1, 1, topic_configs=configuration)])
    finally:
        await admin.close()
    return name


async def topics_of(servers: str) -> list[str]:
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    try:
        return list(await admin.list_topics())
    finally:
        await admin.close()


async def read(servers: str, topic: str, isolation_level: str = "read_committed") -> list[bytes | None]:
    """All records up to the end as it is now."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=servers, isolation_level=isolation_level, max_partition_fetch_bytes=server.LARGEST_MESSAGE
    )
    await consumer.start()
    try:
        partition = TopicPartition(topic, 0)
        consumer.assign([partition])
        await consumer.seek_to_beginning(partition)
        end = (await consumer.end_offsets([partition]))[partition]
        values = []
        while await consumer.position(partition) < end:
            batches = await consumer.getmany(partition, timeout_ms=200)
            values += [record.value for records in batches.values() for record in records]
        return values
    finally:
        await consumer.stop()


async def write(servers: str, topic: str, values: Sequence[bytes]) -> None:
    async with producing(servers) as producer:
        for value in values:
            await producer.send_and_wait(topic, value)


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def eventually(condition: Callable[[], bool], seconds: float = 15) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[LocalBroker]:
    """A broker of the test's own, not started."""
    broker = LocalBroker(tmp_path / "data", heap_mb=256)
    try:
        yield broker
    finally:
        broker.kill()


@kafka_test
def test_transactions_are_read_whole_or_not_at_all(kafka: LocalBroker) -> None:
    async def scenario() -> None:
        topic = await make_topic(kafka.bootstrap_servers)
        async with producing(kafka.bootstrap_servers, transactional_id=topic) as producer:
            async with producer.transaction():
                await producer.send(topic, b"kept 1")
                await producer.send(topic, b"kept 2")
            with pytest.raises(ZeroDivisionError):
                async with producer.transaction():
                    await producer.send_and_wait(topic, b"aborted")
                    raise ZeroDivisionError
            async with producer.transaction():
                await producer.send(topic, b"kept 3")
        assert await read(kafka.bootstrap_servers, topic) == [b"kept 1", b"kept 2", b"kept 3"]
        assert b"aborted" in await read(kafka.bootstrap_servers, topic, "read_uncommitted")

    asyncio.run(scenario())


@kafka_test
def test_a_group_resumes_at_offsets_that_a_transaction_committed(kafka: LocalBroker) -> None:
    async def scenario() -> None:
        topic = await make_topic(kafka.bootstrap_servers)
        partition = TopicPartition(topic, 0)
        await write(kafka.bootstrap_servers, topic, [b"0", b"1", b"2"])
        async with producing(kafka.bootstrap_servers, transactional_id=topic) as producer, producer.transaction():
            await producer.send(topic, b"output")
            await producer.send_offsets_to_transaction({partition: 2}, topic)
        consumer = AIOKafkaConsumer(topic, bootstrap_servers=kafka.bootstrap_servers, group_id=topic)
        await consumer.start()
        try:
            assert (await asyncio.wait_for(consumer.getone(), 30)).value == b"2"
        finally:
            await consumer.stop()

    asyncio.run(scenario())


@kafka_test
def test_the_topic_decides_how_large_a_record_may_be(kafka: LocalBroker) -> None:
    async def scenario() -> None:
        value = b"x" * (server.LARGEST_MESSAGE - 10_000)
        topic = await make_topic(kafka.bootstrap_servers, **{"max.message.bytes": str(server.LARGEST_MESSAGE)})
        await write(kafka.bootstrap_servers, topic, [value])
        assert await read(kafka.bootstrap_servers, topic) == [value]

    asyncio.run(scenario())


@kafka_test
def test_topics_are_not_made_by_asking_for_them(kafka: LocalBroker) -> None:
    async def scenario() -> None:
        topic = await make_topic(kafka.bootstrap_servers)
        async with producing(kafka.bootstrap_servers) as producer:
            with pytest.raises((TimeoutError, UnknownTopicOrPartitionError)):
                await asyncio.wait_for(producer.send(f"{topic}.misspelt", b"lost"), 2)
        topics = await topics_of(kafka.bootstrap_servers)
        assert topic in topics
        assert f"{topic}.misspelt" not in topics

    asyncio.run(scenario())


@kafka_test
def test_data_and_address_survive_a_stop_and_a_crash(broker: LocalBroker) -> None:
    broker.start()
    address = broker.bootstrap_servers
    topic = asyncio.run(make_topic(address))
    asyncio.run(write(address, topic, [b"first"]))
    broker.stop()
    assert not broker.is_running
    broker.stop()  # again: nothing happens

    broker.start()
    assert broker.bootstrap_servers == address
    assert asyncio.run(read(address, topic)) == [b"first"]
    asyncio.run(write(address, topic, [b"second"]))
    crashed = broker.pid
    assert crashed is not None
    broker.kill()
    assert broker.pid is None
    assert not is_alive(crashed)

    broker.start()
    assert asyncio.run(read(address, topic)) == [b"first", b"second"]
    # One that ended without us is started again just the same.
    assert broker.pid is not None
    psutil.Process(broker.pid).kill()
    assert broker.wait(10)
    broker.start()
    assert asyncio.run(read(address, topic)) == [b"first", b"second"]
    broker.stop()

    with LocalBroker(broker.data_dir, heap_mb=256, fresh=True) as forgetful:
        assert topic not in asyncio.run(topics_of(forgetful.bootstrap_servers))


@kafka_test
def test_a_taken_port_is_named_and_the_owner_left_alone(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken, match=rf"Port {port} on 127\.0\.0\.1 is in use.*give another port"):
            LocalBroker(tmp_path, port).start()
    with LocalBroker(tmp_path, port, heap_mb=256) as broker:  # the failed start holds neither port nor directory
        assert broker.bootstrap_servers == f"127.0.0.1:{port}"


@kafka_test
def test_a_data_directory_has_one_owner(broker: LocalBroker) -> None:
    broker.start()
    second = LocalBroker(broker.data_dir)
    with pytest.raises(BrokerFailed, match=r"Another local Kafka uses .*data.*Stop it, or choose another directory"):
        second.start()
    assert broker.is_running
    assert probe.serves("127.0.0.1", broker.port)


@kafka_test
def test_a_broker_that_does_not_come_up_shows_its_log(tmp_path: Path) -> None:
    broker = LocalBroker(tmp_path, extra={"num.network.threads": "none"})
    with pytest.raises(BrokerFailed, match=r"num\.network\.threads"):
        broker.start()
    assert not broker.is_running


@kafka_test
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_kafka_ends_with_its_owner_but_not_with_the_thread_that_started_it(tmp_path: Path, how: signal.Signals) -> None:
    owner_code = """
import sys, threading, time
from pathlib import Path
from streams.broker import LocalBroker
broker = LocalBroker(Path(sys.argv[1]), heap_mb=256)
thread = threading.Thread(target=broker.start)
thread.start()
thread.join()
time.sleep(1)
print(broker.pid, broker.port, flush=True)
time.sleep(600)
"""
    owner = subprocess.Popen([sys.executable, "-c", owner_code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert owner.stdout is not None
        pid, port = map(int, owner.stdout.readline().split())
        assert is_alive(pid)
        assert probe.serves("127.0.0.1", port)
        owner.send_signal(how)
        owner.wait(10)
        assert eventually(lambda: not is_alive(pid)), "Kafka outlives its owner"
    finally:
        owner.kill()
        owner.communicate()
    with LocalBroker(tmp_path, heap_mb=256) as heir:  # and the directory is free again
        assert heir.is_running


@kafka_test
def test_a_changed_jar_is_refused(tmp_path: Path, progress: Callable[[str], None]) -> None:
    paths = jars.class_path(progress)
    cache = tmp_path / "cache"
    directory = cache / paths[0].parent.name
    directory.mkdir(parents=True)
    for path in paths:
        (directory / path.name).symlink_to(path)
    assert [path.name for path in jars.class_path(progress, cache)] == [path.name for path in paths]

    changed = directory / paths[7].name
    content = paths[7].read_bytes()
    changed.unlink()
    changed.write_bytes(content[:-1] + b"?")
    with pytest.raises(BrokerFailed) as refused:
        LocalBroker(tmp_path / "data", jar_cache=cache).start()
    message = str(refused.value)
    assert changed.name in message
    assert jars.locked_jars()[7].sha256 in message
    assert f"Delete {changed}" in message
    assert not (tmp_path / "data").exists()


def test_the_lock_pins_every_jar_and_names_no_host() -> None:
    locked = jars.locked_jars()
    assert list(locked) == sorted(set(locked))
    assert all(len(jar.sha256) == 64 and set(jar.sha256) <= set("0123456789abcdef") for jar in locked)
    assert jars.kafka_version(locked).startswith("4.")
    assert "/" not in jars.LOCK_FILE.read_text()


def test_an_open_port_is_not_yet_a_broker() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        assert not probe.serves("127.0.0.1", mute.getsockname()[1], timeout=0.2)


def test_properties_keep_odd_paths(tmp_path: Path) -> None:
    written = tmp_path / "x.properties"
    server.write_properties({"log.dirs": "/tmp/наша папка=1\\#"}, written)
    assert (
        written.read_text()
        == "log.dirs=/tmp/\\u043d\\u0430\\u0448\\u0430\\ \\u043f\\u0430\\u043f\\u043a\\u0430\\=1\\\\\\#\n"
    )
