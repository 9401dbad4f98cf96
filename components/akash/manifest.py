"""What a document becomes: the manifest for whoever hosts it, the groups for the chain, and the hash that ties them.

All functions take plain data that the check accepts; a number that came back from JSON as 1.0 counts as 1.
Sources: chain-sdk `ts/src/sdl/manifest` and `go/sdl/groupBuilder_*.go`; the tests in tests/oracle compare every byte.
"""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from typing import Any, Literal

from . import quantity

SHARED_HTTP, RANDOM_PORT, LEASED_IP = 0, 1, 2
#: How the chain's own JSON spells the kinds of endpoint.
ENDPOINT_KINDS = ("SHARED_HTTP", "RANDOM_PORT", "LEASED_IP")
HTTP_PORT = 80

_ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def manifest(data: dict[str, Any]) -> list[dict[str, Any]]:
    """Give the manifest, in the spelling that is hashed and sent: one group a placement, sorted by name."""
    sequence = _sequence_numbers(data)
    return [
        {"name": name, "services": [_service(data, *each, sequence) for each in placed]}
        for name, placed in _placements(data)
    ]


def version(groups_of_services: list[dict[str, Any]]) -> bytes:
    """Give the 32 bytes by which the chain knows a manifest."""
    return hashlib.sha256(canonical(groups_of_services).encode()).digest()


