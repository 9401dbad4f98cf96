"""Collect the checks of a stack, and run them concurrently, each within the same few seconds."""

from __future__ import annotations

import functools
import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..dns import delegation
from ..errors import ConfigError, Fault, UnmoorError
from ..limits import DOCTOR_S as WITHIN_S
from ..needs import Check, Finding, State, unseen
from ..text.escape import outside
from . import hosts, stores

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..needs import Grant, Needs
    from ..registry import Registry
    from ..topology import Topology

#: Tries before an update is refused, and the seconds between two: a recent change may not be visible yet.
LOOKS, PAUSE_S = 3, 2.0


@dataclass(frozen=True)
class Looked:
    """A check by its name, and its findings."""

    name: str
    findings: tuple[Finding, ...]

    @property
    def state(self) -> State:
        """The worst state among the findings."""
        order = [State.NOT_READY, State.UNSEEN, State.CAUTION, State.READY]
        return min((finding.state for finding in self.findings), key=order.index, default=State.READY)


def needs(topology: Topology, registry: Registry) -> list[Needs]:
    """Return what each authority and each target of the placements needs."""
    targets = sorted({site.target for plan in topology.workloads for site in plan.everywhere})
    return [
        *(registry.authorities[name].needs(topology) for name in topology.zone.authorities),
        *(registry.targets[name].needs(topology) for name in targets),
    ]


def checks(topology: Topology, registry: Registry, stack: str) -> Iterator[Check]:
    """Yield the checks of authorities, targets, kinds and stores; `stack` is the stack as `PROJECT/STACK`."""
    from ..targets.aws import account

    for each in needs(topology, registry):
        yield from each.checks
    if used := _merged(_of_sites(topology, registry)):
        yield Check("rights of sites at AWS", functools.partial(account.rights, used))
    for plan in topology.workloads:
        for site in plan.sites:
            yield from registry.implementations(plan.kind)[site.target].checks(site, plan, stack)
    yield from hosts.checks(topology)
    yield from stores.checks(topology, stack)
    yield from delegation.checks(topology)


def grants(topology: Topology, registry: Registry) -> tuple[Grant, ...]:
    """Return every right at AWS that a deployment of the stack uses, in every mode of its placements; each once."""
    named = [grant for each in needs(topology, registry) for grant in each.grants]
    return _merged((*named, *_of_sites(topology, registry), *stores.grants(topology)))


def _of_sites(topology: Topology, registry: Registry) -> Iterator[Grant]:
    """Yield the rights at AWS that kinds need for every site of the placements."""
    for plan in topology.workloads:
        for site in plan.everywhere:
            yield from registry.implementations(plan.kind)[site.target].grants(site, plan)


def _merged(grants: Iterable[Grant]) -> tuple[Grant, ...]:
    """Return each right once, with the resources of all rights of its name."""
    made: dict[str, Grant] = {}
    for grant in grants:
        known = made.get(grant.name, grant)
        made[grant.name] = replace(known, resources=tuple(dict.fromkeys((*known.resources, *grant.resources))))
    return tuple(made.values())


def look(wanted: Iterable[Check], within_s: float = WITHIN_S) -> list[Looked]:
    """Run every check in a thread of its own, and return the findings in order; of one name, the first check.

    A check that does not end in time is abandoned, and ends with the process.
    """
    named: dict[str, Check] = {}
    for check in wanted:
        named.setdefault(check.name, check)
    shown: dict[str, tuple[Finding, ...]] = {}

    def make(check: Check) -> None:
        shown[check.name] = _findings(check)

    threads = [threading.Thread(target=make, args=(check,), daemon=True) for check in named.values()]
    for thread in threads:
        thread.start()
    end = time.monotonic() + within_s
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    late = (unseen(f"no answer in {within_s:g} s", "look at the network, and run it again"),)
    return [Looked(name, shown.get(name, late)) for name in named]


def _findings(check: Check) -> tuple[Finding, ...]:
    try:
        return tuple(check.look())
    except UnmoorError as error:
        return (unseen(str(error)),)
    except Exception as error:  # noqa: BLE001 an exception of a check becomes its finding
        return (unseen(outside(f"{type(error).__name__}: {error}")),)


def demand(topology: Topology, registry: Registry, stack: str) -> None:
    """Raise ConfigError for what would make an update fail after minutes of building; unobserved things pass.

    What is not ready is checked again, because a change may become visible seconds late.
    """
    late = [check for check in checks(topology, registry, stack) if check.late]
    paths = {check.name: check.path or check.name for check in late}
    for attempt in range(LOOKS):
        time.sleep(PAUSE_S if attempt else 0.0)
        found = [each for each in look(late) if each.state is State.NOT_READY]
        late = [check for check in late if check.name in {each.name for each in found}]
        if not found:
            return
    faults = [
        Fault(paths[each.name], f"{finding.sentence}; {finding.mend}")
        for each in found
        for finding in each.findings
        if finding.state is State.NOT_READY
    ]
    raise ConfigError("the update would fail late; `unmoor doctor` looks at everything", faults)
