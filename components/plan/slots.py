"""The table of modes: which slots of a placement a mode takes, and how their sites are named."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from ..config.models import Mode, Side

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..config.models import Placement, StackConfig, Workload
    from ..registry import Registry


class Slot(NamedTuple):
    """A place in a placement: the side, and which of the side's targets."""

    side: Side
    place: int


CENTRAL = Slot(Side.CENTRALIZED, 0)
DECENTRAL_1 = Slot(Side.DECENTRALIZED, 0)
DECENTRAL_2 = Slot(Side.DECENTRALIZED, 1)
DECENTRAL_3 = Slot(Side.DECENTRALIZED, 2)

#: The complete meaning of each mode: the slots that are taken, primary first. `active: decentralized` reverses
#: active-standby; a slot that the placement does not name stays empty. Only name servers fill the third one.
SITES: Mapping[Mode, tuple[Slot, ...]] = {
    Mode.CENTRALIZED: (CENTRAL,),
    Mode.ACTIVE_STANDBY: (CENTRAL, DECENTRAL_1),
    Mode.DECENTRALIZED: (DECENTRAL_1, DECENTRAL_2, DECENTRAL_3),
}


def everywhere(placement: Placement) -> tuple[Slot, ...]:
    """Return every slot that a placement fills in any mode. Name servers have no centralized site."""
    found = (CENTRAL, *SITES[Mode.DECENTRALIZED])[: 1 + len(placement.decentralized)]
    return found if placement.centralized else found[1:]


def taken(mode: Mode, active: Side, placement: Placement) -> tuple[Slot, ...]:
    """Return the slots that a mode takes, primary first."""
    found = tuple(slot for slot in SITES[mode] if slot in everywhere(placement))
    return found[::-1] if mode is Mode.ACTIVE_STANDBY and active is Side.DECENTRALIZED else found


def weights(workload: Workload, placement: Placement) -> dict[Slot, int]:
    """Return how many of 100 look-ups lead to each slot that is taken; empty where the primary answers all of them."""
    both = taken(workload.mode, workload.active, placement)
    if len(both) == 1 or not (workload.balance or workload.split):
        return {}
    share = dict.fromkeys(both, 50)
    if workload.split:
        share = {CENTRAL: 100 - workload.split.decentralized, DECENTRAL_1: workload.split.decentralized}
    return {slot: share[slot] for slot in both}


def target(placement: Placement, slot: Slot) -> str:
    """Return the target that a slot names."""
    return str(placement.centralized) if slot.side is Side.CENTRALIZED else placement.decentralized[slot.place]


def site_name(workload: str, placement: Placement, slot: Slot) -> str:
    """Return a site's name from its workload and target, never from mode, role or slot, so that a flip renames nothing.

    Where a target stands twice, the second site gets a number.
    """
    on = target(placement, slot)
    twice = Counter(placement.decentralized)[on] > 1 and slot.place > 0
    return f"{workload}-{on}-{slot.place + 1}" if twice else f"{workload}-{on}"


def filled(placement: Placement, registry: Registry) -> Placement:
    """Return a placement with the project's default targets where the stack file names none."""
    rented = [name for name, target in registry.targets.items() if target.rented]
    own = [name for name, target in registry.targets.items() if not target.rented]
    return placement.model_copy(
        update={
            "centralized": next(iter(own), "") if placement.centralized is None else placement.centralized,
            "decentralized": placement.decentralized or tuple(rented[:1]),
        }
    )


def site_host(stack: StackConfig, workload: str, placement: Placement, slot: Slot) -> str:
    """Return the site's own name in the zone."""
    suffix = f"-{stack.label}" if stack.label else ""
    return f"{site_name(workload, placement, slot)}{suffix}.{stack.zone}"


def peer(placement: Placement, slot: Slot) -> Slot:
    """Return the slot whose site's challenges for the public host may arrive at this one while it answers the host.

    It follows from the placement and not from the mode, because a flip must not change a site's own configuration.
    """
    other = DECENTRAL_2 if len(placement.decentralized) > 1 else CENTRAL
    return other if slot == DECENTRAL_1 else DECENTRAL_1
