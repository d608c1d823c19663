"""`newsflow bench`: what the line costs on this machine."""

import click
import orjson

from streams.settings import settings


@click.command()
@click.argument("files", nargs=-1, required=True)
@click.option(
    "--articles", type=click.IntRange(2), help="Articles to measure with; FILES are repeated to make as many."
)
@click.option("--processes", type=click.IntRange(1), default=1, show_default=True, help="Worker processes.")
@click.option("--format", "form", type=click.Choice(["summary", "json"]), default="summary")
def bench(files: tuple[str, ...], articles: int | None, processes: int, form: str) -> None:
    """Measure the enrichers alone, then the same articles through Kafka.

    Prints articles per second and CPU milliseconds per article of both, their CPU ratio, the latency from append to
    committed enriched event at half load, the peak memory of a worker and its start-up time. Starts a local Kafka
    unless NEWSFLOW_BROKERS is set; uses topics of its own.
    """
    from streams import benchmark

    figures = benchmark.run(settings(), files, articles, processes).as_json()
    if form == "json":
        click.echo(orjson.dumps(figures).decode())
        return
    click.echo(f"articles                {figures['articles']} (worker processes: {figures['processes']})")
    for name, title in (("enrich", "enrichers alone"), ("stream", "through Kafka")):
        part = figures[name]
        click.echo(f"{title:<23} {part['cpu_ms_per_article']} CPU-ms per article, {part['articles_per_s']} articles/s")
    click.echo(f"CPU ratio               {figures['cpu_ratio']}")
    latency = figures["latency_ms"]
    click.echo(f"latency at half load    p50 {latency['p50']} ms, p99 {latency['p99']} ms")
    click.echo(f"peak memory             {figures['rss_mb']} MB per worker process")
    click.echo(f"first event after start {figures['startup_s']} s")
