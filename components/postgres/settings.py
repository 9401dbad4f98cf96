"""The operator's settings of a database: one file for both sites."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from ..config import yaml_text
from ..config.models import Bucket, EnvironmentName, Name, Setting, did_you_mean, faults
from ..errors import ConfigError, Fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_]{0,62}$")]
#: The superuser of every cluster, and the database that administration uses.
_ADMINISTRATION = "postgres"
#: What a variable holds, by the setting that names it.
_HELD = {
    "password": "the role's password",
    "cipher": "a pass phrase",
    "ciphers": "a pass phrase",
    "access_key": "the id of a store's key",
    "secret_key": "a store's secret key",
}


def _role(name: str) -> str:
    # Reserved in quotes too (IsReservedName in catalog.c, RoleSpec in gram.y).
    if name in {"none", "public"} or name.startswith("pg_"):
        raise ValueError(f"{name} is reserved by PostgreSQL; choose another name")
    if name == _ADMINISTRATION:
        raise ValueError(f"{name} is the cluster's superuser, which an application must not be; choose another name")
    return name


def _database(name: str) -> str:
    if name in {_ADMINISTRATION, "template0", "template1"}:
        raise ValueError(f"{name} is PostgreSQL's own, and belongs to its superuser; choose another name")
    return name


def named(settings: Mapping[str, Any]) -> dict[tuple[str, ...], str]:
    """Return the variables that settings of a database name, or a part of these settings, by their paths."""
    found: dict[tuple[str, ...], str] = {(name,): settings[name] for name in ("password", "cipher") if name in settings}
    found |= {("ciphers", store): variable for store, variable in settings.get("ciphers", {}).items()}
    keys = {
        ("stores", name, key): getattr(store, key)
        for name, store in settings.get("stores", {}).items()
        for key in ("access_key", "secret_key")
    }
    return found | {path: variable for path, variable in keys.items() if variable}


def _holds(path: tuple[str, ...]) -> str:
    return _HELD[path[-1] if path[0] == "stores" else path[0]]


def _unknown(name: str, stores: Iterable[str]) -> str:
    return f"no store {name!r}{did_you_mean(name, stores) or '; describe it under stores'}"


def refuse(found: Iterable[tuple[tuple[str | int, ...], str]]) -> None:
    """Raise ValidationError with faults by their paths below what a validator checks; do nothing if there are none."""
    lines = [
        InitErrorDetails(type=PydanticCustomError("value_error", "{error}", {"error": what}), loc=place, input=None)
        for place, what in found
    ]
    if lines:
        raise ValidationError.from_exception_data("settings", lines)


class Witness(Setting):
    """The store that keeps the record of the writer."""

    store: Name = Field(description="Name of a store; it should belong to neither site's vendor.")
    ttl_s: float = Field(
        default=30, ge=2, le=600, description="A site that cannot renew the record stops within this time."
    )
    hand_over_s: float = Field(
        default=60, ge=5, le=3600, description="How long a site that has stopped waits for the other one to take over."
    )


class Database(Setting):
    """What a database is at both sites alike. Secrets stand here only as names of environment variables."""

    major: int = Field(default=15, ge=13, le=18, description="The major version of PostgreSQL, equal at both sites.")
    database: Annotated[_Identifier, AfterValidator(_database)] = Field(description="The application's database.")
    user: Annotated[_Identifier, AfterValidator(_role)] = Field(
        description="The application's role, which owns the database."
    )
    password: EnvironmentName = Field(description="Name of the variable with the role's password.")
    cipher: EnvironmentName = Field(description="Name of the variable with the pass phrase that encrypts the archive.")
    ciphers: dict[Name, EnvironmentName] = Field(
        default={}, description="The same for a store of the archive whose pass phrase is another one."
    )
    stores: dict[Name, Bucket] = Field(description="Stores by name.")
    archive: tuple[Name, Name] = Field(description="The two stores, at two vendors, that keep WAL and backups.")
    witness: Witness = Field(description="Where the record of the writer is.")
    fence: Literal["strict", "relaxed"] = Field(
        default="strict", description="relaxed: write on when the record's store alone is out of reach."
    )
    archive_timeout_s: int = Field(
        default=60, ge=1, le=3600, description="WAL is archived at least this often while there is any."
    )
    backup_every_h: float = Field(default=24, ge=0.01, le=168, description="How often a base backup is made.")
    full_every_h: float = Field(
        default=168, ge=0.01, le=2400, description="How often a base backup is a full one; the others are differences."
    )
    retain_full: int | None = Field(
        default=None, ge=1, le=1000, description="How many full backups to keep; left out, the agent deletes nothing."
    )
    max_lag_s: float = Field(default=120, ge=1, description="A standby that is behind by more is not promoted.")
    proof_max_age_days: float = Field(
        default=8, gt=0, le=366, description="How old the proof of a restore may be when the writer moves."
    )

    @field_validator("cipher", "ciphers", "stores")
    @classmethod
    def _hold_one_thing(cls, given: Any, info: ValidationInfo) -> Any:
        held = {variable: _holds(path) for path, variable in named(info.data).items()}
        own = named({str(info.field_name): given})
        refuse(
            (path[1:], f"{variable} holds {held[variable]} already; name another variable")
            for path, variable in own.items()
            if held.setdefault(variable, _holds(path)) != _holds(path)
        )
        return given

    @field_validator("archive")
    @classmethod
    def _is_at_two_vendors(cls, archive: tuple[str, str], info: ValidationInfo) -> tuple[str, str]:
        stores: dict[str, Bucket] | None = info.data.get("stores")
        if stores is None:
            return archive
        refuse(((at,), _unknown(name, stores)) for at, name in enumerate(archive) if name not in stores)
        first, second = (stores[name] for name in archive)
        if (first.endpoint, first.bucket) == (second.endpoint, second.bucket):
            raise ValueError("both stores are the same bucket; name two at two vendors")
        if first.vendor == second.vendor:
            raise ValueError(f"both stores are at {first.vendor}; name two at two vendors")
        return archive

    @field_validator("witness")
    @classmethod
    def _has_a_store(cls, witness: Witness, info: ValidationInfo) -> Witness:
        stores: dict[str, Bucket] | None = info.data.get("stores")
        if stores is not None and witness.store not in stores:
            refuse([(("store",), _unknown(witness.store, stores))])
        return witness

    @model_validator(mode="after")
    def _encrypt_the_archive(self) -> Self:
        why = f"is no store of the archive; choose {' or '.join(self.archive)}"
        refuse((("ciphers", name), f"{name!r} {why}") for name in self.ciphers if name not in self.archive)
        return self


class Settings(Database):
    """A database at two sites."""

    workload: str = Field(
        pattern=r"^[a-z0-9-]+/[a-z0-9-]+/[a-z0-9-]+$",
        description="Whose database it is: project, stack and workload, such as dao/prod/forum.",
    )
    sites: tuple[Name, Name] = Field(description="The names of both sites.")

    @model_validator(mode="after")
    def _are_two(self) -> Self:
        if self.sites[0] == self.sites[1]:
            raise ValueError("sites: both have the same name; name two")
        return self

    @property
    def prefix(self) -> str:
        """The prefix of all keys of this database, in every store."""
        return f"postgres/{self.workload}"

    def cipher_of(self, store: str) -> str:
        """Return the name of the variable with the pass phrase of a store of the archive."""
        return self.ciphers.get(store, self.cipher)

    def secret(self, variable: str) -> str:
        """Return the value of a variable that `missing` has found."""
        return os.environ[variable]


def path(name: str) -> Path:
    """Return where the settings of a database are, from the project's folder."""
    return Path("postgres") / f"{name}.yaml"


