"""`newsflow watch`: follows the enriched events."""

import asyncio
import sys

import click

from streams.settings import settings


@click.command()
@click.option(
    "--format",
    "form",
    type=click.Choice(["summary", "json"]),
    default="summary",
    help="json: one event a line, for jq.",
)
@click.option("--from-beginning", is_flag=True, help="Show what is there already, too.")
@click.option("--max", "most", type=click.IntRange(1), help="Stop after this many events.")
def watch(form: str, from_beginning: bool, most: int | None) -> None:
    """Follow `articles.enriched` as a read_committed consumer, until Ctrl-C."""
    from schemas import EnrichedEvent
    from streams import kafka, topics
    from streams.line import newsflow_line
    from streams.summary import summarize

    config = settings()

    async def run() -> None:
        seen = 0
        enriched = newsflow_line(config).enriched
        # A consumer would wait for a topic that does not exist, for ever.
        await topics.require(config, enriched)
        topic = config.topic(enriched)
        async with kafka.consumer(
            config, topic, auto_offset_reset="earliest" if from_beginning else "latest"
        ) as consumer:
            async for record in consumer:
                if form == "json":
                    sys.stdout.buffer.write((record.value if record.value is not None else b"null") + b"\n")
                elif record.value is None:
                    click.echo(click.style(f"deleted: {(record.key or b'').decode('utf-8', 'replace')}", fg="red"))
                else:
                    click.echo(summarize(EnrichedEvent.model_validate_json(record.value)))
                sys.stdout.flush()
                seen += 1
                if most and seen >= most:
                    return

    asyncio.run(run())
