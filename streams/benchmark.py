"""What the line costs: the enrichers alone in one process, and the same articles through Kafka.

CPU times come from the operating system (`getrusage`, `/proc/PID/stat`), so what other processes of the machine do
disturbs them little; wall-clock figures are only as good as the machine is quiet.
"""

import asyncio
import json
import os
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from itertools import cycle, islice
from pathlib import Path
from statistics import quantiles
from typing import Any

from schemas import headers as h
from schemas.headers import DEAD, RAW
from streams import article_files, kafka, publishing, topics
from streams.article_files import ArticleFile
from streams.demonstration import PATIENCE, broker_for
from streams.errors import ArticleRejected, DemoIncomplete, InputError
from streams.line import newsflow_line
from streams.progress import Progress, say
from streams.settings import Settings
from streams.stage import RawArticle
from streams.worker_child import WorkerChild

TICK = os.sysconf("SC_CLK_TCK")
"""Clock ticks per second in `/proc/PID/stat`."""
WARM_UP_PER_PARTITION = 10
"""Articles per partition that go through before anything is measured."""
HALF_LOAD_ARTICLES = 200
"""Articles at most of the latency measurement."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What a bench measured; `as_json` names the units."""

    articles: int
    processes: int
    enrich_cpu_ms: float
    enrich_per_s: float
    stream_cpu_ms: float
    stream_per_s: float
    latency_p50_ms: float
    latency_p99_ms: float
    rss_mb: float
    startup_s: float

    def as_json(self) -> dict[str, Any]:
        """Return the figures as `--format json` prints them."""
        return {
            "enrich": {
                "cpu_ms_per_article": round(self.enrich_cpu_ms, 2),
                "articles_per_s": round(self.enrich_per_s, 1),
            },
            "stream": {
                "cpu_ms_per_article": round(self.stream_cpu_ms, 2),
                "articles_per_s": round(self.stream_per_s, 1),
            },
            "cpu_ratio": round(self.stream_cpu_ms / self.enrich_cpu_ms, 3),
            "latency_ms": {"p50": round(self.latency_p50_ms), "p99": round(self.latency_p99_ms)},
            "rss_mb": round(self.rss_mb),
            "startup_s": round(self.startup_s, 1),
            "articles": self.articles,
            "processes": self.processes,
        }


def numbered(articles: Sequence[ArticleFile], count: int) -> list[ArticleFile]:
    """Return `count` articles: those of the files over and over, each with an id of its own.

    Plain text and HTML cannot carry an id; they go in a JSON article with the decoded body, as a scraper would send.
    """
    made = []
    for number, article in enumerate(islice(cycle(articles), count)):
        body = _as_json(article.raw) | {"id": f"bench-{number}"}
        raw = RawArticle(json.dumps(body, ensure_ascii=False).encode(), "application/json")
        made.append(ArticleFile(f"{article.place} ({number})", raw))
    return made


def _as_json(raw: RawArticle) -> dict[str, Any]:
    if raw.content_type == "application/json":
        body = json.loads(raw.value)
        if isinstance(body, dict):
            return body
        raise ValueError
    field = "html" if raw.content_type == "text/html" else "text"
    return {field: raw.value.decode()}


def usable(articles: Sequence[ArticleFile]) -> list[ArticleFile]:
    """Return the articles that can be measured: JSON, text or HTML in UTF-8, an object where it is JSON."""
    kept = []
    for article in articles:
        try:
            _as_json(article.raw)
        except (ValueError, RecursionError):
            say(f"left out of the measurement: {article.place}")
            continue
        kept.append(article)
    if not kept:
        raise InputError("None of the files holds an article that can be measured.")
    return kept


def run(settings: Settings, files: Sequence[str], count: int | None, processes: int) -> Figures:
    """Measure; takes a few minutes.

    Raises:
        UserError: a file cannot be read, or the broker cannot be started.
        DemoIncomplete: articles did not come through.
    """
    read = usable(article_files.read(files))
    articles = numbered(read, count or len(read))
    cpu_ms, per_s = _enrichers_alone(settings, articles)
    with ExitStack() as stack:
        settings = stack.enter_context(broker_for(settings))
        # Topics and group of its own: whatever else lies on the broker neither helps nor hinders.
        name = f"bench-{os.getpid()}-{int(time.time())}"
        settings = settings.model_copy(update={"topic_prefix": f"{name}.", "app_id": name, "web_port": 0})
        stream = asyncio.run(_through_kafka(settings, articles, processes))
    return Figures(len(articles), processes, cpu_ms, per_s, *stream)


def _enrichers_alone(settings: Settings, articles: Sequence[ArticleFile]) -> tuple[float, float]:
    line = newsflow_line(settings)
    say("loading models …")
    line.load()
    for article in articles[:20]:  # what is loaded or cached on first use is start-up, not cost per article
        _enrich(line.enrich, article.raw)
    began, cpu = time.monotonic(), time.process_time()
    with Progress("enrichers alone, articles", len(articles)) as progress:
        for article in articles:
            _enrich(line.enrich, article.raw)
            progress.advance()
    spent, cpu_spent = time.monotonic() - began, time.process_time() - cpu
    return 1000 * cpu_spent / len(articles), len(articles) / spent


