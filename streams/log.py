"""Logging of all commands: one line per event on standard error, third parties at WARNING, each cause once in a while.

While a broker is away, aiokafka logs some 70 errors a second, the same few again and again.
"""

import logging
import re
import time
from collections.abc import Callable
from threading import Lock

from aiokafka.errors import KafkaError

from streams.settings import Settings

QUIET_SECONDS = 30.0
"""For this long after a third party's message, others like it are counted only."""
_MOST_KINDS = 1000
_NUMBERS = re.compile(r"\d+")


class OncePerCause(logging.Filter):
    """Lets a third party's message pass once in `QUIET_SECONDS`; the next one says how many like it were left out.

    Messages of one logger are alike where they have the same template, numbers aside. A connection error's traceback
    becomes the end of its message's line. Our own loggers (`streams…`) are left alone. `clock` gives seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._lock = Lock()
        self._shown: dict[tuple[str, str], float] = {}
        self._left_out: dict[tuple[str, str], int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the record is to be shown; it may be changed."""
        if record.name == "streams" or record.name.startswith("streams."):
            return True
        try:
            return self._is_due(record)
        except Exception:  # noqa: BLE001  # what cannot be formatted is the handler's to report, never its author's
            return True

    def _is_due(self, record: logging.LogRecord) -> bool:
        kind = (record.name, _NUMBERS.sub("#", str(record.msg)))
        with self._lock:
            now = self._clock()
            shown = self._shown.get(kind)
            if shown is not None and now - shown < QUIET_SECONDS:
                self._left_out[kind] = self._left_out.get(kind, 0) + 1
                return False
            if len(self._shown) >= _MOST_KINDS:
                # Templates with words of their own in them, made by f-strings: none comes back.
                self._shown.clear()
                self._left_out.clear()
            self._shown[kind] = now
            left_out = self._left_out.pop(kind, 0)
        _fold(record)
        if left_out:
            _say(record, f"{record.getMessage()} ({left_out} more like it in the last {now - (shown or now):.0f} s)")
        return True


def _fold(record: logging.LogRecord) -> None:
    """Put a connection error on the message's line; where it was raised inside a library helps nobody."""
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, KafkaError | OSError | TimeoutError | EOFError):
        (first, *_) = record.getMessage().splitlines() or [""]
        _say(record, f"{first}: {type(error).__name__}: {error}")
        record.exc_info = record.exc_text = None


def _say(record: logging.LogRecord, message: str) -> None:
    record.msg, record.args = message, ()


def configure_logging(settings: Settings) -> None:
    """Send the log to standard error at the level of the settings.

    Faust leaves the root logger at DEBUG where it is not told otherwise; that alone costs a worker 14 % of its time.
    """
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s", force=True)
    # At the handler: a logger's filters are not asked about the messages of the loggers below it.
    for handler in logging.getLogger().handlers:
        handler.addFilter(OncePerCause())
    logging.getLogger("streams").setLevel(settings.log_level)
    # mode logs every service under the name of the module that defines it, ours included.
    for name in ("faust", "aiokafka", "mode", "aiohttp.access", "asyncio", "streams.delivery.consumer"):
        logging.getLogger(name).setLevel(logging.WARNING)
