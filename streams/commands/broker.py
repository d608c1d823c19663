"""`newsflow broker`: a real Apache Kafka for this machine."""

import signal
import threading

import click

from streams.progress import say
from streams.settings import settings


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on; a free one when not given.")
@click.option("--fresh", is_flag=True, help="Begin with empty topics instead of those of the last run.")
def broker(port: int | None, fresh: bool) -> None:
    """Run a local single-node Apache Kafka until Ctrl-C (no Docker, no Java needed).

    Its data stay in NEWSFLOW_HOME between runs. Needs the extra `newsflow[broker]`.
    """
    from streams.broker import LocalBroker

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with LocalBroker(settings().home / "kafka", port, progress=say, fresh=fresh) as kafka:
        say(f"Kafka is ready. In other terminals: export NEWSFLOW_BROKERS={kafka.bootstrap_servers}")
        while kafka.is_running and not stop.wait(0.5):
            pass
        if not stop.is_set():
            from streams.errors import BrokerFailed

            raise BrokerFailed(f"Kafka ended by itself; see {settings().home / 'kafka' / 'broker.log'}.")
