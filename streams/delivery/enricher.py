"""The process in which the stages run: one per worker, fed over pipes, replaced when it hangs or dies.

Enrichment in a process of its own can be ended whatever it does, also inside C code; and the worker's event loop never
waits for the interpreter lock. The protocol is frames: four bytes of length (big endian), then a pickle. The worker
asks with `(stage name, max bytes, records)`; the enricher answers with one `(outgoing, seconds)` per record, in order,
then with `None` when all are done or its slice of time is over. Both ends are ours and of one version.
"""

import asyncio
import logging
import os
import pickle
import sys
import time
from collections.abc import Sequence
from typing import BinaryIO

from schemas import DeadLetterReason
from streams import metrics
from streams.delivery.records import Incoming, Outgoing, dead_letter, process
from streams.errors import WorkerMustStop
from streams.line import AnyStage, Line
from streams.parent_death import child_environment
from streams.settings import Settings

log = logging.getLogger(__name__)

SLICE_SECONDS = 0.05
"""After this long one stage's work lets the other stages' work pass."""
REQUEST_RECORDS = 16
"""Records in one request at most: what does not fit into the slice is sent again."""
REQUEST_BYTES = 524_288
"""Once a request's records have this many bytes, no more are added: both processes hold them, and their pickle; and
what is made of them goes into one transaction."""
START_SECONDS = 120.0
"""Within this the models must be loaded."""
TICK = 1.0
"""Step in which a deadline is counted, seconds. A worker that was stopped (SIGSTOP, a frozen machine) counts one step
for all of it, so that no article is blamed for its sleep."""
TRIES = 2
"""How often an article may be at work when the process dies before it becomes a dead letter. Once is bad luck."""


class TooSlowError(Exception):
    """An article took longer than the deadline."""


class EnricherDiedError(Exception):
    """The enriching process died while the article was at work."""


def serve(line: Line, stages: Sequence[AnyStage], requests: BinaryIO, answers: BinaryIO) -> None:
    """Load the models, say so, and answer requests until their end."""
    line.load(stages)
    by_name = {stage.name: stage for stage in stages}
    _write(answers, None)
    while (length := requests.read(4)) and len(length) == 4:
        name, max_bytes, records = pickle.loads(requests.read(int.from_bytes(length, "big")))  # noqa: S301  # from our own worker
        began = now = time.monotonic()
        for record in records:
            outgoing = process(line, by_name[name], record, max_bytes)
            before, now = now, time.monotonic()
            _write(answers, (outgoing, now - before))
            if now - began > SLICE_SECONDS:
                break
        _write(answers, None)


def _write(answers: BinaryIO, value: object) -> None:
    answers.write(_frame(value))
    answers.flush()


def _frame(value: object) -> bytes:
    body = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    return len(body).to_bytes(4, "big") + body


def _request(records: Sequence[Incoming]) -> tuple[Incoming, ...]:
    """Return the first records, at least one, as many as fit into a request."""
    bytes_so_far = 0
    for count, record in enumerate(records[:REQUEST_RECORDS], start=1):
        bytes_so_far += len(record.value or b"")
        if bytes_so_far >= REQUEST_BYTES:
            return tuple(records[:count])
    return tuple(records[:REQUEST_RECORDS])


