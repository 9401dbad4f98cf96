"""The actions that take an adopted host, and give it back when its stack is removed. Pure."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from ...action import Action, Phase, Run, round_of
from ...topology import Role
from ..zone import sets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...topology import WorkloadPlan, ZonePlan
    from ..zone import Member


def host_caa(plan: WorkloadPlan, zone: ZonePlan, host: str) -> dict[str, Any] | None:
    """Return the values and the TTL of our CAA record of a public name; None if it has none."""
    own = (rrset for rrset in sets(plan, zone) if rrset.type == "CAA" and rrset.host == host)
    return next(({"ttl": rrset.ttl, "values": list(rrset.values)} for rrset in own), None)


def take(
    plan: WorkloadPlan, zone: ZonePlan, host: str, member: Member, place: Mapping[str, Any], handle: object
) -> Action:
    """Return the actions before a member's record at an adopted host.

    The primary's action replaces what stands at the host in one change. The standby's action creates its record if it
    is missing, because the engine does not know that the host was given back. `place` and `handle` are the inputs of
    these programs about the record and the zone.
    """
    from ...config.standing import phrase  # steps load this module, and pydantic loads slowly

    given = stood(plan, zone, host, handle)
    where = {"round": round_of(host), str(member.role): place}
    action = Action(
        f"{host}-join",
        Phase.ROUTE,
        "join",
        host,
        Run("join", {"zone": handle, "host": host} | where),
        site=member.site.name,
        detail="the standby gets its place back after the host was given back",
        before=(f"{host}/{member.role}",),
    )
    if member.role is not Role.PRIMARY:
        return action
    return dataclasses.replace(
        action,
        name=f"{host}-adopt",
        verb="adopt",
        does=Run("adopt", given | where, removes=True),
        detail=f"{phrase(plan.stood(host))} is replaced in one change",
        after=() if member.weight is None else (f"{host}/split/{member.site.name}",),
        before=(*action.before, *([f"{host}-caa"] if given["caa"] else [])),
    )


def leave(plan: WorkloadPlan, zone: ZonePlan, host: str, handle: object) -> Action:
    """Return the action that runs before anything else on removal, so that the name always has an answer."""
    from ...config.standing import phrase  # pydantic loads slowly

    adopted = plan.stood(host)
    given = stood(plan, zone, host, handle) if adopted else {"host": host, "records": []}
    back = f"{phrase(adopted)} is put back in one change" if adopted else "the name ends with the stack"
    does = Run("leave", given, on_delete=True)
    return Action(f"{host}-leave", Phase.CONFIRM, "leave", host, does, detail=f"on removal, {back}")


def stood(plan: WorkloadPlan, zone: ZonePlan, host: str, handle: object) -> dict[str, Any]:
    """Return the inputs of the programs of adoption: the name, the records that stood there, and our CAA record."""
    return {
        "zone": handle,
        "apex": zone.name,
        "host": host,
        "records": [record.model_dump(mode="json", exclude_defaults=True) for record in plan.stood(host)],
        "caa": host_caa(plan, zone, host),
    }
