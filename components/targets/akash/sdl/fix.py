"""Mend what has one right answer: missing quotes, uact, an explicit `to`, and what tools read differently."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import document as sdl
from . import model, quantity, shape, writing
from .resources import volumes
from .rules.drift import ZERO_IS_DEFAULT, sorted_exposes, sorted_models, sorted_volumes
from .rules.resources import doubtful

if TYPE_CHECKING:
    from collections.abc import Callable


def fixed(raw: str | bytes, name: str = "") -> str | None:
    """Return the text of a document with everything mended that can be; None where it cannot be read."""
    document, _ = sdl.examine(raw, name)
    if document is None:
        return None
    data = sdl.plain_copy(document.data)
    _quote(data)
    faults: list[shape.Found] = []
    shape.checker(model.Sdl)(data, (), faults)
    if not faults:
        for mend in MENDS:
            mend(data)
    return writing.mended(data, document.text)


def _quote(data: dict[str, Any]) -> None:
    """Turn numbers and booleans into text where only text is right."""
    faults: list[shape.Found] = []
    shape.checker(model.Sdl)(data, (), faults)
    for rule, path, message in faults:
        if rule == "wrong-type" and "quote it" in message and path:
            holder: Any = data
            for part in path[:-1]:
                holder = holder[part]
            holder[path[-1]] = _word(holder[path[-1]])


def _word(value: Any) -> str:
    return repr(value) if isinstance(value, float) else quantity.text(value)


def _uact(data: dict[str, Any]) -> None:
    for infra in data["profiles"]["placement"].values():
        for price in infra["pricing"].values():
            price["denom"] = "uact"


def _to(data: dict[str, Any]) -> None:
    """Write out how the Go tool reads a port without `to`: it is not reachable from outside."""
    for service in data["services"].values():
        for expose in service.get("expose") or ():
            if not expose.get("to"):
                expose["to"] = [{"global": False}]


def _services(data: dict[str, Any]) -> None:
    for service in data["services"].values():
        for key in ("command", "args", "env"):
            if service.get(key) == []:
                del service[key]
        for key, value in (service.get("credentials") or {}).items():
            service["credentials"][key] = value.strip() or value
        for expose in service.get("expose") or ():
            if expose.get("accept") == []:
                del expose["accept"]
            options = expose.get("http_options") or {}
            for key in ZERO_IS_DEFAULT:
                if key in options and not options[key]:
                    del options[key]
        if service.get("expose"):
            _in_order(service["expose"], sorted_exposes)


def _profiles(data: dict[str, Any]) -> None:
    for profile in data["profiles"]["compute"].values():
        resources = profile["resources"]
        units = resources["cpu"]["units"]
        exact = quantity.millicpu(units)
        if (
            exact is not None
            and exact.denominator == 1
            and not str(units).endswith("m")
            and float(units) * 1000 != exact
        ):
            resources["cpu"]["units"] = f"{exact}m"
        for holder in (resources["memory"], *volumes(resources)):
            if not doubtful(holder["size"]):
                holder["size"] = quantity.exact(holder["size"])
        if isinstance(resources["storage"], list) and all(quantity.size(each["size"]) for each in resources["storage"]):
            _in_order(resources["storage"], sorted_volumes)
        vendor = ((resources.get("gpu") or {}).get("attributes") or {}).get("vendor") or {}
        if vendor.get("nvidia"):
            _in_order(vendor["nvidia"], sorted_models)
        elif "nvidia" in vendor:
            vendor["nvidia"] = None


def _in_order(items: list[Any], order: Callable[[list[Any]], list[Any]]) -> None:
    items[:] = order(items)


MENDS: tuple[Callable[[dict[str, Any]], None], ...] = (_uact, _to, _services, _profiles)
