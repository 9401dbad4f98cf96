"""Compare two plans as plain data: every leaf that differs is a change with its path.

This module names no field. `meaning` explains changes; a path that it does not name is a change nevertheless.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: Fields that name the items of a list of mappings, in the order in which they are tried.
_NAMES = ("name", "host", "site")
#: Stands for a value that does not exist; a setting that is not set is None.
ABSENT = type("Absent", (), {"__repr__": lambda _: "ABSENT", "__bool__": lambda _: False})()

Path = tuple[str, ...]


@dataclass(frozen=True)
class Difference:
    """A leaf that differs. `old` and `new` are scalars, lists, or empty mappings; ABSENT if there is none."""

    path: Path
    old: Any
    new: Any

    @property
    def leaf(self) -> str:
        """The last part of the path."""
        return self.path[-1] if self.path else ""


def differences(before: Any, after: Any) -> list[Difference]:
    """Return every leaf that differs between two trees of plain data; empty only when they are equal."""
    return list(_compared((), before, after))


def _compared(path: Path, old: Any, new: Any) -> Iterator[Difference]:
    field = _field(old, new)
    left, right = _tree(old, field), _tree(new, field)
    if not (left or right) or (left and right and type(old) is not type(new)):
        if _text(old) != _text(new):
            yield Difference(path, old, new)
        return
    for value, tree, differs in ((old, left, (old, ABSENT)), (new, right, (ABSENT, new))):
        if not tree and value is not ABSENT and value is not None:
            yield Difference(path, *differs)
    for key in [*right, *(key for key in left if key not in right)]:
        yield from _compared((*path, key), left.get(key, ABSENT), right.get(key, ABSENT))
    kept = [[key for key in one if key in other] for one, other in ((left, right), (right, left))]
    if field is not None and kept[0] != kept[1]:
        yield Difference((*path, "order"), list(left), list(right))


def _text(leaf: Any) -> str:
    """Return a leaf as text that is equal only if a hash over the leaves is: 1, 1.0 and true differ."""
    return "ABSENT" if leaf is ABSENT else json.dumps(leaf, sort_keys=True)


def _field(old: Any, new: Any) -> str | None:
    """Return the field that names the items of both lists; empty if only their positions do, None without lists."""
    lists = [one for one in (old, new) if isinstance(one, list) and one]
    if not lists or not all(isinstance(item, dict) for one in lists for item in one):
        return None
    for field in _NAMES:
        names = [[item.get(field) for item in one] for one in lists]
        if all(isinstance(name, str) for one in names for name in one) and all(len(set(n)) == len(n) for n in names):
            return field
    return ""


def _tree(value: Any, field: str | None) -> Mapping[str, Any]:
    """Return the named parts of a mapping or a list of mappings; nothing for a leaf."""
    if isinstance(value, dict):
        return value
    if not isinstance(value, list) or field is None:
        return {}
    if not field:
        return {str(index): item for index, item in enumerate(value)}
    return {str(item[field]): _rest(item, field) for item in value}


def _rest(item: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    """Leave out the field that names an item, because its path contains it; an item with only that field keeps it."""
    rest = {key: value for key, value in item.items() if key != field}
    return rest or item


def dotted(path: Path) -> str:
    """Return a path as `workloads.docs.options.version`; a part with other characters stands in brackets."""
    text = ""
    for part in path:
        plain = part.replace("-", "").replace("_", "").isalnum()
        text += (f".{part}" if text else part) if plain else f"[{part}]"
    return text
