"""How the Console reads: late, in the order in which its own reads end, from its database, and with long waits.

Each behaviour is that of Console d84c9e93 (August 2026) under `apps/api/src`, cited where it stands.
"""

from __future__ import annotations

import asyncio
import copy
import time
from typing import TYPE_CHECKING, Any

from aiohttp import web

from . import shapes
from .faults import DEAD_READ_S, hold
from .ledger import OWNER
from .refusals import ConsoleError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .ledger import Deployment
    from .world import World

#: A read is answered by another node, or a cache, than the one that accepted the write: what was opened less than this
#: many seconds ago is missing. The lag is documented nowhere; some is the default here, so that no client relies on
#: none.
READ_LAG_S = 0.6
#: `deployment-reader.service.ts` getDeploymentByOwnerAndDseq asks the indexer's table first: a 404 until it has caught
#: up; then `@Memoize({ ttlInSeconds: 30 })` keeps the answer.
INDEX_LAG_S, MEMOIZED_S = 1.5, 30.0
#: `fallback-deployment-reader.service.ts`: placeholders for a name or a hash that the database does not hold.
UNKNOWN = "unknown_value"


class Reads:
    """The account's deployments as the Console shows them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._names: dict[str, tuple[float, dict[str, Any]]] = {}

    def routes(self) -> list[web.RouteDef]:
        """Return every route."""
        return [web.get("/v1/deployment/{owner}/{dseq}", self.named)]

    def visible(self, deployment: Deployment) -> bool:
        """Return whether a read shows a deployment at all."""
        return not self.elsewhere and self._older(deployment, "read-lag", READ_LAG_S, struck=10)

    @property
    def elsewhere(self) -> bool:
        """Whether the key is of another account: every route looks for a deployment among those of the key's wallet."""
        return self.world.state.fault("other-account") is not None

    def in_list(self, deployment: Deployment) -> bool:
        """Return whether the list has a deployment."""
        return self.visible(deployment) and self._older(deployment, "list-lag", 0.0, struck=60)

    def _older(self, deployment: Deployment, fault: str, lag: float, *, struck: float) -> bool:
        """Return whether a deployment is older than a lag in seconds, which a fault makes longer."""
        if (found := self.world.state.fault(fault)) is not None:
            lag = float(found.get("seconds", struck))
        return self.world.ledger.now - deployment.time >= lag

    def view(self, deployment: Deployment) -> dict[str, Any]:
        """Show one deployment; its hash is a placeholder while the chain's REST interface fails."""
        shown = shapes.deployment(deployment)
        if self.world.state.fault("chain-unread") is not None:
            shown["hash"] = UNKNOWN  # `deployment-reader.service.ts` shouldFallbackToDatabase
        return {
            "deployment": shown,
            "leases": [shapes.lease(deployment, each) for each in deployment.leases],
            "escrow_account": shapes.escrow(deployment),
        }

    def listed(self, page: Sequence[Deployment]) -> list[dict[str, Any]]:
        """Show a page. Its leases stand in the order in which the lease reads ended, which is not the page's.

        `deployment-reader.service.ts` list() takes `results` of `PromisePool.process` by index, without
        `useCorrespondingResults()`: `@supercharge/promise-pool` 3.2.0 gives them in completion order.
        """
        views = [self.view(each) for each in page]
        leases = [each["leases"] for each in views]
        for view, late in zip(views, [*leases[1:], *leases[:1]], strict=True):
            view["leases"] = late
        return views

    async def full(self, deployment: Deployment) -> dict[str, Any]:
        """Show one deployment with the status of its live leases; a provider that is not there takes a minute.

        provider-proxy `utils/retry.ts` tries four times with 15 s each and waits 0.2, 0.4 and 0.8 s between them; then
        `status` is null (`providerService.getLeaseStatus` is caught).
        """
        view = self.view(deployment)
        waits = [hold(self.world.state, each.provider) for each in deployment.live()]
        if waits and (longest := max(waits)):
            await asyncio.sleep(min(longest, DEAD_READ_S))
        for shown, lease in zip(view["leases"], deployment.leases, strict=False):
            workload = self.world.workloads.get((deployment.dseq, lease.gseq, lease.oseq))
            there = (
                workload and workload.services and lease in deployment.live() and not self.world.silent(lease.provider)
            )
            shown["status"] = workload.status() if workload and there else None
        return view

    async def named(self, request: web.Request) -> web.Response:
        """Show a deployment of anybody with its groups: the one route that has their names."""
        owner, dseq = request.match_info["owner"], request.match_info["dseq"]
        found = self.world.ledger.deployments.get(dseq) if owner == OWNER else None
        if found is None or self.world.ledger.now - found.time < INDEX_LAG_S:
            raise ConsoleError(404, "Deployment not found")
        kept = self._names.get(dseq)
        if kept is None or time.monotonic() - kept[0] > MEMOIZED_S:
            kept = self._names[dseq] = (time.monotonic(), self._detail(found))
        return web.json_response(kept[1])

    def _detail(self, of: Deployment) -> dict[str, Any]:
        escrow = shapes.escrow(of)
        detail = {
            "owner": OWNER,
            "dseq": of.dseq,
            "balance": of.funds,
            "denom": "uact",
            "status": of.state,
            "totalMonthlyCostUDenom": 0,
            "leases": [],
            "events": [],
            "other": {
                "deployment": shapes.deployment(of),
                "groups": [shapes.group(of, one) for one in of.groups],
                "escrow_account": escrow,
            },
        }
        if self.world.state.fault("chain-unread") is not None:
            return from_database(detail)
        return detail


def from_database(answer: dict[str, Any]) -> dict[str, Any]:
    """Put the placeholders of `fallback-deployment-reader.service.ts` into an answer that holds one deployment."""
    found = copy.deepcopy(answer)
    inner = found.get("other", found)
    inner["deployment"]["hash"] = UNKNOWN
    for group in inner["groups"]:
        spec = group["group_spec"]
        spec["name"] = UNKNOWN
        spec["requirements"] = {"signed_by": {"all_of": [], "any_of": []}, "attributes": []}
    return found
