"""What a DAO runs today, wherever it runs: the models of `inventory.yaml`, and every fault in it at once."""

from __future__ import annotations

from datetime import date  # noqa: TC003 pydantic reads it at run time
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

from pydantic import BeforeValidator, Field, field_validator, model_validator

from ..config.models import HostName, Mode, Name, Setting
from .layers import Named  # noqa: TC001 pydantic reads it at run time
from .level import Level  # noqa: TC001 pydantic reads it at run time
from .parts import Amount, AnyPart, Some, assumed

if TYPE_CHECKING:
    from collections.abc import Mapping


class State(StrEnum):
    """What a workload would lose with its machine; determines how it can move."""

    NONE = "none"
    CACHE = "cache"
    SINGLETON = "singleton"
    DATABASE = "database"
    REBUILDABLE = "rebuildable"
    KEYS = "keys"
    EXTERNAL = "external"


class Work(StrEnum):
    """The sort of work; determines the steps and the hours."""

    STATUS = "status"
    DOCS = "docs"
    FRONTEND = "frontend"
    DASHBOARD = "dashboard"
    BOT = "bot"
    API = "api"
    INDEXER = "indexer"
    FORUM = "forum"
    DATABASE_APP = "database-app"
    NODE = "node"
    VALIDATOR = "validator"
    MAIL = "mail"
    BLOG = "blog"
    WIKI = "wiki"
    RPC = "rpc"
    STORAGE = "storage"
    GOVERNANCE = "governance"
    TREASURY = "treasury"
    OTHER = "other"


class SecretClass(StrEnum):
    """How much a leaked secret gives away; see the manual."""

    CUSTODY = "custody"
    SCOPED = "scoped"
    SEALED = "sealed"
    ENCLAVE = "enclave"


class Confidentiality(StrEnum):
    """Who may read the data."""

    PUBLIC = "public"
    PERSONAL = "personal"
    SECRET = "secret"  # noqa: S105 a class of data, not a secret


def _listed(value: object) -> object:
    """Accept one party without brackets."""
    return [value] if isinstance(value, str) else value


Parties = Annotated[
    tuple[Name, ...],
    Field(min_length=1),
    BeforeValidator(_listed, json_schema_input_type=Name | tuple[Name, ...]),
]


class Signers(Setting):
    """Who signs: how many of how many, and how long that takes."""

    needed: int = Field(ge=1, description="Signatures needed.")
    of: int = Field(ge=1, description="People who can sign.")
    hours: Some = Field(default=24, description="Hours from asking to the last signature.")

    @model_validator(mode="after")
    def _enough(self) -> Signers:
        if self.needed > self.of:
            raise ValueError(f"{self.needed} signatures are needed of {self.of} people; needed is at most of")
        return self


class Tools(Setting):
    """The parties that unmoor itself brings: they are on the list too."""

    dns: Parties = Field(default=("route53",), description="Who answers for the names; two answer for each other.")
    certificates: Name = Field(default="letsencrypt", description="Who signs certificates.")
    images: Name = Field(default="docker-hub", description="Who keeps container images.")
    rental: Name = Field(default="akash-console", description="Who rents: akash-console, or own for the chain rail.")
    state: Name = Field(default="aws", description="Who keeps the Pulumi state.")
    stores: Parties = Field(default=("aws", "storj"), description="Who keeps the backups.")


class Dao(Setting):
    """The organisation, and what its work costs."""

    name: str = Field(description="The DAO's name.")
    rate_usd_hour: Some = Field(default=75, description="USD an hour of engineering.")
    hours_week: Some = Field(default=16, description="Engineering hours a week for the move.")
    uplink_mbit: Some = Field(default=100, description="Mbit/s for copying data.")
    runway_days: Amount = Field(default=60, description="Days of rent kept in escrow once on Akash.")
    signers: Signers = Field(default=Signers(needed=2, of=3), description="The DAO's rule for signing.")
    tools: Tools = Field(default=Tools(), description="The parties that the move brings.")
    sources: tuple[str, ...] = Field(default=(), description="Where figures about the DAO were read.")


class VendorEntry(Setting):
    """What this DAO knows about a party that the vendor table does not, or knows better."""

    name: str = Field(default="", description="The name in the report.")
    company: Name | None = Field(default=None, description="The company behind it; two names of one company are one.")
    substitutability: float | None = Field(
        default=None, ge=0, le=10, description="0 cannot be replaced, 10 an afternoon (DORA's word)."
    )
    notice_days: Amount | None = Field(default=None, description="Days of notice in the contract.")


