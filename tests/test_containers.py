"""What the image and the compose file promise, read from the files themselves: no container engine is needed."""

import csv
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import click
import pytest
import yaml

from streams.broker import server
from streams.commands import newsflow
from streams.settings import Settings

ROOT = Path(__file__).parent.parent
BASE = "python:3.11-slim-bookworm"
ENVIRONMENT = "/opt/newsflow"

Instruction = tuple[str, str]


def instructions() -> Iterator[Instruction]:
    """Yield the Dockerfile's instructions: comments gone, continued lines joined, blanks made one."""
    lines = [line for line in (ROOT / "Dockerfile").read_text().splitlines() if not line.lstrip().startswith("#")]
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        if line.strip():
            name, arguments = line.split(maxsplit=1)
            yield name, " ".join(arguments.split())


def stages() -> list[list[Instruction]]:
    found: list[list[Instruction]] = []
    for name, arguments in instructions():
        if name == "FROM":
            found.append([])
        found[-1].append((name, arguments))
    return found


def in_final_stage(name: str) -> list[str]:
    return [arguments for found, arguments in stages()[-1] if found == name]


def image_environment() -> dict[str, str]:
    return dict(pair.split("=", 1) for arguments in in_final_stage("ENV") for pair in arguments.split())


def compose() -> dict[str, Any]:
    return cast(dict[str, Any], yaml.safe_load((ROOT / "docker-compose.yml").read_text()))


def service(name: str) -> dict[str, Any]:
    return cast(dict[str, Any], compose()["services"][name])


def seconds(duration: str) -> float:
    found = re.fullmatch(r"(\d+)(s|m)", duration)
    assert found, f"{duration!r} is not a duration that this test knows"
    return int(found[1]) * {"s": 1, "m": 60}[found[2]]


def assert_is_a_command(arguments: list[str]) -> None:
    """Parse `arguments` as `newsflow` would, and run nothing."""
    command = newsflow.commands[arguments[0]]
    assert isinstance(command, click.Command)
    command.make_context(arguments[0], arguments[1:])


# the image


def test_the_image_has_two_stages_on_the_same_base() -> None:
    assert [arguments for name, arguments in instructions() if name == "FROM"] == [f"{BASE} AS build", BASE]
    assert not [name for name, _ in instructions() if name == "ARG"]


def test_only_what_is_hash_checked_comes_from_outside() -> None:
    runs = [arguments for name, arguments in instructions() if name == "RUN"]
    calls = [call for run in runs for call in run.split(" && ") if call.startswith("pip ")]
    from_outside = [call for call in calls if "--no-index" not in call and " uninstall " not in call]
    assert len(from_outside) == 1
    for option in ("--require-hashes", "--no-deps", "--only-binary :all:", "-r requirements/runtime.txt"):
        assert option in from_outside[0]
    assert not [run for run in runs if re.search(r"\b(apt|apt-get|curl|wget|git)\b|://", run)]


def test_the_wheel_is_built_with_tools_of_the_hash_checked_list() -> None:
    # with --no-build-isolation; without setuptools in the list the image would not build
    locked = (ROOT / "requirements" / "runtime.txt").read_text()
    assert re.search(r"^setuptools==\S+ \\\n    --hash=sha256:", locked, re.MULTILINE)


def test_the_final_stage_takes_only_the_environment_and_runs_nothing() -> None:
    assert in_final_stage("COPY") == [f"--from=build {ENVIRONMENT} {ENVIRONMENT}"]
    assert not in_final_stage("RUN")
    assert not in_final_stage("ADD")


def test_the_image_runs_as_a_user_that_is_not_root_by_number() -> None:
    (user,) = in_final_stage("USER")
    uid, gid = user.split(":")
    assert int(uid) > 0
    assert int(gid) > 0


