"""The rule on documents from which the two official tools make different manifests, and so different hashes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import quantity
from ..resources import endpoints, volumes
from .rule import Finding, Path, Rules, View

if TYPE_CHECKING:
    from collections.abc import Iterator

rules = Rules()

#: Options for which the Go tool reads 0 as the default, and the TypeScript tool as 0.
ZERO_IS_DEFAULT = ("max_body_size", "read_timeout", "send_timeout", "next_tries")
_EMPTY = "an empty list is null to Console and a list to the Go tools; leave it out"


@rules.warning(
    "tools-disagree",
    "The official Go and TypeScript tools make the same manifest.",
    "Follow the message, or let `fix` do it. Console uses the TypeScript tool, and so does this library; akt and "
    "provider-services are the Go tools.",
    sound=True,
)
def _tools_disagree(view: View) -> Iterator[Finding]:
    for name, service in view.services.items():
        yield from _service(name, service)
    if view.data["version"] == "2.0":
        yield from _of_version_2_0(view)
    for name, profile in view.compute.items():
        for part, message in _resources(profile["resources"]):
            yield Finding(("profiles", "compute", name, "resources", *part), message)
    internal = [path for _, path, _, to in view.targets if not to.get("global")]
    if internal and any(to.get("ip") for *_, to in view.targets):
        yield Finding(
            internal[0],
            "next to an address, the Go tool numbers inner ports too; show inner ports from a service without `to`",
        )


def _of_version_2_0(view: View) -> Iterator[Finding]:
    """Find what the Go tools do differently for version 2.0 alone (chain-sdk go/sdl/groupBuilder_v2.go)."""
    first: dict[tuple[str, str], str] = {}
    for each in view.placed:
        other = first.setdefault((each.placement, each.profile), each.name)
        if other != each.name:
            message = (
                f"shares {each.profile} with {other}: one order to Console, two to the Go tools; write version 2.1"
            )
            yield Finding((*each.path, "profile"), message)
    for name, service in view.services.items():
        if (service.get("credentials") or {}).get("email"):
            message = "the Go tools drop it from version 2.0; take it out, or write version 2.1"
            yield Finding(("services", name, "credentials", "email"), message)


def _service(name: str, service: dict[str, Any]) -> Iterator[Finding]:
    path = ("services", name)
    for key in ("command", "args", "env"):
        if service.get(key) == []:
            yield Finding((*path, key), _EMPTY)
        for index, word in enumerate(service.get(key) or ()):
            if "\u2028" in word or "\u2029" in word:
                message = "holds U+2028 or U+2029, which the tools write differently in the hash; take it out"
                yield Finding((*path, key, index), message)
    for key, value in (service.get("credentials") or {}).items():
        if value != value.strip():
            yield Finding((*path, "credentials", key), "the Go tools cut the spaces around it off")
    yield from _exposes(path, service)


def _exposes(path: Path, service: dict[str, Any]) -> Iterator[Finding]:
    exposes = service.get("expose") or []
    in_order = {"expose": sorted_exposes(exposes)}
    numbers = {to["ip"]: 0 for expose in exposes for to in expose.get("to") or () if to.get("ip")}
    if endpoints(service, numbers) != endpoints(in_order, numbers):
        yield Finding((*path, "expose"), "the Go tools sort the ports; write them by number")
    for index, expose in enumerate(exposes):
        if expose.get("accept") == []:
            yield Finding((*path, "expose", index, "accept"), _EMPTY)
        for key, value in (expose.get("http_options") or {}).items():
            if key in ZERO_IS_DEFAULT and not value:
                message = "the Go tools take 0 for the default; leave it out"
                yield Finding((*path, "expose", index, "http_options", key), message)


def sorted_exposes(exposes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sort the ports of a service as the Go tool does, as far as a document determines the order."""

    def key(expose: dict[str, Any]) -> tuple[str, int, str]:
        first = min(((to.get("service") or "") for to in expose.get("to") or ()), default="")
        return first, int(expose["port"]), str(expose.get("proto") or "TCP").upper()

    return sorted(exposes, key=key)


def _resources(resources: dict[str, Any]) -> Iterator[tuple[Path, str]]:
    units = resources["cpu"]["units"]
    exact = quantity.millicpu(units)
    if exact is not None and not str(units).endswith("m") and float(units) * 1000 != exact:
        yield ("cpu", "units"), f"Console makes {float(units) * 1000!r} thousandths of it; write {exact}m"
    storage = resources["storage"]
    if isinstance(storage, dict):
        if storage.get("name", "default") != "default":
            message = "the Go tools refuse to mount a volume that is not in a list; write a list"
            yield ("storage", "name"), message
    elif storage != sorted_volumes(storage):
        yield ("storage",), "the Go tools sort the volumes; write the smallest first"
    sizes = [("memory", resources["memory"]["size"])]
    sizes += [("storage", volume["size"]) for volume in volumes(resources)]
    for part, written in sizes:
        amount = quantity.size(written)
        if amount is not None and amount.denominator != 1:
            yield (part,), f"{written} is no whole number of bytes: Console rounds up and the Go tools down"
    yield from _gpu(((resources.get("gpu") or {}).get("attributes") or {}).get("vendor") or {})


def _gpu(vendor: dict[str, Any]) -> Iterator[tuple[Path, str]]:
    path: Path = ("gpu", "attributes", "vendor", "nvidia")
    models = vendor.get("nvidia") or []
    if models != sorted_models(models):
        yield path, "the Go tools sort the models; write them by name"
    if "nvidia" in vendor and vendor["nvidia"] == []:
        yield path, "an empty list is any model to the Go tools and none to Console; write nothing behind nvidia"
    for index, model in enumerate(models):
        if model.get("ram") and not model["ram"].endswith("Gi"):
            yield (*path, index, "ram"), "the Go tools write it in Gi, Console as it stands; write Gi"


def sorted_volumes(listed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sort volumes as the Go tool does: the smaller first, then the ephemeral, then by name."""

    def key(volume: dict[str, Any]) -> tuple[int, bool, str]:
        persistent = (volume.get("attributes") or {}).get("persistent") in {True, "true"}
        return quantity.count(volume["size"]), persistent, volume.get("name") or "default"

    return sorted(listed, key=key)


def sorted_models(models: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sort models of graphics cards by the attribute that each becomes."""

    def key(model: dict[str, Any]) -> str:
        parts = [str(model.get("model"))]
        parts += [f"{part}/{model[part]}" for part in ("ram", "interface") if model.get(part)]
        return "/".join(parts)

    return sorted(models, key=key)
