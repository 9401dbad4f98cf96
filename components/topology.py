"""The result of planning: sites, names, actions and bills of a stack, as plain values."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from .config.own_names import KIND
from .config.signed import WHEN_SET
from .web import http

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import BaseModel

    from .action import Action
    from .config.models import Acme, Delegation, Mode, Placement, Side, Store
    from .config.signers import Signers
    from .config.standing import StandingRecord
    from .exposure import Exposure
    from .release import Release


class Role(StrEnum):
    """A site's role while every site is healthy."""

    PRIMARY = "primary"
    STANDBY = "standby"


@dataclass(frozen=True)
class Line:
    """One line of a monthly bill: its item, USD a month, and the source of the price.

    The planner sets `payee`, the target or authority that sends the bill, and the `site` of a target's lines. An
    authority sets the site of a line itself, or none where it bills the name.
    """

    what: str
    usd_month: float
    source: str
    site: str = ""
    payee: str = ""


@dataclass(frozen=True)
class Site:
    """One workload on one target. Nothing here depends on mode, role or release.

    `host` is the public name, `site_host` the site's own. Visitors of the names in `redirect_from` are redirected to
    `host`. `peer` is the site host of the site whose HTTP-01 challenges may arrive here, whether or not it stands now;
    empty where no site of the workload proves by HTTP-01.
    """

    name: str
    workload: str
    kind: str
    target: str
    host: str | None
    site_host: str
    peer: str
    exposure: Exposure
    acme: Acme
    options: BaseModel
    redirect_from: tuple[str, ...] = ()

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names that the site answers to, the public one first."""
        return (*((self.host,) if self.host else ()), self.site_host, *self.redirect_from)

    @property
    def mark(self) -> str:
        """The second line of the /healthz answer, the same for every release: health checks recognise the site by it.

        It is a hash, because a stranger at a former address of the site may echo the name in the request.
        """
        return f"unmoor-{hashlib.sha256(f'{self.workload} {self.site_host}'.encode()).hexdigest()[:16]}"

    @property
    def scheme(self) -> str:
        """The scheme that visitors can use without a certificate warning."""
        return self.exposure.scheme

    @property
    def health_url(self) -> str:
        """The URL at which the site answers its release, under the public host's name."""
        return http.url(self.host or self.site_host, http.HEALTH_PATH, self.scheme)


@dataclass(frozen=True)
class Member:
    """A site's place in a name's set."""

    site: str
    role: Role


@dataclass(frozen=True)
class Name:
    """A public name: a set of members, primary first. Record types belong to the authority."""

    host: str
    members: tuple[Member, ...]


@dataclass(frozen=True)
class Control:
    """A company that alone can switch something off, and that thing: `AWS` and `the zone`."""

    company: str
    what: str

    def __str__(self) -> str:
        return f"{self.company} alone can still switch this off: {self.what}"


def identity(workload: str, label: str | None) -> str:
    """Return a workload's name where several stacks meet. No workload's own name contains a dot."""
    return f"{workload}.{label}" if label else workload


def _unsigned(**more: Any) -> Any:
    return field(metadata={"signed": False}, **more)


