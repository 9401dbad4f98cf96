"""The world as one JSON document, for people to read; no program reads it back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import shapes

if TYPE_CHECKING:
    from .world import World


def of(world: World) -> dict[str, Any]:
    """Write down wallet, deployments, containers (with what Kubernetes calls their state) and the latest events."""
    return {
        "wallet_usd": round(world.ledger.wallet / 1e6, 6),
        "deployments": [
            {
                "deployment": shapes.deployment(each),
                "groups": [{"name": g.spec["name"], "state": g.state, "order": g.order} for g in each.groups],
                "bids": [{"provider": b.provider, "state": b.state, "price": b.price} for b in each.bids],
                "leases": [shapes.lease(each, lease) for lease in each.leases],
                "escrow": shapes.escrow(each)["state"],
            }
            for each in world.ledger.deployments.values()
        ],
        "containers": [
            {"dseq": each.dseq, "service": name, "state": c.state, "restarts": c.restarts}
            for each in world.workloads.values()
            for name, containers in each.containers.items()
            for c in containers
        ],
        "events": world.events,
    }
