"""A database of a stack file as its agents and its operator know it: settings, and the secrets of each site. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...postgres.settings import Database, Settings
from ...topology import Role
from .options import PASSWORD, PostgresOptions

if TYPE_CHECKING:
    from ...config.models import Placement
    from ...topology import Site, WorkloadPlan

#: What follows a variable's name and the site's: keys of the archive that may only be read.
_READS = "READ"


def settings_of(plan: WorkloadPlan) -> Settings:
    """Return the settings of a workload's database; its sites are the two targets of the placement."""
    options: PostgresOptions = plan.options  # type: ignore[assignment]
    common = {name: getattr(options.database, name) for name in Database.model_fields}
    return Settings(workload=owner(plan), sites=names(plan.placement), **common)


def owner(plan: WorkloadPlan) -> str:
    """Return whose database it is: the zone, the stack's label and the workload, equal in every mode."""
    zone = plan.primary.site_host.partition(".")[2]
    return f"{zone.replace('.', '-')}/{plan.label or 'main'}/{plan.name}"


def names(placement: Placement) -> tuple[str, str]:
    """Return what the record calls the two sites: their targets."""
    return str(placement.centralized), placement.decentralized[0]


def common(options: PostgresOptions) -> dict[str, str]:
    """Return the variables of the process behind secrets that both sites have alike, by the secret's name."""
    database = options.database
    return {
        **options.secrets,
        PASSWORD: database.password,
        database.password: database.password,
        database.cipher: database.cipher,
    }


def keys(options: PostgresOptions, target: str, role: Role) -> dict[str, str]:
    """Return the variables of the process behind a site's keys of stores, by the name that the site knows.

    Each site has its own. Those of the archive may write where the site is the writer, and only read where it is not.
    The record is written by both.
    """
    database, suffix = options.database, target.upper().replace("-", "_")
    return {
        name: f"{name}_{suffix}" + (f"_{_READS}" if role is Role.STANDBY and store != database.witness.store else "")
        for name, store in database.stored.items()
    }


def secrets(site: Site, role: Role) -> dict[str, str]:
    """Return everything that is handed over to a site: the secret's name → the variable of the process."""
    options: PostgresOptions = site.options  # type: ignore[assignment]
    return {**common(options), **keys(options, site.target, role)}


def variables(options: PostgresOptions) -> dict[str, str]:
    """Return the variables of the process that no site has for itself, by path in the options.

    The keys of stores are the operator's own, by which the writer is moved and proofs are read.
    """
    database = options.database
    return (
        {f"secrets.{name}": variable for name, variable in options.secrets.items()}
        | {"database.password": database.password, "database.cipher": database.cipher}
        | {f"database.stores.{store}.{name}": name for name, store in database.stored.items()}
    )


def variables_of(plan: WorkloadPlan) -> dict[str, str]:
    """Return these, and the variables behind the keys of each site that stands."""
    options: PostgresOptions = plan.options  # type: ignore[assignment]
    stored = options.database.stored
    return variables(options) | {
        f"database.stores.{stored[name]}.{variable}": variable
        for site in plan.sites
        for name, variable in keys(options, site.target, plan.roles[site.name]).items()
    }
