"""`python -m sandbox.net`: the sandbox's internet as one process, until SIGTERM or the end of its parent."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from typing import TYPE_CHECKING, Any

from ..state import State, here
from . import parent
from .cloud import Cloud
from .delegated import MOST, PORT, Passage, Silent
from .distributions import Distributions
from .edge import Edge
from .fronts import FRONTS, Store
from .health import Health
from .internet import Internet
from .names import Names, Route53
from .nameserver import NameServer
from .origin import Origins
from .proxy import Proxy
from .stranger import Stranger
from .tls import Authority
from .vendor import Vendor
from .wire import Connection, attended

if TYPE_CHECKING:
    import ssl

#: The DNS port that is wanted; any free one without it.
DNS_PORT_VARIABLE = "UNMOOR_DNS_PORT_WANTED"
#: Seconds between two checks whether the parent still lives.
PARENT_S = 0.5


async def run(state: State, parent_: int) -> None:
    """Bring the internet of a sandbox up, and keep it until the process gets SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().set_exception_handler(_unhandled)
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    state.prepare()
    authority = Authority(state)
    cloud = Cloud(lambda: state.port("aws"))
    distributions = Distributions(state, cloud)
    health: Health | None = None

    async def edges() -> dict[str, str]:
        return dict((await distributions.get()).addresses)

    names = Names(state, cloud, lambda: health.healthy if health else {}, edges)
    internet = Internet(state, names)
    health = Health(state, cloud, internet)
    edge = Edge(state, distributions, Origins(cloud, internet, authority.client), authority)

    for front in FRONTS:
        store = Store(front, state, authority)
        store.publish(await _listen(store.connection, store.tls))
    vendor = Vendor(state, authority)
    vendor.publish(await _listen(vendor.plain), await _listen(vendor.secure, vendor.tls))
    work = [
        asyncio.create_task(distributions.run_routes(await _listen(edge.plain), await _listen(edge.secure, edge.tls))),
        asyncio.create_task(health.run()),
        asyncio.create_task(_orphaned(parent_)),
    ]
    state.publish_port("proxy", await _listen(Proxy(internet).connection))
    await _authorities(state, names)
    state.publish_port("dns", await _answering(names))
    for task in work:
        task.add_done_callback(lambda _: stop.set())
    await stop.wait()
    failed = [task for task in work if task.done() and not task.cancelled() and task.exception()]
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()
    if failed:
        raise failed[0].exception() or AssertionError


async def _authorities(state: State, names: Names) -> None:
    """Start the world's name servers: those of parents and of Route 53, and stand-ins for others."""
    parents = await NameServer(names.parent, recursive=False).start()
    route53 = await NameServer(Route53(names), recursive=False).start()
    for address, port in ((parent.ADDRESS, parents), *((address, route53) for address in parent.ROUTE53)):
        state.publish_route(address, PORT, port)
    state.publish_port("silent", await Silent().start())
    state.publish_port("stranger", await Stranger(state).start())
    for place in range(MOST):
        state.publish_port(f"server-{place + 1}", await Passage(state, place).start())


async def _answering(names: Names) -> int:
    wanted = int(os.environ.get(DNS_PORT_VARIABLE) or 0)
    try:
        return await NameServer(names).start(wanted)
    except OSError as error:
        sys.exit(f"the DNS port {wanted} cannot be had ({error.strerror}); choose another {DNS_PORT_VARIABLE}")


async def _listen(connection: Connection, tls: ssl.SSLContext | None = None) -> int:
    server = await asyncio.start_server(attended(connection), "127.0.0.1", 0, ssl=tls, backlog=256)
    port: int = server.sockets[0].getsockname()[1]
    _LISTENING.append(server)
    return port


#: Kept here because a server without a reference ends.
_LISTENING: list[asyncio.Server] = []


def _unhandled(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log bugs; ignore clients that leave early or do not trust our certificates."""
    if not isinstance(context.get("exception"), OSError):
        loop.default_exception_handler(context)


async def _orphaned(parent: int) -> None:
    while os.getppid() == parent:  # noqa: ASYNC110 - there is no event for a parent's end
        await asyncio.sleep(PARENT_S)


def main() -> int:
    """Run the sandbox's internet. It ends with a sentence and 1 if the wanted DNS port is busy."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(name)s %(message)s")
    asyncio.run(run(here(), os.getppid()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