class Enricher:
    """The worker's end: starts the process, feeds it, replaces it.

    `command` starts the enriching process of these stages.
    """

    def __init__(self, settings: Settings, command: Sequence[str]) -> None:
        self._settings = settings
        self._command = tuple(command)
        self._process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()
        self._suspect: tuple[str, int, int] | None = None
        self._deaths = 0

    async def start(self) -> None:
        """Start the process and wait until its models are loaded.

        Raises:
            WorkerMustStop: it does not come up.
        """
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=child_environment(),
            limit=2**20,
            # Ctrl-C in the terminal is for the worker, which stops its enricher.
            start_new_session=True,
        )
        try:
            await asyncio.wait_for(self._read(), START_SECONDS)
        except (TimeoutError, asyncio.IncompleteReadError):
            code = await self.stop()
            raise WorkerMustStop(f"the enriching process did not start (exit code {code}); its log is above") from None

    async def enrich(self, stage: AnyStage, max_bytes: int, records: Sequence[Incoming]) -> list[Outgoing]:
        """Return the outcomes of the first records, at least one, in order.

        An article that takes longer than the deadline is dead-lettered `too_slow`; one at which the process dies twice
        is dead-lettered `enricher_failed`. Either way a new process goes on with the next.

        Raises:
            WorkerMustStop: no new process comes up.
        """
        async with self._turn:
            outgoing: list[Outgoing] = []
            while not outgoing:
                try:
                    await self._ask(stage, max_bytes, records, outgoing)
                except asyncio.CancelledError:
                    # Answers that nobody reads would be taken for those to the next request.
                    self._kill()
                    raise
                except TooSlowError as error:
                    log.error("%s: %s", stage.name, error)
                    outgoing.append(dead_letter(stage, records[len(outgoing)], DeadLetterReason.TOO_SLOW, error))
                    await self._replace()
                except (asyncio.IncompleteReadError, ConnectionError):
                    code = await self._replace()
                    if len(outgoing) >= len(_request(records)):
                        break  # it died with all its work done
                    culprit = records[len(outgoing)]
                    if self._is_guilty(culprit):
                        death = EnricherDiedError(
                            f"the enriching process died {TRIES} times at this article (exit code {code})"
                        )
                        log.error("%s: %s", stage.name, death)
                        outgoing.append(dead_letter(stage, culprit, DeadLetterReason.ENRICHER_FAILED, death))
            return outgoing

    async def _ask(
        self, stage: AnyStage, max_bytes: int, records: Sequence[Incoming], outgoing: list[Outgoing]
    ) -> None:
        if self._process is None:
            await self.start()
        assert self._process is not None
        assert self._process.stdin is not None
        seconds = metrics.ENRICH_SECONDS.labels(stage.name)
        self._process.stdin.write(_frame((stage.name, max_bytes, _request(records))))
        await self._process.stdin.drain()
        while (answer := await self._answer()) is not None:
            outgoing.append(answer[0])
            seconds.observe(answer[1])

    async def _answer(self) -> tuple[Outgoing, float] | None:
        reading = asyncio.ensure_future(self._read())
        waited = 0.0
        try:
            while True:
                done, _ = await asyncio.wait({reading}, timeout=TICK)
                if done:
                    return reading.result()
                waited += TICK
                if waited >= self._settings.article_deadline:
                    raise TooSlowError(
                        f"an article was at work for more than {self._settings.article_deadline:g} s "
                        "(NEWSFLOW_ARTICLE_DEADLINE)"
                    )
        finally:
            reading.cancel()

    async def _read(self) -> tuple[Outgoing, float] | None:
        assert self._process is not None
        assert self._process.stdout is not None
        length = int.from_bytes(await self._process.stdout.readexactly(4), "big")
        value: tuple[Outgoing, float] | None = pickle.loads(await self._process.stdout.readexactly(length))  # noqa: S301  # from our own child
        return value

    def _is_guilty(self, record: Incoming) -> bool:
        suspect = (record.topic, record.partition, record.offset)
        self._deaths = self._deaths + 1 if suspect == self._suspect else 1
        self._suspect = suspect
        return self._deaths >= TRIES

    async def _replace(self) -> int | None:
        code = await self.stop()
        await self.start()
        return code

    def _kill(self) -> asyncio.subprocess.Process | None:
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.kill()
        return process

    async def stop(self) -> int | None:
        """End the process at once, return its exit code; what it is at was not committed."""
        process = self._kill()
        return None if process is None else await process.wait()


def main(line: Line, stages: Sequence[AnyStage]) -> None:
    """Serve on the pipes that the worker made: requests on standard input, answers on standard output."""
    # Whatever a library prints must not get between the frames.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    serve(line, stages, sys.stdin.buffer, answers)
