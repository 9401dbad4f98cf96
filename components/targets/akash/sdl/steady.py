"""Keep a document as it is while only what a running container learns by itself has changed. Pure."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

#: A variable of a service that names others, separated by spaces: the container reads those when it starts on an empty
#: volume, and hears of later values elsewhere.
LEARNS = "LEARNS"
#: A variable of a service whose size is not known: it goes on renting what it rents. The container does not get it.
UNSIZED = "UNSIZED=yes"
#: The value of a variable that is learned, which stands for the time, in Unix seconds, at which the document is taken.
NOW = "now"


def steady(old: Any, new: Any) -> Any:
    """Return the old document if the new one differs only in variables that `LEARNS` names, else the new one.

    A new manifest would end the containers for such a change. Where anything else has changed the new document counts
    whole, and for a new deployment, which has no old document, too. Values that are not known yet may stand in the new
    document; one that hides the name of a variable counts as a change.
    """
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    return old if _without(old) == _without(new) else new


def taken(old: Any, new: Any, now: int) -> Any:
    """Return the document that a deployment takes, from the one it has (None for a new one) and the one that is given.

    `now` is in Unix seconds. The old document stays where it can, see `steady`.
    """
    return _stamped(steady(old, _sized_as(old, new)), now)


def _sized_as(old: Any, new: Any) -> Any:
    """Return a document without UNSIZED, in which the services that have it rent what they rent in the old one."""
    if not isinstance(new, dict):
        return new
    found = copy.deepcopy(new)
    for name, service in _services(found):
        if UNSIZED not in service["env"]:
            continue
        service["env"] = [each for each in service["env"] if each != UNSIZED]
        for profile in _profiles(found, name):
            before = _resources(old, profile)
            if before is not None:
                found["profiles"]["compute"][profile]["resources"] = copy.deepcopy(before)
    return found


def _profiles(document: dict[str, Any], service: str) -> set[str]:
    placed = (document.get("deployment") or {}).get(service) or {}
    return {each["profile"] for each in placed.values()}


def _resources(document: Any, profile: str) -> Any:
    try:
        return document["profiles"]["compute"][profile]["resources"]
    except (KeyError, TypeError):
        return None


def _stamped(document: Any, now: int) -> Any:
    """Return a document in which NOW of a variable that `LEARNS` names has become `now`; others as they are."""
    if not isinstance(document, dict):
        return document
    found = copy.deepcopy(document)
    for service, learned in _learners(found):
        service["env"] = [
            f"{_name(each)}={now}" if _name(each) in learned and each == f"{_name(each)}={NOW}" else each
            for each in service["env"]
        ]
    return found


def _without(document: dict[str, Any]) -> dict[str, Any]:
    """Return a copy without the values of such variables; their names stay, so that one more or less is a change."""
    found = copy.deepcopy(document)
    for service, learned in _learners(found):
        service["env"] = [_name(each) if _name(each) in learned else each for each in service["env"]]
    return found


def _learners(document: dict[str, Any]) -> Iterator[tuple[dict[str, Any], Collection[str]]]:
    """Yield each service that has variables it learns, with their names."""
    for _, service in _services(document):
        for each in service["env"]:
            if _name(each) == LEARNS:
                yield service, each.partition("=")[2].split()


def _services(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the services that have variables, by name."""
    services = document.get("services")
    for name, service in services.items() if isinstance(services, dict) else ():
        if isinstance(service, dict) and isinstance(service.get("env"), list):
            yield name, service


def _name(entry: Any) -> str | None:
    return entry.partition("=")[0] if isinstance(entry, str) else None
