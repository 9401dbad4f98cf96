"""What the environment of the process must hold before anything is touched: every missing variable at once."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..errors import ConfigError, Fault
from ..stores.s3 import missing_credentials

if TYPE_CHECKING:
    from ..registry import Registry
    from ..topology import Topology


def missing(topology: Topology, registry: Registry) -> list[Fault]:
    """Name each variable that is not set and that a store, or a target that a site stands on, cannot do without."""
    stores = {name: store for plan in topology.workloads for name, store in plan.stores.items()}
    found = missing_credentials(dict(sorted(stores.items())))
    for plan in topology.workloads:
        for target in sorted({site.target for site in plan.sites}):
            found += [
                Fault(f"workloads.{plan.name}", f"{target} needs the environment variable {variable}; export it")
                for variable in registry.targets[target].credentials
                if not os.environ.get(variable)
            ]
    return found


def demand(topology: Topology, registry: Registry) -> None:
    """Raise ConfigError naming each variable that is missing."""
    if found := missing(topology, registry):
        raise ConfigError("credentials are missing", found)


def variables(topology: Topology, registry: Registry) -> tuple[str, ...]:
    """Name every variable of a secret that the stack may need in any mode of its placement, sorted."""
    named = {
        variable
        for plan in topology.workloads
        for site in plan.everywhere
        for variable in registry.targets[site.target].credentials
    }
    for plan in topology.workloads:
        for store in plan.stores.values():
            named |= {each for each in (store.access_key, store.secret_key) if each}
    return tuple(sorted(named))
