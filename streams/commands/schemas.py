"""`newsflow schemas`: the contract as files."""

from pathlib import Path

import click


@click.command()
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder to write to; prints the names when not given.",
)
def schemas(out: Path | None) -> None:
    """Write the JSON Schema of every topic and the AsyncAPI document of the line."""
    from schemas.generate import documents

    for name, content in documents().items():
        if out:
            path = out / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            click.echo(path)
        else:
            click.echo(f"{name}: {len(content)} bytes")