def canonical(value: Any) -> str:
    """Write JSON as the network hashes it: sorted keys, no spaces, and Go's escapes for HTML."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    for character, escape in _ESCAPES.items():
        if character in text:
            text = text.replace(character, escape)
    return text


def groups(data: dict[str, Any], spelling: Literal["chain", "go"] = "chain") -> list[dict[str, Any]]:
    """Give what is ordered on the chain: resources, counts and prices of each placement.

    `chain` is the JSON of the chain's REST interface (`quantity`, words for the kinds of endpoint), `go` that of the
    official Go tools (`size`, numbers, nothing that is empty).
    """
    sequence = _sequence_numbers(data)
    made = [_group(data, name, placed, sequence) for name, placed in _placements(data)]
    return made if spelling == "go" else [_in_chain_words(group) for group in made]


def ingress(expose: dict[str, Any]) -> bool:
    """Tell whether a global port of this `expose` is served by the shared HTTP ingress."""
    return _protocol(expose) == "TCP" and int(expose.get("as") or expose["port"]) == HTTP_PORT


def _protocol(expose: dict[str, Any]) -> str:
    return str(expose.get("proto") or "TCP").upper()


#: One service in one placement: its name, its compute profile, its count, and the id of its resources.
_Placed = tuple[str, str, int, int]


def _placements(data: dict[str, Any]) -> list[tuple[str, list[_Placed]]]:
    deployment = data["deployment"]
    ids: dict[str, dict[str, int]] = {}
    placed: dict[str, list[_Placed]] = {}
    for service in sorted(deployment):
        for placement, deployed in deployment[service].items():
            of_profile = ids.setdefault(placement, {})
            profile = deployed["profile"]
            identity = of_profile.setdefault(profile, len(of_profile) + 1)
            placed.setdefault(placement, []).append((service, profile, int(deployed["count"]), identity))
    return sorted(placed.items())


def _sequence_numbers(data: dict[str, Any]) -> dict[str, int]:
    names = sorted(
        to["ip"]
        for service in data["services"].values()
        for expose in service.get("expose") or ()
        for to in expose.get("to") or ()
        if to.get("global") and to.get("ip")
    )
    return {name: number for number, name in enumerate(names, 1)}


def _service(
    data: dict[str, Any], name: str, profile: str, count: int, identity: int, sequence: dict[str, int]
) -> dict[str, Any]:
    service = data["services"][name]
    made: dict[str, Any] = {
        "name": name,
        "image": service["image"],
        "command": service.get("command") or None,
        "args": service.get("args") or None,
        "env": service.get("env") or None,
        "resources": _resources(data["profiles"]["compute"][profile], service, identity, sequence),
        "count": count,
        "expose": _exposes(service, sequence),
        "credentials": _credentials(service),
    }
    if service.get("params") is not None:
        made["params"] = _params(service["params"])
    return made


def _credentials(service: dict[str, Any]) -> dict[str, Any] | None:
    given = service.get("credentials")
    return given and {key: given.get(key) or "" for key in ("host", "email", "username", "password")}


def _params(params: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "storage": [
            {"name": name, "mount": each.get("mount") or "", "readOnly": each.get("readOnly") or False}
            for name, each in sorted((params.get("storage") or {}).items())
        ]
    }
    if params.get("permissions") is not None:
        made["permissions"] = params["permissions"]
    if params.get("tee") is not None:
        # In the official examples of `tee`, params without volumes say null; everywhere else, an empty list.
        made["storage"] = made["storage"] or None
        made["tee"] = {"type": params["tee"], "attestation": True}
    return made


def _exposes(service: dict[str, Any], sequence: dict[str, int]) -> list[dict[str, Any]]:
    made = [
        {
            "port": int(expose["port"]),
            "externalPort": int(expose.get("as") or 0),
            "proto": _protocol(expose),
            "service": to.get("service") or "",
            "global": to.get("global") or False,
            "hosts": expose.get("accept") or None,
            "httpOptions": _http_options(expose.get("http_options") or {}),
            "ip": to.get("ip") or "",
            "endpointSequenceNumber": sequence.get(to.get("ip") or "", 0),
        }
        for expose in service.get("expose") or ()
        for to in expose.get("to") or ()
    ]
    made.sort(key=lambda each: (each["service"], each["port"], each["proto"], not each["global"]))
    return made


def _http_options(given: dict[str, Any]) -> dict[str, Any]:
    made = {
        "maxBodySize": int(given.get("max_body_size", 1_048_576)),
        "readTimeout": int(given.get("read_timeout", 60_000)),
        "sendTimeout": int(given.get("send_timeout", 60_000)),
        "nextTries": int(given.get("next_tries", 3)),
        "nextTimeout": int(given.get("next_timeout", 0)),
        "nextCases": given.get("next_cases", ["error", "timeout"]),
    }
    if given.get("proxy_buffer_size"):
        made["proxyBufferSize"] = int(given["proxy_buffer_size"])
    return made


def volumes(resources: dict[str, Any]) -> list[dict[str, Any]]:
    """Give the volumes of a compute profile as a list: one alone may be written without the list."""
    storage = resources["storage"]
    return storage if isinstance(storage, list) else [storage]


def _resources(
    compute: dict[str, Any], service: dict[str, Any], identity: int, sequence: dict[str, int]
) -> dict[str, Any]:
    resources = compute["resources"]
    gpu = resources.get("gpu") or {}
    return {
        "id": identity,
        "cpu": _amount("units", quantity.millicpu(resources["cpu"]["units"]), _pairs(resources["cpu"])),
        "memory": _amount("size", quantity.size(resources["memory"]["size"]), []),
        "storage": [
            {"name": volume.get("name") or "default"}
            | _amount("size", quantity.size(volume["size"]), _volume_attributes(volume.get("attributes")))
            for volume in volumes(resources)
        ],
        "gpu": _amount("units", int(gpu.get("units") or 0), _gpu_attributes(gpu.get("attributes") or {})),
        "endpoints": _endpoints(service, sequence),
    }


def _amount(key: str, amount: Any, attributes: list[dict[str, str]]) -> dict[str, Any]:
    made: dict[str, Any] = {key: {"val": str(quantity.whole(amount))}}
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
        for model in [{"model": "*"}] if models is None else models:
            key = f"vendor/{vendor}/model/{model.get('model')}"
            for part in ("ram", "interface"):
                key += f"/{part}/{model[part]}" if model.get(part) else ""
            keys.append(key)
    return [{"key": key, "value": "true"} for key in keys]


def _endpoints(service: dict[str, Any], sequence: dict[str, int]) -> list[dict[str, int]]:
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


def _group(data: dict[str, Any], name: str, placed: list[_Placed], sequence: dict[str, int]) -> dict[str, Any]:
    infra = data["profiles"]["placement"][name]
    units: dict[int, dict[str, Any]] = {}
    tee = {data["services"][service].get("params", {}).get("tee") for service, *_ in placed if data["services"][service].get("params")}
    attributes = dict(infra.get("attributes") or {})
    attributes |= {"tee/type": kind for kind in tee if kind}
    for service, profile, count, identity in placed:
        resource = _resources(data["profiles"]["compute"][profile], data["services"][service], identity, sequence)
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
