"""The interface of an authority: who answers for the names of a zone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    import pulumi

    from .action import Action
    from .config.standing import StandingRecord
    from .errors import Fault
    from .exposure import Exposure
    from .needs import Needs
    from .topology import Line, Topology, WorkloadPlan, ZonePlan


@dataclass(frozen=True)
class Survey:
    """What stands at a workload's host and is not the stack's, in the form of `adopt`, and what hinders an update.

    Paths of faults are relative to the workload.
    """

    records: tuple[StandingRecord, ...] = ()
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True)
class ProofRecord:
    """A record by which an issuer verifies that a host is ours: name, type and value, known only later."""

    name: pulumi.Input[str]
    type: pulumi.Input[str]
    value: pulumi.Input[str]


class DeployedZone(Protocol):
    """A zone at one authority, in one deployment."""

    @property
    def handle(self) -> Mapping[str, Any]:
        """Return what a program needs to query this authority: its name, and the zone in its own terms."""
        ...

    def register(self, name: str, what: Mapping[str, Any], opts: pulumi.ResourceOptions) -> pulumi.Resource:
        """Register the one resource of an Entry of this authority; `what` holds Outputs in place of Refs."""
        ...

    def prove(self, name: str, record: ProofRecord, opts: pulumi.ResourceOptions) -> pulumi.Output[str]:
        """Publish a proof as the resource `name`, and return the record's full name once it is published."""
        ...


class Authority(Protocol):
    """Who answers for the names of a zone. All methods but `zone`, `zones` and `current` are pure.

    The observations in `needs` are made later.
    `company` is the vendor that can switch the zone off; None where it is the stack's own servers.
    """

    @property
    def name(self) -> str:
        """The name that stack files use."""
        ...

    @property
    def company(self) -> str | None:
        """The vendor that can switch the zone off."""
        ...

    def refuses(self, plan: WorkloadPlan, zone: ZonePlan) -> Iterable[Fault]:
        """Return faults of what cannot be published; paths are relative to the workload."""
        ...

    def notes(self, plan: WorkloadPlan, zone: ZonePlan) -> Iterable[str]:
        """Return what an operator should know before agreeing, one sentence each."""
        ...

    def answer_ttl(self, exposure: Exposure, ttl: int) -> int:
        """Return the time in seconds that resolvers keep an answer that leads to a site; `ttl` is the zone's."""
        ...

    def detection_s(self) -> int:
        """Return the time in seconds after which a silent site is taken out of a name."""
        ...

    def needs(self, topology: Topology) -> Needs:
        """Return what an update of a stack needs of this authority: checks and rights."""
        ...

    def zones(self) -> list[str]:
        """Return the names of the public zones that this process can see, asked of the authority."""
        ...

    def bill(self, plan: WorkloadPlan, zone: ZonePlan) -> Iterable[Line]:
        """Return what the authority bills for a workload, in USD a month."""
        ...

    def actions(self, plan: WorkloadPlan, zone: ZonePlan) -> Iterable[Action]:
        """Return a workload's Entries, one for each member of a name, and the Runs that belong to them."""
        ...

    def current(self, handle: Mapping[str, Any], host: str) -> list[str]:
        """Ask the authority where a host's records lead now. Return addresses and names, each once."""
        ...

    def zone(self, zone: ZonePlan, opts: pulumi.InvokeOptions) -> DeployedZone:
        """Return the zone in a deployment."""
        ...


@runtime_checkable
class ReadsZone(Protocol):
    """An authority whose API shows every record of a zone, also those of a standby, which name servers hide."""

    def leading(self, places: Collection[str], hosts: Collection[str]) -> list[str] | None:
        """Return the records that lead to one of `places`, in the zones that `hosts` lie in, or in all zones.

        Return None where this authority holds no such zone. Raises Unanswered when it does not answer.
        """
        ...


@runtime_checkable
class Adopts(Protocol):
    """An authority that can take over a host that holds records of another party, and give it back."""

    def survey(self, plan: WorkloadPlan, zone: ZonePlan) -> Survey:
        """Return what stands at a workload's host before an update. Raises StepError when it cannot be asked."""
        ...

    def give_back(self, plan: WorkloadPlan, zone: ZonePlan, report: Callable[[str], None]) -> bool:
        """Put back what stood at an adopted host, in one change; return whether there was anything to change.

        Raises StepError when the authority refuses.
        """
        ...


@runtime_checkable
class OnServers(Protocol):
    """An authority that answers from the stack's own name servers, which `unmoor:dns: {servers: …}` places."""

    def refuses_zone(self, plans: Sequence[WorkloadPlan], zone: ZonePlan) -> Iterable[Fault]:
        """Return faults of the zone with the records of all workloads and those that are not ours."""
        ...
