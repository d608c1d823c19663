"""Record batches made by hand, as a client writes them that has its own mind, and sent as they are."""

import struct
import time
from collections.abc import Sequence

from aiokafka import codec
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c

HEAD = 61  # bytes of a batch before its records
COMPRESSIONS = {
    "none": (0, bytes),
    "gzip": (1, codec.gzip_encode),
    "snappy": (2, codec.snappy_encode),
    "raw-snappy": (2, lambda data: codec.snappy_encode(data, xerial_compatible=False)),
    "lz4": (3, codec.lz4_encode),
    "zstd": (4, codec.zstd_encode),
}

Record = tuple[bytes | None, bytes | None, Sequence[tuple[bytes, bytes | None]]]
"""Key, value, headers; header names are bytes here."""


def batch(records: Sequence[Record], compression: str = "none", offsets: Sequence[int] = ()) -> bytes:
    """Return a batch in the current format; `offsets` are those of its records, counted on where they end."""
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 2**31 - 1)
    names: dict[bytes, bytes] = {}
    for number, (key, value, headers) in enumerate(records):
        placed = []
        for name, content in headers:
            # aiokafka takes text only: a name of the same length stands in for it.
            assert len(name) > 4, "make the name longer"
            stand_in = f"\x01{len(names):0{len(name) - 2}}\x02"
            names[stand_in.encode()] = name
            placed.append((stand_in, content))
        builder.append(
            offsets[number] if number < len(offsets) else number, int(time.time() * 1000), key, value, placed
        )
    built = bytes(builder.build())
    body = built[HEAD:]
    for stand_in_bytes, name in names.items():
        body = body.replace(stand_in_bytes, name)
    codec_number, compress = COMPRESSIONS[compression]
    made = bytearray(built[:HEAD] + bytes(compress(body)))
    struct.pack_into(">i", made, 8, len(made) - 12)
    struct.pack_into(">h", made, 21, codec_number)
    # The broker refuses a batch whose last offset does not fit the number of its records.
    struct.pack_into(">i", made, 23, len(records) - 1)
    struct.pack_into(">I", made, 17, calc_crc32c(bytes(made[21:])))
    return bytes(made)


async def append(brokers: str, topic: str, partition: int, data: bytes) -> None:
    """Send a batch to a partition as it is."""
    client = AIOKafkaClient(bootstrap_servers=brokers)
    await client.bootstrap()
    try:
        await client.add_topic(topic)
        await client.force_metadata_update()
        (broker,) = client.cluster.brokers()
        request = ProduceRequest(None, -1, 30_000, [(topic, [(partition, data)])])
        response = await client.send(broker.nodeId, request)
        ((_, ((_, error, *_),)),) = response.topics
        assert error == 0, f"the broker refuses the batch: error {error}"
    finally:
        await client.close()
