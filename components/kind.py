"""What a kind of workload is: its options, its release, and one implementation for each target."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import BaseModel

from .action import Ref, Run
from .topology import Member, Name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    import pulumi

    from .action import Action
    from .authority import DeployedZone, ProofRecord
    from .config.models import Acme
    from .errors import Fault
    from .exposure import Endpoint, Exposure
    from .needs import Check, Grant
    from .release import Release
    from .topology import Line, Site, WorkloadPlan

O = TypeVar("O", bound=BaseModel)  # noqa: E741 the field's name for a kind's options in one letter


class State(StrEnum):
    """What is lost with a site."""

    NONE = "none"  #: nothing
    REBUILDABLE = "rebuildable"  #: what the stores hold
    WRITER = "writer"  #: data that one site alone may write


class Rollout(StrEnum):
    """How a new release reaches the sites."""

    ONE_BY_ONE = "one-by-one"  #: the next site after the one before it was confirmed
    TOGETHER = "together"


@dataclass(frozen=True)
class Deployed:
    """A standing site.

    `operator` runs the machine. `identity` changes when another site stands behind the same name. `resource` is the one
    resource of this action, directly below the Workload. `outputs` are what other actions may read by a Ref.
    """

    endpoint: pulumi.Output[Endpoint]
    operator: pulumi.Output[str]
    identity: pulumi.Output[str]
    resource: pulumi.Resource
    outputs: Mapping[str, pulumi.Output[Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Context:
    """What deployment gives to one action.

    `opts` holds parent and dependencies: pass it to the one resource as it is. `value` returns plain data with Outputs
    in place of Refs. `avoid` are the operators that the site must not share, `apart` the names of the sites whose
    operators these are and will be, looked up when it is rented. `shared` are the outputs of what it has in common with
    sites of other workloads, by that site's name. `left` is what `Implementation.left` found. `zones` are the zone at
    each authority.
    `run` registers a program of `steps` inside the resource, by name, program and input; it gives what that printed.
    """

    opts: pulumi.ResourceOptions
    plan: WorkloadPlan
    value: Callable[[Any], Any]
    run: Callable[[str, str, Mapping[str, Any], pulumi.ResourceOptions], pulumi.Output[str]]
    avoid: tuple[pulumi.Output[str], ...] = ()
    apart: tuple[str, ...] = ()
    shared: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    left: str = ""
    zones: tuple[DeployedZone, ...] = ()

    def prove(self, name: str, record: ProofRecord, opts: pulumi.ResourceOptions) -> list[pulumi.Output[str]]:
        """Publish a proof of ownership at every authority, the first's resource named `name`; return the full names."""
        names = (name, *(f"{zone.handle['authority']}:{name}" for zone in self.zones[1:]))
        return [zone.prove(each, record, opts) for zone, each in zip(self.zones, names, strict=True)]


class Implementation(ABC, Generic[O]):
    """One kind on one target. Everything but `deploy` is pure."""

    @abstractmethod
    def exposure(self, options: O, acme: Acme) -> Exposure:
        """Return how a site will be reached; `acme` is the issuer that the stack names."""

    def bill(self, options: O, release: Release) -> Iterable[Line]:  # noqa: ARG002 a default
        """Return what the target bills a month for one site."""
        return ()

    def losses(self, options: O) -> Iterable[str]:  # noqa: ARG002 a default
        """Name what does not survive on this target, one sentence each."""
        return ()

    def notes(self, plan: WorkloadPlan) -> Iterable[str]:  # noqa: ARG002 a default
        """Name what else an operator should know of a site of the workload on this target, one sentence each."""
        return ()

    def refuses(self, options: O, release: Release) -> Iterable[Fault]:  # noqa: ARG002 a default
        """Name what cannot run here; paths are relative to the options."""
        return ()

    def refuses_at(self, site: Site, release: Release) -> Iterable[Fault]:  # noqa: ARG002 a default
        """Name what cannot run under a site's names; paths are relative to the options."""
        return ()

    def actions(self, site: Site, plan: WorkloadPlan) -> Iterable[Action]:  # noqa: ARG002 a default
        """Return what only this target needs, such as filling a bucket."""
        return ()

    def checks(self, site: Site, plan: WorkloadPlan, stack: str) -> Iterable[Check]:  # noqa: ARG002 a default
        """Return the checks before an update that only this kind on this target needs; `stack` is `PROJECT/STACK`."""
        return ()

    def left(self, sites: Sequence[tuple[Site, WorkloadPlan]]) -> Mapping[str, str]:  # noqa: ARG002 a default
        """Return the ids of what an interrupted update made of sites and no state may know, by site; none by default.

        They are looked up for sites that the last finished update did not have, only where making one again would fail.
        Raises StepError if the cloud does not answer.
        """
        return {}

    def credentials(self, options: O) -> Mapping[str, int]:  # noqa: ARG002 a default
        """Return the variables of the process without which an update cannot make a site, and their fewest characters.

        They are asked for beyond those of the target.
        """
        return {}

    def shares(self, options: O) -> Iterable[str]:  # noqa: ARG002 a default
        """Name the kinds of which a stack has one here for all sites that share it: kinds that no stack file names."""
        return ()

    def delivers(self, site: Site, secrets: Sequence[str]) -> Iterable[str]:  # noqa: ARG002 a default
        """Return the names of the resources that hand over secrets of a site, given by name."""
        return ()

    def grants(self, site: Site, plan: WorkloadPlan) -> Iterable[Grant]:  # noqa: ARG002 a default
        """Return the rights at AWS that an update of the site uses, beyond those that its target names."""
        return ()

    @abstractmethod
    def deploy(self, site: Site, context: Context) -> Deployed:
        """Register the site as one resource named `site.name`, with `context.opts`."""


