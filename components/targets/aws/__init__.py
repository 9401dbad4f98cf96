"""Everything AWS: the target and its building blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...target import Target

if TYPE_CHECKING:
    from ...needs import Needs
    from ...topology import Topology


def _needs(topology: Topology) -> Needs:
    from . import needs

    return needs.of(topology)


TARGET = Target("aws", company="AWS", needs=_needs)
