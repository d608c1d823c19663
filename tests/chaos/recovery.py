"""How long after a fault every partition was at work again, as a reader of the outcomes sees it."""

import time
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence

from aiokafka.partitioner import DefaultPartitioner

UNDER_WAY = 0.25
"""Seconds after a fault in which outcomes may still reach the reader that were committed before it."""


class Progress:
    """When records of each partition went in and came out.

    A record's key decides its partition in every topic of the line; what has no key is left out.
    """

    def __init__(self, partitions: int) -> None:
        self._numbers = list(range(partitions))
        self._in: dict[int, list[float]] = defaultdict(list)
        self._out: dict[int, list[float]] = defaultdict(list)

    def partition(self, key: bytes) -> int:
        """Return the partition of records with that key."""
        return int(DefaultPartitioner()(key, self._numbers, self._numbers))

    def went_in(self, keys: Iterable[bytes | None], at: float | None = None) -> None:
        """Note records that the broker has acknowledged, now or at a monotonic time."""
        self._note(self._in, keys, at)

    def came_out(self, keys: Iterable[bytes | None], at: float | None = None) -> None:
        """Note records that a reader has got, now or at a monotonic time."""
        self._note(self._out, keys, at)

    def _note(self, times: dict[int, list[float]], keys: Iterable[bytes | None], at: float | None) -> None:
        now = time.monotonic() if at is None else at
        for key in keys:
            if key is not None:
                times[self.partition(key)].append(now)

    def recovery(self, faults: Sequence[float]) -> list[float]:
        """Return for each fault the seconds until every partition had progressed; infinite where one never did.

        A partition's time counts from the fault where it had a backlog, otherwise from the next record that went in
        before the next fault; a partition without either does not count.
        """
        if not faults:
            return []
        ends = [*faults[1:], float("inf")]
        return [
            max((self._wait(number, fault, end) for number in self._numbers), default=0.0)
            for fault, end in zip(faults, ends, strict=True)
        ]

    def first_outcomes(self, faults: Sequence[float]) -> list[float]:
        """Return for each fault the seconds until anything came out of any partition; infinite where nothing did."""
        out = sorted(at for times in self._out.values() for at in times)
        after = [bisect_right(out, fault + UNDER_WAY) for fault in faults]
        return [out[n] - fault if n < len(out) else float("inf") for n, fault in zip(after, faults, strict=True)]

    def longest_wait(self, begin: float, end: float) -> float:
        """Return the longest time in that span in which a partition with work brought nothing, in seconds."""
        waits = [0.0]
        for number in self._numbers:
            last = begin
            # A partition keeps its order: what comes out n-th went in n-th.
            for went_in, came_out in zip(sorted(self._in[number]), sorted(self._out[number]), strict=False):
                if begin < came_out and went_in < end:
                    waits.append(min(came_out, end) - max(last, went_in))
                    last = came_out
        return max(waits)

    def _wait(self, partition: int, fault: float, end: float) -> float:
        went_in, came_out = sorted(self._in[partition]), sorted(self._out[partition])
        begin = fault + UNDER_WAY
        before, done = bisect_right(went_in, begin), bisect_right(came_out, begin)
        if before > done:
            since = fault
        elif before < len(went_in) and went_in[before] < end:
            since = went_in[before]
        else:
            return 0.0
        return came_out[done] - since if done < len(came_out) else float("inf")
