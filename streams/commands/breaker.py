"""`newsflow breaker`: lets a stage go on that has stopped itself."""

import asyncio

import click

from streams.settings import settings


@click.group()
def breaker() -> None:
    """A stage that dead-letters most of what it reads stops; this lets it go on."""


@breaker.command()
def close() -> None:
    """Close the breakers: the workers forget their latest dead letters. Start the workers again afterwards."""
    from streams import breaker_state

    click.echo(f"closed: {asyncio.run(breaker_state.close(settings()))} partitions")
