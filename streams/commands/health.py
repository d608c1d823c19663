"""`newsflow health`: what the image's HEALTHCHECK asks."""

import sys
import urllib.error
import urllib.request

import click

from streams.settings import settings


@click.command()
@click.argument("what", type=click.Choice(["live", "ready"]), default="live")
def health(what: str) -> None:
    """Ask the worker on this machine whether it is live (or ready); exit code 0 or 1."""
    config = settings()
    host = "127.0.0.1" if config.web_host in ("0.0.0.0", "::") else config.web_host  # noqa: S104  # compared, not bound
    try:
        with urllib.request.urlopen(f"http://{host}:{config.web_port}/{what}", timeout=4) as answer:
            click.echo(answer.read().decode())
    except urllib.error.HTTPError as error:
        click.echo(error.read().decode())
        sys.exit(1)
    except OSError as error:
        click.echo(f"no worker answers at {host}:{config.web_port}: {error}", err=True)
        sys.exit(1)
