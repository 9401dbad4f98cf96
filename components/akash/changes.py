"""What differs between two documents: what a running deployment takes in place, and what needs a new one, and why.

Source: what the hosts accept in a manifest update (the groups on the chain never change), facts of provider v0.16.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from . import manifest
from .sdl import dotted

Path = tuple[str | int, ...]
Kind = Literal["update", "replace"]
ANY = "*"

#: The first line that a path begins with decides. `endpoints` means: replace only if the chain's endpoints differ.
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
_SAME = "it is written differently and means the same on the network"


@dataclass(frozen=True)
class Change:
    """One difference: where, what it takes, and why."""

    path: str
    kind: Kind
    why: str


def changes(old: dict[str, Any], new: dict[str, Any]) -> list[Change]:
    """List the differences of two documents that the check accepts; 1 and 1.0 are the same, and so are null and nothing."""
    paths = list(_differences(old, new, ()))
    if not paths:
        return []
    same_groups = manifest.groups(old) == manifest.groups(new) and old.get("reclamation") == new.get("reclamation")
    made = []
    for path in paths:
        rule, why = next((rule, why) for start, rule, why in TABLE if _begins(path, start))
        if rule == "endpoints":
            rule = "update" if same_groups or _same_endpoints(old, new, str(path[1])) else "replace"
            why = why if rule == "replace" else "the manifest carries it"
        elif rule == "replace" and same_groups and path[0] in {"profiles", "deployment"}:
            rule, why = "update", _SAME
        made.append(Change(dotted(path), "replace" if rule == "replace" else "update", why))
    return made


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


def _same_endpoints(old: dict[str, Any], new: dict[str, Any], service: str) -> bool:
    return _endpoints(old, service) == _endpoints(new, service)


def _endpoints(data: dict[str, Any], name: str) -> list[list[dict[str, Any]]]:
    return [
        sorted((dict(each) for each in service["resources"]["endpoints"]), key=str)
        for group in manifest.manifest(data)
        for service in group["services"]
        if service["name"] == name
    ]
