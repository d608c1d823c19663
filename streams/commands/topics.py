"""`newsflow topics`: creates the line's topics."""

import asyncio

import click

from streams.settings import settings


@click.command()
def topics() -> None:
    """Create the line's topics where they do not exist, and check them.

    Partitions, replicas, retention and record size come from NEWSFLOW_PARTITIONS, NEWSFLOW_REPLICATION,
    NEWSFLOW_RETENTION_DAYS and NEWSFLOW_MAX_MESSAGE_BYTES. Running it again changes nothing.
    """
    from streams import topics as line_topics
    from streams.line import newsflow_line

    async def run() -> None:
        line = newsflow_line(settings())
        created = await line_topics.create(settings(), line)
        for state in (await line_topics.check(settings(), line)).values():
            made = "created" if state.name in created else "exists"
            click.echo(
                f"{state.name}: {made}, {state.partitions} partitions, records up to {state.max_message_bytes} bytes"
            )

    asyncio.run(run())
