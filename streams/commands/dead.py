"""`newsflow dead`: what could not be processed."""

import asyncio
import sys
from collections import Counter
from dataclasses import asdict

import click

from streams.settings import settings


@click.group()
def dead() -> None:
    """List dead letters, or send them back to where they failed."""


@dead.command("list")
@click.option("--format", "form", type=click.Choice(["summary", "json"]), default="summary", help="json: one a line.")
def list_(form: str) -> None:
    """Show every dead letter: where it came from, why it failed, whether a replay has passed it."""
    import orjson

    from streams.dead_letters import listed

    async def run() -> None:
        reasons: Counter[str] = Counter()
        async for letter in listed(settings()):
            reasons[letter.reason] += 1
            if form == "json":
                shown = asdict(letter) | {
                    "key": letter.key.decode("utf-8", "replace") if letter.key is not None else None,
                    "value": letter.value.decode("utf-8", "replace") if letter.value is not None else None,
                    "headers": [[name, value and value.decode("utf-8", "replace")] for name, value in letter.headers],
                }
                sys.stdout.buffer.write(orjson.dumps(shown) + b"\n")
                sys.stdout.flush()
                continue
            state = "waiting" if letter.waiting else "passed"
            click.echo(
                f"{letter.partition}/{letter.offset}  {state:<7}  {letter.reason:<20}  from {letter.source} "
                f"({letter.stage}), {len(letter.value or b'')} bytes, replayed {letter.replays} x: "
                f"{letter.message[:120]}"
            )
        if form == "summary":
            total = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common()) or "none"
            click.echo(f"dead letters: {total}")

    asyncio.run(run())


@dead.command()
def replay() -> None:
    """Send the original bytes of every waiting dead letter back to its source topic, each once.

    Stops at the end that the topic had at the start. Refused are records that were replayed NEWSFLOW_MAX_REPLAYS times,
    and those of which only a part was kept.
    """
    from streams import dead_letters

    done = asyncio.run(dead_letters.replay(settings()))
    click.echo(
        f"replayed: {done.sent}, refused (cut, or replayed {settings().max_replays} times already): {done.refused}"
    )