class Size(Setting):
    """What it needs, wherever it runs. Left out as a whole, a usual size for the work is assumed, and marked so."""

    cpu: Some = Field(description="Threads.")
    memory_gib: Some = Field(description="GiB of memory.")
    disk_gib: Amount = Field(default=1, description="GiB of disk, the data included.")
    egress_gb_month: Amount = Field(default=0, description="GB sent to users a month.")


class Data(Setting):
    """What would be lost, who may read it, and what proves that it would not be lost."""

    gb: Amount = Field(description="GB of data.")
    confidentiality: Confidentiality = Field(default=Confidentiality.PUBLIC, description="Who may read it.")
    backup_hours: Amount | None = Field(default=None, description="Hours between backups; left out: none are made.")
    copies: tuple[Name, ...] = Field(default=(), description="Companies that hold a copy.")
    restore_proved: date | None = Field(default=None, description="When a backup was last restored and checked.")
    daily_change_gb: Amount | None = Field(default=None, description="GB that change in a day; left out: 1 % of gb.")


class Secret(Setting):
    """One secret the workload holds: what, and its class. Never its value."""

    name: str = Field(description="What it is, never its value.")
    kind: SecretClass = Field(alias="class", description="What a leak gives away.")


class Sum(Setting):
    """A monthly sum, and where it was read."""

    usd_month: Amount = Field(description="USD a month.")
    source: str = Field(
        min_length=1,
        description="Where it was read, as `invoice 2026-10`. A source that begins with `assumed` marks a guess.",
    )
    as_of: date | None = Field(default=None, description="When it was true.")

    @property
    def assumed(self) -> bool:
        """Return whether the sum is a guess: it then counts less than an estimate from parts."""
        return assumed(self.source)


class Cost(Setting):
    """What it costs by its bill (stated) or by the vendor's meter (measured); stated wins."""

    stated: Sum | None = Field(default=None, description="What the bill amounts to.")
    measured: Sum | None = Field(default=None, description="What the vendor's meter shows.")
    unknown: str | None = Field(
        default=None, min_length=1, description="Instead of a sum: who could look it up. Totals leave it out."
    )


class Imported(Setting):
    """What an import of the pages left for a person; `unmoor content import` prints it."""

    low_hours: float = Field(ge=0, description="Hours at least.")
    high_hours: float = Field(ge=0, description="Hours at most.")
    places: int = Field(ge=0, description="Places of its list, by hand and to look at.")

    @model_validator(mode="after")
    def _ordered(self) -> Imported:
        if self.low_hours > self.high_hours:
            raise ValueError(f"low_hours is {self.low_hours:g}, more than high_hours; copy what the import prints")
        return self


class Drivers(Setting):
    """What makes the move longer."""

    pages: int = Field(default=0, ge=0, description="Pages of the site.")
    custom_blocks: int = Field(default=0, ge=0, description="Blocks of a vendor's own markup to convert.")
    imported: Imported | None = Field(
        default=None, description="What an import left, in place of a guess from `custom_blocks`."
    )
    plugins: int = Field(default=0, ge=0, description="Plugins to build into the image.")


class Wish(Setting):
    """What this DAO wants to do with it, where that is not what would be recommended."""

    mode: Mode = Field(description="centralized, active-standby or decentralized.")
    decentralized: tuple[Name, ...] = Field(
        default=("akash",), min_length=1, max_length=2, description="One target, or two."
    )
    why: str = Field(default="", description="The reason, in a sentence.")


