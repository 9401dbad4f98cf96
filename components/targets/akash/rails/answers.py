"""The Console's answers as values of `observed`, each checked as it is read. Pure."""

from __future__ import annotations

import base64
import binascii
from decimal import Decimal
from typing import Any

from ....text.escape import outside
from .. import untrusted
from ..market.observed import RUNNING, UNSEEN, Bid, Deployment, Lease, Observed, Service, Standing
from ..sdl.price import UACT_PER_USD
from ..untrusted import BadAnswer, mapping, sequence

Json = dict[str, Any]
#: What the Console shows for a name or a hash while it reads its database instead of the chain
#: (`fallback-deployment-reader.service.ts`). It means "not known", and never "another one".
UNKNOWN = "unknown_value"
#: The largest number of deployments on a page, with some reserve.
_LISTED = 2000
#: The states of a deployment on the chain.
_STATES = ("active", "closed")


def deployment(answer: Json, group: str | None = None) -> Deployment:
    """Return a deployment as read; `group` is its group's name if that is known from elsewhere."""
    found = mapping(answer.get("deployment"))
    state = found.get("state")
    if state not in _STATES:
        raise BadAnswer(f"{outside(repr(state), 80)} is not the state of a deployment")
    at = mapping(found.get("id"))
    name = group or group_name(answer)
    return Deployment(
        untrusted.dseq(at.get("dseq")), state, manifest_hash(found.get("hash")), untrusted.identity(at["owner"]), name
    )


def group_name(answer: Json) -> str | None:
    """Return the name of a deployment's first group, if the answer has one that is not a placeholder."""
    groups = answer.get("groups")
    if not isinstance(groups, list) or not groups or not isinstance(groups[0], dict):
        return None
    spec = groups[0].get("group_spec")
    name = spec.get("name") if isinstance(spec, dict) else None
    return name if isinstance(name, str) and name not in ("", UNKNOWN) else None


def manifest_hash(encoded: object) -> str:
    """Return a hash from the API (base64) as hex; "" for a placeholder, which means that it is not known."""
    try:
        return base64.b64decode(encoded if isinstance(encoded, str) else "", validate=True).hex()
    except (binascii.Error, ValueError):
        return ""


def lease(answer: Json, dseq: str) -> tuple[Lease | None, Json | None]:
    """Return a deployment's running lease, else its last one, with the status from its provider.

    A lease that has another deployment's number belongs to that one: the list attaches them in the order in which they
    were read (`deployment-reader.service.ts`).
    """
    own = [each for each in leases(answer) if lease_dseq(each) == dseq]
    if not own:
        return None, None
    chosen = next((each for each in own if each.get("state") in RUNNING), own[-1])
    price = mapping(chosen.get("price"))
    if price.get("denom") != "uact":
        raise BadAnswer(f"a lease is not priced in uact, but in {outside(repr(price.get('denom')), 80)}")
    status = chosen.get("status")
    return (
        Lease(
            untrusted.identity(mapping(chosen.get("id")).get("provider")),
            outside(chosen.get("state"), 40),
            untrusted.amount(price.get("amount")),
            outside(chosen.get("reason") or "", 80),
        ),
        status if isinstance(status, dict) else None,
    )


def leases(answer: Json) -> list[Json]:
    """Return the leases in an answer, regardless of their deployment."""
    return [each for each in sequence(answer.get("leases") or [], _LISTED) if isinstance(each, dict)]


def lease_dseq(lease: Json) -> str:
    """Return the number of the deployment that a lease is of; "" if it has none."""
    at = lease.get("id")
    return str(at.get("dseq", "")) if isinstance(at, dict) else ""


def bids(found: object) -> tuple[Bid, ...]:
    """Return the bids; one that cannot be read is left out, so that one bidder cannot block the others."""
    read = []
    for each in sequence(found, 200):
        try:
            bid = mapping(mapping(each).get("bid"))
            at, price = mapping(bid.get("id")), mapping(bid.get("price"))
            read.append(
                Bid(
                    untrusted.identity(at.get("provider")),
                    untrusted.amount(price.get("amount")),
                    outside(bid.get("state"), 40),
                    outside(price.get("denom"), 40),
                    untrusted.whole(at.get("gseq")),
                    untrusted.whole(at.get("oseq")),
                )
            )
        except BadAnswer:
            continue
    return tuple(read)


def look(now: float, id: str, answer: Json | None, found_bids: object = None) -> Observed:
    """Return an observation from the answer of `show` for one deployment; None for the answer that there is none."""
    if answer is None:
        return Observed(now, Deployment(id, UNSEEN, ""))
    held = deployment(answer)
    if held.id != id:
        raise BadAnswer(f"asked for deployment {id}, and got {held.id}")
    taken, status = lease(answer, id)
    services = mapping((status or {}).get("services") or {})
    ips, refused = _ips(mapping((status or {}).get("ips") or {}))
    return Observed(
        now,
        held,
        taken,
        () if found_bids is None else bids(found_bids),
        {name: _service(mapping(each)) for name, each in services.items()} or None,
        ips,
        {name: _names(mapping(each)) for name, each in services.items()},
        refused=refused,
    )


def _service(service: Json) -> Service:
    available = untrusted.whole(service.get("available"))
    updated = service.get("updated_replicas", available)
    return Service(available, untrusted.whole(service.get("total")), untrusted.whole(updated))


def _names(service: Json) -> tuple[str, ...]:
    return tuple(filter(None, map(untrusted.name, sequence(service.get("uris") or []))))


def _ips(found: Json) -> tuple[dict[str, tuple[str, ...]], str]:
    """Return the public addresses by service, and why others were left out."""
    kept: dict[str, tuple[str, ...]] = {}
    refused = ""
    for service, entries in found.items():
        given = [mapping(each).get("IP") for each in sequence(entries or [])]
        kept[service] = tuple(dict.fromkeys(filter(None, map(untrusted.address, given))))
        bad = [each for each in given if not untrusted.address(each)]
        if bad:
            refused = f"its provider gives {outside(repr(bad[0]), 60)}, which is no public IPv4 address"
    return kept, refused


def escrow_usd(answer: Json) -> Decimal | None:
    """Return a deployment's escrow in USD, settled up to the last withdrawal; None if not shown."""
    try:
        funds = mapping(mapping(answer.get("escrow_account")).get("state")).get("funds")
        coins = [mapping(each) for each in sequence(funds or [])]
        found = sum((untrusted.amount(each.get("amount")) for each in coins if each.get("denom") == "uact"), Decimal())
    except BadAnswer:
        return None
    return found / UACT_PER_USD


def standing(answer: Json, leases_of: dict[str, list[Json]], group: str | None) -> Standing:
    """Return one entry of the list, with its own leases."""
    held = deployment(answer, group)
    own, _ = lease({"leases": leases_of.get(held.id, [])}, held.id)
    return Standing(held, own, escrow_usd(answer))