def test_entry_and_command_are_exec_form_and_the_command_line_takes_them() -> None:
    (entry,) = in_final_stage("ENTRYPOINT")
    (command,) = in_final_stage("CMD")
    assert json.loads(entry) == ["newsflow"]
    assert json.loads(command) == ["worker", "--processes", "1"]
    assert_is_a_command(json.loads(command))
    assert in_final_stage("STOPSIGNAL") == ["SIGTERM"]


def test_the_health_check_asks_newsflow_whether_it_is_live() -> None:
    (check,) = in_final_stage("HEALTHCHECK")
    options, _, command = check.partition(" CMD ")
    entry, *arguments = json.loads(command)
    assert (entry, arguments) == ("newsflow", ["health", "live"])
    assert_is_a_command(arguments)
    values = dict(option.removeprefix("--").split("=") for option in options.split())
    # `newsflow health` gives up after 4 s by itself
    assert seconds(values["timeout"]) > 4
    assert seconds(values["start-period"]) >= 30


def test_the_image_s_environment() -> None:
    environment = image_environment()
    assert environment["NEWSFLOW_WEB_HOST"] == "0.0.0.0"
    assert environment["OMP_NUM_THREADS"] == environment["OPENBLAS_NUM_THREADS"] == "1"
    assert environment["PYTHONUNBUFFERED"] == "1"
    assert environment["PATH"].startswith(f"{ENVIRONMENT}/bin:")
    assert in_final_stage("EXPOSE") == [str(Settings.model_fields["web_port"].default)]


def test_all_that_the_image_is_built_from_is_let_in_and_nothing_else() -> None:
    rules = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert rules[0] == "*"
    let_in = {rule.removeprefix("!") for rule in rules if rule.startswith("!")}
    copied: set[str] = set()
    for name, arguments in stages()[0]:
        if name == "COPY":
            *sources, _ = arguments.split()
            copied.update(sources)
    assert let_in == copied
    assert [path for path in let_in if not (ROOT / path).exists()] == []
    assert rules[-1] == "**/__pycache__"


# the compose file


def test_services_and_what_they_wait_for() -> None:
    assert set(compose()["services"]) == {"kafka", "topics", "worker", "watch"}
    healthy = {"condition": "service_healthy"}
    done = {"condition": "service_completed_successfully"}
    assert service("topics")["depends_on"] == {"kafka": healthy}
    for name in ("worker", "watch"):
        assert service(name)["depends_on"] == {"kafka": healthy, "topics": done}


@pytest.mark.parametrize("name", ["topics", "worker", "watch"])
def test_services_of_ours_run_the_one_image_with_a_known_command(name: str) -> None:
    ours = service(name)
    assert ours["build"] == "."
    assert ours["image"] == service("worker")["image"]
    assert_is_a_command(ours["command"])
    assert ours["environment"]["NEWSFLOW_BROKERS"] == "kafka:19092"
    assert ours["init"] is True
    assert "mem_limit" in ours


@pytest.mark.parametrize("name", ["topics", "worker", "watch"])
def test_every_setting_in_the_compose_file_exists(name: str) -> None:
    known = {f"NEWSFLOW_{field.upper()}" for field in Settings.model_fields}
    assert set(service(name)["environment"]) <= known


def test_every_setting_in_the_image_exists() -> None:
    known = {f"NEWSFLOW_{field.upper()}" for field in Settings.model_fields}
    assert {name for name in image_environment() if name.startswith("NEWSFLOW_")} <= known


def test_there_can_be_many_workers_and_each_is_started_again() -> None:
    worker = service("worker")
    # both exist once on a host
    assert "container_name" not in worker
    assert "ports" not in worker
    assert worker["restart"] == "unless-stopped"
    assert worker["command"] == ["worker", "--processes", "1"]
    # the image's own health check holds
    assert "healthcheck" not in worker


def test_a_worker_is_given_the_time_it_takes_to_stop() -> None:
    worker = service("worker")
    drain = float(worker["environment"].get("NEWSFLOW_DRAIN_TIMEOUT") or Settings.model_fields["drain_timeout"].default)
    assert seconds(worker["stop_grace_period"]) >= drain + 5


