"""The ledger as JSON, in the shapes (and with the quirks) of the network's API: dseq and heights are strings."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from .ledger import BID_DEPOSIT, DENOM, OWNER
from .providers import BY_OWNER
from .sizes import KINDS, kind_of

if TYPE_CHECKING:
    from .ledger import Bid, Deployment, Group, Lease


def coin(amount: float) -> dict[str, str]:
    """Return an amount with the eighteen decimals of the chain."""
    return {"denom": DENOM, "amount": f"{amount:.18f}"}


def deployment(of: Deployment) -> dict[str, Any]:
    """Return the deployment itself."""
    return {
        "id": {"owner": OWNER, "dseq": of.dseq},
        "state": of.state,
        "hash": base64.b64encode(of.hash).decode(),
        "created_at": str(of.height),
        **({"reclamation": {"min_window": f"{of.notice}s"}} if of.notice else {}),
    }


def escrow(of: Deployment) -> dict[str, Any]:
    """Return the deployment's escrow account, settled up to `settled_at` and no further."""
    return {
        "id": {"scope": "deployment", "xid": f"{OWNER}/{of.dseq}"},
        "state": {
            "owner": OWNER,
            "state": of.escrow,
            "transferred": [coin(of.transferred)],
            "settled_at": str(of.settled_at),
            "funds": [coin(of.funds)],
            "deposits": [
                {"owner": OWNER, "height": str(height), "source": "balance", "balance": coin(amount)}
                for height, amount in of.deposits
            ]
            if of.escrow == "open"
            else [],
        },
    }


def resource(of: dict[str, Any]) -> dict[str, Any]:
    """Return one resource unit in the spelling of the chain: `quantity`, and endpoint kinds by name."""
    return {
        "id": of["id"],
        "cpu": {"units": of["cpu"]["units"], "attributes": of["cpu"].get("attributes") or []},
        "memory": {"quantity": _size(of["memory"]), "attributes": of["memory"].get("attributes") or []},
        "storage": [
            {"name": each["name"], "quantity": _size(each), "attributes": each.get("attributes") or []}
            for each in of["storage"]
        ],
        "gpu": {"units": of["gpu"]["units"], "attributes": of["gpu"].get("attributes") or []},
        "endpoints": [
            {"kind": KINDS[kind_of(each)], "sequence_number": each.get("sequence_number", 0)}
            for each in of.get("endpoints") or []
        ],
    }


def _size(of: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = of.get("size") or of["quantity"]
    return found


def group(of: Deployment, one: Group) -> dict[str, Any]:
    """Return a group of a deployment, as the chain lists it."""
    needs = one.spec["requirements"]
    signed = needs.get("signed_by") or {}
    return {
        "id": {"owner": OWNER, "dseq": of.dseq, "gseq": one.gseq},
        "state": one.state,
        "group_spec": {
            "name": one.spec["name"],
            "requirements": {
                "signed_by": {"all_of": signed.get("all_of") or [], "any_of": signed.get("any_of") or []},
                "attributes": needs.get("attributes") or [],
            },
            "resources": [
                {"resource": resource(unit["resource"]), "count": unit["count"], "price": unit["price"]}
                for unit in one.spec["resources"]
            ],
        },
        "created_at": str(of.height),
    }


def bid(of: Deployment, one: Bid) -> dict[str, Any]:
    """Return a bid with its own escrow account."""
    at = {"owner": OWNER, "dseq": of.dseq, "gseq": one.gseq, "oseq": one.oseq, "provider": one.provider, "bseq": 0}
    spec = of.groups[one.gseq - 1].spec
    xid = f"{OWNER}/{of.dseq}/{one.gseq}/{one.oseq}/{one.provider}"
    return {
        "bid": {
            "id": at,
            "state": one.state,
            "price": coin(one.price),
            "created_at": str(one.height),
            "resources_offer": [
                {"resources": resource(unit["resource"]), "count": unit["count"]} for unit in spec["resources"]
            ],
            # Optional and never null (console `apps/api/swagger/openapi.json`, GET /v1/bids).
            **({"reclamation_window": f"{BY_OWNER[one.provider].notice}s"} if of.notice else {}),
        },
        "escrow_account": {
            "id": {"scope": "bid", "xid": xid},
            "state": {
                "owner": one.provider,
                "state": "open" if one.state in ("open", "active") else "closed",
                "transferred": [],
                "settled_at": str(one.height),
                "funds": [coin(BID_DEPOSIT if one.state in ("open", "active") else 0)],
                "deposits": [],
            },
        },
    }


def lease(of: Deployment, one: Lease) -> dict[str, Any]:
    """Return a lease without the provider's status."""
    return {
        "id": {
            "owner": OWNER,
            "dseq": of.dseq,
            "gseq": one.gseq,
            "oseq": one.oseq,
            "provider": one.provider,
            "bseq": 0,
        },
        "state": one.state,
        "price": coin(one.price),
        "created_at": str(one.height),
        "closed_on": str(one.closed_on),
        "reason": one.reason.name.lower(),
    }


def payment(of: Deployment, one: Lease) -> dict[str, Any]:
    """Return what a lease has been paid, as the chain lists it with the lease."""
    return {
        "id": {
            "aid": {"scope": "deployment", "xid": f"{OWNER}/{of.dseq}"},
            "xid": f"{one.gseq}/{one.oseq}/{one.provider}",
        },
        "state": {
            "owner": one.provider,
            "state": "open" if one.state == "active" else "closed",
            "rate": coin(one.price),
            "balance": coin(0),
            "unsettled": coin(0),
            "withdrawn": coin(one.transferred),
        },
    }
