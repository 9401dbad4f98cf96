"""The resources of an SDL's group in plain numbers: threads, bytes, endpoints, leased addresses."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

GIB = 1024**3
LEASED_IP = 2


@dataclass(frozen=True)
class Ask:
    """The resources of one group, replicas multiplied in; memory and storage in bytes."""

    threads: float = 0.0
    memory: int = 0
    gpus: int = 0
    #: Bytes by storage class; "" is the ephemeral disk.
    storage: dict[str, int] = field(default_factory=dict)
    endpoints: int = 0
    #: Leased addresses, and how many are paid for: one for each replica behind one.
    addresses: int = 0
    addresses_paid: int = 0


def val(holder: dict[str, Any], *names: str) -> int:
    """Return a `{"val": "123"}` under the first of the names that exists, in the network's units."""
    for name in names:
        if holder.get(name):
            return int(float(holder[name]["val"]))
    return 0


def pairs(attributes: list[dict[str, str]] | None) -> dict[str, str]:
    """Turn the network's list of key and value into a dict."""
    return {each["key"]: str(each["value"]) for each in attributes or []}


def ask(group: dict[str, Any]) -> Ask:
    """Sum up a group (the JSON of a group specification)."""
    threads, memory, gpus, endpoints, paid = 0.0, 0, 0, 0, 0
    storage: dict[str, int] = {}
    addresses: set[int] = set()
    for unit in group["resources"]:
        wants, count = unit["resource"], int(unit["count"])
        threads += count * val(wants.get("cpu") or {}, "units") / 1000
        memory += count * val(wants.get("memory") or {}, "size", "quantity")
        gpus += count * val(wants.get("gpu") or {}, "units")
        for volume in wants.get("storage") or []:
            marks = pairs(volume.get("attributes"))
            of = marks.get("class", "") if marks.get("persistent") == "true" else ""
            storage[of] = storage.get(of, 0) + count * val(volume, "size", "quantity")
        shared = [each for each in wants.get("endpoints") or [] if kind_of(each) != LEASED_IP]
        leased = {int(each["sequence_number"]) for each in wants.get("endpoints") or [] if each not in shared}
        endpoints += count * len(shared)
        paid += count * len(leased)
        addresses |= leased
    return Ask(threads, memory, gpus, storage, endpoints, len(addresses), paid)


def kind_of(endpoint: dict[str, Any]) -> int:
    """Return the endpoint's kind as a number, from either of the network's two spellings."""
    kind = endpoint.get("kind", 0)
    return KINDS.index(kind) if isinstance(kind, str) else int(kind)


KINDS = ("SHARED_HTTP", "RANDOM_PORT", "LEASED_IP")


def ceiling(group: dict[str, Any]) -> float:
    """Return the most that a group may cost, in uact per block."""
    return sum(float(unit["price"]["amount"]) * int(unit["count"]) for unit in group["resources"])
