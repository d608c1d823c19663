"""The demo: a broker, a worker, the articles, and an account of each of them."""

import asyncio
import secrets
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from schemas import EnrichedEvent
from schemas import headers as h
from streams import article_files, kafka, publishing, topics
from streams.article_files import ArticleFile
from streams.errors import DemoIncomplete, InputError
from streams.line import newsflow_line
from streams.progress import Progress, say
from streams.settings import Settings
from streams.summary import summarize
from streams.worker_child import WorkerChild

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
"""The sample articles of the repository."""
PATIENCE = 120.0
"""Seconds without any article coming through after which demo and bench give up."""


def run(settings: Settings, files: Sequence[str], form: str) -> None:
    """Run the demo and print every event.

    Raises:
        DemoIncomplete: an article came out neither enriched nor dead, or the worker ended by itself.
        UserError: the broker cannot be started, or a file cannot be read.
    """
    paths = list(files) or sorted(
        str(path) for path in SAMPLES.glob("*.*") if path.suffix in article_files.CONTENT_TYPES
    )
    if not paths:
        raise InputError("There are no sample articles here: run from the repository, or name files.")
    articles = article_files.read(paths)
    if not articles:
        raise InputError("The files hold no article.")
    # SIGTERM takes the same way out as Ctrl-C, so that nothing is left behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with ExitStack() as stack:
        settings = stack.enter_context(broker_for(settings))
        asyncio.run(_prepare_topics(settings))
        say("starting a worker (loading models) …")
        worker = stack.enter_context(WorkerChild(settings, log=settings.home / "demo-worker.log"))
        asyncio.run(_account(settings, articles, form, worker))


@contextmanager
def broker_for(settings: Settings) -> Iterator[Settings]:
    """Yield settings with a broker behind them: the given one where NEWSFLOW_BROKERS is set, else a local one."""
    if "brokers" in settings.model_fields_set:
        yield settings
        return
    from streams.broker import LocalBroker

    with LocalBroker(settings.home / "kafka", progress=say) as local:
        yield settings.model_copy(update={"brokers": local.bootstrap_servers})


async def _prepare_topics(settings: Settings) -> None:
    line = newsflow_line(settings)
    created = await topics.create(settings, line)
    await topics.check(settings, line)
    say(f"topics: {len(created)} created, {len(line.topics) - len(created)} there already")


async def _account(settings: Settings, articles: Sequence[ArticleFile], form: str, worker: WorkerChild) -> None:
    """Publish the articles and follow each by its trace id until it has come out."""
    line = newsflow_line(settings)
    # W3C trace context: carried through all stages, kept in dead letters, so each article can be told from the others.
    traces = {f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01".encode(): article for article in articles}
    names = list(traces)
    outputs = (settings.topic(line.enriched), settings.topic(h.DEAD))
    enriched = dead = 0
    async with kafka.consumer(settings, *outputs, auto_offset_reset="latest") as consumer:
        await _position_at_end(consumer, outputs)
        await publishing.publish(settings, articles, headers=lambda index: [(h.TRACEPARENT, names[index])])
        last = time.monotonic()
        with Progress("articles", len(articles)) as progress:
            while traces:
                for records in (await consumer.getmany(timeout_ms=500)).values():
                    for record in records:
                        # Others may write here, too, whatever they like.
                        trace = dict(record.headers).get(h.TRACEPARENT) or b""
                        article = traces.pop(trace, None)
                        if article is None:
                            continue
                        last = time.monotonic()
                        is_dead = record.topic == outputs[1]
                        dead += is_dead
                        enriched += not is_dead
                        progress.clear()
                        _show(article, record, is_dead, form)
                        progress.advance()
                worker.check()
                if time.monotonic() - last > PATIENCE:
                    raise DemoIncomplete(
                        f"{len(traces)} of {len(articles)} articles have not come through, none for {PATIENCE:.0f} s: "
                        f"{', '.join(article.place for article in traces.values())}. See {worker.log}."
                    )
    say(f"{len(articles)} articles: {enriched} enriched, {dead} dead letters (`newsflow dead list` shows why)")


async def _position_at_end(consumer: AIOKafkaConsumer, outputs: Sequence[str]) -> None:
    """Wait until the consumer stands at the end of every partition: what is published next will be seen."""
    while not all(tp in consumer.assignment() for tp in _known(consumer, outputs)):
        await asyncio.sleep(0.05)
    for tp in consumer.assignment():
        await consumer.position(tp)


def _known(consumer: AIOKafkaConsumer, outputs: Sequence[str]) -> list[TopicPartition]:
    return [TopicPartition(topic, p) for topic in outputs for p in (consumer.partitions_for_topic(topic) or {-1})]


def _show(article: ArticleFile, record: ConsumerRecord, is_dead: bool, form: str) -> None:
    if is_dead:
        reason = dict(record.headers)[h.REASON].decode()
        message = dict(record.headers)[h.ERROR_EXCEPTION_MESSAGE].decode()
        line = f"{article.place}: dead letter, {reason}: {message}"
        click.echo(click.style(line, fg="red"), err=form == "json")
    elif form == "json":
        sys.stdout.buffer.write(record.value + b"\n")
    else:
        click.echo(summarize(EnrichedEvent.model_validate_json(record.value)) + "\n")
    sys.stdout.flush()
