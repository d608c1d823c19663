"""What one worker process does: check the topics, load the models, run the stages, leave in time."""

import asyncio
import logging
import os
import signal
from collections.abc import Coroutine, Sequence
from contextlib import suppress

from streams import topics
from streams.delivery import web_port
from streams.delivery.agents import Worker
from streams.delivery.enricher import Enricher
from streams.errors import BrokerUnavailable, SettingsError, TopicsMissing
from streams.line import AnyStage, Line, newsflow_line
from streams.settings import Settings
from streams.topics import TopicState

log = logging.getLogger(__name__)

LONGEST_PAUSE = 5.0
"""Longest pause between two looks for the broker, seconds."""


def chosen_stages(line: Line, names: Sequence[str]) -> tuple[AnyStage, ...]:
    """Return the stages of those names, in the line's order; all of them where `names` is empty.

    Raises:
        SettingsError: the line has no stage of that name.
    """
    known = {stage.name: stage for stage in line.stages}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise SettingsError(f"No such stage: {', '.join(unknown)}. The line has: {', '.join(known)}.")
    return tuple(stage for stage in line.stages if not names or stage.name in names)


def run_worker(settings: Settings, stage_names: Sequence[str], number: int, program: Sequence[str]) -> None:
    """Run worker process `number` (from 0) in this process until SIGTERM or SIGINT.

    `program` starts `newsflow`; it is run once more as the enriching process.

    Raises:
        UserError: no broker answers, topics are missing, a stage is unknown, or a port is taken.
    """
    line = newsflow_line(settings)
    stages = chosen_stages(line, stage_names)
    enricher = Enricher(settings, (*program, "enricher", "--stages", ",".join(stage.name for stage in stages)))
    asyncio.run(_run(settings, line, stages, enricher, web_port.choose(settings, number)))


async def _run(settings: Settings, line: Line, stages: Sequence[AnyStage], enricher: Enricher, port: int) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def begin_to_stop(number: int) -> None:
        if stop.is_set():
            return
        log.info("%s: leaving the group, at most %s s", signal.Signals(number).name, settings.drain_timeout)
        stop.set()
        # Whatever hangs, the process is gone in time: open transactions are aborted by the next owner.
        loop.call_later(settings.drain_timeout, os._exit, 0)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, begin_to_stop, number)
    states = await _when_broker_answers(settings, line, stop)
    if states is None:
        return
    await _unless(stop, enricher.start())
    if stop.is_set():
        await enricher.stop()
        return
    worker = Worker(settings, line, stages, enricher, states, port)
    log.info(
        "worker %s: stages %s, line %s, health on %s",
        os.getpid(),
        ", ".join(s.name for s in stages),
        line.version,
        f"http://{settings.web_host}:{port}" if port else "no port",
    )
    await worker.run(stop)
    await enricher.stop()
    log.info("worker %s: stopped", os.getpid())
    # Whatever Faust's threads still wait for, it is nothing that counts.
    logging.shutdown()
    os._exit(0)


async def _when_broker_answers(settings: Settings, line: Line, stop: asyncio.Event) -> dict[str, TopicState] | None:
    """Return the topics' states once a broker answers; None where `stop` is set before.

    A worker outlives its broker, also one that starts while the broker is away. Topics that are missing are given a
    moment: a broker that has just come up may not know them yet.
    """
    pause, patience = 1.0, 3
    while not stop.is_set():
        try:
            return await topics.check(settings, line)
        except BrokerUnavailable as error:
            log.warning("%s Trying again in %.0f s.", error, pause)
        except TopicsMissing:
            patience -= 1
            if patience == 0:
                raise
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), pause)
        pause = min(2 * pause, LONGEST_PAUSE)
    return None


async def _unless(stop: asyncio.Event, work: Coroutine[None, None, None]) -> None:
    """Do the work, unless `stop` is set first."""
    doing, stopping = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    await asyncio.wait({doing, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if doing.done():
        doing.result()
    doing.cancel()
