"""The command `newsflow`: one module per command; `streams.commands.main` is the entry point."""

import sys

import click

from streams.commands.bench import bench
from streams.commands.breaker import breaker
from streams.commands.broker import broker
from streams.commands.dead import dead
from streams.commands.demo import demo
from streams.commands.enrich import enrich
from streams.commands.eval import eval_
from streams.commands.health import health
from streams.commands.publish import publish
from streams.commands.schemas import schemas
from streams.commands.topics import topics
from streams.commands.topics_model import topics_model
from streams.commands.watch import watch
from streams.commands.worker import enricher, worker
from streams.errors import NewsflowError, UserError

EXIT_FAILED = 1
EXIT_USER_ERROR = 2
EXIT_INTERRUPTED = 130


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="newsflow")
def newsflow() -> None:
    """Enrich raw news articles with entities and topics, on Kafka, exactly once.

    Start with `newsflow demo`. Without Kafka: `newsflow enrich FILE`. On your own cluster: set NEWSFLOW_BROKERS, then
    `newsflow topics`, `newsflow worker`, and `newsflow publish` / `newsflow watch` from elsewhere. Every setting is an
    environment variable NEWSFLOW_…; the README lists them.
    """


for command in (demo, broker, topics, worker, publish, watch, enrich):
    newsflow.add_command(command)
for command in (eval_, topics_model, dead, breaker, schemas, bench, health, enricher):
    newsflow.add_command(command)


def main() -> None:
    """Run the command line; errors of Newsflow become one readable line and an exit code."""
    try:
        newsflow.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(EXIT_USER_ERROR)
    except (click.Abort, KeyboardInterrupt):
        sys.stderr.write("newsflow: interrupted\n")
        sys.exit(EXIT_INTERRUPTED)
    except BrokenPipeError:
        # The reader of a pipe (`head`, `jq`) has seen enough.
        sys.stderr.close()
        sys.exit(0)
    except UserError as error:
        sys.stderr.write(f"newsflow: {error}\n")
        sys.exit(EXIT_USER_ERROR)
    except NewsflowError as error:
        sys.stderr.write(f"newsflow: {error}\n")
        sys.exit(EXIT_FAILED)
