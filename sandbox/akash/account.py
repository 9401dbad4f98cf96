"""The account at Console: its wallet and its balances."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from .ledger import DENOM, OTHER, OWNER
from .refusals import ValidationError

if TYPE_CHECKING:
    from .world import World

USER = "5b2f2d5e-8d0f-4c39-9f0e-0d0a0e5a0b01"
CREATED = "2025-03-01T00:00:00.000Z"


class Account:
    """The only account."""

    def __init__(self, world: World) -> None:
        self.world = world

    def routes(self) -> list[web.RouteDef]:
        """Return every route."""
        return [
            web.get("/v1/user/me", self.me),
            web.get("/v1/wallets", self.wallets),
            web.get("/v1/balances", self.balances),
        ]

    async def me(self, _request: web.Request) -> web.Response:
        """Return the user whose key it is (console `get-current-user.router.ts`, `user.schema.ts`)."""
        user = {
            "id": USER,
            "userId": "auth0|sandbox",
            "username": "sandbox",
            "email": "sandbox@dao.example",
            "emailVerified": True,
            "subscribedToNewsletter": False,
        }
        return web.json_response({"data": user})

    async def wallets(self, request: web.Request) -> web.Response:
        """Return the user's wallet; Console holds its keys. Credit in USD (console `wallet.schema.ts`)."""
        user = request.query.get("userId", "")
        if not user:
            raise ValidationError((("userId",), "Required"))
        if user != USER:
            return web.json_response({"data": []})
        wallet = {
            "id": 1,
            "userId": USER,
            "creditAmount": round(self.world.ledger.wallet / 1e6, 6),
            "address": OTHER if self.world.state.fault("other-account") is not None else OWNER,
            "denom": DENOM,
            "isTrialing": self.world.state.fault("trial") is not None,
            "topUpMinAmountUsd": 20,
            "createdAt": CREATED,
        }
        return web.json_response({"data": [wallet]})

    async def balances(self, _request: web.Request) -> web.Response:
        """Return what is free, and what is in the escrow of deployments, in USD."""
        free = self.world.ledger.wallet / 1e6
        bound = sum(each.funds for each in self.world.ledger.deployments.values() if each.state == "active") / 1e6
        data = {"balance": round(free, 6), "deployments": round(bound, 6), "total": round(free + bound, 6)}
        return web.json_response({"data": data})
