"""`python -m sandbox.fargate`: the machines of AWS in a sandbox, until SIGTERM or SIGINT."""

from __future__ import annotations

import asyncio
import json
import signal
from contextlib import suppress

from aiohttp import ClientError, ClientSession, ClientTimeout

from ..akash.container import Watchdog
from ..state import State, here
from .balancers import Balancers
from .machines import Machines
from .services import Services

#: Seconds between two requests to ECS for what it wants.
LOOK_S = 0.3
_PATH = "/_sandbox/tasks"


async def serve(state: State) -> None:
    """Run tasks and load balancers until SIGTERM or SIGINT."""
    over = asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, over.set)
    state.prepare()
    watchdog = Watchdog()
    services = Services(state, watchdog)
    balancers = Balancers(state, services.targets)
    machines = Machines(state, watchdog)
    balancers.sweep()
    life = asyncio.create_task(_live(state, services, balancers, machines))
    try:
        done, _ = await asyncio.wait({life, asyncio.create_task(over.wait())}, return_when=asyncio.FIRST_COMPLETED)
        if life in done:
            life.result()  # a bug: loud
    finally:
        life.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await life
        balancers.sweep()
        services.end()
        machines.end()
        watchdog.close()


async def _live(state: State, services: Services, balancers: Balancers, machines: Machines) -> None:
    async with ClientSession(timeout=ClientTimeout(total=10), trust_env=False) as session:
        while True:
            port = state.port("aws")
            if port is not None:
                with suppress(ClientError, TimeoutError):
                    known = services.report()
                    report = json.dumps(known).encode()
                    url = f"http://127.0.0.1:{port}{_PATH}"
                    async with session.post(url, data=report, headers={"X-Sandbox": "data-plane"}) as answer:
                        wanted = json.loads(await answer.read())
                    services.received(known)
                    await balancers.follow(wanted["balancers"])
                    await services.follow(wanted, session)
                    await machines.follow(wanted)
            await asyncio.sleep(LOOK_S)


if __name__ == "__main__":
    asyncio.run(serve(here()))
