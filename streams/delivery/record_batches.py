r"""Record batches as they come from Kafka, read so that nothing a stranger writes can stop the reader.

aiokafka's own reader raises on a header name that is not UTF-8, and inflates a compressed batch whatever comes of it;
both would end the worker again and again at the same offset. A broker lets both pass: it checks a batch's structure,
not the names, and no limit is about inflated sizes. This reader stands in for aiokafka's `MemoryRecords` (0.14,
`aiokafka/record/memory_records.py`) and goes on using its fast one wherever that does.

* A header name that is not UTF-8 is read with its odd bytes written out: `caf\xe9`. So it can be shown and written.
* A compressed batch of more than `INFLATED_LIMIT` bytes (or one that does not inflate) is not read. Each of its
  records becomes one without a key and with the header `newsflow.truncated`, which `records.process` makes a dead
  letter; the first of them holds the batch as it lies in the log.
* A record's offset is its place in the batch, whatever the batch says: a broker takes an uncompressed batch of two with
  the offsets 0 and 1000, and whoever believes that passes over the next 998 records.
"""

import logging
import mmap
import struct
from collections.abc import Callable, Iterator
from typing import Any

import cramjam
from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecord, DefaultRecordBatch
from aiokafka.record.legacy_records import LegacyRecordBatch
from aiokafka.record.util import decode_varint

from schemas import headers as h

log = logging.getLogger(__name__)

INFLATED_LIMIT = 64 * 1024 * 1024
"""Most bytes that a compressed batch may have when inflated: four times what a topic takes compressed."""

_LENGTH = struct.Struct(">8xi")  # of what follows in the batch, after its base offset
_LENGTH_END = 12  # where the batch length ends: it counts what follows
_MAGIC_AT = 16
_ATTRIBUTES_AT = 21
_ATTRIBUTES = struct.Struct(">h")
_COUNT = struct.Struct(">57xi")  # number of records
_HEAD = 61  # bytes of a batch before its records
_CODECS = 0x07  # bits of the attributes
_XERIAL = b"\x82SNAPPY\x00"
_XERIAL_HEAD = 16


class InflationError(Exception):
    """A compressed batch is too large when inflated, or is broken."""


class RecordBatches:
    """The batches of one partition in a fetch response; the part of aiokafka's `MemoryRecords` that its fetcher uses.

    The last batch of a response may be cut off; it is left out.
    """

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)
        self._position = 0

    def size_in_bytes(self) -> int:
        """Return the size of what came, cut-off batch included."""
        return len(self._data)

    def _end(self) -> int:
        """Return where the next batch ends, 0 where there is none (any more)."""
        if len(self._data) - self._position <= _MAGIC_AT:
            return 0
        (length,) = _LENGTH.unpack_from(self._data, self._position)
        end: int = self._position + _LENGTH_END + length
        return end if self._position < end <= len(self._data) else 0

    def has_next(self) -> bool:
        """Whether there is a whole batch left."""
        return self._end() > 0

    def next_batch(self) -> Any:  # noqa: ANN401  # aiokafka ships no types
        """Return the next batch; None where there is none."""
        end = self._end()
        if not end:
            return None
        batch = self._data[self._position : end]
        self._position = end
        magic = batch[_MAGIC_AT]
        return RecordBatch(batch) if magic >= 2 else LegacyRecordBatch(bytes(batch), magic)


