"""Bugs that are planted to prove that the fault ledger's checker sees them; `NEWSFLOW_PLANT` names one.

They live here and are installed by `tests/faulty_worker.py` alone: `newsflow` itself cannot reach them.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from streams.delivery import consumer, partition
from streams.delivery.breaker import Breaker
from streams.delivery.consumer import BoundedConsumer
from streams.delivery.partition import InputPartition
from streams.delivery.records import Outgoing

PAUSE = 0.15
"""Seconds between the two halves of what must be one transaction: a kill is to strike there."""

_commit = InputPartition._commit


def _plant(owner: object, name: str, bug: object) -> None:
    setattr(owner, name, bug)


def _committing(commit: Callable[[InputPartition, Sequence[Outgoing], int], Awaitable[None]]) -> None:
    _plant(InputPartition, "_commit", commit)


def ack_before_send() -> None:
    """The input's offset is committed before the outputs."""

    async def commit(self: InputPartition, outgoing: Sequence[Outgoing], position: int) -> None:
        await _commit(self, (), position)
        await asyncio.sleep(PAUSE)
        await _commit(self, outgoing, position)

    _committing(commit)


def send_before_ack() -> None:
    """The outputs are committed before the input's offset."""

    async def commit(self: InputPartition, outgoing: Sequence[Outgoing], position: int) -> None:
        await _commit(self, outgoing, self._position)
        await asyncio.sleep(PAUSE)
        await _commit(self, (), position)

    _committing(commit)


def skip_dead_letter() -> None:
    """What fails is passed over instead of dead-lettered."""

    async def commit(self: InputPartition, outgoing: Sequence[Outgoing], position: int) -> None:
        await _commit(self, [record for record in outgoing if record.reason is None], position)

    _committing(commit)


def skip_tombstone() -> None:
    """Deletions are passed over."""

    async def commit(self: InputPartition, outgoing: Sequence[Outgoing], position: int) -> None:
        await _commit(self, [record for record in outgoing if record.value is not None], position)

    _committing(commit)


def reorder() -> None:
    """A batch is written backwards."""

    async def commit(self: InputPartition, outgoing: Sequence[Outgoing], position: int) -> None:
        await _commit(self, outgoing[::-1], position)

    _committing(commit)


def no_fence() -> None:
    """Every process has transactional ids of its own: a successor fences nobody."""
    shared = partition.transactional_id
    _plant(partition, "transactional_id", lambda *given: f"{shared(*given)}-{os.getpid()}")


def read_uncommitted() -> None:
    """A stage reads what the stage before it has not committed, and what it has aborted."""

    def make(**arguments: Any) -> BoundedConsumer:
        return BoundedConsumer(**arguments | {"isolation_level": "read_uncommitted"})

    _plant(consumer, "BoundedConsumer", make)

    async def commit(self: InputPartition, outgoing: Sequence[Outgoing], position: int) -> None:
        assert self._producer is not None
        flush = self._producer.send_offsets_to_transaction

        async def late(*arguments: Any) -> None:
            await asyncio.sleep(PAUSE)
            await flush(*arguments)

        _plant(self._producer, "send_offsets_to_transaction", late)
        try:
            await _commit(self, outgoing, position)
        finally:
            _plant(self._producer, "send_offsets_to_transaction", flush)

    _committing(commit)


def no_breaker() -> None:
    """Nothing stops a stage that dead-letters everything."""
    _plant(Breaker, "check", lambda _: None)


PLANTS: dict[str, Callable[[], None]] = {
    plant.__name__: plant
    for plant in (
        ack_before_send,
        send_before_ack,
        skip_dead_letter,
        skip_tombstone,
        reorder,
        no_fence,
        read_uncommitted,
        no_breaker,
    )
}


def install() -> None:
    """Plant the bug that `NEWSFLOW_PLANT` names; none where it is not set."""
    if name := os.environ.get("NEWSFLOW_PLANT"):
        PLANTS[name]()
