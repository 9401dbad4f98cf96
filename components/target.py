"""What planning, assessment and runbook know of a place where workloads run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """A place where sites run.

    `company` is the vendor that can end all sites there; None where operators are many and interchangeable.
    `credentials` names the environment variables without which an update cannot reach it. `rented` means that sites
    end when a prepaid account runs dry. `several_operators` means that two sites can have two operators.
    """

    name: str
    company: str | None
    credentials: tuple[str, ...] = ()
    rented: bool = False
    several_operators: bool = False
