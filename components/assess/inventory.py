"""What a DAO runs today, wherever it runs: the models of `inventory.yaml`, and every fault in it at once."""

from __future__ import annotations

from datetime import date  # noqa: TC003 pydantic reads it at run time
from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator, Field, field_validator, model_validator

from ..config.models import HostName, Mode, Name, Setting
from .layers import Named  # noqa: TC001 pydantic reads it at run time
from .level import Level  # noqa: TC001 pydantic reads it at run time
from .parts import Amount, AnyPart, Some  # noqa: TC001 pydantic reads it at run time


class State(StrEnum):
    """What a workload would lose with its machine, which decides how it can move."""

    NONE = "none"
    CACHE = "cache"
    SINGLETON = "singleton"
    DATABASE = "database"
    REBUILDABLE = "rebuildable"
    KEYS = "keys"
    EXTERNAL = "external"


class Work(StrEnum):
    """What sort of work it is, which decides the steps and the hours."""

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
    SECRET = "secret"  # noqa: S105 a class of data, no secret


def _listed(value: object) -> object:
    """Let one party stand without brackets."""
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

    dns: Name = "route53"
    certificates: Name = "letsencrypt"
    images: Name = "docker-hub"
    rental: Name = Field(default="akash-console", description="Who rents: akash-console, or own for the chain rail.")
    state: Name = Field(default="aws", description="Who keeps the Pulumi state.")
    stores: Parties = Field(default=("aws", "storj"), description="Who keeps the backups.")


class Dao(Setting):
    """The organisation, and what its work costs."""

    name: str
    rate_usd_hour: Some = Field(default=75, description="USD an hour of engineering.")
    hours_week: Some = Field(default=16, description="Engineering hours a week for the move.")
    uplink_mbit: Some = Field(default=100, description="Mbit/s for copying data.")
    runway_days: Amount = Field(default=60, description="Days of rent kept in escrow once on Akash.")
    signers: Signers = Signers(needed=2, of=3)
    tools: Tools = Tools()
    sources: tuple[str, ...] = ()


class VendorEntry(Setting):
    """What this DAO knows about a party that the vendor table does not, or knows better."""

    name: str = ""
    company: Name | None = Field(default=None, description="The company behind it; two names of one company are one.")
    substitutability: float | None = Field(
        default=None, ge=0, le=10, description="0 cannot be replaced, 10 an afternoon (DORA's word)."
    )
    notice_days: Amount | None = Field(default=None, description="Days of notice in the contract.")


class Size(Setting):
    """What it needs, wherever it runs."""

    cpu: Some = Field(description="Threads.")
    memory_gib: Some
    disk_gib: Amount = Field(default=1, description="GiB beside or inside the container.")
    egress_gb_month: Amount = Field(default=0, description="GB sent to users a month.")


class Data(Setting):
    """What would be lost, who may read it, and what proves that it would not be lost."""

    gb: Amount
    confidentiality: Confidentiality = Confidentiality.PUBLIC
    backup_hours: Amount | None = Field(default=None, description="Hours between backups; left out: none are made.")
    copies: tuple[Name, ...] = Field(default=(), description="Companies that hold a copy.")
    restore_proved: date | None = Field(default=None, description="When a backup was last restored and checked.")
    daily_change_gb: Amount | None = Field(default=None, description="GB that change in a day; left out: 1 % of gb.")


class Secret(Setting):
    """One secret the workload holds: what, and its class. Never its value."""

    name: str
    kind: SecretClass = Field(alias="class")


class Sum(Setting):
    """A monthly sum, and who says so."""

    usd_month: Amount
    source: str = Field(min_length=1, description="Who says so, as `invoice 2026-10` or `Cost Explorer, tag forum`.")
    as_of: date | None = None


class Cost(Setting):
    """What it costs by its bill (stated) or by the vendor's meter (measured); stated wins."""

    stated: Sum | None = None
    measured: Sum | None = None


class Drivers(Setting):
    """What makes the move longer."""

    pages: int = Field(default=0, ge=0)
    custom_blocks: int = Field(default=0, ge=0, description="Blocks of a vendor's own markup to convert.")
    plugins: int = Field(default=0, ge=0, description="Plugins to build into the image.")


class Wish(Setting):
    """What this DAO wants to do with it, where that is not what would be recommended."""

    mode: Mode
    decentralized: tuple[Name, ...] = Field(default=("akash",), min_length=1, max_length=2)
    why: str = ""


class Workload(Setting):
    """One thing that is run for users."""

    title: str
    work: Work = Work.OTHER
    state: State
    importance: Level = Field(description="How bad it is when it is gone.")
    usd_hour_down: Amount | None = Field(default=None, description="USD lost in an hour without it.")
    hosts: tuple[HostName, ...] = ()
    parts: tuple[AnyPart, ...] = ()
    size: Size | None = None
    data: Data | None = None
    secrets: tuple[Secret, ...] = ()
    signers: Signers | None = None
    parties: dict[Named, Parties] = Field(description="Layer by layer, who it depends on; several are alternatives.")
    cost: Cost = Cost()
    drivers: Drivers = Drivers()
    exit_rehearsed: date | None = Field(default=None, description="When leaving was last rehearsed.")
    blockers: tuple[str, ...] = Field(default=(), description="What must change before it can move at all.")
    after: tuple[Name, ...] = Field(default=(), description="Workloads that move first.")
    stack: Name | None = Field(default=None, description="Its name in the stack file, if it stands there.")
    plan: Wish | None = None
    notes: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()

    @field_validator("parties")
    @classmethod
    def _somebody_runs_it(cls, parties: dict[Named, Parties]) -> dict[Named, Parties]:
        if "compute" not in parties:
            raise ValueError("say who runs it: the layer compute is required")
        return parties

    @model_validator(mode="after")
    def _sizes_agree(self) -> Workload:
        if self.state is State.DATABASE and self.data is None:
            raise ValueError("data is required for a workload with a database; say at least data.gb")
        if self.data and self.size and self.state is not State.EXTERNAL and self.data.gb > self.size.disk_gib:
            raise ValueError(
                f"size.disk_gib {self.size.disk_gib:g} holds less than data.gb {self.data.gb:g}; correct one of them"
            )
        if not (self.parts or self.cost.stated or self.cost.measured):
            raise ValueError("nothing says what it costs; give parts, cost.stated or cost.measured")
        if self.size is None and self.state not in {State.EXTERNAL, State.KEYS}:
            raise ValueError("size is required, to price it elsewhere; give cpu and memory_gib")
        return self


class Inventory(Setting):
    """Everything a DAO runs."""

    dao: Dao
    as_of: date = Field(description="When this was true.")
    vendors: dict[Name, VendorEntry] = Field(default_factory=dict)
    workloads: dict[Name, Workload] = Field(min_length=1)
