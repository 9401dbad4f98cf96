"""The Console API as one web application: the key, the error object, and the faults of the network in front."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from aiohttp import web

from .account import Account
from .console import Console
from .public import Public
from .refusals import ConsoleError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .provider_proxy import ProviderProxy
    from .world import World

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

API_KEY = "sandbox-key"
#: The longest delay of an answer, in seconds.
HOLD_SECONDS = 120.0


class Front:
    """The filters that a call passes on its way in and out."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._calls = 0.0

    @web.middleware
    async def crowd(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse a share of the calls before the API receives them, in the words of the network in front."""
        fault = self.world.state.fault("api-429")
        if fault is None:
            return await handler(request)
        self._calls += float(fault.get("share", 0.5))
        if self._calls < 1:
            return await handler(request)
        self._calls -= 1
        return web.Response(status=429, text="error code: 1015", headers={"Retry-After": "1"})

    @web.middleware
    async def silence(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let a change take effect, and withhold its answer."""
        answer = await handler(request)
        fault = self.world.state.fault("api-timeout")
        if fault is None or request.method == "GET":
            return answer
        if (times := int(fault.get("times", 0))) > 1:
            self.world.state.start_fault("api-timeout", {**fault, "times": times - 1})
        elif times == 1:
            self.world.state.end_fault("api-timeout")
        for _ in range(round(float(fault.get("hold", HOLD_SECONDS)) * 10)):
            if request.transport is None or request.transport.is_closing():
                break
            await asyncio.sleep(0.1)
        if request.transport:
            request.transport.abort()
        return answer

    @web.middleware
    async def words(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Check the key, and answer every refusal as one object."""
        try:
            self._admit(request)
            return await handler(request)
        except ConsoleError as refusal:
            return refusal.response()
        except web.HTTPException as wrong:
            return ConsoleError(wrong.status, wrong.reason).response()
        finally:
            # With 100 deployments, writing the journal takes longer than answering a read.
            if request.method != "GET":
                with contextlib.suppress(OSError):
                    self.world.write()

    @staticmethod
    def _admit(request: web.Request) -> None:
        key, bearer = request.headers.get("x-api-key"), request.headers.get("Authorization")
        if key is not None and bearer is not None:
            raise ConsoleError(400, "Authorization and X-Api-Key headers are mutually exclusive")
        if request.path.startswith(Public.OPEN) and key is None:
            return
        if key != API_KEY:
            raise ConsoleError(401, "Unauthorized" if key is None else "Invalid API key")


def application(world: World, proxy: ProviderProxy) -> web.Application:
    """Put the API together."""
    front = Front(world)
    app = web.Application(middlewares=[front.crowd, front.silence, front.words], client_max_size=4 * 1024 * 1024)
    for part in (Console(world), Account(world), Public(world), proxy):
        app.add_routes(part.routes())
    return app
