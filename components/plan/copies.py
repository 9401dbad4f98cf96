"""Which stores hold copies of what a workload serves. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..config.models import Store
    from ..topology import Topology, WorkloadPlan


def stores(plan: WorkloadPlan, topology: Topology) -> Mapping[str, Store]:
    """Return the stores into which the workload's step `keep` puts every version, by name.

    There are none for a kind without that step: its names are claimed in `plan.stores`, and nothing else is put there.
    """
    kept = any(action.name == f"{plan.name}-keep" for action in topology.of(plan.name))
    return plan.stores if kept else {}
