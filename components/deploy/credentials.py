"""What the environment of the process must hold before anything is touched: every missing variable at once."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..errors import ConfigError, Fault
from ..stores.s3 import missing_credentials

if TYPE_CHECKING:
    from ..registry import Registry
    from ..topology import Topology


def demand(topology: Topology, registry: Registry) -> None:
    """Raise ConfigError naming each variable that a store, or a target that a site stands on, cannot do without."""
    stores = {name: store for plan in topology.workloads for name, store in plan.stores.items()}
    found = missing_credentials(dict(sorted(stores.items())))
    for plan in topology.workloads:
        for target in sorted({site.target for site in plan.sites}):
            found += [
                Fault(f"workloads.{plan.name}", f"{target} needs the environment variable {variable}; export it")
                for variable in registry.targets[target].credentials
                if not os.environ.get(variable)
            ]
    if found:
        raise ConfigError("credentials are missing", found)
