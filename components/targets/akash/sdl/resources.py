"""What services ask for, in the network's numbers: resources, endpoints, and placements."""

from __future__ import annotations

from typing import Any

from . import quantity

SHARED_HTTP, RANDOM_PORT, LEASED_IP = 0, 1, 2
HTTP_PORT = 80


def ingress(expose: dict[str, Any]) -> bool:
    """Return whether a global port of this `expose` is served by the shared HTTP ingress."""
    return protocol(expose) == "TCP" and int(expose.get("as") or expose["port"]) == HTTP_PORT


def protocol(expose: dict[str, Any]) -> str:
    """Return the protocol of a port as the manifest spells it."""
    return str(expose.get("proto") or "TCP").upper()


#: One service in one placement: its name, its compute profile, its count, and the id of its resources.
Placed = tuple[str, str, int, int]


def placements(data: dict[str, Any]) -> list[tuple[str, list[Placed]]]:
    """Return the placements by name, each with its services by name."""
    deployment = data["deployment"]
    ids: dict[str, dict[str, int]] = {}
    placed: dict[str, list[Placed]] = {}
    for service in sorted(deployment):
        for placement, deployed in deployment[service].items():
            of_profile = ids.setdefault(placement, {})
            profile = deployed["profile"]
            identity = of_profile.setdefault(profile, len(of_profile) + 1)
            placed.setdefault(placement, []).append((service, profile, int(deployed["count"]), identity))
    return sorted(placed.items())


def sequence_numbers(data: dict[str, Any]) -> dict[str, int]:
    """Assign numbers from 1 to leased addresses; a name used twice gets the later one, as in official tools."""
    names = sorted(
        to["ip"]
        for service in data["services"].values()
        for expose in service.get("expose") or ()
        for to in expose.get("to") or ()
        if to.get("global") and to.get("ip")
    )
    return {name: number for number, name in enumerate(names, 1)}


def volumes(resources: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the volumes of a compute profile as a list; a single one may be written without the list."""
    storage = resources["storage"]
    return storage if isinstance(storage, list) else [storage]


def resources(
    compute: dict[str, Any], service: dict[str, Any], identity: int, sequence: dict[str, int]
) -> dict[str, Any]:
    """Return what one replica of a service asks for, in the spelling of the manifest."""
    asked = compute["resources"]
    gpu = asked.get("gpu") or {}
    return {
        "id": identity,
        "cpu": _amount("units", quantity.thousandths(asked["cpu"]["units"]), _pairs(asked["cpu"])),
        "memory": _amount("size", quantity.count(asked["memory"]["size"]), []),
        "storage": [
            {"name": volume.get("name") or "default"}
            | _amount("size", quantity.count(volume["size"]), _volume_attributes(volume.get("attributes")))
            for volume in volumes(asked)
        ],
        "gpu": _amount("units", int(gpu.get("units") or 0), _gpu_attributes(gpu.get("attributes") or {})),
        "endpoints": endpoints(service, sequence),
    }


def _amount(key: str, amount: int, attributes: list[dict[str, str]]) -> dict[str, Any]:
    made: dict[str, Any] = {key: {"val": str(amount)}}
    if attributes:
        made["attributes"] = attributes
    return made


def _pairs(holder: dict[str, Any]) -> list[dict[str, str]]:
    given = holder.get("attributes") or {}
    return [{"key": key, "value": quantity.text(given[key])} for key in sorted(given)]


def _volume_attributes(given: dict[str, Any] | None) -> list[dict[str, str]]:
    return [{"key": key, "value": quantity.text(given[key])} for key in sorted(given)] if given else []


def _gpu_attributes(given: dict[str, Any]) -> list[dict[str, str]]:
    keys = []
    for vendor, models in sorted((given.get("vendor") or {}).items()):
        keys += [gpu_key(vendor, model) for model in ([{"model": "*"}] if models is None else models)]
    return [{"key": key, "value": "true"} for key in keys]


def gpu_key(vendor: str, model: dict[str, Any]) -> str:
    """Return the name of the attribute for one model of graphics card."""
    key = f"vendor/{vendor}/model/{model.get('model')}"
    for part in ("ram", "interface"):
        key += f"/{part}/{model[part]}" if model.get(part) else ""
    return key


def endpoints(service: dict[str, Any], sequence: dict[str, int]) -> list[dict[str, int]]:
    """Return the endpoints of a service in the order of its document: each port, followed by its leased address."""
    made = []
    for expose in service.get("expose") or ():
        for to in expose.get("to") or ():
            if to.get("global"):
                made.append(_endpoint(SHARED_HTTP if ingress(expose) else RANDOM_PORT, 0))
                if to.get("ip"):
                    made.append(_endpoint(LEASED_IP, sequence[to["ip"]]))
    return made


def _endpoint(kind: int, number: int) -> dict[str, int]:
    return {"kind": kind, "sequence_number": number} if kind else {"sequence_number": number}
