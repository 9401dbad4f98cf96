"""What the adoption of a live host requires of a plan. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..authority import Adopts
from ..config.models import Mode
from ..errors import Fault
from ..exposure import Proof

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..authority import Authority
    from ..config.models import Workload
    from ..topology import Site, WorkloadPlan

#: How a site proves its right to a certificate for a host that still leads elsewhere.
_BEFORE = Proof.DNS


def host_faults(workload: Workload, path: str) -> Iterator[Fault]:
    """Return faults of an adoption without a host, or of a name that is not the workload's."""
    if workload.adopt and workload.host is None:
        yield Fault(f"{path}.adopt", "there is no host that could be adopted; give `host`, or take this out")
    names = workload.redirect_from
    for index, record in enumerate(workload.adopt):
        if record.at is not None and record.at not in names:
            choice = f"choose from {', '.join(names)}" if names else "there are none"
            yield Fault(
                f"{path}.adopt[{index}].at",
                f"{record.at} is no name of `redirect_from` ({choice}); take it out for what stands at the host",
            )


def faults(plan: WorkloadPlan, authorities: Iterable[Authority]) -> Iterator[Fault]:
    """Return faults of a primary that gets no certificate while the host leads elsewhere; paths are the workload's.

    HTTP-01 asks the server that answers the host (RFC 8555 §8.3), which is the old vendor's until the change.
    """
    if plan.adopt:
        for authority in authorities:
            if not isinstance(authority, Adopts):
                yield Fault(
                    "adopt", f"{authority.name} cannot take over a host; free the host first, and take this out"
                )
    if not plan.adopt or plan.primary.exposure.proof is _BEFORE:
        return
    why = f"{plan.host} is live elsewhere, and {plan.primary.name} gets no certificate for it before it leads there"
    ready = next((site for site in plan.everywhere if site.exposure.proof is _BEFORE), None)
    yield Fault("mode", f"{why}; {_flips(plan, ready)}")


def _flips(plan: WorkloadPlan, ready: Site | None) -> str:
    if ready is None or ready is not plan.everywhere[0]:
        return "give `placement.centralized` a target that proves names by a DNS record, and adopt with it as primary"
    standby = plan.mode is Mode.ACTIVE_STANDBY
    first = "`active: centralized`" if standby else f"`mode: {Mode.CENTRALIZED}`"
    then = "`active: decentralized`" if standby else f"`mode: {plan.mode}`"
    return (
        f"adopt it in two flips: write {first} and update, so that {ready.name} takes the host; "
        f"then take `adopt` out, write {then} and update again"
    )
