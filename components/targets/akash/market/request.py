"""A request to the market: one document, completed with the names by which its deployment is found again."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ..sdl import document as sdl
from ..sdl import manifest as manifests
from ..sdl.overlay import overlay
from .names import endpoint_mark, group_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .names import Owner

#: The escrow that an opening asks for; the rest is paid back on closing. A Console that manages deposits ignores it:
#: $0.50 stands there until its own funding (`DEPLOYMENT_DEFAULT_DEPOSIT`).
DEPOSIT_USD = Decimal(5)

_LENGTH = 8


@dataclass(frozen=True)
class Patience:
    """Time limits in seconds of the market's clock, and how many openings a run may make."""

    bid_window: float = 4.0  # after the first bid, because a cheaper one may follow
    refusal: float = 20.0  # after the first bid, for one that will do
    bidding: float = 120.0  # for the first bid; a bid itself lives 300 s
    appearing: float = 20.0  # for a deployment whose opening was asked for and not answered: three blocks
    unseen: float = 60.0  # for a deployment that was opened or held and that reads do not show: reads lag behind writes
    naming: float = 20.0  # for the names of deployments that may be ours: the Console's index lags behind the chain
    updating: float = 30.0  # for the hash to change after an update that succeeded: five blocks
    manifest: float = 20.0  # for a sign of life after the manifest was taken, before it is sent again
    silence: float = 8.0  # for a provider that neither takes the manifest nor shows a status, of a lease just taken
    answer: float = 60.0  # for the provider of a lease that stands to take a manifest: its silence loses nothing yet
    ready: float = 300.0  # for every replica and the address; providers give up at 420 s
    openings: int = 3  # deployments opened in one run


@dataclass(frozen=True)
class Request:
    """One deployment as it should be.

    `name` is the group's name on the market, `version` the manifest's hash as hex, `ceiling` uact per block for the
    whole group, `service` the one whose endpoint is asked for, on a leased IP if `leased_ip`; `hosts` are those that
    the shared ingress has to lead to it. `avoid` are providers not to rent from, `apart` the owners of deployments from
    whose providers nothing is rented either: the account is read when a bid is chosen. `keep` are deployments of the
    same name that are neither adopted nor closed.
    `id` pins a deployment that stands already: then nothing is opened, and losing it is an error.
    """

    name: str
    data: dict[str, Any]
    manifest: str
    version: str
    ceiling: Decimal
    service: str
    leased_ip: bool
    hosts: frozenset[str] = frozenset()
    avoid: frozenset[str] = frozenset()
    apart: frozenset[Owner] = frozenset()
    deposit_usd: Decimal = DEPOSIT_USD
    keep: frozenset[str] = frozenset()
    id: str = ""
    patience: Patience = field(default_factory=Patience)


def request(
    name: str,
    document: dict[str, Any],
    service: str,
    avoid: Iterable[str] = (),
    *,
    apart: Iterable[Owner] = (),
    group: str = "",
    id: str = "",
    patience: Patience | None = None,
) -> Request:
    """Complete a valid document and return the request for it. Pure: the same inputs name the same deployment anywhere.

    `group` is the name of a standing deployment; without it the name follows from the other inputs.
    """
    data = complete(group or group_of(name, document, None, 0), document)
    spec = next(iter(manifests.groups(data)))
    content = manifests.manifest(data)
    return Request(
        name=spec["name"],
        data=data,
        manifest=manifests.canonical(content),
        version=manifests.version(content).hex(),
        ceiling=sum((Decimal(str(r["price"]["amount"])) * r["count"] for r in spec["resources"]), Decimal()),
        service=service,
        leased_ip=any(to.get("ip") for to in _targets(data["services"][service])),
        hosts=frozenset(
            host for expose in data["services"][service].get("expose") or () for host in expose.get("accept") or ()
        ),
        avoid=frozenset(avoid),
        apart=frozenset(apart),
        id=id,
        patience=patience or Patience(),
    )


def group_of(name: str, document: dict[str, Any], owner: Owner | None, generation: int) -> str:
    """Return the group name of a new deployment; its generation makes it differ from that of what it replaces."""
    return group_name(name, owner, fingerprint(name, document, generation))


def complete(group: str, document: dict[str, Any]) -> dict[str, Any]:
    """Name the placement of a document `group`, and its endpoints after it. An update in place keeps both names."""
    any_service = next(iter(document["services"]))
    return overlay(sdl.Document(document), service=any_service, placement=group, unique=endpoint_mark(group)).data


def version(group: str, document: dict[str, Any]) -> str:
    """Return the hash (hex) of the manifest that a document has once it is completed."""
    return manifests.version(manifests.manifest(complete(group, document))).hex()


def fingerprint(name: str, document: dict[str, Any], generation: int = 0) -> str:
    """Hash what Akash cannot change in place, with name and generation: another hash means another deployment.

    These are the group as the chain holds it, and each service's name, count and resources. The names of the placement
    and the endpoints, which `complete` sets, are left out.
    """
    fixed = {
        "name": name,
        "groups": [{**group, "name": ""} for group in manifests.groups(document)],
        "services": [
            [service["name"], service["count"], service["resources"]]
            for group in manifests.manifest(document)
            for service in group["services"]
        ],
        "reclamation": document.get("reclamation"),
        **({"generation": generation} if generation else {}),
    }
    return hashlib.sha256(manifests.canonical(fixed).encode()).hexdigest()[:_LENGTH]


def _targets(service: dict[str, Any]) -> list[dict[str, Any]]:
    return [to for expose in service.get("expose") or () for to in expose.get("to") or ()]
