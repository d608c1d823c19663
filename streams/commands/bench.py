"""`newsflow bench`: what the line costs."""

import click


@click.command()
@click.argument("files", nargs=-1, required=True)
def bench(files: tuple[str, ...]) -> None:
    """Measure."""
    raise NotImplementedError(files)
