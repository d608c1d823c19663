"""The commands as a user runs them."""

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

import streams.kafka
from streams.broker import LocalBroker
from tests.account import read_topic
from tests.running_line import RunningLine, Sent

ROOT = Path(__file__).parent.parent
SAMPLE = ROOT / "samples" / "ru-01.txt"
COMMANDS = (
    "demo",
    "broker",
    "topics",
    "worker",
    "publish",
    "watch",
    "enrich",
    "dead",
    "breaker",
    "schemas",
    "bench",
    "health",
)


def newsflow(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    variables = {k: v for k, v in os.environ.items() if not k.startswith("NEWSFLOW_")} | options.pop("variables", {})
    return subprocess.run(
        [sys.executable, "-m", "streams", *arguments],
        env=variables, cwd=ROOT, capture_output=True, text=True, timeout=200, check=False, **options,
    )  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    answer = newsflow(command, "--help")
    assert answer.returncode == 0
    assert answer.stdout.startswith("Usage: ")


def test_help_names_every_command() -> None:
    answer = newsflow("--help").stdout
    assert [name for name in COMMANDS if name not in answer] == []


def test_enrich_prints_one_event_a_line() -> None:
    answer = newsflow("enrich", str(SAMPLE), str(ROOT / "samples" / "wire.jsonl"))
    assert answer.returncode == 0
    events = [json.loads(line) for line in answer.stdout.splitlines()]
    assert len(events) == 16
    assert {event["article"]["language"] for event in events} == {"ru", "uk", "en"}


def test_enrich_takes_standard_input_and_shows_a_summary() -> None:
    answer = newsflow(
        "enrich", "-", "--format", "summary", input='{"title": "NATO meets", "text": "NATO met in Japan."}\n'
    )
    assert answer.returncode == 0
    assert "NATO meets" in answer.stdout
    assert "Q17 JP" in answer.stdout
    assert "\x1b[" not in answer.stdout, "no colours where there is no terminal"


@pytest.mark.parametrize(
    ("body", "events"),
    [
        ('{\n  "text": "NATO met\\nin Japan."\n}', 1),
        ('{"text": "NATO met in Japan."}\n{"text": "Poland won."}\n', 2),
        ("NATO met in Japan.\nPoland won.", 1),
    ],
)
def test_standard_input_is_one_json_article_or_lines_of_them_or_a_text(body: str, events: int) -> None:
    answer = newsflow("enrich", "-", input=body)
    assert (answer.returncode, len(answer.stdout.splitlines())) == (0, events)


def test_enrich_reports_what_would_be_a_dead_letter() -> None:
    answer = newsflow("enrich", str(ROOT / "samples" / "broken.jsonl"), str(SAMPLE))
    assert answer.returncode == 1
    assert len(answer.stdout.splitlines()) == 1
    assert "broken.jsonl:1: dead letter broken_json" in answer.stderr


@pytest.mark.parametrize(
    ("arguments", "variables", "says"),
    [
        (("enrich", "no-such-file.txt"), {}, "no-such-file.txt"),
        (("enrich", "Makefile"), {}, ".jsonl"),
        (("worker", "--stages", "prepair"), {}, "prepair"),
        (("topics",), {"NEWSFLOW_BROKERS": "127.0.0.1:1"}, "newsflow broker"),
        (("topics",), {"NEWSFLOW_PARTITIONS": "none"}, "NEWSFLOW_PARTITIONS"),
        (("topics",), {"NEWSFLOW_SECURITY_PROTOCOL": "SASL_SSL"}, "NEWSFLOW_SASL_USERNAME"),
        (
            ("topics",),
            {
                "NEWSFLOW_BROKERS": "127.0.0.1:1",
                "NEWSFLOW_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
                "NEWSFLOW_SASL_USERNAME": "me",
                "NEWSFLOW_SASL_PASSWORD": "hush-hush",
            },
            "SASL_PLAINTEXT",
        ),
    ],
)
def test_a_user_error_is_one_line_and_exit_code_2(
    arguments: tuple[str, ...], variables: dict[str, str], says: str
) -> None:
    answer = newsflow(*arguments, variables=variables)
    assert answer.returncode == 2
    (line,) = [line for line in answer.stderr.splitlines() if line.startswith("newsflow: ")]
    assert says in line
    assert "Traceback" not in answer.stderr
    assert "hush-hush" not in answer.stderr + answer.stdout


@pytest.mark.kafka
@pytest.mark.parametrize("command", [("publish", str(SAMPLE)), ("watch",)])
def test_without_topics_a_command_says_what_to_do(kafka: LocalBroker, command: tuple[str, ...]) -> None:
    variables = {"NEWSFLOW_BROKERS": kafka.bootstrap_servers, "NEWSFLOW_TOPIC_PREFIX": "never-created."}
    answer = newsflow(*command, variables=variables)
    assert answer.returncode == 2
    assert "never-created.articles." in answer.stderr
    assert "newsflow topics" in answer.stderr


@pytest.mark.kafka
def test_publish_sends_all_articles_or_none(kafka: LocalBroker, tmp_path: Path) -> None:
    line = RunningLine(kafka.bootstrap_servers, tmp_path)
    line.create_topics()
    raw = line.settings.topic("articles.raw")
    variables = {"NEWSFLOW_BROKERS": kafka.bootstrap_servers, "NEWSFLOW_TOPIC_PREFIX": line.settings.topic_prefix}
    files = []
    for name, size in (("before", 100), ("giant", 3000), ("after", 100), ("also-giant", 4000)):
        files.append(tmp_path / f"{name}.txt")
        files[-1].write_text("x" * size)
    line.limit_topic("articles.raw", 2000)
    answer = newsflow("publish", *map(str, files), variables=variables)
    assert answer.returncode == 2
    assert "giant.txt: 30" in answer.stderr
    assert "2000" in answer.stderr
    assert "Nothing was published" in answer.stderr
    assert asyncio.run(read_topic(kafka.bootstrap_servers, raw)) == []
    # What the topic takes to the byte is published: batches of several are kept below its limit, too.
    files[1].write_text("x" * (2000 - int(re.findall(r"giant.txt: (\d+) bytes", answer.stderr)[0]) + 3000))
    assert newsflow("publish", *map(str, files[:3] * 20), variables=variables).returncode == 0
    assert len(asyncio.run(read_topic(kafka.bootstrap_servers, raw))) == 60


@pytest.mark.kafka
def test_the_demo_is_not_stopped_by_what_others_send(kafka: LocalBroker, tmp_path: Path) -> None:
    line = RunningLine(kafka.bootstrap_servers, tmp_path)
    line.create_topics()
    foreign = [Sent(b"Poland won.", headers=(("traceparent", value),)) for value in (b"\xff", None, b"")]

    async def send() -> None:
        async with streams.kafka.producer(line.settings) as producer:
            for record in foreign:
                await producer.send_and_wait(
                    line.settings.topic("articles.raw"), record.value, headers=list(record.headers)
                )

    asyncio.run(send())
    variables = {
        "NEWSFLOW_BROKERS": kafka.bootstrap_servers,
        "NEWSFLOW_TOPIC_PREFIX": line.settings.topic_prefix,
        "NEWSFLOW_APP_ID": line.settings.app_id,
        "NEWSFLOW_HOME": str(tmp_path),
    }
    answer = newsflow("demo", str(SAMPLE), variables=variables)
    assert answer.returncode == 0, answer.stderr
    assert "1 articles: 1 enriched" in answer.stderr


@pytest.mark.kafka
def test_publish_watch_and_dead_list(kafka: LocalBroker, tmp_path: Path) -> None:
    line = RunningLine(kafka.bootstrap_servers, tmp_path)
    variables = {
        "NEWSFLOW_BROKERS": kafka.bootstrap_servers,
        "NEWSFLOW_TOPIC_PREFIX": line.settings.topic_prefix,
        "NEWSFLOW_APP_ID": line.settings.app_id,
    }
    created = newsflow("topics", variables=variables)
    assert created.stdout.count("created") == 5
    assert newsflow("topics", variables=variables).stdout.count("exists") == 5
    with line:
        published = newsflow("publish", str(SAMPLE), str(ROOT / "samples" / "broken.jsonl"), variables=variables)
        assert (published.returncode, "5 / 5" in published.stderr) == (0, True)
        more = newsflow(
            "publish", "-", variables=variables, input='{"id": "from-stdin", "text": "NATO met in Japan."}\n'
        )
        assert more.returncode == 0
        watched = newsflow("watch", "--from-beginning", "--format", "json", "--max", "2", variables=variables)
        ids = {json.loads(event)["article"]["id"] for event in watched.stdout.splitlines()}
        assert len(ids) == 2
        assert "from-stdin" in ids
    listed = newsflow("dead", "list", variables=variables).stdout
    assert "dead letters: " in listed
    assert listed.count("waiting") == 4
    as_json = [
        json.loads(row) for row in newsflow("dead", "list", "--format", "json", variables=variables).stdout.splitlines()
    ]
    assert {row["reason"] for row in as_json} == {"broken_json", "json_not_object", "empty"}


@pytest.mark.kafka
def test_the_demo_accounts_for_every_article_and_leaves_no_process(tmp_path: Path) -> None:
    before = _java()
    answer = newsflow(
        "demo", str(SAMPLE), str(ROOT / "samples" / "broken.jsonl"), variables={"NEWSFLOW_HOME": str(tmp_path)}
    )
    assert answer.returncode == 0, answer.stderr
    assert "5 articles: 1 enriched, 4 dead letters" in answer.stderr
    assert "Q159 RU" in answer.stdout
    assert _java() <= before


@pytest.mark.kafka
def test_ctrl_c_ends_the_demo_and_all_it_started(tmp_path: Path) -> None:
    variables = {k: v for k, v in os.environ.items() if not k.startswith("NEWSFLOW_")} | {
        "NEWSFLOW_HOME": str(tmp_path)
    }
    demo = subprocess.Popen(
        [sys.executable, "-m", "streams", "demo"],
        env=variables,
        cwd=ROOT,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    assert demo.stderr is not None
    while b"starting a worker" not in (line := demo.stderr.readline()):
        assert line, "the demo ended before it started a worker"
    time.sleep(1)
    family = psutil.Process(demo.pid).children(recursive=True)
    assert len(family) >= 2
    demo.send_signal(signal.SIGINT)
    assert demo.wait(60) == 130
    _, alive = psutil.wait_procs(family, timeout=5)
    assert not alive


@pytest.mark.kafka
def test_the_demo_fails_where_its_worker_does(kafka: LocalBroker, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        answer = newsflow(
            "demo",
            str(SAMPLE),
            variables={
                "NEWSFLOW_HOME": str(tmp_path),
                "NEWSFLOW_BROKERS": kafka.bootstrap_servers,
                "NEWSFLOW_TOPIC_PREFIX": f"demo{time.time_ns()}.",
                "NEWSFLOW_WEB_PORT": str(port),
            },
        )
    assert answer.returncode == 1
    assert "the worker ended by itself with code 2" in answer.stderr
    assert f"Port {port} for the health endpoints is taken" in answer.stderr


@pytest.mark.kafka
def test_bench_prints_the_figures_it_promises(kafka: LocalBroker, tmp_path: Path) -> None:
    answer = newsflow(
        "bench",
        str(ROOT / "samples" / "wire.jsonl"),
        "--articles",
        "15",
        "--format",
        "json",
        variables={"NEWSFLOW_HOME": str(tmp_path), "NEWSFLOW_BROKERS": kafka.bootstrap_servers},
    )
    assert answer.returncode == 0, answer.stderr
    figures = json.loads(answer.stdout)
    assert figures.keys() == {
        "enrich", "stream", "cpu_ratio", "latency_ms", "rss_mb", "startup_s", "articles", "processes",
    }  # fmt: skip
    assert figures["articles"] == 15
    assert figures["latency_ms"]["p50"] <= figures["latency_ms"]["p99"]
    assert figures["rss_mb"] > 50


def _java() -> set[int]:
    return {p.pid for p in psutil.process_iter(["name"]) if p.info["name"] == "java"}


STOPPED_WHILE_STARTING = """
import os, signal, sys

class StopsAtTheFirstImport:
    def find_spec(self, name, path, target=None):
        if name == "streams.delivery.supervisor":
            os.kill(os.getpid(), signal.SIGTERM)

from streams.commands import main
sys.meta_path.insert(0, StopsAtTheFirstImport())
sys.argv[1:] = ["worker", "--processes", sys.argv[1]]
main()
"""


@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_worker_stopped_while_it_starts_exits_0(processes: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", STOPPED_WHILE_STARTING, processes], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
