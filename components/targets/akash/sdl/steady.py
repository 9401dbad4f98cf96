"""Keep a document as it is while only what a running container learns by itself has changed. Pure."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection

#: A variable of a service that names others, separated by spaces: the container reads those when it starts on an empty
#: volume, and hears of later values elsewhere.
LEARNS = "LEARNS"


def steady(old: Any, new: Any) -> Any:
    """Return the old document if the new one differs only in variables that `LEARNS` names, else the new one.

    A new manifest would end the containers for such a change. Where anything else has changed the new document counts
    whole, and for a new deployment, which has no old document, too. Values that are not known yet may stand in the new
    document; one that hides the name of a variable counts as a change.
    """
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    return old if _without(old) == _without(new) else new


def _without(document: dict[str, Any]) -> dict[str, Any]:
    """Return a copy without the values of such variables; their names stay, so that one more or less is a change."""
    found = copy.deepcopy(document)
    services = found.get("services")
    for service in services.values() if isinstance(services, dict) else ():
        if isinstance(service, dict) and isinstance(service.get("env"), list):
            names = [each.partition("=")[2].split() for each in service["env"] if _name(each) == LEARNS]
            service["env"] = [_bare(each, names[0] if names else ()) for each in service["env"]]
    return found


def _name(entry: Any) -> str | None:
    return entry.partition("=")[0] if isinstance(entry, str) else None


def _bare(entry: Any, learned: Collection[str]) -> Any:
    return _name(entry) if _name(entry) in learned else entry
