"""What planning produces: the sites, records, backups and steps of every workload, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from ..web import http as front

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import BaseModel

    from ..config.models import Acme, Mode, Side, Store


class Role(StrEnum):
    """A site's part in a failover set."""

    PRIMARY = "primary"
    STANDBY = "standby"


class Form(StrEnum):
    """How a site is reached, before its address is known (Route 53's terms)."""

    ALIAS = "alias"  #: an AWS name and its zone id
    ADDRESS = "address"  #: an IPv4 address of its own
    HOST = "host"  #: a name somewhere else


class RecordType(StrEnum):
    """The one type all members of a failover set share."""

    A = "A"
    CNAME = "CNAME"


@dataclass(frozen=True)
class Line:
    """One line of a monthly bill: what, USD a month, and where the price comes from."""

    what: str
    usd_month: float
    source: str


@dataclass(frozen=True)
class Backup:
    """Which version of a workload's content every store must hold.

    `folder` is where the content lies on the operator's disk; None when an older version is served
    from the stores themselves.
    """

    workload: str
    version: str
    folder: str | None
    stores: Mapping[str, Store]
    retain: int


@dataclass(frozen=True)
class Site:
    """One workload on one target. Nothing here depends on the mode or on the site's role."""

    name: str
    workload: str
    kind: str
    target: str
    form: Form
    host: str
    direct: str
    #: direct name of the other site that challenges for `host` may be meant for, whether or not it stands right now;
    #: empty if no site of the workload ever asks for any
    peer: str
    #: who signs this site's certificates, as CAA records name them; empty if nobody does
    authority: str
    #: seconds a resolver may keep an answer that points here
    ttl: int
    zone: str
    acme: Acme
    options: BaseModel
    content: Backup
    bill: tuple[Line, ...]

    @property
    def scheme(self) -> str:
        """How the site can be reached under the public host's name so that a browser is content.

        Behind a name somewhere else the certificate is somebody else's, so there is plain HTTP.
        """
        return "http" if self.form is Form.HOST else front.SCHEME

    @property
    def health_url(self) -> str:
        """Where the site says how it is, under the public host's name."""
        return front.url(self.host, front.HEALTH_PATH, self.scheme)


@dataclass(frozen=True)
class Record:
    """One member of a failover set: identity is host and role, value is a site."""

    host: str
    role: Role
    site: str
    type: RecordType
    ttl: int


@dataclass(frozen=True)
class Step:
    """One thing that will be done, in order, as a sentence an operator can check."""

    verb: str
    subject: str
    detail: str

    def __str__(self) -> str:
        return f"{self.verb:<8} {self.subject}: {self.detail}"


@dataclass(frozen=True)
class WorkloadPlan:
    """Everything about one workload."""

    name: str
    kind: str
    mode: Mode
    active: Side
    host: str
    sites: tuple[Site, ...]
    records: tuple[Record, ...]
    backup: Backup
    steps: tuple[Step, ...]
    bill: tuple[Line, ...]
    #: what an operator should know before saying yes
    notes: tuple[str, ...]
    #: who may sign certificates of `host`, as CAA records name them; empty where no such record of ours can stand
    authorities: tuple[str, ...]

    @property
    def usd_month(self) -> float:
        """USD a month, all lines, rounded to cents."""
        return round(sum(line.usd_month for line in self.bill), 2)

    @property
    def failover_s(self) -> int:
        """Seconds until every visitor that honours TTLs has followed a failover."""
        return front.CHECK_THRESHOLD * front.CHECK_INTERVAL + max(record.ttl for record in self.records)

    @property
    def primary(self) -> Site:
        """The site that answers while everything is well."""
        name = next(record.site for record in self.records if record.role is Role.PRIMARY)
        return next(site for site in self.sites if site.name == name)

    @property
    def url(self) -> str:
        """Where visitors go while everything is well."""
        return front.url(self.host, scheme=self.primary.scheme)


@dataclass(frozen=True)
class Topology:
    """A whole stack as it should be."""

    zone: str
    ttl: int
    acme: Acme
    workloads: tuple[WorkloadPlan, ...]
    require_approval: bool

    def canonical(self) -> dict[str, Any]:
        """Return the plan as plain data with a stable order, for printing, comparing and hashing."""
        return {
            "zone": self.zone,
            "ttl": self.ttl,
            "workloads": {plan.name: _canonical(plan) for plan in self.workloads},
        }


def _canonical(plan: WorkloadPlan) -> dict[str, Any]:
    return {
        "kind": plan.kind,
        "mode": str(plan.mode),
        "active": str(plan.active),
        "host": plan.host,
        "version": plan.backup.version,
        "sites": {
            site.name: {"target": site.target, "form": str(site.form), "direct": site.direct} for site in plan.sites
        },
        "records": [
            {"host": r.host, "role": str(r.role), "site": r.site, "type": str(r.type), "ttl": r.ttl}
            for r in plan.records
        ],
        "backup": {"stores": sorted(plan.backup.stores), "retain": plan.backup.retain},
        "usd_month": plan.usd_month,
        "bill": [{"what": b.what, "usd_month": round(b.usd_month, 4), "source": b.source} for b in plan.bill],
        "steps": [str(step) for step in plan.steps],
        "notes": list(plan.notes),
    }
