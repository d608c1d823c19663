"""`newsflow enrich`: the line without Kafka."""

import sys

import click

from streams.settings import settings


@click.command()
@click.argument("files", nargs=-1, required=True)
@click.option(
    "--format",
    "form",
    type=click.Choice(["json", "summary"]),
    default="json",
    help="json: one event a line. summary: the text with its mentions in colour, and what was found, for people.",
)
def enrich(files: tuple[str, ...], form: str) -> None:
    """Enrich articles without Kafka and print their events: the same bytes as on `articles.enriched`.

    FILES are .txt, .html, .json (one article each) or .jsonl (one article a line); `-` is standard input. An article
    that would become a dead letter is reported on standard error, and the exit code is 1.
    """
    from schemas import encode
    from streams import article_files
    from streams.errors import ArticleRejected
    from streams.line import newsflow_line
    from streams.progress import say
    from streams.summary import summarize

    articles = article_files.read(files)
    line = newsflow_line(settings())
    if sys.stderr.isatty():
        say("loading models …")
    line.load()
    rejected = 0
    for article in articles:
        try:
            event = line.enrich(article.raw)
        except ArticleRejected as error:
            rejected += 1
            say(f"{article.place}: dead letter {error.reason}: {error}")
            continue
        if form == "json":
            sys.stdout.buffer.write(encode(event) + b"\n")
        else:
            click.echo(summarize(event, text=True))
        sys.stdout.flush()
    if rejected:
        sys.exit(1)
