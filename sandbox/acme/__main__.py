"""`python -m sandbox.acme`: the certificate authority of a sandbox, until SIGTERM."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from typing import TYPE_CHECKING

from ..net.nameserver import NameServer
from ..net.tls import Authority
from ..net.wire import Connection, attended
from ..state import State, here
from .front import ADDRESS, HOST, ISSUER, Front
from .pebble import Pebble
from .view import Looks, Names

if TYPE_CHECKING:
    import ssl

NAME = "acme"
#: Seconds between two checks whether Pebble still runs.
POLL_S = 0.5


async def run(state: State) -> None:
    """Bring the authority up, publish it as port `acme` and on the internet, and stay until asked to stop."""
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    state.prepare()
    authority = Authority(state)
    view = NameServer(Names(state))
    pebble = Pebble(
        state, authority, HOST, ISSUER, looks=await _listen(Looks(state).connection), dns=await view.start()
    )
    try:
        # This comes before any reader of the bundle: Go programs read it once.
        authority.trust(await pebble.root(authority.client))
        front = await _listen(Front(state, pebble.port, authority.client).connection, authority.context([HOST]))
        state.publish_host(HOST, ADDRESS)
        state.publish_route(ADDRESS, 443, front)
        state.publish_port(NAME, front)
        while not stop.is_set():
            if pebble.process.poll() is not None:
                sys.exit(f"pebble ended by itself ({pebble.process.returncode})")
            await asyncio.wait([asyncio.create_task(stop.wait())], timeout=POLL_S)
    finally:
        pebble.end()


async def _listen(connection: Connection, tls: ssl.SSLContext | None = None) -> int:
    server = await asyncio.start_server(attended(connection), "127.0.0.1", 0, ssl=tls, backlog=256)
    _LISTENING.append(server)
    port: int = server.sockets[0].getsockname()[1]
    return port


#: Kept here because a server without a reference ends.
_LISTENING: list[asyncio.Server] = []


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(name)s %(message)s")
    asyncio.run(run(here()))
