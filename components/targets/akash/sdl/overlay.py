"""Changes laid over a valid document, as data: the image, the hosts, the price ceiling, and unique names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ....errors import Fault, SdlError
from . import document as sdl
from . import price, resources

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal


def overlay(  # noqa: C901 one line for each setting
    document: sdl.Document,
    *,
    service: str | None = None,
    image: str | None = None,
    command: Sequence[str] | None = None,
    args: Sequence[str] | None = None,
    env: Mapping[str, str | None] | None = None,
    accept: Sequence[str] | None = None,
    count: int | None = None,
    cpu: str | float | None = None,
    memory: str | None = None,
    storage: Mapping[str, str] | None = None,
    placement: str | None = None,
    unique: str | None = None,
    ceiling_usd_month: float | Decimal | str | None = None,
    notice_h: int | None = None,
) -> sdl.Document:
    """Lay changes over one service of a valid document and return a valid document. Raises SdlError.

    `service` may be left out where there is one. `env` sets variables by name; None removes one. `accept` are the hosts
    of the shared ingress. `storage` gives volumes new sizes by name (`default` is the container's own disk).
    `placement` renames the only placement, which is the name of the group on the chain. `unique` is added to the name
    of every endpoint, because two deployments of one owner with the same name compete for the address.
    `ceiling_usd_month` sets the price ceilings so that all replicas together stay below it, in USD. `notice_h` asks
    bidders to promise that many hours of notice.
    """
    data = sdl.plain_copy(document.data)
    lists = {"command": command, "args": args}
    words = {"image": image} | {key: None if value is None else list(value) for key, value in lists.items()}
    if any(value is not None for value in (service, env, accept, count, cpu, memory, storage, *words.values())):
        name = _the_service(data, service)
        target = data["services"][name]
        target |= {key: value for key, value in words.items() if value is not None}
        if env is not None:
            target["env"] = _environment(target.get("env") or [], env)
        if accept is not None:
            _ingress_of(name, target)["accept"] = list(accept)
        for deployed in data["deployment"][name].values():
            if count is not None:
                deployed["count"] = count
            profile = deployed["profile"]
            _resize(data["profiles"]["compute"][profile]["resources"], profile, cpu, memory, storage)
    if placement is not None:
        _rename_placement(data, placement)
    if unique is not None:
        _rename_endpoints(data, unique)
    if ceiling_usd_month is not None:
        for (where, profile), amount in price.ceilings(data, ceiling_usd_month).items():
            data["profiles"]["placement"][where]["pricing"][profile] = {"denom": "uact", "amount": f"{amount:f}"}
    if notice_h is not None:
        data["reclamation"] = {"min_window": f"{notice_h}h"}
    made = sdl.with_data(document, data)
    report = sdl.check(made)
    if report.errors:
        raise SdlError(
            f"{document.name or 'the SDL document'} would not be valid with these changes",
            (Fault(problem.path, problem.message) for problem in report.errors),
        )
    return made


def _the_service(data: dict[str, Any], service: str | None) -> str:
    names = list(data["services"])
    if service is None and len(names) == 1:
        return str(names[0])
    if service is None or service not in names:
        asked = "name a service" if service is None else f"there is no service {service!r}"
        raise SdlError(f"the SDL document cannot be changed: {asked}; choose from {', '.join(names)}")
    return service


def _environment(lines: Sequence[str], wanted: Mapping[str, str | None]) -> list[str]:
    left = dict(wanted)
    made = []
    for line in lines:
        name = line.partition("=")[0]
        if name not in wanted:
            made.append(line)
        elif (value := left.pop(name, None)) is not None:
            made.append(f"{name}={value}")
    return made + [f"{name}={value}" for name, value in left.items() if value is not None]


def _ingress_of(name: str, service: dict[str, Any]) -> dict[str, Any]:
    for expose in service.get("expose") or ():
        if resources.ingress(expose) and any(to.get("global") for to in expose.get("to") or ()):
            found: dict[str, Any] = expose
            return found
    raise SdlError(
        f"the SDL document cannot accept hosts: service {name!r} shows no port 80 to the world; add `as: 80`"
    )


def _resize(
    asked: dict[str, Any],
    profile: str,
    cpu: str | float | None,
    memory: str | None,
    storage: Mapping[str, str] | None,
) -> None:
    if cpu is not None:
        asked["cpu"]["units"] = cpu
    if memory is not None:
        asked["memory"]["size"] = memory
    found = {volume.get("name") or "default": volume for volume in resources.volumes(asked)}
    for name, size in (storage or {}).items():
        if name not in found:
            raise SdlError(f"compute profile {profile!r} has no volume {name!r}; choose from {', '.join(found)}")
        found[name]["size"] = size


def _rename_placement(data: dict[str, Any], name: str) -> None:
    placements = data["profiles"]["placement"]
    if len(placements) != 1:
        raise SdlError("only a document with one placement can have it renamed; two placements are two leases")
    (old,) = placements
    data["profiles"]["placement"] = {name: placements[old]}
    data["deployment"] = {
        service: {name if where == old else where: deployed for where, deployed in places.items()}
        for service, places in data["deployment"].items()
    }


def _rename_endpoints(data: dict[str, Any], unique: str) -> None:
    suffix = re.sub(r"[^a-z0-9_-]+", "-", unique.lower())
    names = {name: f"{name}-{suffix}" for name in data.get("endpoints") or {}}
    if not names:
        return
    data["endpoints"] = {names[name]: endpoint for name, endpoint in data["endpoints"].items()}
    for service in data["services"].values():
        for expose in service.get("expose") or ():
            for to in expose.get("to") or ():
                if to.get("ip"):
                    to["ip"] = names[to["ip"]]