class Kind(ABC, Generic[O]):
    """A kind of workload. The keys of `on` are its declared capability: the targets it runs on."""

    name: str
    options: type[O]
    state: State = State.NONE
    rollout: Rollout = Rollout.ONE_BY_ONE
    needs_host: bool = True
    written: bool = True  #: whether stack files name it; other kinds come from another setting
    most_sharing: int | None = None  #: how many sites may have one of it in common; None for what none share
    own_stores: bool = False  #: whether its options, instead of `backup`, name the stores of its copies
    redirects: bool = False  #: its sites can lead visitors of other hosts to their own
    on: Mapping[str, Implementation[O]]

    @abstractmethod
    def release(self, options: O, root: Path) -> Release:
        """Return the release to serve now; the only function of a kind that reads the disk, below `root`.

        Raises ConfigError with every fault, paths relative to the options, and NotBuiltError when there is nothing yet.
        """

    def declared(self, options: O) -> Release | None:  # noqa: ARG002 a default
        """Return the release if the options alone determine it; None where the disk does."""
        return None

    def secrets(self, options: O) -> Mapping[str, str]:  # noqa: ARG002 a default
        """Return the environment variables whose values only an update may read, by path in the options.

        They have to be set during an update, and never in a preview.
        """
        return {}

    def secrets_of(self, plan: WorkloadPlan) -> Mapping[str, str]:
        """Return the same for the sites that a plan has, by path in the options."""
        return self.secrets(plan.options)  # type: ignore[arg-type]

    def refuses(self, plan: WorkloadPlan) -> Iterable[Fault]:  # noqa: ARG002 a default
        """Return faults of what cannot be built in this mode and placement; paths are relative to the workload."""
        return ()

    def cold(self, options: O) -> bool:  # noqa: ARG002 a default
        """Return whether a standby is only planned and priced, and starts when a person makes it the active side."""
        return False

    def names(self, plan: WorkloadPlan) -> Iterable[Name]:
        """Return the public names, the host first: by default the same failover set for all of them."""
        members = tuple(Member(site, role) for site, role in plan.roles.items())
        return [Name(host, members) for host in (plan.host, *plan.primary.redirect_from) if host]

    def check(self, site: Site, release: Release) -> Run:
        """Return the probe that a site has to pass: by default /healthz answers release and mark, at its address."""
        given = {"url": site.health_url, "version": release.id, "mark": site.mark, "at": Ref(site.name, "at")}
        # These inputs do not change the answer. A site that answers other names than before is probed again.
        return Run("probe", given | ({"others": list(site.redirect_from)} if site.redirect_from else {}))

    def awaits(self, plan: WorkloadPlan, site: Site, *, moved: bool) -> tuple[Run, str]:
        """Return the check of a site before its record leads to it, or after that (`moved`), and its description."""
        valid = ", with a certificate that browsers accept" if site.scheme == "https" else ""
        before = f"must answer {plan.release.short} at its address{valid}"
        return self.check(
            site, plan.release
        ), f"{site.health_url} {'must answer so once its record stands' if moved else before}"

    def actions(self, plan: WorkloadPlan) -> Iterable[Action]:  # noqa: ARG002 a default
        """Return the actions of the whole workload: Runs only."""
        return ()
