"""What is asked of the market: one document, completed with the names by which a deployment is found again."""

from __future__ import annotations

import hashlib
import json
from copy import deepcopy
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from . import manifest as manifests

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: Put into escrow when a deployment opens; what is left comes back on closing, and the Console tops it up.
DEPOSIT_USD = Decimal(5)

_LENGTH = 8


@dataclass(frozen=True)
class Patience:
    """How long to wait for what, in seconds of the market's clock, and how often to begin again."""

    bid_window: float = 4.0  # after the first bid, so that the cheapest has a chance
    refusal: float = 20.0  # after the first bid, for one that will do
    bidding: float = 120.0  # for the first bid; a bid itself lives 300 s
    appearing: float = 20.0  # for a deployment whose opening was asked for and not answered: three blocks
    manifest: float = 20.0  # for a sign of life after the manifest was taken, before it is sent again
    silence: float = 8.0  # for a provider that neither takes the manifest nor shows a status
    ready: float = 300.0  # for every replica and the address; providers give up at 420 s
    openings: int = 3  # deployments opened in one run


@dataclass(frozen=True)
class Request:
    """One deployment as it should be.

    `name` is the group's name on the market, `version` the manifest's hash as hex, `ceiling` uact per block for the
    whole group, `service` the one whose endpoint is asked for, on a leased IP if `leased_ip`. `id` pins a deployment
    that stands already: then nothing is opened, and losing it is an error.
    """

    name: str
    data: Mapping[str, Any]
    manifest: str
    version: str
    ceiling: Decimal
    service: str
    leased_ip: bool
    avoid: frozenset[str] = frozenset()
    deposit_usd: Decimal = DEPOSIT_USD
    id: str = ""
    patience: Patience = field(default_factory=Patience)


def request(
    name: str,
    sdl: Mapping[str, Any],
    service: str,
    avoid: Iterable[str] = (),
    *,
    id: str = "",  # noqa: A002 what it is called everywhere
    patience: Patience | None = None,
) -> Request:
    """Complete a valid document and ask for it. Pure: the same inputs name the same deployment on any machine."""
    data = complete(name, sdl)
    group = next(iter(manifests.groups(data)))
    content = manifests.manifest(data)
    return Request(
        name=group["name"],
        data=data,
        manifest=json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False),
        version=manifests.version(content).hex(),
        ceiling=sum((Decimal(str(r["price"]["amount"])) * r["count"] for r in group["resources"]), Decimal()),
        service=service,
        leased_ip=any(to.get("ip") for to in _targets(data["services"][service])),
        avoid=frozenset(avoid),
        id=id,
        patience=patience or Patience(),
    )


def complete(name: str, sdl: Mapping[str, Any]) -> dict[str, Any]:
    """Name the placement and the endpoints of a document after the deployment and its fingerprint.

    A replacement thus has another group name than what it replaces, and another endpoint name: one owner may use
    an endpoint's name once on one provider (akash-network/support#108). An update in place keeps both.
    """
    data: dict[str, Any] = deepcopy(dict(sdl))
    mark = fingerprint(name, sdl)
    placements = data["profiles"]["placement"]
    group = f"{name}-{mark}"
    data["profiles"]["placement"] = {group: next(iter(placements.values()))}
    data["deployment"] = {
        each: {group: next(iter(where.values()))} for each, where in data["deployment"].items()
    }
    if data.get("endpoints"):
        data["endpoints"] = {f"{endpoint}-{mark}": kind for endpoint, kind in data["endpoints"].items()}
    for each in data["services"].values():
        for to in _targets(each):
            if to.get("ip"):
                to["ip"] = f"{to['ip']}-{mark}"
    return data


def fingerprint(name: str, sdl: Mapping[str, Any]) -> str:
    """Hash what Akash cannot change in place, with the deployment's name: another fingerprint, another deployment.

    That is the group as the chain holds it, and of each service its name, resources, count and ports; not the
    names of placement and endpoints, which `complete` gives.
    """
    fixed = {
        "name": name,
        "groups": [{**group, "name": ""} for group in manifests.groups(sdl)],
        "services": [_fixed(service) for group in manifests.manifest(sdl) for service in group["services"]],
    }
    text = json.dumps(fixed, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:_LENGTH]


def _fixed(service: Mapping[str, Any]) -> dict[str, Any]:
    ports = [
        {**{key: port.get(key) for key in ("port", "externalPort", "proto", "service", "global")}, "ip": bool(port.get("ip"))}
        for port in service.get("expose") or ()
    ]
    return {"name": service["name"], "resources": service.get("resources"), "count": service.get("count"), "expose": ports}


def _targets(service: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [to for expose in service.get("expose") or () for to in expose.get("to") or ()]
