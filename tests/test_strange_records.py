"""Records that break a client's reader: header names that are no text, batches that inflate beyond all bounds."""

import asyncio
import gzip
import struct
import time
import tracemalloc
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from aiokafka import TopicPartition
from aiokafka.record.memory_records import MemoryRecords

from streams.broker import LocalBroker
from streams.delivery import record_batches
from streams.delivery.consumer import ReadCommittedThread
from streams.delivery.record_batches import INFLATED_LIMIT, RecordBatches, inflate
from tests.account import read_topic
from tests.raw_batch import COMPRESSIONS, HEAD, Record, append, batch
from tests.running_line import RunningLine, Sent

GOOD: Record = (b"k0", b"good", [(b"plain", b"x")])
STRANGE: Record = (b"k1", b"strange", [(b"caf\xe9-\xff", b"1"), (b"plain", None), (b"caf\xe9-\xff", b"2")])
LAST: Record = (None, None, [])
COMPRESSED = sorted(set(COMPRESSIONS) - {"none"})


def read(data: bytes) -> list[tuple[int, bytes | None, bytes | None, list[tuple[str, bytes | None]]]]:
    records = []
    batches = RecordBatches(data)
    while batches.has_next():
        one = batches.next_batch()
        assert one.validate_crc()
        records += [(r.offset, r.key, r.value, list(r.headers)) for r in one]
    return records


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_a_header_name_that_is_not_utf8_harms_no_record(compression: str) -> None:
    assert read(batch([GOOD, STRANGE, LAST, GOOD], compression)) == [
        (0, b"k0", b"good", [("plain", b"x")]),
        (1, b"k1", b"strange", [("caf\\xe9-\\xff", b"1"), ("plain", None), ("caf\\xe9-\\xff", b"2")]),
        (2, None, None, []),
        (3, b"k0", b"good", [("plain", b"x")]),
    ]


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_what_is_read_is_what_aiokafka_reads(compression: str) -> None:
    data = batch([(b"k%d" % n, b"v" * n, [(b"header", b"x" * n)] * (n % 3)) for n in range(300)], compression)
    ours, theirs = RecordBatches(data).next_batch(), MemoryRecords(data).next_batch()
    for name in ("base_offset", "next_offset", "producer_id", "is_control_batch", "is_transactional"):
        assert getattr(ours, name) == getattr(theirs, name)
    fields = ("offset", "timestamp", "timestamp_type", "key", "value", "headers", "checksum")
    assert [[getattr(r, f) for f in fields] for r in ours] == [[getattr(r, f) for f in fields] for r in theirs]


@pytest.mark.parametrize("offsets", [(0, 1000, 2), (0, 0, 0), (2, 1, 0), (1000, 1001, 1002)])
@pytest.mark.parametrize("record", [GOOD, STRANGE])
def test_an_offset_is_the_place_whatever_the_batch_says(record: Record, offsets: tuple[int, ...]) -> None:
    records = read(batch([record] * 3, offsets=offsets))
    assert records == read(batch([record] * 3))
    assert [offset for offset, *_ in records] == [0, 1, 2]


def test_what_compaction_leaves_keeps_its_offsets() -> None:
    data = bytearray(batch([GOOD] * 2, offsets=(1, 4)))
    struct.pack_into(">i", data, 23, 5)
    assert [record.offset for record in RecordBatches(bytes(data)).next_batch()] == [1, 4]


def test_a_batch_that_was_cut_off_is_left_out() -> None:
    data = batch([GOOD])
    for cut in (data[:-1], data[:HEAD], data[:16], data[:5], b""):
        assert len(read(data + cut)) == 1
        assert not RecordBatches(cut).has_next()
        assert RecordBatches(cut).next_batch() is None
        assert RecordBatches(cut).size_in_bytes() == len(cut)


def test_damage_on_the_way_is_seen() -> None:
    data = bytearray(batch([GOOD]))
    data[-1] ^= 1
    assert not RecordBatches(bytes(data)).next_batch().validate_crc()


