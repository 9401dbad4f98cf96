"""Hold an answer to what the stand-ins answer: the fields that they always and that they ever give, and their types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .exchange import Exchange

#: Fields whose own fields are names, not a contract's words.
_MAPS = frozenset({"services", "forwarded_ports", "ips", "Metadata", "env"})
_TYPES = {
    dict: "an object", list: "a list", str: "a text", bool: "a truth", int: "a number", float: "a number",
    type(None): "null",
}  # fmt: skip

#: Place in an answer → its types, and for objects the fields that are `ever` and `always` there.
Shape = dict[str, dict[str, list[str]]]


def learn(exchanges: Iterable[Exchange]) -> dict[str, Shape]:
    """Return the shape of every kind of answer that our client asks for, over all of its exchanges."""
    found: dict[str, Shape] = {}
    for each in exchanges:
        if each.kind:
            shape = found.setdefault(each.kind, {})
            for place, value in _places(each.body):
                _merge(shape, place, value)
    return found


def _merge(shape: Shape, place: str, value: Any) -> None:
    here = shape.setdefault(place, {"types": []})
    here["types"] = sorted({*here["types"], _TYPES[type(value)]})
    if isinstance(value, dict) and not _map(place):
        fields = set(value)
        here["ever"] = sorted({*here.get("ever", fields), *fields})
        here["always"] = sorted({*here.get("always", fields)} & fields)


def differences(exchange: Exchange, known: dict[str, Shape]) -> Iterator[str]:
    """Name each difference between an answer and what the stand-ins give for the same question."""
    if exchange.kind is None:
        return
    shape = known.get(exchange.kind)
    if shape is None:
        yield f"{exchange.kind}: the stand-ins never answered this"
        return
    for place, value in _places(exchange.body):
        here = shape.get(place)
        if here is None:
            continue  # its object has been named, as one with a field more, or a list that was always empty
        kind = _TYPES[type(value)]
        if kind not in here["types"]:
            yield f"{exchange.kind} {place}: is {kind}; the stand-ins give {' or '.join(here['types'])}"
        if isinstance(value, dict) and not _map(place) and "ever" in here:
            for field in sorted(set(value) - set(here["ever"])):
                yield f"{exchange.kind} {place}.{field}: the stand-ins never give it"
            for field in sorted(set(here["always"]) - set(value)):
                yield f"{exchange.kind} {place}.{field}: is not there; the stand-ins always give it"


def _map(place: str) -> bool:
    return place.rpartition(".")[2] in _MAPS


def _places(value: Any, place: str = "$") -> Iterator[tuple[str, Any]]:
    """Yield each value with its place; the members of a list share one, and so do those of a map."""
    yield place, value
    if isinstance(value, dict):
        for name, held in value.items():
            yield from _places(held, f"{place}.{'*' if _map(place) else name}")
    elif isinstance(value, list):
        for held in value:
            yield from _places(held, f"{place}[]")
