"""Fixtures for all tests."""

from collections.abc import Callable, Iterator

import pytest

from streams.broker import LocalBroker


@pytest.fixture(scope="session")
def progress(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """A function that shows a line on the terminal at once, past pytest's capturing."""
    plugins = request.config.pluginmanager

    def show(line: str) -> None:
        with plugins.get_plugin("capturemanager").global_and_fixture_disabled():  # type: ignore[union-attr]  # built in
            plugins.get_plugin("terminalreporter").write_line(line)  # type: ignore[union-attr]  # built in

    return show


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory, progress: Callable[[str], None]) -> Iterator[LocalBroker]:
    """A running Kafka, one for all tests of the session: use topics and groups of your own, do not stop it."""
    with LocalBroker(tmp_path_factory.mktemp("kafka"), progress=progress) as broker:
        yield broker
