"""Whether two values mean the same to AWS, what differs between them, and what was changed from outside."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from components.provider.server import UNKNOWN, Change

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def same(one: Any, other: Any) -> bool:  # noqa: PLR0911 one for each kind of value
    """Equal as AWS takes it: lists of plain values are sets, documents in JSON are compared as documents."""
    if one is UNKNOWN or other is UNKNOWN:
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        if len(one) != len(other):
            return False
        if _plain(one) and _plain(other):
            return sorted(map(str, one)) == sorted(map(str, other))
        return all(same(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, str) and isinstance(other, str) and one != other:
        documents = _document(one), _document(other)
        return None not in documents and documents[0] == documents[1]
    return bool(one == other)


def _plain(items: list[Any]) -> bool:
    return not any(isinstance(item, dict | list) or item is UNKNOWN for item in items)


def _document(text: str) -> Any:
    if not text.lstrip().startswith("{"):
        return None
    try:
        return json.loads(text)
    except ValueError:
        return None


def blank(value: Any) -> bool:
    """Return whether a value is empty: absent, empty or off, all the way down."""
    if isinstance(value, dict):
        return all(blank(item) for item in value.values())
    return value is None or value is False or value in ("", [])


def differences(old: Any, new: Any, path: str = "") -> Iterator[tuple[str, Change]]:
    """Return what changes from old to new, by the deepest path that shows it."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            at = f"{path}.{key}" if path else key
            if key not in new:
                yield at, Change.DELETE
            elif key not in old:
                yield at, Change.ADD
            elif not same(old[key], new[key]):
                yield from differences(old[key], new[key], at)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for at, (before, after) in enumerate(zip(old, new, strict=True)):
            if not same(before, after):
                yield from differences(before, after, f"{path}[{at}]")
    else:
        yield path, Change.UPDATE


def seen(had: Mapping[str, Any], now: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Return inputs as the world shows them: `had` where it means the same, the world's value where it does not.

    A value that the world has beyond `had` counts if it is not empty and is not AWS's default (`defaults`).
    """
    kept = {}
    for key, value in had.items():
        if key in now and not same(value, now[key]):
            both = isinstance(value, dict) and isinstance(now[key], dict)
            kept[key] = seen(value, now[key], {}) if both else _items(value, now[key])
        elif key in now or blank(value) or same(value, defaults.get(key)):
            kept[key] = value
    beyond = {key: value for key, value in now.items() if key not in had and not blank(value)}
    return kept | {key: value for key, value in beyond.items() if not same(value, defaults.get(key))}


def _items(value: Any, now: Any) -> Any:
    if isinstance(value, list) and isinstance(now, list) and len(value) == len(now):
        pairs = list(zip(value, now, strict=True))
        if all(isinstance(a, dict) and isinstance(b, dict) for a, b in pairs):
            return [seen(a, b, {}) for a, b in pairs]
    return now