class Workload(Setting):
    """One thing that is run for users."""

    title: str = Field(description="What people call it.")
    work: Work = Field(default=Work.OTHER, description="What it does; decides the steps, the hours and the usual size.")
    state: State = Field(description="What would be lost with its machine.")
    importance: Level = Field(description="How bad it is when it is gone.")
    usd_hour_down: Amount | None = Field(default=None, description="USD lost in an hour without it.")
    hosts: tuple[HostName, ...] = Field(default=(), description="Its public names.")
    parts: tuple[AnyPart, ...] = Field(default=(), description="What is on its bill today, piece by piece.")
    size: Size | None = Field(default=None, description="What it needs anywhere; left out, the usual size of its work.")
    data: Data | None = Field(default=None, description="What would be lost.")
    secrets: tuple[Secret, ...] = Field(default=(), description="The secrets it holds, by name and class.")
    signers: Signers | None = Field(default=None, description="Who signs for it, where that is not the DAO's rule.")
    parties: dict[Named, Parties] = Field(description="Layer by layer, who it depends on; several are alternatives.")
    cost: Cost = Field(default=Cost(), description="What it costs as a whole, where parts do not give it.")
    drivers: Drivers = Field(default=Drivers(), description="What makes the move longer.")
    exit_rehearsed: date | None = Field(default=None, description="When leaving was last rehearsed.")
    blockers: tuple[str, ...] = Field(default=(), description="What must change before it can move at all.")
    after: tuple[Name, ...] = Field(default=(), description="Workloads that move first.")
    stack: Name | None = Field(
        default=None,
        description="Its name in the stack file, once it stands by it; bill and parties are then the plan's.",
    )
    plan: Wish | None = Field(default=None, description="What the DAO wants, where that is not the advice.")
    notes: tuple[str, ...] = Field(default=(), description="What a reader should know.")
    sources: tuple[str, ...] = Field(default=(), description="Where sizes and habits were read.")

    @field_validator("parties")
    @classmethod
    def _compute_is_named(cls, parties: dict[Named, Parties]) -> dict[Named, Parties]:
        if "compute" not in parties:
            raise ValueError("the layer compute is required; name the company that runs it, as `compute: aws`")
        return parties

    @property
    def needs(self) -> Size | None:
        """Return the size it needs anywhere; a usual one where none is given, None for what is not moved by size."""
        if self.size is not None or self.state in {State.EXTERNAL, State.KEYS}:
            return self.size
        usual = USUAL_SIZE.get(self.work, USUAL_SIZE[Work.OTHER])
        gb = self.data.gb if self.data else 0.0
        return usual.model_copy(update={"disk_gib": max(usual.disk_gib, round(gb * 1.5, 1))})


def _usual(cpu: float, memory_gib: float, disk_gib: float, egress: float = 0) -> Size:
    return Size(cpu=cpu, memory_gib=memory_gib, disk_gib=disk_gib, egress_gb_month=egress)


#: What each sort of work usually keeps; a work that is not listed keeps nothing.
USUAL_STATE: Mapping[Work, State] = {
    Work.STATUS: State.SINGLETON,
    Work.DASHBOARD: State.CACHE,
    Work.BOT: State.SINGLETON,
    Work.INDEXER: State.REBUILDABLE,
    Work.FORUM: State.DATABASE,
    Work.DATABASE_APP: State.DATABASE,
    Work.WIKI: State.DATABASE,
    Work.NODE: State.REBUILDABLE,
    Work.VALIDATOR: State.KEYS,
    **dict.fromkeys((Work.MAIL, Work.RPC, Work.STORAGE, Work.GOVERNANCE, Work.TREASURY), State.EXTERNAL),
}
#: What each sort of work usually needs: the sizes of the manual's catalogue of workloads.
USUAL_SIZE: Mapping[Work, Size] = {
    Work.DOCS: _usual(0.1, 0.25, 1, 20),
    Work.FRONTEND: _usual(0.1, 0.25, 1, 60),
    Work.BLOG: _usual(0.5, 1, 5, 20),
    Work.WIKI: _usual(1, 2, 10, 20),
    Work.STATUS: _usual(0.25, 0.25, 1),
    Work.BOT: _usual(0.25, 0.25, 1),
    Work.DASHBOARD: _usual(0.5, 1, 2, 60),
    Work.API: _usual(1, 2, 5, 100),
    Work.INDEXER: _usual(3, 12, 500, 100),
    Work.FORUM: _usual(3.25, 6.5, 30, 100),
    Work.DATABASE_APP: _usual(2, 4, 30, 50),
    Work.NODE: _usual(8, 32, 6144, 5500),
    Work.OTHER: _usual(0.5, 1, 5, 20),
}


class Inventory(Setting):
    """Everything a DAO runs."""

    dao: Dao = Field(description="The organisation.")
    as_of: date = Field(description="When this was true.")
    vendors: dict[Name, VendorEntry] = Field(default_factory=dict, description="What is known better about vendors.")
    workloads: dict[Name, Workload] = Field(min_length=1, description="Everything it runs, by name.")
