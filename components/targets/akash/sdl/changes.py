"""The differences of two documents: what a running deployment accepts in place, what needs a new one, and why.

Source: what providers accept in a manifest update (the groups on the chain never change), observed with provider v0.16.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from .document import Document, check, dotted, plain_copy
from .groups import groups

if TYPE_CHECKING:
    from collections.abc import Iterator

Path = tuple[str | int, ...]
Kind = Literal["update", "replace"]
ANY = "*"

#: The first line that a path begins with decides. `endpoints` means to replace only if the endpoints on the chain
#: differ.
TABLE: tuple[tuple[Path, str, str], ...] = (
    (("version",), "update", "the version of the language changes nothing on the network"),
    (("include",), "update", "the network ignores it"),
    (("services", ANY, "dependencies"), "update", "the network ignores it"),
    (("services", ANY, "image"), "update", "the manifest carries it"),
    (("services", ANY, "command"), "update", "the manifest carries it"),
    (("services", ANY, "args"), "update", "the manifest carries it"),
    (("services", ANY, "env"), "update", "the manifest carries it"),
    (("services", ANY, "credentials"), "update", "the manifest carries it"),
    (("services", ANY, "params", "tee"), "replace", "it is a requirement that the bid was made for"),
    (("services", ANY, "params"), "update", "the manifest carries it"),
    (("services", ANY, "expose", ANY, "accept"), "update", "the manifest carries it"),
    (("services", ANY, "expose", ANY, "http_options"), "update", "the manifest carries it"),
    (("services", ANY, "expose"), "endpoints", "the number and kind of endpoints are part of the lease"),
    (("services",), "replace", "services of a deployment cannot be added, removed or renamed"),
    (("endpoints",), "replace", "the address is leased under this name"),
    (("reclamation",), "replace", "the notice was agreed with the bid"),
    (("deployment", ANY, ANY, "count"), "replace", "the number of replicas is part of the order on the chain"),
    (("deployment", ANY, ANY, "profile"), "replace", "the resources are part of the order on the chain"),
    (("deployment",), "replace", "services and placements are part of the order on the chain"),
    (("profiles", "compute", ANY, "resources", "storage"), "replace", "a volume keeps its size and class for life"),
    (("profiles", "compute"), "replace", "the resources are part of the order on the chain"),
    (("profiles", "placement", ANY, "pricing"), "replace", "the price ceiling is part of the order on the chain"),
    (("profiles",), "replace", "the requirements are part of the order on the chain"),
    ((), "update", "the network does not know it"),
)
_SAME = "it is spelled differently and means the same on the network"
_CARRIED = "the manifest carries it"
_TOGETHER = "together these differences change the order on the chain"


@dataclass(frozen=True)
class Change:
    """One difference: its path, its effect, and the reason."""

    path: str
    kind: Kind
    why: str


def changes(old: dict[str, Any], new: dict[str, Any]) -> list[Change]:
    """Return the differences of two documents that the check accepts; 1 equals 1.0, and null equals nothing."""
    made = [_change(old, new, path) for path in _differences(old, new, ())]
    if groups(old) != groups(new) and all(change.kind == "update" for change in made):
        return [replace(change, kind="replace", why=_TOGETHER) for change in made]
    return made


def _change(old: dict[str, Any], new: dict[str, Any], path: Path) -> Change:
    rule, why = next((rule, why) for start, rule, why in TABLE if _begins(path, start))
    alone = _alone(old, new, path)
    same_order = alone is not None and groups(old) == groups(alone)
    if rule == "endpoints":
        return Change(dotted(path), "update", _CARRIED) if same_order else Change(dotted(path), "replace", why)
    if rule == "replace" and same_order and path[0] == "profiles":
        return Change(dotted(path), "update", _SAME)
    return Change(dotted(path), "replace" if rule == "replace" else "update", why)


def _alone(old: dict[str, Any], new: dict[str, Any], path: Path) -> dict[str, Any] | None:
    """Return the old document with one difference applied; None where that alone makes no valid document."""
    made: Any = plain_copy(old)
    holder: Any = made
    source: Any = new
    for part in path[:-1]:
        holder, source = holder[part], source[part]
    last: Any = path[-1]
    if isinstance(source, dict) and last not in source:
        del holder[last]
    else:
        holder[last] = plain_copy(source[last])
    document: dict[str, Any] = made
    return document if check(Document(document)).accepted else None


def _begins(path: Path, start: Path) -> bool:
    return len(path) >= len(start) and all(mine in (ANY, theirs) for mine, theirs in zip(start, path, strict=False))


def _differences(old: Any, new: Any, path: Path) -> Iterator[Path]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in (*old, *(key for key in new if key not in old)):
            yield from _differences(old.get(key), new.get(key), (*path, key))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (mine, theirs) in enumerate(zip(old, new, strict=True)):
            yield from _differences(mine, theirs, (*path, index))
    elif old != new or isinstance(old, bool) != isinstance(new, bool):
        yield path
