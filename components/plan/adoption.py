"""What the adoption of a live host requires of a plan. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..authority import Adopts
from ..config.models import Mode
from ..errors import Fault
from ..exposure import Proof

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ..authority import Authority
    from ..config.models import Workload
    from ..kind import Implementation
    from ..topology import WorkloadPlan

#: How a site proves its right to a certificate for a host that still leads elsewhere.
_BEFORE = Proof.DNS
#: What remains to do where nothing can take the host over.
_FREE = "free the host first, and take this out"


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


def faults(
    plan: WorkloadPlan, authorities: Sequence[Authority], on: Mapping[str, Implementation[Any]]
) -> Iterator[Fault]:
    """Return faults of an adoption that no authority or no site can make; paths are the workload's.

    A primary may get no certificate while the host leads elsewhere: HTTP-01 asks the server that answers the host
    (RFC 8555 §8.3), which is the old vendor's until the change. `on` are the targets of the kind.
    """
    if not plan.adopt:
        return
    able = [authority.name for authority in authorities if isinstance(authority, Adopts)]
    for authority in authorities:
        if authority.name not in able:
            mend = f"adopt it at {able[0]} alone, then add {authority.name}" if able else _FREE
            yield Fault("adopt", f"{authority.name} cannot take over a host; {mend}")
    if not able or plan.primary.exposure.proof is _BEFORE:
        return
    why = f"{plan.host} is live elsewhere, and {plan.primary.name} gets no certificate for it before it leads there"
    ready = [name for name, each in on.items() if each.exposure(plan.options, plan.primary.acme).proof is _BEFORE]
    if ready:
        yield Fault("mode", f"{why}; {_flips(plan, ready)}")
    else:
        yield Fault("adopt", f"{why}, nor does any site of a {plan.kind}; {_FREE}")


def _flips(plan: WorkloadPlan, ready: Sequence[str]) -> str:
    central = plan.everywhere[0]
    if central.target not in ready:
        target = f"a target that proves names by a DNS record ({', '.join(ready)})"
        return f"give `placement.centralized` {target}, and adopt with it as primary"
    standby = plan.mode is Mode.ACTIVE_STANDBY
    first = "`active: centralized`" if standby else f"`mode: {Mode.CENTRALIZED}`"
    then = "`active: decentralized`" if standby else f"`mode: {plan.mode}`"
    return (
        f"adopt it in two flips: write {first} and update, so that {central.name} takes the host; "
        f"then take `adopt` out, write {then} and update again"
    )
