"""A provider's checks of a manifest: the version on the chain, and resources as they were ordered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .document import version
from .sizes import KINDS, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .ledger import Deployment

PREFIX = "manifest cross-validation error"
KIND_WORDS = ("HTTP", "PORT", "IP")


def fault(manifest: list[dict[str, Any]], deployment: Deployment, running: dict[str, set[str]] | None = None) -> str:
    """Return "" for a manifest that matches the deployment, else the provider's answer (with HTTP 422).

    `running` has the service names of each group that is running already: they may not change.
    """
    if version(manifest) != deployment.hash:
        return "manifest version validation failed"
    ordered = {group.spec["name"]: group.spec for group in deployment.groups}
    if len(manifest) != len(ordered):
        return f"{PREFIX}: group count mismatch ({len(manifest)} != {len(ordered)})"
    for group in manifest:
        if group["name"] not in ordered:
            return f'{PREFIX}: unknown deployment group "{group["name"]}"'
        if wrong := _group(group, ordered[group["name"]]):
            return f'{PREFIX}: group "{group["name"]}": {wrong}'
        names = {service["name"] for service in group["services"]}
        if running and running.get(group["name"]) and running[group["name"]] != names:
            return f'manifest validation failed: group "{group["name"]}": service rename is not allowed'
    return ""


def _group(group: dict[str, Any], spec: dict[str, Any]) -> str:
    """Return the first difference between a group and its order."""
    units = {unit["resource"]["id"]: unit for unit in spec["resources"]}
    used: dict[int, int] = dict.fromkeys(units, 0)
    for service in group["services"]:
        number = service["resources"]["id"]
        if number not in units:
            return f'service "{service["name"]}": not found deployment group resources with ID = {number}'
        if word := _mismatch(service["resources"], units[number]["resource"]):
            return f'service "{service["name"]}": {word} resources mismatch for ID {number}'
        used[number] += int(service["count"])
    have = _kinds(each for unit in spec["resources"] for each in unit["resource"].get("endpoints") or [])
    want = _kinds(each for service in group["services"] for each in service["resources"].get("endpoints") or [])
    return next(filter(None, (*_replicas(units, used), *_endpoints(want, have))), "")


def _mismatch(wants: dict[str, Any], has: dict[str, Any]) -> str:
    words = {"cpu": "CPU", "gpu": "GPU", "memory": "Memory", "storage": "Storage"}
    return next((word for key, word in words.items() if _plain(wants.get(key)) != _plain(has.get(key))), "")


def _replicas(units: dict[int, Any], used: dict[int, int]) -> Iterator[str]:
    for number, unit in units.items():
        if used[number] > unit["count"]:
            yield f"over-utilized replicas ({used[number]}) > group spec resources count ({unit['count']})"
        if used[number] < unit["count"]:
            yield f"under-utilized ({unit['count'] - used[number]}) resources"


def _endpoints(want: list[int], have: list[int]) -> Iterator[str]:
    for word, asked, ordered in zip(KIND_WORDS, want, have, strict=True):
        if asked > ordered:
            yield f"over-utilized {word} endpoints"
        if asked < ordered:
            yield f"under-utilized ({ordered - asked}) {word} endpoints"


def _kinds(endpoints: Iterable[dict[str, Any]]) -> list[int]:
    """Count HTTP and port endpoints, and the distinct leased addresses."""
    counts, addresses = [0, 0, 0], set()
    for each in endpoints:
        kind = kind_of(each)
        counts[kind] += 1
        if KINDS[kind] == "LEASED_IP":
            addresses.add(each.get("sequence_number", 0))
    return [counts[0], counts[1], len(addresses)]


def _plain(value: Any) -> Any:
    """Remove the differences between `size` and `quantity`, and between an empty list and none."""
    if isinstance(value, dict):
        return {{"quantity": "size"}.get(key, key): _plain(each) for key, each in value.items() if each}
    return [_plain(each) for each in value] if isinstance(value, list) else value
