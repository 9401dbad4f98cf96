"""Who answers for the names of a zone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    import pulumi

    from .action import Action
    from .config.standing import StandingRecord
    from .errors import Fault
    from .exposure import Exposure
    from .needs import Needs
    from .topology import Line, Topology, WorkloadPlan, ZonePlan


@dataclass(frozen=True)
class Survey:
    """What stands at a workload's host that is not the stack's, as `adopt` names it, and what hinders an update.

    Paths of faults are relative to the workload.
    """

    records: tuple[StandingRecord, ...] = ()
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True)
class ProofRecord:
    """A record by which an issuer sees that a host is ours: its name, type and value, known later."""

    name: pulumi.Input[str]
    type: pulumi.Input[str]
    value: pulumi.Input[str]


class DeployedZone(Protocol):
    """A zone at one authority, in one deployment."""

    @property
    def handle(self) -> Mapping[str, Any]:
        """Return what a program needs to ask this authority: its name, and the zone as it knows it."""
        ...

    def register(self, name: str, what: Mapping[str, Any], opts: pulumi.ResourceOptions) -> pulumi.Resource:
        """Register the one resource of an Entry of this authority; `what` has Outputs in place of Refs."""
        ...

    def prove(self, name: str, record: ProofRecord, opts: pulumi.ResourceOptions) -> pulumi.Output[str]:
        """Publish a proof as the resource `name`, and return the record's full name once it is published."""
        ...


class Authority(Protocol):
    """Who answers for the names of a zone. All but `zone`, `zones` and `current` is pure.

    The looks in `needs` are taken later.
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
        """Name what cannot be published; paths are relative to the workload."""
        ...

    def notes(self, plan: WorkloadPlan, zone: ZonePlan) -> Iterable[str]:
        """Name what an operator should know before agreeing, one sentence each."""
        ...

    def answer_ttl(self, exposure: Exposure, ttl: int) -> int:
        """Return for how many seconds resolvers keep an answer that leads to a site; `ttl` is the zone's."""
        ...

    def detection_s(self) -> int:
        """Return after how many seconds a silent site is taken out of a name."""
        ...

    def needs(self, topology: Topology) -> Needs:
        """Return what an update of a stack needs of this authority: checks, and rights."""
        ...

    def zones(self) -> list[str]:
        """Ask the authority for the names of the public zones that this process can see."""
        ...

    def bill(self, plan: WorkloadPlan, zone: ZonePlan) -> Iterable[Line]:
        """Return what the authority bills a month for a workload."""
        ...

    def actions(self, plan: WorkloadPlan, zone: ZonePlan) -> Iterable[Action]:
        """Return the Entries of a workload, one a member of a name, and the Runs that go with them."""
        ...

    def current(self, handle: Mapping[str, Any], host: str) -> list[str]:
        """Ask the authority where a host's records lead now: addresses and names, each once."""
        ...

    def zone(self, zone: ZonePlan, opts: pulumi.InvokeOptions) -> DeployedZone:
        """Return the zone in a deployment."""
        ...


@runtime_checkable
class ReadsZone(Protocol):
    """An authority whose API shows every record of a zone, those of a standby too, which name servers do not show."""

    def leading(self, places: Collection[str], hosts: Collection[str]) -> list[str] | None:
        """Name the records that lead to one of some addresses and names, in the zones that the hosts lie in, or in all.

        None where this authority holds no such zone. Raises Unanswered when it does not answer.
        """
        ...


@runtime_checkable
class Adopts(Protocol):
    """An authority that can take over a host which holds records of another party, and give it back."""

    def survey(self, plan: WorkloadPlan, zone: ZonePlan) -> Survey:
        """Ask what stands at a workload's host before an update. Raises StepError when it cannot be asked."""
        ...

    def give_back(self, plan: WorkloadPlan, zone: ZonePlan, report: Callable[[str], None]) -> bool:
        """Put back what stood at an adopted host, in one change; return whether there was anything to change.

        Raises StepError when the authority refuses.
        """
        ...
