"""Console's answers in the shape of the chain's own lists; open to all.

They are no mirror: the contract calls them "database fallback" (console `fallback-deployment-reader.service.ts`), so
names, hashes and requirements are placeholders, always.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiohttp import web

from . import shapes
from .ledger import OWNER
from .reads import from_database

if TYPE_CHECKING:
    from .ledger import Deployment
    from .world import World


class Mirror:
    """Routes of the chain's REST interface; any version in the path will do."""

    #: What they begin with.
    OPEN = ("/akash/",)

    def __init__(self, world: World) -> None:
        self.world = world

    def routes(self) -> list[web.RouteDef]:
        """Every route."""
        return [
            web.get("/akash/deployment/{version}/deployments/list", self.deployments),
            web.get("/akash/deployment/{version}/deployments/info", self.deployment),
            web.get("/akash/market/{version}/leases/list", self.leases),
        ]

    def _owned(self, request: web.Request) -> list[Deployment]:
        if request.query.get("filters.owner") != OWNER:
            return []
        dseq = request.query.get("filters.dseq")
        return [each for each in self.world.ledger.deployments.values() if dseq in (None, each.dseq)]

    async def deployments(self, request: web.Request) -> web.Response:
        """Deployments with their groups."""
        state = request.query.get("filters.state")
        found = [_info(each) for each in self._owned(request) if not state or each.state == state]
        return web.json_response({"deployments": found, "pagination": {"next_key": None, "total": str(len(found))}})

    async def deployment(self, request: web.Request) -> web.Response:
        """One deployment with its groups."""
        found = self.world.ledger.deployments.get(request.query.get("id.dseq", ""))
        if found is None:
            return web.json_response({"code": 5, "message": "deployment not found", "details": []}, status=404)
        return web.json_response(_info(found))

    async def leases(self, request: web.Request) -> web.Response:
        """Leases with what they were paid."""
        state = request.query.get("filters.state")
        found = [
            {"lease": shapes.lease(each, lease), "escrow_payment": shapes.payment(each, lease)}
            for each in self._owned(request)
            for lease in each.leases
            if not state or lease.state == state
        ]
        return web.json_response({"leases": found, "pagination": {"next_key": None, "total": str(len(found))}})


def _info(of: Deployment) -> dict[str, Any]:
    chain = {
        "deployment": shapes.deployment(of),
        "groups": [shapes.group(of, one) for one in of.groups],
        "escrow_account": shapes.escrow(of),
    }
    return from_database(chain)