def _enrich(enrich: Callable[[RawArticle], object], raw: RawArticle) -> None:
    try:
        enrich(raw)
    except ArticleRejected:
        return


async def _through_kafka(
    settings: Settings, articles: Sequence[ArticleFile], processes: int
) -> tuple[float, float, float, float, float, float]:
    line = newsflow_line(settings)
    outputs = (settings.topic(line.enriched), settings.topic(DEAD))
    await topics.create(settings, line)
    log = settings.home / "bench-worker.log"
    async with kafka.consumer(settings, *outputs, max_poll_records=1) as consumer:
        arrivals = Arrivals(consumer)
        await publishing.publish(settings, articles[:1])
        say("starting the workers …")
        began = time.monotonic()
        with WorkerChild(settings, log, processes) as worker:
            await arrivals.wait(1, worker, "first article")
            startup = time.monotonic() - began
            # Every process must have its models loaded and its partitions before anything is measured.
            await _all_ready(worker, processes)
            # Enough to touch every partition: taking one over is start-up, not cost per article.
            warm_up = list(islice(cycle(articles), WARM_UP_PER_PARTITION * settings.partitions))
            await publishing.publish(settings, warm_up)
            await arrivals.wait(len(warm_up), worker, "warm-up, articles")
            cpu = _cpu_seconds(worker.pid)
            began = time.monotonic()
            await publishing.publish(settings, articles)
            await arrivals.wait(len(articles), worker, "through Kafka, articles")
            spent = time.monotonic() - began
            cpu_ms = 1000 * (_cpu_seconds(worker.pid) - cpu) / len(articles)
            per_s = len(articles) / spent
            latencies = await _latencies(settings, articles, arrivals, worker, per_s / 2)
            rss = max(sum(map(_peak_rss_mb, _tree(pid))) for pid in _workers(worker.pid, processes))
    cuts = quantiles(latencies, n=100, method="inclusive")
    return cpu_ms, per_s, cuts[49], cuts[98], rss, startup


class Arrivals:
    """Counts what comes out of the line, with the time from append to the moment a reader has it."""

    def __init__(self, consumer: Any) -> None:  # noqa: ANN401  # aiokafka has no types
        self._consumer = consumer
        self.latencies_ms: list[float] = []

    async def wait(self, count: int, worker: WorkerChild, what: str) -> None:
        """Return when `count` more records have come."""
        last = time.monotonic()
        with Progress(what, count) as progress:
            while count > 0:
                for records in (await self._consumer.getmany(timeout_ms=200)).values():
                    now = time.time()
                    for record in records:
                        appended = _appended(dict(record.headers))
                        if appended is not None:
                            self.latencies_ms.append(1000 * (now - appended))
                        count -= 1
                        progress.advance()
                        last = time.monotonic()
                worker.check()
                if time.monotonic() - last > PATIENCE:
                    raise DemoIncomplete(f"{what}: {count} have not come through. See {worker.log}.")


def _appended(headers: dict[str, bytes]) -> float | None:
    value = headers.get(h.CE_TIME)
    return datetime.fromisoformat(value.decode()).timestamp() if value else None


async def _latencies(
    settings: Settings, articles: Sequence[ArticleFile], arrivals: Arrivals, worker: WorkerChild, per_s: float
) -> list[float]:
    """Publish one article at a time at `per_s` and return the latencies in milliseconds."""
    chosen = articles[:HALF_LOAD_ARTICLES]
    arrivals.latencies_ms.clear()

    async def publish_evenly() -> None:
        async with kafka.producer(settings) as producer:
            began = time.monotonic()
            for number, article in enumerate(chosen):
                await asyncio.sleep(max(0.0, began + number / per_s - time.monotonic()))
                await producer.send_and_wait(
                    settings.topic(RAW),
                    article.raw.value,
                    article.key(),
                    headers=[("content-type", b"application/json")],
                )

    await asyncio.gather(publish_evenly(), arrivals.wait(len(chosen), worker, "half load, articles"))
    return arrivals.latencies_ms


async def _all_ready(worker: WorkerChild, processes: int) -> None:
    """Wait until every process has written that it runs (its models are loaded by then) and the group has settled."""
    while worker.log_text().count("stages prepare") < processes:
        worker.check()
        await asyncio.sleep(0.2)
    if processes > 1:
        await asyncio.sleep(5)


def _children(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in path.read_text().split()] if path.exists() else []


def _tree(pid: int) -> list[int]:
    return [pid, *(descendant for child in _children(pid) for descendant in _tree(child))]


def _workers(pid: int, processes: int) -> list[int]:
    """Return the pids of the workers: the children of a supervisor, else the process itself."""
    return _children(pid) if processes > 1 else [pid]


def _cpu_seconds(pid: int) -> float:
    """Return the processor time, user and system, that a process and its descendants have used."""
    seconds = 0.0
    for process in _tree(pid):
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        seconds += (int(fields[11]) + int(fields[12])) / TICK
    return seconds


def _peak_rss_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0
