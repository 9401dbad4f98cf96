"""Keep a document where only values have changed that a running container learns by itself. See what restarts it."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

#: A variable of a service that lists other variables, separated by spaces. The container reads those when it starts on
#: an empty volume, and learns of later values by another way.
LEARNS = "LEARNS"
#: A variable of such a service: where it gets releases. No release brings another value, because otherwise the owner of
#: one store could name the others.
STORES = "STORES"
#: A variable of a service whose size is not known: it keeps the resources that it rents. The container does not get it.
UNSIZED = "UNSIZED=yes"
#: A placeholder for a learned variable's value: the Unix time in seconds at which the document is accepted.
NOW = "now"


def steady(old: Any, new: Any) -> Any:
    """Return the old document if the new one differs only in variables that `LEARNS` lists, else the new one.

    A new manifest for such a change would restart the containers. Where anything else has changed, the new document
    counts as a whole; so it does for a new deployment, which has no old document. The new document may hold values that
    are not known yet; one that hides a variable's name counts as a change.
    """
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    return old if _without(old) == _without(new) else new


def taken(old: Any, new: Any, now: int) -> Any:
    """Return the document for a deployment, from the one it has (None for a new one) and the wanted one.

    `now` is in Unix seconds. The old document stays where it can, see `steady`.
    """
    return _stamped(steady(old, _sized_as(old, new)), now)


def restarted(old: Any, new: Any) -> list[str]:
    """Return the paths of changed STORES of services that learn releases before and after.

    Such a service serves on for years without a new manifest. One with other stores would end its only container for
    the time of a start, in which visitors are refused.
    """
    if not isinstance(old, dict) or not isinstance(new, dict):
        return []
    before = {name: _values(service) for name, service in _services(old)}
    return [
        f"services.{name}.env[{index}]"
        for name, service in _services(new)
        if LEARNS in _values(service) and LEARNS in before.get(name, {})
        for index, each in enumerate(service["env"])
        if _name(each) == STORES and before[name].get(STORES) not in {None, each}
    ]


def _values(service: dict[str, Any]) -> dict[str | None, Any]:
    """Return the entries of a service's variables by name."""
    return {_name(each): each for each in service["env"]}


def _sized_as(old: Any, new: Any) -> Any:
    """Return a document without UNSIZED; services that had it keep the resources of the old document."""
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
    """Return a document in which `now` replaces NOW in variables that `LEARNS` lists."""
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
    """Return a copy without the values of such variables. Names stay, so that adding or removing one is a change."""
    found = copy.deepcopy(document)
    for service, learned in _learners(found):
        service["env"] = [_name(each) if _name(each) in learned else each for each in service["env"]]
    return found


def _learners(document: dict[str, Any]) -> Iterator[tuple[dict[str, Any], Collection[str]]]:
    """Yield each service that has learned variables, with their names."""
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