@dataclass(frozen=True)
class WorkloadPlan:
    """Everything about one workload.

    `sites` stand in this mode, primary first. `weights` is how many of 100 look-ups lead to each, empty where the
    primary answers all of them. `everywhere` are the sites of every slot of the placement. `cold` are standbys that are
    not built: a person starts them by a flip; `cold_usd_month` is what they cost while they run.
    `adopt` is what stood at the public names before; the stack replaces it, and puts it back when the workload is
    removed.
    `label` is the stack's name in names that several stacks could use. `losses` is what an operator should know before
    agreeing. `failover_s` is the time in seconds until every visitor that honours TTLs has followed a failover,
    `kept_s` the time in seconds that resolvers keep an answer that leads to a site.
    """

    name: str
    kind: str
    mode: Mode
    active: Side
    host: str | None
    release: Release
    placement: Placement
    options: BaseModel
    sites: tuple[Site, ...]
    everywhere: tuple[Site, ...]
    names: tuple[Name, ...]
    stores: Mapping[str, Store]
    retain: int
    adopt: tuple[StandingRecord, ...] = field(default=(), metadata={"signed": WHEN_SET})
    label: str = field(default="", metadata={"signed": WHEN_SET})
    weights: Mapping[str, int] = field(default_factory=dict, metadata={"signed": WHEN_SET})
    bill: tuple[Line, ...] = _unsigned(default=())
    losses: tuple[str, ...] = _unsigned(default=())
    central: tuple[Control, ...] = _unsigned(default=())
    failover_s: int = _unsigned(default=0)
    cold: tuple[Site, ...] = _unsigned(default=())
    cold_usd_month: float = _unsigned(default=0)
    kept_s: Mapping[str, int] = _unsigned(default_factory=dict)

    @property
    def usd_month(self) -> float:
        """USD a month, all lines, rounded to cents."""
        return round(sum(line.usd_month for line in self.bill), 2)

    @property
    def primary(self) -> Site:
        """The site that answers while every site is healthy."""
        return self.sites[0]

    @property
    def roles(self) -> dict[str, Role]:
        """The role of each site that stands, by name, primary first."""
        return {site.name: Role.STANDBY if index else Role.PRIMARY for index, site in enumerate(self.sites)}

    @property
    def url(self) -> str:
        """The URL that visitors use while every site is healthy; empty for a workload without a host."""
        return http.url(self.host, scheme=self.primary.scheme) if self.host else ""

    @property
    def identity(self) -> str:
        """The workload's name where several stacks meet; the keys of its objects begin with it."""
        return identity(self.name, self.label)

    @property
    def claimed(self) -> tuple[str, ...]:
        """The names that no other stack may use: of its objects, and of every site that the placement can have."""
        hosts = sorted({host for site in self.everywhere for host in site.hosts})
        # Two stacks with name servers for one zone would overwrite it. No host begins with an underscore.
        zone = [f"_zone.{self.options.zone}"] if self.kind == KIND else []  # type: ignore[attr-defined]
        return (self.identity, *hosts, *zone)

    def stood(self, host: str) -> tuple[StandingRecord, ...]:
        """Return what stood at one of the public names before the stack took it; nothing where the name was free."""
        return tuple(one.model_copy(update={"at": None}) for one in self.adopt if (one.at or self.host) == host)

    @property
    def adopted(self) -> dict[str, tuple[StandingRecord, ...]]:
        """Return what stood at each public name that was not free, the host first."""
        names = (each.host for each in self.names)
        return {name: found for name in names if (found := self.stood(name))}

    def named(self, site: Site) -> str:
        """Return a site's name with its stack's, which is unique among stacks that share an account."""
        return f"{site.name}-{self.label}" if self.label else site.name

    def site(self, name: str) -> Site:
        """Return a standing site by its name."""
        return next(site for site in self.sites if site.name == name)


@dataclass(frozen=True)
class NameServer:
    """One of the stack's own name servers: its site, that site's target, and its name in the zone."""

    site: str
    target: str
    host: str


@dataclass(frozen=True)
class OwnServers:
    """The stack's own name servers, and the stores from which they take the zone.

    `folder` is the folder of bundles in each of `stores`; `records` is a hash of the zone's records that are not ours.
    """

    servers: tuple[NameServer, ...]
    stores: Mapping[str, Store]
    folder: str
    records: str = ""


@dataclass(frozen=True)
class ZonePlan:
    """The zone that all hosts lie in: its name, its id where the name is not unique, and its authority.

    `ttl` is the number of seconds that resolvers may keep an answer of a failover name. `delegation` is the parent's
    data. `own` are the stack's own name servers, None if only a vendor's answer.
    """

    name: str
    id: str | None
    ttl: int
    authorities: tuple[str, ...]
    delegation: Delegation | None = field(default=None, metadata={"signed": WHEN_SET})
    own: OwnServers | None = field(default=None, metadata={"signed": WHEN_SET})


@dataclass(frozen=True)
class Topology:
    """A whole stack as it should be.

    `settings` are those of other plug-ins, which decide where things are built. `signers` approve the next plan.
    """

    zone: ZonePlan
    acme: Acme
    workloads: tuple[WorkloadPlan, ...]
    require_approval: bool
    signers: Signers | None
    settings: Mapping[str, Any]
    actions: tuple[Action, ...] = _unsigned(default=())

    def of(self, workload: str) -> tuple[Action, ...]:
        """Return the actions of one workload, in order; with an empty name, those of the stack."""
        return tuple(self._by_workload.get(workload, ()))

    @functools.cached_property
    def _by_workload(self) -> dict[str, list[Action]]:
        found: dict[str, list[Action]] = {}
        for action in self.actions:
            found.setdefault(action.workload, []).append(action)
        return found
