"""How this very program was started: what a parent runs to get a child of the same code."""

import sys


def own_command(subcommand: str) -> tuple[str, ...]:
    """Return the command line up to `subcommand`, which this process was started with, e.g. `python -m streams`."""
    return tuple(sys.orig_argv[: sys.orig_argv.index(subcommand)])
