"""`newsflow demo`: the whole line on this machine, on sample articles or one's own."""

import click

from streams.settings import settings


@click.command()
@click.argument("files", nargs=-1)
@click.option(
    "--format", "form", type=click.Choice(["summary", "json"]), default="summary", help="json: one event a line."
)
def demo(files: tuple[str, ...], form: str) -> None:
    """Run the line from end to end and print each enriched event.

    Starts a local Kafka (or uses NEWSFLOW_BROKERS), a worker, publishes FILES (the sample articles when none are
    given) and waits until every article has come through, enriched or dead-lettered. Leaves no process behind.
    """
    from streams import demonstration

    demonstration.run(settings(), files, form)