@pytest.mark.parametrize("compression", COMPRESSED)
def test_a_batch_that_inflates_beyond_the_limit_is_not_read_but_kept(
    compression: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    data = batch([(b"k", b"\0" * 900_000, []), GOOD], compression)
    assert [record[:3] for record in read(data)] == [(0, b"k", b"\0" * 900_000), (1, b"k0", b"good")]
    monkeypatch.setattr(record_batches, "INFLATED_LIMIT", 800_000)
    records = read(data)
    assert [record[:3] for record in records] == [(0, None, data), (1, None, b"")]
    assert [record[3] for record in records] == [[("newsflow.truncated", b"800000")]] * 2
    assert "offsets 0 to 1 is not read: the compressed batch has more than 800000 bytes" in caplog.text


@pytest.mark.parametrize(
    ("codec", "data"),
    [(codec, b"no such format") for codec in (1, 2, 3, 4)]
    + [
        (2, b"\x82SNAPPY\x00" + bytes(8) + block)
        for block in (b"\0", b"\xff\xff\xff\xfc", b"\0\0\0\x09short", bytes(4))
    ],
)
def test_a_batch_that_does_not_inflate_is_kept(codec: int, data: bytes) -> None:
    with pytest.raises(record_batches.InflationError, match="broken"):
        inflate(codec, memoryview(data))


@pytest.mark.parametrize("compression", COMPRESSED)
def test_a_small_batch_takes_little_memory_to_inflate(compression: str) -> None:
    codec, compress = COMPRESSIONS[compression]
    data = memoryview(compress(b"small" * 100))
    tracemalloc.start()
    assert inflate(codec, data) == b"small" * 100
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


@pytest.mark.parametrize("compression", set(COMPRESSED) - {"raw-snappy"})
def test_what_inflates_to_just_the_limit_is_read(compression: str, monkeypatch: pytest.MonkeyPatch) -> None:
    codec, compress = COMPRESSIONS[compression]
    data = memoryview(compress(b"\0" * 100_000))
    monkeypatch.setattr(record_batches, "INFLATED_LIMIT", 100_000)
    assert bytes(inflate(codec, data)) == b"\0" * 100_000
    monkeypatch.setattr(record_batches, "INFLATED_LIMIT", 99_999)
    with pytest.raises(record_batches.InflationError):
        inflate(codec, data)


def test_empty_members_of_gzip_do_not_hold_the_reader() -> None:
    data = gzip.compress(b"") * 150_000 + gzip.compress(b"last")
    began = time.process_time()
    assert inflate(1, memoryview(data)) == b"last"
    assert time.process_time() - began < 3


def test_millions_of_small_records_are_taken_bit_by_bit() -> None:
    class Fetcher:
        _closed = False
        _subscriptions = Mock(fetch_context=nullcontext)

        async def fetched_records(
            self, partitions: set[TopicPartition], **_: object
        ) -> dict[TopicPartition, list[Any]]:
            return {partition: [Mock(key=b"k", value=None, headers=())] for partition in partitions}

    partition = TopicPartition("articles.raw", 0)
    thread = object.__new__(ReadCommittedThread)
    thread.__dict__["consumer"] = Mock(flow_active=True)
    consumer = Mock(_closed=False, _fetcher=Fetcher(), _subscription=Mock(reassignment_in_progress=False))
    taken = asyncio.run(thread._fetch_records(consumer, {partition}, 1.0))
    assert 1000 < len(taken[partition]) < 10_000


def test_an_unknown_compression_is_kept() -> None:
    with pytest.raises(record_batches.InflationError, match="Kafka has no compression 7"):
        inflate(7, memoryview(b""))


def test_gzip_may_have_several_members() -> None:
    assert inflate(1, memoryview(gzip.compress(b"one") + gzip.compress(b"two"))) == b"onetwo"
    with pytest.raises(record_batches.InflationError):
        inflate(1, memoryview(gzip.compress(b"one") + gzip.compress(b"two")[:-9]))


@pytest.mark.kafka
@pytest.mark.parametrize("compression", ["none", "zstd"])
def test_strange_header_names_and_offsets_neither_stop_the_line_nor_lose_an_article(
    kafka: LocalBroker, tmp_path: Path, compression: str
) -> None:
    line = RunningLine(kafka.bootstrap_servers, tmp_path, partitions=1)
    names = [b"caf\xe9-\xff", b"plain"]
    strange = [
        (b"good", b'{"id": "good", "text": "NATO met in Japan."}', [(name, b"1") for name in names]),
        (b"bad", b"[]", [(name, b"\xff") for name in names]),
    ]
    # Of compressed batches, the broker checks the offsets.
    offsets = (0, 1000) if compression == "none" else ()
    with line:
        data = batch([(b"first", b'{"id": "first", "text": "Poland won."}', []), *strange], compression, offsets)
        asyncio.run(append(kafka.bootstrap_servers, line.settings.topic("articles.raw"), 0, data))
        (outcome,) = line.process(Sent(b'{"id": "last", "text": "NATO met in Japan."}', b"last"))
        assert not outcome.is_dead
    enriched = asyncio.run(read_topic(kafka.bootstrap_servers, line.settings.topic("articles.enriched")))
    assert [key for key, _, _ in enriched] == [b"first", b"good", b"last"]
    ((key, value, headers),) = asyncio.run(read_topic(kafka.bootstrap_servers, line.settings.topic("articles.dead")))
    assert (key, value, headers["newsflow.reason"]) == (b"bad", b"[]", b"json_not_object")
    assert (headers["caf\\xe9-\\xff"], headers["plain"]) == (b"\xff", b"\xff")


@pytest.mark.kafka
@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_a_batch_that_inflates_without_end_does_not_stop_the_line(
    kafka: LocalBroker, tmp_path: Path, compression: str
) -> None:
    line = RunningLine(kafka.bootstrap_servers, tmp_path, partitions=1)
    bomb = batch([(b"bomb", b"\0" * (INFLATED_LIMIT + 1), []), (b"beside", b"[]", [])], compression)
    assert len(bomb) < 1_000_000
    with line:
        asyncio.run(append(kafka.bootstrap_servers, line.settings.topic("articles.raw"), 0, bomb))
        (outcome,) = line.process(Sent(b'{"id": "last", "text": "NATO met in Japan."}', b"last"))
        assert not outcome.is_dead
    dead = asyncio.run(read_topic(kafka.bootstrap_servers, line.settings.topic("articles.dead")))
    assert [(key, headers["newsflow.reason"]) for key, _, headers in dead] == [(None, b"too_large")] * 2
    kept = dead[0][1] or b""
    # The broker has put in the offset and the leader's epoch.
    assert (kept[8:12], kept[16:]) == (bomb[8:12], bomb[16:])
    assert dead[1][1] == b""
    assert "too large when inflated" in dead[1][2]["__connect.errors.exception.message"].decode()
