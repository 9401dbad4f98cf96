"""The agents' settings of a database of a stack file, and the secrets of each site. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import Fault
from ...postgres.settings import Database, Settings
from ...topology import Role
from .options import PASSWORD, PostgresOptions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...config.models import Placement
    from ...topology import Site, WorkloadPlan

#: The suffix of variables with keys that may only read the archive; it follows the target's.
_READS = "READ"


def settings_of(plan: WorkloadPlan) -> Settings:
    """Return the settings of a workload's database; its sites are the two targets of the placement."""
    options: PostgresOptions = plan.options  # type: ignore[assignment]
    common = {name: getattr(options.database, name) for name in Database.model_fields}
    return Settings(workload=owner(plan), sites=names(plan.placement), **common)


def owner(plan: WorkloadPlan) -> str:
    """Return the owner of the database: the zone, the stack's label and the workload, equal in every mode."""
    zone = plan.primary.site_host.partition(".")[2]
    return f"{zone.replace('.', '-')}/{plan.label or 'main'}/{plan.name}"


def names(placement: Placement) -> tuple[str, str]:
    """Return the names of the two sites in the record, which are their targets."""
    return str(placement.centralized), placement.decentralized[0]


def common(options: PostgresOptions) -> dict[str, str]:
    """Return the operator's variables for the secrets that both sites share, by the secret's name."""
    database = options.database
    return {**options.secrets, PASSWORD: database.password, **{name: name for name in sorted(database.shared)}}


def keys(options: PostgresOptions, target: str, role: Role) -> dict[str, str]:
    """Return the operator's variables for a site's keys of stores, by the variable's name at the site.

    Each site has keys of its own. Those of the archive may write at the writer's site, and only read at the standby.
    Both sites write the record.
    """
    database, suffix = options.database, target.upper().replace("-", "_")
    return {
        name: f"{name}_{suffix}" + (f"_{_READS}" if role is Role.STANDBY and store != database.witness.store else "")
        for name, store in database.stored.items()
    }


def overlapping(plan: WorkloadPlan) -> Iterator[Fault]:
    """Refuse variables that hold a site's key, by their suffix, and stand in the options for something else."""
    options: PostgresOptions = plan.options  # type: ignore[assignment]
    database = options.database
    sited = [keys(options, target, role) for target in names(plan.placement) for role in Role]
    found = {variable: name for each in sited for name, variable in each.items()}
    for variable in sorted(found.keys() & {*database.stored, *database.shared}):
        why = f"{variable} is {found[variable]} at a site, and stands for something else too; rename one of both"
        yield Fault(f"options.database.stores.{database.stored[found[variable]]}", why)


def secrets(site: Site, role: Role) -> dict[str, str]:
    """Return the operator's variable for each secret that is handed over to a site, by the secret's name."""
    options: PostgresOptions = site.options  # type: ignore[assignment]
    return {**common(options), **keys(options, site.target, role)}


def variables(options: PostgresOptions) -> dict[str, str]:
    """Return the operator's variables that do not depend on a site, by path in the options.

    The keys of stores here are the operator's own, which move the writer and read proofs.
    """
    database = options.database
    return (
        {f"secrets.{name}": variable for name, variable in options.secrets.items()}
        | {"database.password": database.password, "database.cipher": database.cipher}
        | {f"database.ciphers.{store}": variable for store, variable in database.ciphers.items()}
        | {f"database.stores.{store}.{name}": name for name, store in database.stored.items()}
    )


def variables_of(plan: WorkloadPlan) -> dict[str, str]:
    """Return these variables, and those for the keys of each site that stands, by path in the options."""
    options: PostgresOptions = plan.options  # type: ignore[assignment]
    stored = options.database.stored
    return variables(options) | {
        f"database.stores.{stored[name]}.{variable}": variable
        for site in plan.sites
        for name, variable in keys(options, site.target, plan.roles[site.name]).items()
    }
