"""`newsflow worker`: runs the stages."""

import signal
import sys

import click

from streams.settings import settings


@click.command()
@click.option(
    "--stages", default="", help="Comma-separated stages to run, e.g. `prepare,entities`; all when not given."
)
@click.option("--processes", type=click.IntRange(1), help="Worker processes; NEWSFLOW_PROCESSES or one per core.")
@click.option("--number", type=click.IntRange(0), hidden=True, help="Which of several this is; set by their parent.")
def worker(stages: str, processes: int | None, number: int | None) -> None:
    """Run the stages until SIGTERM or Ctrl-C; start as many as you like, anywhere.

    Workers with the same NEWSFLOW_APP_ID share the partitions. A process that meets the unforeseen is restarted; with
    `--processes 1` there is no parent: the process ends with code 75 and whoever started it starts it again.
    """
    # Until the handlers below are set there is nothing to drain: a deployment that changes its mind gets its 0 too.
    for kind in (signal.SIGINT, signal.SIGTERM):
        signal.signal(kind, lambda *_: sys.exit(0))

    from streams.delivery.supervisor import Supervisor
    from streams.delivery.worker_process import chosen_stages, run_worker
    from streams.line import newsflow_line
    from streams.log import configure_logging
    from streams.own_command import own_command
    from streams.parent_death import die_with_parent

    config = settings()
    configure_logging(config)
    die_with_parent(config.parent)
    names = [name.strip() for name in stages.split(",") if name.strip()]
    chosen_stages(newsflow_line(config), names)
    program = own_command("worker")
    count = processes or config.processes
    if count == 1:
        run_worker(config, names, number or 0, program)
        return
    command = (*program, "worker", "--processes", "1", "--stages", ",".join(names))
    supervisor = Supervisor(config, command, count)
    for kind in (signal.SIGINT, signal.SIGTERM):
        signal.signal(kind, supervisor.stop)
    sys.exit(supervisor.run())


@click.command(hidden=True)
@click.option("--stages", required=True)
def enricher(stages: str) -> None:
    """Run the stages' pure part for a worker, over pipes; started by the worker only."""
    from streams.delivery import enricher as process
    from streams.delivery.worker_process import chosen_stages
    from streams.line import newsflow_line
    from streams.log import configure_logging
    from streams.parent_death import die_with_parent

    config = settings()
    configure_logging(config)
    die_with_parent(config.parent)
    line = newsflow_line(config)
    process.main(line, chosen_stages(line, stages.split(",")))
