"""What a reader who knows nothing of our code finds on the topics: lost, doubled, out of order, differing.

`read_topic` reads, `judge` judges what was read, `account` does both.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

Record = tuple[bytes | None, bytes | None, dict[str, bytes]]
"""Key, value, headers."""


@dataclass
class Account:
    """Published records against what a read_committed reader sees; `order` lists keys whose versions came out of order.

    `replayed` counts articles that were sent through once more: each is to be on both topics. `tombstones` counts the
    deletions that came through; the published ones are part of `published`.
    """

    published: int
    enriched: int = 0
    dead: int = 0
    tombstones: int = 0
    replayed: int = 0
    lost: set[str] = field(default_factory=set)
    tombstones_lost: set[str] = field(default_factory=set)
    doubled: dict[str, int] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        return not (self.lost or self.tombstones_lost or self.doubled or self.order or self.differing)

    @property
    def complete(self) -> bool:
        """Whether as many records came out as went in."""
        return self.enriched + self.tombstones + self.dead == self.published + self.replayed


async def read_topic(brokers: str, topic: str, isolation_level: str = "read_committed") -> list[Record]:
    """Return key, value and headers of every committed record of a topic, partition by partition."""
    return [(r.key, r.value, dict(r.headers)) for r in await read_records(brokers, topic, isolation_level)]


async def read_records(brokers: str, topic: str, isolation_level: str = "read_committed") -> list[Any]:
    """Return every committed record of a topic as aiokafka has it, each partition's in order."""
    consumer = AIOKafkaConsumer(bootstrap_servers=brokers, isolation_level=isolation_level, enable_auto_commit=False)
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, p) for p in await _partitions(brokers, topic)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        ends = await consumer.end_offsets(partitions)
        records: list[Any] = []
        while any([await consumer.position(tp) < ends[tp] for tp in partitions]):
            for batch in (await consumer.getmany(timeout_ms=200)).values():
                records += batch
        return records
    finally:
        await consumer.stop()


async def _partitions(brokers: str, topic: str) -> list[int]:
    admin = AIOKafkaAdminClient(bootstrap_servers=brokers)
    await admin.start()
    try:
        (description,) = await admin.describe_topics([topic])
        return sorted(p["partition"] for p in description["partitions"])
    finally:
        await admin.close()


def _name(record: Record, traced: Mapping[str, str]) -> str:
    """Return what the record is called: by its traceparent where that is known, else by the id in its body.

    The body may be an event, a raw article, or an event between stages that failed.
    """
    key, value, headers = record
    if name := traced.get((headers.get("traceparent") or b"").decode("utf-8", "replace")):
        return name
    if value is None:
        return f"unknown tombstone of {key!r}"
    try:
        body = json.loads(value)
    except ValueError:
        return "unreadable"
    return str(body.get("article", body).get("id")) if isinstance(body, dict) else "unreadable"


def judge(
    enriched: Iterable[Record],
    dead: Iterable[Record],
    published: Sequence[str],
    tombstones: Collection[str] = (),
    traced: Mapping[str, str] | None = None,
    replayed: Collection[str] = (),
) -> Account:
    """Compare what was published with the records of both topics, each in the order of its partitions.

    Args:
        enriched: the records of `articles.enriched`.
        dead: the records of `articles.dead`.
        published: names of the records, each sent once; `key#3` is the third version of the article with that key.
        tombstones: those of them that delete.
        traced: names by traceparent, for records whose bodies do not tell: tombstones, unreadable ones.
        replayed: those that failed at first and were sent back: once dead, then once enriched. Order holds among them
            and among the others, not between the two.
    """
    traced = traced or {}
    result = Account(len(published), replayed=len(replayed))
    alive: Counter[str] = Counter()
    bodies: dict[str, set[bytes | None]] = defaultdict(set)
    versions: dict[tuple[str, bool], list[int]] = defaultdict(list)
    for record in enriched:
        name = _name(record, traced)
        alive[name] += 1
        bodies[name].add(record[1])
        key, _, version = name.rpartition("#")
        if key and version.isdecimal():
            versions[key, name in replayed].append(int(version))
        if record[1] is None:
            result.tombstones += 1
        else:
            result.enriched += 1
    died = Counter(_name(record, traced) for record in dead)
    result.dead = died.total()
    missing = {name for name in published if not alive[name] and not died[name]}
    missing |= {name for name in replayed if not (alive[name] and died[name])}
    result.tombstones_lost = missing & set(tombstones)
    result.lost = missing - result.tombstones_lost
    both = set(replayed)
    result.doubled = {
        name: alive[name] + died[name]
        for name in alive.keys() | died.keys()
        if (max(alive[name], died[name]) if name in both else alive[name] + died[name]) > 1
    }
    result.order = sorted({key for (key, _), numbers in versions.items() if numbers != sorted(numbers)})
    result.differing = [name for name, variants in bodies.items() if len(variants) > 1]
    return result


async def account(
    brokers: str,
    prefix: str,
    published: Sequence[str],
    tombstones: Collection[str] = (),
    traced: Mapping[str, str] | None = None,
    replayed: Collection[str] = (),
) -> Account:
    """Read the topics and judge them; see `judge`."""
    enriched = await read_topic(brokers, f"{prefix}articles.enriched")
    dead = await read_topic(brokers, f"{prefix}articles.dead")
    return judge(enriched, dead, published, tombstones, traced, replayed)
