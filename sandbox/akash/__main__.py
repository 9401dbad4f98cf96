"""`python -m sandbox.akash`: the Akash of a sandbox, until it gets SIGTERM."""

from __future__ import annotations

import asyncio
import shutil
import signal
from contextlib import suppress

from aiohttp import web

from ..net.tls import Authority
from ..state import State, here
from . import provider_proxy
from .app import application
from .providers import PROVIDERS
from .world import World

NAME = "console"
#: Where the Console is on the internet.
HOST, ADDRESS = "console-api.akash.network", "198.51.100.100"


async def serve(state: State) -> None:
    """Serve the Console API, published as port `console` and on the internet, until SIGTERM or SIGINT."""
    over = asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, over.set)
    state.prepare()
    sweep(state)
    world = World(state)
    proxy = provider_proxy.ProviderProxy(world)
    runner = web.AppRunner(application(world, proxy), access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    before = web.AppRunner(proxy.application(), access_log=None, shutdown_timeout=0.5)
    await before.setup()
    shown = Authority(state).context([provider_proxy.HOST])
    await web.TCPSite(before, "127.0.0.1", 0, ssl_context=shown).start()
    state.publish_host(provider_proxy.HOST, provider_proxy.ADDRESS)
    state.publish_route(provider_proxy.ADDRESS, 443, before.addresses[0][1])
    tls = Authority(state).context([HOST])
    for context in (None, tls):
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    plain, secure = (port for _, port in runner.addresses)
    state.publish_host(HOST, ADDRESS)
    state.publish_route(ADDRESS, 443, secure)
    for provider in PROVIDERS:
        await world.open_ingress(provider)
    life = asyncio.create_task(world.run())
    state.publish_port(NAME, plain)
    try:
        done, _ = await asyncio.wait({life, asyncio.create_task(over.wait())}, return_when=asyncio.FIRST_COMPLETED)
        if life in done:
            life.result()  # a bug: loud
    finally:
        life.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await life
        (state.root / "ports" / NAME).unlink(missing_ok=True)
        for address in (ADDRESS, provider_proxy.ADDRESS):
            state.withdraw_route(address, 443)
        await world.close()
        await before.cleanup()
        await runner.cleanup()


def sweep(state: State) -> None:
    """Remove what an earlier, killed world left: its routes, and its leases' folders."""
    ours = {provider.ingress for provider in PROVIDERS}.union(*(provider.addresses for provider in PROVIDERS))
    for ip, port in state.routes():
        if ip in ours:
            state.withdraw_route(ip, port)
    for host in state.hosts():
        if ".ingress." in host:
            state.withdraw_host(host)
    shutil.rmtree(state.root / "akash", ignore_errors=True)


if __name__ == "__main__":
    asyncio.run(serve(here()))
