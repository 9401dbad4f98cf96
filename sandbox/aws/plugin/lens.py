"""Conversion in both directions between Pulumi's camelCase inputs and the shapes of the AWS API, as tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_MISSING = object()


def _same(value: Any) -> Any:
    return value


@dataclass(frozen=True)
class Lens:
    """A conversion to the API's shape and back."""

    to_api: Callable[[Any], Any] = _same
    from_api: Callable[[Any], Any] = _same


#: A value that is the same on both sides.
PLAIN = Lens()


@dataclass(frozen=True)
class Field:
    """One property: Pulumi's name, the API's name, the conversion of its value, and the default to send."""

    name: str
    api: str
    lens: Lens = PLAIN
    default: Any = _MISSING


def field(name: str, lens: Lens = PLAIN, *, api: str = "", default: Any = _MISSING) -> Field:
    """Return a property whose API name is its own with a capital, unless given."""
    return Field(name, api or name[0].upper() + name[1:], lens, default)


def struct(*fields: Field | str) -> Lens:
    """Return an object; a bare name is a plain field."""
    table = [field(one) if isinstance(one, str) else one for one in fields]

    def to_api(value: dict[str, Any]) -> dict[str, Any]:
        made = {one.api: one.lens.to_api(value[one.name]) for one in table if value.get(one.name) is not None}
        return {one.api: one.default for one in table if one.default is not _MISSING} | made

    def from_api(value: dict[str, Any]) -> dict[str, Any]:
        return {one.name: one.lens.from_api(value[one.api]) for one in table if value.get(one.api) is not None}

    return Lens(to_api, from_api)


def counted(lens: Lens = PLAIN) -> Lens:
    """Return a list that the API wraps as Quantity and Items."""

    def to_api(value: list[Any]) -> dict[str, Any]:
        return {"Quantity": len(value), **({"Items": [lens.to_api(item) for item in value]} if value else {})}

    return Lens(to_api, lambda value: [lens.from_api(item) for item in value.get("Items") or []])


def counted_items(lens: Lens = PLAIN) -> Lens:
    """Return the same for a list that Pulumi wraps too, as `items`."""
    inner = counted(lens)
    return Lens(lambda value: inner.to_api(value.get("items") or []), lambda value: {"items": inner.from_api(value)})
