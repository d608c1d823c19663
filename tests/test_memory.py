"""What a worker holds in memory while a backlog of large articles waits."""

import asyncio
import json
from pathlib import Path

import psutil
import pytest

from streams.broker import LocalBroker
from tests.running_line import RunningLine, Sent

MEGABYTE = 1_000_000


def peak_memory(pid: int) -> int:
    """Return the most resident memory that a process has had so far, bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) * 1024


@pytest.mark.kafka
@pytest.mark.parametrize("compression", [None, "zstd"])
def test_a_backlog_of_large_articles_stays_on_the_broker(
    kafka: LocalBroker, tmp_path: Path, compression: str | None
) -> None:
    line = RunningLine(kafka.bootstrap_servers, tmp_path, breaker_share=1)
    line.create_topics()
    filler = "word " * (12 * MEGABYTE // 5)
    for first in range(0, 40, 5):
        large = [Sent(json.dumps({"id": f"k{n}", "text": filler}).encode()) for n in range(first, first + 5)]
        asyncio.run(line.publish(large, compression))
    with line.worker:
        line.process(*(Sent(b'{"text": "NATO met in Japan."}', f"k{n}".encode()) for n in range(20)))
        worker = psutil.Process(line.worker.pid)
        (enricher,) = worker.children()
        assert peak_memory(worker.pid) < 650 * MEGABYTE
        assert peak_memory(enricher.pid) < 650 * MEGABYTE
