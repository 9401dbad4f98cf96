"""A relay from one site to one store that can be cut. It terminates TLS for a store that does not."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from dataclasses import dataclass, field


@dataclass
class Way:
    """One port that forwards to a store's port. `cut` closes its connections and refuses new ones."""

    to: int
    tls: tuple[str, str] | None = None
    port: int = 0
    cut: bool = False
    open: set[asyncio.StreamWriter] = field(default_factory=set)


class Relay:
    """A thread that forwards bytes."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.ways: list[Way] = []
        self._servers: list[asyncio.Server] = []
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def way(self, to: int, tls: tuple[str, str] | None = None) -> Way:
        """Open a port that forwards to a port of this machine; `tls`: certificate and key for a store without TLS."""
        made = Way(to, tls)
        asyncio.run_coroutine_threadsafe(self._listen(made), self.loop).result(30)
        self.ways.append(made)
        return made

    def set(self, way: Way, *, cut: bool) -> None:
        """Cut a way, or restore it."""

        async def change() -> None:
            way.cut = cut
            for writer in list(way.open) if cut else []:
                writer.transport.abort()

        asyncio.run_coroutine_threadsafe(change(), self.loop).result(30)

    def close(self) -> None:
        """End all ways."""

        async def end() -> None:
            for server in self._servers:
                server.close()
            mine = asyncio.current_task()
            for task in asyncio.all_tasks():
                if task is not mine:
                    task.cancel()
            await asyncio.sleep(0.05)

        with contextlib.suppress(Exception):
            asyncio.run_coroutine_threadsafe(end(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self.loop.close()

    async def _listen(self, way: Way) -> None:
        context = None
        if way.tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*way.tls)
        server = await asyncio.start_server(lambda r, w: self._pass(way, r, w), "127.0.0.1", 0, ssl=context)
        way.port = server.sockets[0].getsockname()[1]
        self._servers.append(server)

    async def _pass(self, way: Way, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if way.cut:
            writer.transport.abort()
            return
        way.open.add(writer)
        try:
            there, back = await asyncio.open_connection("127.0.0.1", way.to)
            way.open.add(back)
            try:
                await asyncio.gather(_copy(reader, back), _copy(there, writer))
            finally:
                way.open.discard(back)
                back.close()
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            way.open.discard(writer)
            writer.close()


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        while chunk := await source.read(1 << 16):
            sink.write(chunk)
            await sink.drain()
    except OSError:
        pass
    finally:
        with contextlib.suppress(OSError, RuntimeError):
            sink.close()
