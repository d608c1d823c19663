"""Readiness, liveness and metrics of a worker, over HTTP."""

import json
import re
import socket
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from streams.broker import LocalBroker
from streams.settings import Settings
from streams.worker_child import WorkerChild
from tests.running_line import RunningLine, Sent

pytestmark = pytest.mark.kafka


def ask(port: int, page: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{page}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_worker_becomes_ready_stays_live_and_counts(kafka: LocalBroker, tmp_path: Path) -> None:
    port = free_port()
    line = RunningLine(kafka.bootstrap_servers, tmp_path, web_port=port)
    with line:
        deadline = time.monotonic() + 60
        seen = set()
        while 200 not in seen:
            assert time.monotonic() < deadline
            seen.add(ask(port, "ready")[0])
            time.sleep(0.05)
        assert ask(port, "live")[0] == 200
        partitions = json.loads(ask(port, "ready")[1])["partitions"]
        assert len(partitions) == 3 * line.settings.partitions
        line.process(Sent(b'{"text": "NATO met in Japan."}'), Sent(b"[]"))
        metrics = ask(port, "metrics")[1]
        assert 'newsflow_articles_total{outcome="enriched",stage="classify"} 1.0' in metrics
        assert 'newsflow_dead_letters_total{reason="json_not_object",stage="prepare"} 1.0' in metrics
    assert ask(port, "live")[0] == 0


def test_workers_on_one_machine_find_ports_of_their_own(kafka: LocalBroker, tmp_path: Path) -> None:
    line = RunningLine(kafka.bootstrap_servers, tmp_path)
    line.create_topics()
    default = Settings.model_construct(**line.settings.model_dump(exclude={"web_port"}))
    workers = [WorkerChild(default, tmp_path / f"{n}.log") for n in range(2)]
    with workers[0], workers[1]:
        deadline = time.monotonic() + 60
        ports: list[str] = []
        while len(ports) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.1)
            ports = [
                port
                for worker in workers
                for port in re.findall(r"health on http://127.0.0.1:(\d+)", worker.log_text())
            ]
        assert len(set(ports)) == 2
