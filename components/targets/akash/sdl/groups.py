"""The order on the chain: resources, counts and prices, one group for each placement."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal

from . import quantity
from .resources import Placed, endpoints, placements, protocol, resources, sequence_numbers

#: How the chain's own JSON spells the kinds of endpoint.
ENDPOINT_KINDS = ("SHARED_HTTP", "RANDOM_PORT", "LEASED_IP")


def groups(data: dict[str, Any], spelling: Literal["chain", "go"] = "chain") -> list[dict[str, Any]]:
    """Return the order on the chain: resources, counts and prices of each placement.

    `chain` is the JSON of the chain's REST interface (`quantity`, words for the kinds of endpoint), `go` that of the
    official Go tools (`size`, numbers, empty fields left out).
    """
    sequence = sequence_numbers(data)
    made = [_group(data, name, placed, sequence) for name, placed in placements(data)]
    return made if spelling == "go" else [_in_chain_words(group) for group in made]


def go_groups(data: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the groups as the Go tools write them, in their spelling and their order of endpoints.

    In version 2.0 each service is a unit of its own, in 2.1 services of one profile are one unit; only where several
    become one are the endpoints sorted (chain-sdk go/sdl/groupBuilder_v2.go and groupBuilder_v2_1.go).
    """
    sequence = sequence_numbers(data)
    alone = str(data["version"]) == "2.0"
    made = []
    for name, placed in placements(data):
        each = [(*one[:3], number) for number, one in enumerate(placed, 1)] if alone else placed
        group = _group(data, name, each, sequence)
        for unit in group["resources"]:
            services = [one[0] for one in each if one[3] == unit["resource"]["id"]]
            if len(services) == 1:
                ports = sorted(_shown(data["services"][services[0]]), key=_port_order)
                unit["resource"]["endpoints"] = endpoints({"expose": ports}, sequence)
        made.append(group)
    return made


def _shown(service: dict[str, Any]) -> list[dict[str, Any]]:
    """Split the ports of a service so that each is exposed to one peer, as the manifest does."""
    return [expose | {"to": [to]} for expose in service.get("expose") or () for to in expose.get("to") or ()]


def _port_order(expose: dict[str, Any]) -> tuple[str, int, str, bool]:
    to = expose["to"][0]
    return to.get("service") or "", int(expose["port"]), protocol(expose), not to.get("global")


def _group(data: dict[str, Any], name: str, placed: list[Placed], sequence: dict[str, int]) -> dict[str, Any]:
    infra = data["profiles"]["placement"][name]
    units: dict[int, dict[str, Any]] = {}
    attributes = dict(infra.get("attributes") or {})
    for service, *_ in placed:
        if kind := (data["services"][service].get("params") or {}).get("tee"):
            attributes["tee/type"] = kind
    for service, profile, count, identity in placed:
        resource = resources(data["profiles"]["compute"][profile], data["services"][service], identity, sequence)
        if identity in units:
            units[identity]["count"] += count
            units[identity]["resource"]["endpoints"] += resource["endpoints"]
        else:
            units[identity] = {"resource": resource, "count": count, "price": _price(infra["pricing"][profile])}
    for unit in units.values():
        unit["resource"]["endpoints"].sort(key=lambda each: (each.get("kind", 0), each["sequence_number"]))
    signed = infra.get("signedBy") or {}
    return {
        "name": name,
        "requirements": {
            "signed_by": {"all_of": signed.get("allOf") or None, "any_of": signed.get("anyOf") or None},
            "attributes": [{"key": key, "value": quantity.text(attributes[key])} for key in sorted(attributes)] or None,
        },
        "resources": list(units.values()),
    }


def _price(price: dict[str, Any]) -> dict[str, str]:
    return {"denom": price["denom"], "amount": format(Decimal(quantity.text(price["amount"])), ".18f")}


def _in_chain_words(group: dict[str, Any]) -> dict[str, Any]:
    requirements = group["requirements"]
    return {
        "name": group["name"],
        "requirements": {
            "signed_by": {key: value or [] for key, value in requirements["signed_by"].items()},
            "attributes": requirements["attributes"] or [],
        },
        "resources": [unit | {"resource": _resource_in_chain_words(unit["resource"])} for unit in group["resources"]],
    }


def _resource_in_chain_words(resource: dict[str, Any]) -> dict[str, Any]:
    def full(part: dict[str, Any]) -> dict[str, Any]:
        return {"quantity" if key == "size" else key: value for key, value in ({"attributes": []} | part).items()}

    return resource | {
        **{key: full(resource[key]) for key in ("cpu", "memory", "gpu")},
        "storage": [full(volume) for volume in resource["storage"]],
        "endpoints": [
            {"kind": ENDPOINT_KINDS[each.get("kind", 0)], "sequence_number": each["sequence_number"]}
            for each in resource["endpoints"]
        ],
    }
