"""Keep a document as it is while only what a running container learns by itself has changed. Pure."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


def steady(old: Any, new: Any, names: Mapping[str, Collection[str]]) -> Any:
    """Return the old document if the new one differs only in some variables of services, else the new one.

    `names` are those variables by service: a container reads them once, when it starts on an empty volume, and hears of
    later values elsewhere. A new manifest would end the container for them. Values that are not known yet may stand in
    the new document; one that hides the name of a variable counts as a change.
    """
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    return old if _without(old, names) == _without(new, names) else new


def _without(document: dict[str, Any], names: Mapping[str, Collection[str]]) -> dict[str, Any]:
    """Return a copy without the values of variables; their names stay, so that one more or less is a change."""
    found = copy.deepcopy(document)
    for name, variables in names.items():
        service = (found.get("services") or {}).get(name)
        if isinstance(service, dict) and isinstance(service.get("env"), list):
            service["env"] = [_bare(each, variables) for each in service["env"]]
    return found


def _bare(entry: Any, variables: Collection[str]) -> Any:
    name = entry.partition("=")[0] if isinstance(entry, str) else None
    return name if name in variables else entry
