"""One input partition of one stage, exactly once: the only place that writes to the line's topics.

What holds (facts measured before this was written, and again by `tests/test_delivery.py`):

* One transactional producer per input partition. Its id names stage and partition, so starting it fences whoever
  owned the partition before and ends that owner's open transaction.
* The position is read from the group's committed offset only after the producer has started, and again for every
  consumer generation: what the old owner committed last is then visible.
* Outputs, dead letters and the input offset are one transaction. The position advances when it has committed.
* Fenced in a generation that is over, or of which that comes to be known soon: the batch is dropped, its new owner
  does it. Fenced in one that goes on: an old owner woke up and died again; the partition is taken over once more.
* Anything else that was not foreseen is `WorkerMustStop`: going on could lose or double an article, a restart cannot.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import InvalidProducerEpoch, ProducerFenced
from aiokafka.structs import OffsetAndMetadata

from streams import kafka, metrics
from streams.delivery.breaker import Breaker
from streams.delivery.records import Incoming, Outgoing
from streams.errors import BreakerOpen, WorkerMustStop
from streams.settings import Settings

log = logging.getLogger(__name__)

ABORT_SECONDS = 5.0
"""How long an abort may take when a partition is given up."""

NEWS_POLL = 0.1
"""Seconds between two looks whether the consumer has a new generation."""

Committed = Callable[[TopicPartition], Awaitable[dict[TopicPartition, OffsetAndMetadata]]]
"""Reads what the group has committed in a partition and in all others of its topic; offset -1 where that is nothing."""
Process = Callable[[Sequence[Incoming]], Awaitable[list[Outgoing]]]
"""Runs the stage on records, one outcome each, in order; may stop early, after at least one, to bound its time."""
Generation = Callable[[], int]
"""The consumer's current generation."""


def transactional_id(settings: Settings, source: TopicPartition) -> str:
    """Return the id of the producer that writes what is made of an input partition."""
    return f"{settings.app_id}-{source.topic}-{source.partition}"


