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
def worker(stages: str, processes: int | None) -> None:
    """Run the stages until SIGTERM or Ctrl-C; start as many as you like, anywhere.

    Workers with the same NEWSFLOW_APP_ID share the partitions. A process that meets the unforeseen is restarted; with
    `--processes 1` there is no parent: the process ends with code 75 and whoever started it starts it again.
    """
    from streams.delivery.supervisor import Supervisor
    from streams.delivery.worker_process import chosen_stages, run_worker
    from streams.line import newsflow_line
    from streams.log import configure_logging
    from streams.parent_death import die_with_parent

    config = settings()
    configure_logging(config)
    if config.parent:
        die_with_parent(config.parent)
    names = [name.strip() for name in stages.split(",") if name.strip()]
    chosen_stages(newsflow_line(config), names)
    count = processes or config.processes
    if count == 1:
        run_worker(config, names)
        return
    supervisor = Supervisor(config, names, count)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, supervisor.stop)
    sys.exit(supervisor.run())
