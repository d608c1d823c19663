"""What a reader who knows nothing of our code finds on the topics: lost, doubled, out of order, differing."""

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient


@dataclass
class Account:
    """Published ids against what a read_committed reader sees; `order` lists keys whose versions came out of order."""

    published: int
    enriched: int = 0
    dead: int = 0
    lost: set[str] = field(default_factory=set)
    doubled: dict[str, int] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        return not (self.lost or self.doubled or self.order or self.differing)


async def read_topic(
    brokers: str, topic: str, isolation_level: str = "read_committed"
) -> list[tuple[bytes | None, bytes | None, dict[str, bytes]]]:
    """Return key, value and headers of every committed record of a topic, partition by partition."""
    consumer = AIOKafkaConsumer(bootstrap_servers=brokers, isolation_level=isolation_level, enable_auto_commit=False)
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, p) for p in await _partitions(brokers, topic)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        ends = await consumer.end_offsets(partitions)
        records = []
        while any([await consumer.position(tp) < ends[tp] for tp in partitions]):
            for batch in (await consumer.getmany(timeout_ms=200)).values():
                records += [(r.key, r.value, dict(r.headers)) for r in batch]
        return records
    finally:
        await consumer.stop()


def _article_id(value: bytes | None) -> str:
    """Return the id in a dead letter: of a raw article, or of the event between stages that failed."""
    try:
        body = json.loads(value or b"")
    except ValueError:
        return "unreadable"
    return str(body.get("article", body).get("id")) if isinstance(body, dict) else "unreadable"


async def _partitions(brokers: str, topic: str) -> list[int]:
    admin = AIOKafkaAdminClient(bootstrap_servers=brokers)
    await admin.start()
    try:
        (description,) = await admin.describe_topics([topic])
        return sorted(p["partition"] for p in description["partitions"])
    finally:
        await admin.close()


async def account(brokers: str, prefix: str, published: list[str]) -> Account:
    """Compare the articles of `published` (the raw articles' ids, each sent once) with what came out.

    An id `key#3` is the third version of the article with record key `key`.
    """
    result = Account(len(published))
    seen: Counter[str] = Counter()
    bodies: dict[str, set[bytes]] = defaultdict(set)
    versions: dict[str, list[int]] = defaultdict(list)
    for _, value, _headers in await read_topic(brokers, f"{prefix}articles.enriched"):
        assert value is not None
        event = json.loads(value)
        name = event["article"]["id"]
        seen[name] += 1
        bodies[name].add(value)
        key, _, version = name.rpartition("#")
        if key:
            versions[key].append(int(version))
        result.enriched += 1
    for _, value, _headers in await read_topic(brokers, f"{prefix}articles.dead"):
        seen[_article_id(value)] += 1
        result.dead += 1
    result.lost = set(published) - set(seen)
    result.doubled = {name: count for name, count in seen.items() if count > 1}
    result.order = [key for key, numbers in versions.items() if numbers != sorted(numbers)]
    result.differing = [name for name, variants in bodies.items() if len(variants) > 1]
    return result