def test_topics_is_a_job() -> None:
    assert service("topics")["command"] == ["topics"]
    # quoted: a bare `no` is false in YAML
    assert service("topics")["restart"] == "no"
    assert service("topics")["healthcheck"] == {"disable": True}


def test_watch_is_started_on_demand_only() -> None:
    assert service("watch")["profiles"] == ["watch"]
    assert service("watch")["command"] == ["watch", "--from-beginning"]
    assert not [name for name in ("kafka", "topics", "worker") if "profiles" in service(name)]


def test_kafka_is_the_version_that_everything_is_tested_with() -> None:
    with (ROOT / "streams" / "broker" / "jars.lock.tsv").open() as lock:
        versions = {row["version"] for row in csv.DictReader(lock, delimiter="\t") if row["artifact"] == "kafka-server"}
    assert versions == {service("kafka")["image"].removeprefix("apache/kafka:")}


def test_kafka_s_health_check_asks_the_broker() -> None:
    check = service("kafka")["healthcheck"]
    form, command = check["test"]
    assert form == "CMD-SHELL"
    assert "/opt/kafka/bin/kafka-topics.sh --bootstrap-server kafka:19092 --list" in command
    assert seconds(check["timeout"]) < seconds(check["interval"])


def test_kafka_s_data_are_in_a_volume() -> None:
    kafka = service("kafka")
    assert kafka["volumes"] == [f"kafka-data:{kafka['environment']['KAFKA_LOG_DIRS']}"]
    assert "kafka-data" in compose()["volumes"]


def test_kafka_is_open_to_containers_and_to_this_machine_only() -> None:
    kafka = service("kafka")
    assert kafka["ports"] == ["127.0.0.1:9092:9092"]
    advertised = dict(item.split("://") for item in kafka["environment"]["KAFKA_ADVERTISED_LISTENERS"].split(","))
    assert advertised == {"INTERNAL": "kafka:19092", "HOST": "127.0.0.1:9092"}


def test_kafka_is_configured_as_the_local_broker_is() -> None:
    # Tests run on the local broker. Of what it sets, the compose file may leave out what is for quick restarts and few
    # threads, but what both set is the same; a name that is in neither list is spelled wrong.
    properties = {
        name.removeprefix("KAFKA_").replace("_", ".").lower(): str(value)
        for name, value in service("kafka")["environment"].items()
        if name != "KAFKA_HEAP_OPTS"
    }
    local = server.server_properties(Path("/var/lib"), "127.0.0.1", 9092, 9093, 1, {})
    own = {
        "advertised.listeners",
        "controller.quorum.voters",
        "inter.broker.listener.name",
        "listener.security.protocol.map",
        "listeners",
        "log.dirs",
    }
    # several workers start at once here
    assert 0 < int(properties.pop("group.initial.rebalance.delay.ms")) <= 3000
    assert {name: value for name, value in properties.items() if name not in own} == {
        name: value for name, value in local.items() if name in properties and name not in own
    }
    assert properties["auto.create.topics.enable"] == "false"
    for name in ("offsets.topic.replication.factor", "transaction.state.log.replication.factor"):
        assert properties[name] == "1"


def test_images_of_others_have_a_tag_of_one_version() -> None:
    for name, found in compose()["services"].items():
        if "build" not in found:
            assert re.fullmatch(r"[\w./-]+:\d+\.\d+\.\d+", found["image"]), name


def has_compose() -> bool:
    docker = shutil.which("docker")
    return docker is not None and subprocess.run([docker, "compose", "version"], capture_output=True).returncode == 0


@pytest.mark.skipif(not has_compose(), reason="docker's compose plugin is not here; the other tests read the file")
def test_docker_compose_accepts_the_file() -> None:
    subprocess.run(
        ["docker", "compose", "--profile", "watch", "--file", ROOT / "docker-compose.yml", "config", "--quiet"],
        check=True,
        timeout=60,
    )
