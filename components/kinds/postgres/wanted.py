"""What a plan wants of a database. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import sites

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...topology import WorkloadPlan


@dataclass(frozen=True)
class Wanted:
    """A plan's mode, the site that writes, the sites that stand, and PostgreSQL's major version."""

    mode: str
    writer: str
    sites: tuple[str, ...]
    major: int

    @classmethod
    def of(cls, plan: WorkloadPlan) -> Wanted:
        """Return what a plan wants."""
        settings = sites.settings_of(plan)
        return cls(str(plan.mode), plan.primary.target, tuple(site.target for site in plan.sites), settings.major)

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> Wanted:
        """Read it from plain data. Raises KeyError, TypeError or ValueError if the data is invalid."""
        of = tuple(str(site) for site in given["sites"])
        return cls(str(given["mode"]), str(given["writer"]), of, int(given["major"]))
