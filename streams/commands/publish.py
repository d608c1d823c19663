"""`newsflow publish`: raw articles onto the line."""

import asyncio

import click

from streams.settings import settings


@click.command()
@click.argument("files", nargs=-1, required=True)
def publish(files: tuple[str, ...]) -> None:
    """Publish raw articles to `articles.raw`.

    FILES are .txt, .html, .json (one article each) or .jsonl (one article a line); `-` is standard input.
    """
    from streams import article_files, publishing
    from streams.progress import Progress

    articles = article_files.read(files)
    with Progress("published", len(articles)) as progress:
        asyncio.run(publishing.publish(settings(), articles, done=progress.advance))