def load(path: Path) -> Settings:
    """Read a settings file. Raises ConfigError with every fault."""
    try:
        given = yaml_text.load_file(path)
    except FileNotFoundError:
        there = sorted(each.stem for each in path.parent.glob("*.yaml"))
        raise ConfigError(f"{path}: no such file; choose from {', '.join(there) or 'none yet: write one'}") from None
    if not isinstance(given, dict):
        raise ConfigError(f"{path}: holds no settings; docs/postgres.md shows them")
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        raise ConfigError(f"{path} is not valid", faults(error, Settings)) from None


def missing(settings: Settings, *, passwords: bool = True) -> list[Fault]:
    """Return secrets whose variables are not set, and stores that pgBackRest cannot use.

    `passwords`: check the application's password too.
    """
    from ..stores import s3

    used = {*settings.archive, settings.witness.store}
    found = s3.missing_credentials({name: store for name, store in settings.stores.items() if name in used})
    wanted = {f"ciphers.{store}": variable for store, variable in settings.ciphers.items()}
    if set(settings.archive) - settings.ciphers.keys():
        wanted["cipher"] = settings.cipher
    if passwords:
        wanted["password"] = settings.password
    found += [
        Fault(setting, f"the environment variable {variable} is not set; export it")
        for setting, variable in wanted.items()
        if not os.environ.get(variable)
    ]
    return [
        *found,
        *(
            Fault(f"stores.{name}.endpoint", "pgBackRest speaks TLS only; give an https:// address")
            for name in settings.archive
            if (settings.stores[name].endpoint or "https:").startswith("http:")
        ),
        *(
            Fault(f"stores.{name}.access_key", "is required in the archive; name the variables that hold the keys")
            for name in settings.archive
            if settings.stores[name].access_key is None and settings.stores[name].vendor == "aws"
        ),
    ]
