"""Stops a stage that dead-letters most of what it reads: then the stage is broken, not the articles.

The latest outcomes travel as metadata of the committed offsets, in the same transaction as the outputs. So a restarted
worker knows what its predecessor saw, and restarts do not drain the topic into the dead letters by and by.
"""

from collections import Counter, deque
from collections.abc import Iterable

from schemas import DeadLetterReason
from streams.delivery.records import Outgoing
from streams.errors import BreakerOpen
from streams.settings import Settings

_REASONS = tuple(DeadLetterReason)
_PREFIX = "newsflow1:"
_FINE = "."


def _letter(reason: DeadLetterReason | None) -> str:
    return _FINE if reason is None else chr(ord("a") + _REASONS.index(reason))


class Breaker:
    """The latest outcomes of one stage in one worker."""

    def __init__(self, settings: Settings, stage: str, topic: str) -> None:
        self._stage = stage
        self._topic = topic
        self._size = settings.breaker_records
        self._share = settings.breaker_share
        self._latest: deque[str] = deque(maxlen=self._size)

    def record(self, outgoing: Iterable[Outgoing]) -> None:
        """Count what is about to be committed.

        Once open, it stays open: what partitions commit side by side must not close it before anyone has looked, while
        one of them has committed that it is open.
        """
        if not self._is_open(self._latest):
            self._latest.extend(_letter(record.reason) for record in outgoing)

    def metadata(self) -> str:
        """Return what goes with the committed offset: one character per record, at most 4,000 (Kafka takes 4,096)."""
        return _PREFIX + "".join(self._latest)

    def adopt(self, metadata: Iterable[str]) -> None:
        """Take over what predecessors saw: an open breaker stays open, else whoever saw most knows best."""
        for one in metadata:
            seen = deque(one.removeprefix(_PREFIX) if one.startswith(_PREFIX) else "", maxlen=self._size)
            if not self._is_open(self._latest) and (self._is_open(seen) or len(seen) > len(self._latest)):
                self._latest = seen

    def _is_open(self, outcomes: deque[str]) -> bool:
        dead = len(outcomes) - outcomes.count(_FINE)
        return len(outcomes) >= self._size and dead > self._share * self._size

    def check(self) -> None:
        """Raise BreakerOpen where too many of the latest records became dead letters."""
        if not self._is_open(self._latest):
            return
        dead = [letter for letter in self._latest if letter != _FINE]
        known = {_letter(reason): reason.value for reason in _REASONS}
        counts = Counter(known.get(letter, "unknown") for letter in dead)
        raise BreakerOpen(
            f"stage {self._stage} dead-lettered {len(dead)} of its latest {self._size} records of {self._topic} "
            f"({', '.join(f'{count} {reason}' for reason, count in counts.most_common())}) and has stopped. Nothing is "
            "lost: the rest waits in the topic. See `newsflow dead list`; mend the stage or the source, then "
            "`newsflow breaker close` and start the workers again. If such a share is normal for you, raise "
            "NEWSFLOW_BREAKER_SHARE (1: never stop)."
        )
