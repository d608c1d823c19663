"""A link between clients and a broker that can be cut and slowed down: a TCP proxy in a thread of its own."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self

HOST = "127.0.0.1"
CHUNK = 4096
"""Bytes that pass at once: small, so that connections share a slow link evenly."""
IN_FLIGHT = 64
"""Chunks of a connection that are under way in one direction; more than a slow link can have."""


class _Direction:
    """One direction of the link, shared by all its connections."""

    def __init__(self) -> None:
        self.delay = 0.0
        self.bytes_per_second = float("inf")
        self._free_at = 0.0
        self._arrived = 0.0

    async def occupy(self, size: int) -> float:
        """Return when `size` bytes that are sent now arrive, once the link has taken them."""
        self._free_at = max(self._free_at, time.monotonic()) + size / self.bytes_per_second
        sent = self._free_at
        await asyncio.sleep(max(0.0, sent - time.monotonic()))
        # What was sent first arrives first, also when the link has just become faster.
        self._arrived = max(self._arrived, sent + self.delay)
        return self._arrived


class Proxy:
    """Listens on loopback and passes every connection on to one port there.

    A cut link passes nothing, neither bytes nor the end of a connection, and resets nothing; a new connection hangs
    at its first request (the kernel accepts it). What was under way arrives after the cut, as TCP would send it again:
    old requests of a client that has since been replaced as well. Its methods are for any thread.
    """

    def __init__(self, target_port: int, port: int) -> None:
        """Describe a proxy from `port` to `target_port`; nothing happens before it is entered."""
        self.port = port
        self._target_port = target_port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._passes = asyncio.Event()
        self._up = _Direction()
        self._down = _Direction()
        self._connections: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @property
    def address(self) -> str:
        """`host:port` for clients."""
        return f"{HOST}:{self.port}"

    def cut(self) -> None:
        """Let nothing pass any more."""
        self._loop.call_soon_threadsafe(self._passes.clear)

    def restore(self, delay: float = 0.0, bits_per_second: float = float("inf")) -> None:
        """Let everything pass, `delay` seconds late in each direction and so much of it at most in each."""

        def change() -> None:
            for direction in (self._up, self._down):
                direction.delay, direction.bytes_per_second = delay, bits_per_second / 8
            self._passes.set()

        self._loop.call_soon_threadsafe(change)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            await self._passes.wait()
            try:
                far_reader, far_writer = await asyncio.open_connection(HOST, self._target_port)
            except OSError:
                return
            with contextlib.closing(far_writer):
                await asyncio.gather(
                    self._pass_on(self._up, reader, far_writer), self._pass_on(self._down, far_reader, writer)
                )
        finally:
            writer.close()
            self._connections.discard(task)

    async def _pass_on(self, direction: _Direction, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(IN_FLIGHT)

        async def send() -> None:
            data = b"?"
            while data:
                await self._passes.wait()
                try:
                    data = await reader.read(CHUNK)
                except OSError:
                    data = b""
                await under_way.put((await direction.occupy(len(data)), data))

        async def arrive() -> None:
            while True:
                arrives, data = await under_way.get()
                await asyncio.sleep(max(0.0, arrives - time.monotonic()))
                await self._passes.wait()
                # Neither side of Kafka's protocol ends one direction only. What comes for one that is gone is lost.
                if not data:
                    writer.close()
                    return
                if not writer.is_closing():
                    writer.write(data)
                    with contextlib.suppress(OSError):
                        await writer.drain()

        await asyncio.gather(send(), arrive())

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _open(self) -> None:
        self._passes.set()
        self._server = await asyncio.start_server(self._accept, HOST, self.port)

    async def _close(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._run(self._open())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