class InputPartition:
    """Processes batches of one partition of a stage's input, in order, one at a time.

    `max_batch_bytes` is the largest record batch that every topic it writes to takes (`max.message.bytes`).
    """

    def __init__(
        self,
        settings: Settings,
        stage: str,
        topic: str,
        partition: int,
        *,
        max_batch_bytes: int,
        breaker: Breaker,
        process: Process,
        committed: Committed,
        current_generation: Generation,
    ) -> None:
        self.stage = stage
        self.topic = topic
        self.partition = partition
        self._settings = settings
        self._source = TopicPartition(settings.topic(topic), partition)
        self._max_batch_bytes = max_batch_bytes
        self._breaker = breaker
        self._process = process
        self._committed = committed
        self._current_generation = current_generation
        self._producer: AIOKafkaProducer | None = None
        self._generation: int | None = None
        self._position = 0
        self._counted = 0
        self._in_transaction = False
        self.busy_since: float | None = None
        """Monotonic time of the latest progress with the batch in hand; None while idle."""

    @property
    def transactional_id(self) -> str:
        """Id of the producer: the same for every worker that ever owns this partition."""
        return transactional_id(self._settings, self._source)

    async def handle(self, records: Sequence[Incoming], generation: int) -> None:
        """Process and commit the records of a batch, which the consumer read in `generation`.

        Records below the position are left out: they were committed before. What is left of the batch is dropped
        where the generation is over. A batch that takes long is committed in several transactions.

        Raises:
            WorkerMustStop: the transaction failed in a way that only a restart can put right.
            BreakerOpen: too many of the stage's latest records became dead letters.
        """
        self.busy_since = time.monotonic()
        try:
            try:
                await self._work(records, generation)
            except (ProducerFenced, InvalidProducerEpoch):
                if not await self._was_lost(generation):
                    log.warning("%s: fenced by a worker that the group does not have; once more", self.transactional_id)
                    await self._work(records, generation)
        except (ProducerFenced, InvalidProducerEpoch) as error:
            if not await self._was_lost(generation):
                raise WorkerMustStop(
                    f"{self.transactional_id} was fenced twice although this worker still owns the partition: another "
                    f"worker with NEWSFLOW_APP_ID={self._settings.app_id} took it over while this one was silent"
                ) from error
        except BreakerOpen:
            # Batches that opened it may have been committed side by side, each without that state.
            with suppress(Exception):
                await self._commit((), self._position)
            raise
        except Exception as error:
            raise WorkerMustStop(f"{self.transactional_id}: {type(error).__name__}: {error}") from error
        finally:
            self.busy_since = None

    async def _work(self, records: Sequence[Incoming], generation: int) -> None:
        if generation != self._current_generation():
            return
        if generation != self._generation:
            await self._take_over(generation)
        todo = [record for record in records if record.offset >= self._position]
        while todo and generation == self._current_generation():
            self._breaker.check()
            outgoing = await self._process(todo)
            # What is done once more after a fence is counted already.
            self._breaker.record(
                [made for made, record in zip(outgoing, todo, strict=False) if record.offset >= self._counted]
            )
            position = todo[len(outgoing) - 1].offset + 1
            self._counted = max(self._counted, position)
            await self._commit(outgoing, position)
            todo = todo[len(outgoing) :]
            self.busy_since = time.monotonic()

    async def _was_lost(self, generation: int) -> bool:
        """Give up the fenced producer; return whether the partition went to another worker, and the batch with it."""
        lost = await self._is_over(generation)
        if lost:
            metrics.ABANDONED.labels(self.stage).inc()
            log.info("%s: dropped a batch, another worker owns the partition now", self.transactional_id)
        await self.close()
        self.busy_since = time.monotonic()
        return lost

    async def _is_over(self, generation: int) -> bool:
        """Return whether the generation is over; wait for the news, which may come after the successor's deeds.

        A worker that was silent hears of the rebalance with its next heartbeat, and of its new generation when it has
        joined again; either takes a session timeout at most.
        """
        until = time.monotonic() + 2 * self._settings.session_timeout
        while generation == self._current_generation():
            if time.monotonic() > until:
                return False
            await asyncio.sleep(NEWS_POLL)
        return True

    async def _take_over(self, generation: int) -> None:
        await self.close()
        self._producer = kafka.new_producer(self._settings, self.transactional_id, self._max_batch_bytes)
        await self._producer.start()
        committed = await self._committed(self._source)
        self._position = max(committed[self._source].offset, 0)
        # Of all partitions: the one that opened the breaker may be another one.
        self._breaker.adopt(offset.metadata or "" for offset in committed.values())
        self._generation = generation
        metrics.TAKEOVERS.labels(self.stage).inc()
        log.debug("%s: taken over at offset %s, generation %s", self.transactional_id, self._position, generation)

    async def _commit(self, outgoing: Sequence[Outgoing], position: int) -> None:
        assert self._producer is not None
        began = time.monotonic()
        await self._producer.begin_transaction()
        self._in_transaction = True
        acknowledged = [
            await self._producer.send(
                self._settings.topic(record.topic), value=record.value, key=record.key, headers=list(record.headers)
            )
            for record in outgoing
        ]
        await asyncio.gather(*acknowledged)
        offset = OffsetAndMetadata(position, self._breaker.metadata())
        await self._producer.send_offsets_to_transaction({self._source: offset}, self._settings.app_id)
        await self._producer.commit_transaction()
        self._in_transaction = False
        self._position = position
        metrics.TRANSACTION_SECONDS.labels(self.stage).observe(time.monotonic() - began)
        for record in outgoing:
            if record.reason:
                metrics.DEAD_LETTERS.labels(self.stage, record.reason.value).inc()
            outcome = "dead" if record.reason else "tombstone" if record.value is None else "enriched"
            metrics.ARTICLES.labels(self.stage, outcome).inc()

    async def close(self) -> None:
        """Stop the producer; what its open transaction holds is never seen by a read_committed reader."""
        producer, self._producer, self._generation = self._producer, None, None
        if producer is None:
            return
        if self._in_transaction:
            self._in_transaction = False
            # Left open, the transaction would hide everything behind it from read_committed readers until it times
            # out. Where the abort fails too, the next owner's start aborts it.
            with suppress(Exception):
                await asyncio.wait_for(producer.abort_transaction(), ABORT_SECONDS)
        await producer.stop()
