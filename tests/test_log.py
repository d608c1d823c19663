"""What the log shows while third parties say the same again and again."""

import io
import logging
from collections.abc import Iterator

import pytest
from aiokafka.errors import KafkaConnectionError

from streams.log import QUIET_SECONDS, OncePerCause


class Shown:
    """A log with a clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._stream = io.StringIO()
        self.handler = logging.StreamHandler(self._stream)
        self.handler.addFilter(OncePerCause(clock=lambda: self.now))

    @property
    def lines(self) -> list[str]:
        return self._stream.getvalue().splitlines()


@pytest.fixture
def shown() -> Iterator[Shown]:
    log = Shown()
    root = logging.getLogger()
    root.addHandler(log.handler)
    yield log
    root.removeHandler(log.handler)


def test_the_same_cause_is_shown_once_and_then_counted(shown: Shown) -> None:
    library = logging.getLogger("aiokafka")
    for number in range(100):
        library.error("Unable connect to node with id %s: %s", number, "refused")
    assert shown.lines == ["Unable connect to node with id 0: refused"]
    shown.now += QUIET_SECONDS
    library.error("Unable connect to node with id %s: %s", 7, "refused")
    library.error("Unable connect to node with id %s: %s", 8, "refused")
    assert shown.lines[1:] == ["Unable connect to node with id 7: refused (99 more like it in the last 30 s)"]
    shown.now += 10 * QUIET_SECONDS
    library.error("Unable connect to node with id %s: %s", 9, "refused")
    assert shown.lines[2:] == ["Unable connect to node with id 9: refused (1 more like it in the last 300 s)"]


def test_other_causes_and_other_loggers_are_shown(shown: Shown) -> None:
    logging.getLogger("aiokafka").error("Unable to connect")
    logging.getLogger("aiokafka.consumer").error("Unable to connect")
    logging.getLogger("aiokafka").error("Unable to do something else")
    logging.getLogger("faust").error("node 1 is away")
    logging.getLogger("faust").error("node 2 is away")
    assert len(shown.lines) == 4


def test_what_we_say_ourselves_is_never_left_out(shown: Shown) -> None:
    for _ in range(3):
        logging.getLogger("streams.delivery.agents").error("the same")
    assert shown.lines == ["the same"] * 3


def test_a_connection_error_is_one_line(shown: Shown) -> None:
    try:
        raise KafkaConnectionError("Connection at 127.0.0.1:9092 closed")
    except KafkaConnectionError:
        logging.getLogger("asyncio").exception("Task exception was never retrieved\nfuture: <Task %s>", "x")
    assert shown.lines == [
        "Task exception was never retrieved: KafkaConnectionError: KafkaConnectionError: "
        "Connection at 127.0.0.1:9092 closed"
    ]


def test_a_fault_of_a_program_keeps_its_traceback(shown: Shown) -> None:
    try:
        raise ZeroDivisionError("a bug")
    except ZeroDivisionError:
        logging.getLogger("faust").exception("crashed")
    assert shown.lines[0] == "crashed"
    assert shown.lines[-1] == "ZeroDivisionError: a bug"
    assert len(shown.lines) > 3


def test_a_message_that_cannot_be_formatted_harms_nobody() -> None:
    fold = OncePerCause()
    error = (OSError, OSError("away"), None)
    record = logging.LogRecord("faust", logging.ERROR, "", 0, "%d brokers", ("no",), error)
    assert fold.filter(record)
    assert record.msg == "%d brokers"


def test_kinds_without_end_are_forgotten(shown: Shown) -> None:
    library = logging.getLogger("faust")
    for number in range(1001):
        library.error("".join(chr(ord("a") + int(digit)) for digit in str(number)))
    assert len(shown.lines) == 1001