class RecordBatch:
    """One batch in the current format; iterate it once."""

    def __init__(self, data: memoryview) -> None:
        self._data = data
        self._fast = DefaultRecordBatch(data)
        self.base_offset: int = self._fast.base_offset
        self.next_offset: int = self._fast.next_offset
        self.producer_id: int = self._fast.producer_id
        self.is_control_batch: bool = self._fast.is_control_batch
        self.is_transactional: bool = self._fast.is_transactional
        (self._count,) = _COUNT.unpack_from(data)

    def validate_crc(self) -> bool:
        """Whether the batch is as it was written."""
        return bool(self._fast.validate_crc())

    def __next__(self) -> Any:  # noqa: ANN401  # aiokafka ships no types
        # The fetcher takes a control batch's only record in this way.
        return next(self._fast)

    def __iter__(self) -> Iterator[Any]:
        # Only compaction takes records out of a batch, and leaves the others their offsets.
        is_whole = self._count == self.next_offset - self.base_offset
        for offset, r in enumerate(self._as_written(), self.base_offset):
            if r.offset == offset or not is_whole:
                yield r
            else:
                yield DefaultRecord(offset, r.timestamp, r.timestamp_type, r.key, r.value, r.headers)

    def _as_written(self) -> Iterator[Any]:
        """Yield the records with the offsets that the batch gives them."""
        codec = self._fast.compression_type
        if not codec:
            yield from self._records(self._fast, self._data)
            return
        try:
            inflated = inflate(codec, self._data[_HEAD:])
        except InflationError as error:
            log.error("the batch at offsets %s to %s is not read: %s", self.base_offset, self.next_offset - 1, error)
            yield from self._substitutes()
            return
        plain = bytearray(self._data[:_HEAD])
        (attributes,) = _ATTRIBUTES.unpack_from(plain, _ATTRIBUTES_AT)
        _ATTRIBUTES.pack_into(plain, _ATTRIBUTES_AT, attributes & ~_CODECS)
        plain += inflated
        del inflated
        yield from self._records(DefaultRecordBatch(plain), memoryview(plain))

    def _records(self, fast: Any, data: memoryview) -> Iterator[Any]:  # noqa: ANN401  # aiokafka ships no types
        """Yield the records of a batch that is not compressed."""
        count = 0
        try:
            for record in fast:
                yield record
                count += 1
        except (UnicodeDecodeError, CorruptRecordException):
            yield from self._tolerant(data, skip=count)

    def _tolerant(self, data: memoryview, skip: int) -> Iterator[Any]:
        """Yield the records from the `skip`-th on, with header names written out where they are not UTF-8.

        Raises:
            CorruptRecordException: it was not the names; a broker does not let such a batch in.
        """
        position = _HEAD
        try:
            for number in range(self._count):
                length, start = decode_varint(data, position)
                position = start + length
                if number >= skip:
                    yield self._record(data[start:position])
        except (ValueError, IndexError, struct.error) as error:
            raise CorruptRecordException(f"Found invalid record structure: {error!r}") from error

    def _record(self, data: memoryview) -> Any:  # noqa: ANN401  # aiokafka ships no types
        delta, position = decode_varint(data, 1)  # after the attributes, which say nothing
        offset, position = decode_varint(data, position)
        key, position = _nullable(data, position)
        value, position = _nullable(data, position)
        count, position = decode_varint(data, position)
        headers = []
        for _ in range(count):
            name, position = _nullable(data, position)
            content, position = _nullable(data, position)
            headers.append(((name or b"").decode("utf-8", "backslashreplace"), content))
        fast = self._fast
        timestamp = fast.max_timestamp if fast.timestamp_type else fast.first_timestamp + delta
        return DefaultRecord(self.base_offset + offset, timestamp, fast.timestamp_type, key, value, headers)

    def _substitutes(self) -> Iterator[Any]:
        """Yield one record in place of each of the batch, the first with the batch itself."""
        value = bytes(self._data)
        headers = [(h.TRUNCATED, str(INFLATED_LIMIT).encode())]
        for number in range(self._count):
            # Compaction may have taken records out; the last offset is always the batch's own.
            offset = self.next_offset - 1 if number == self._count - 1 else self.base_offset + number
            yield DefaultRecord(
                offset, self._fast.max_timestamp, self._fast.timestamp_type, None, b"" if number else value, headers
            )


def _nullable(data: memoryview, position: int) -> tuple[bytes | None, int]:
    length, position = decode_varint(data, position)
    if length < 0:
        return None, position
    end = position + length
    if end > len(data):
        raise ValueError(f"{length} bytes at {position} go beyond the record's {len(data)}")
    return bytes(data[position:end]), end


def inflate(codec: int, data: memoryview) -> bytes | memoryview:
    """Return a batch's records, inflated.

    `codec` is Kafka's number: 1 gzip, 2 snappy, 3 lz4, 4 zstd.

    Raises:
        InflationError: they are more than `INFLATED_LIMIT` bytes, or broken.
    """
    try:
        inflater = _INFLATERS[codec]
    except KeyError:
        raise InflationError(f"Kafka has no compression {codec}") from None
    try:
        return inflater(data)
    except (cramjam.DecompressionError, struct.error, ValueError) as error:
        raise InflationError(
            f"the compressed batch has more than {INFLATED_LIMIT} bytes when inflated, or is broken: {error}"
        ) from None


def _snappy(data: memoryview) -> bytes:
    if bytes(data[: len(_XERIAL)]) != _XERIAL:
        return _raw_snappy(data, INFLATED_LIMIT)
    # Java's clients write blocks, each with its length before it.
    parts: list[bytes] = []
    position, left = _XERIAL_HEAD, INFLATED_LIMIT
    while position < len(data):
        (length,) = struct.unpack_from(">i", data, position)
        position += 4
        if not 0 < length <= len(data) - position:
            raise ValueError(f"a block of {length} bytes where there are {len(data) - position}")
        parts.append(_raw_snappy(data[position : position + length], left))
        left -= len(parts[-1])
        position += length
    return b"".join(parts)


def _raw_snappy(block: memoryview, limit: int) -> bytes:
    if cramjam.snappy.decompress_raw_len(block) > limit:
        raise ValueError("too large")
    return bytes(cramjam.snappy.decompress_raw(block))


def _bounded(decompress_into: Callable[[memoryview, mmap.mmap], int]) -> Callable[[memoryview], memoryview]:
    def inflater(data: memoryview) -> memoryview:
        # Of a mapping, the system gives pages to what is written only (a bytearray is zeroed, 45 ms a batch). Where it
        # is too small, that is an error.
        buffer = mmap.mmap(-1, INFLATED_LIMIT)
        return memoryview(buffer)[: decompress_into(data, buffer)]

    return inflater


_INFLATERS: dict[int, Callable[[memoryview], bytes | memoryview]] = {
    1: _bounded(cramjam.gzip.decompress_into),
    2: _snappy,
    3: _bounded(cramjam.lz4.decompress_into),
    4: _bounded(cramjam.zstd.decompress_into),
}


def use_for_fetching() -> None:
    """Let aiokafka's consumers in this process read with `RecordBatches`.

    aiokafka has no parameter for it: its fetcher looks its reader up by this name for every response.
    """
    fetcher.MemoryRecords = RecordBatches
