"""What a kind of workload is: its options, what it costs, and one realization for each target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import pulumi
    from pydantic import BaseModel

    from .errors import Fault
    from .plan.topology import Form, Line, Site


@dataclass(frozen=True)
class Alias:
    """An AWS name that a Route 53 alias can point at, with its hosted zone id."""

    name: str
    zone_id: str


@dataclass(frozen=True)
class Address:
    """An IPv4 address."""

    ipv4: str


@dataclass(frozen=True)
class Host:
    """A name somewhere else."""

    name: str


Endpoint = Alias | Address | Host


class Realized(Protocol):
    """A workload standing on a target."""

    @property
    def endpoint(self) -> pulumi.Output[Endpoint]:
        """How the site is reached."""
        ...

    @property
    def host(self) -> pulumi.Output[str]:
        """Who runs the machine: two sites of a workload must not share one."""
        ...

    @property
    def identity(self) -> pulumi.Output[str]:
        """What changes when the site is another one behind the same name (a new deployment)."""
        ...


class Realize(Protocol):
    """Make a site stand; component classes satisfy it as they are."""

    def __call__(self, name: str, site: Site, beside: Sequence[Realized], opts: pulumi.ResourceOptions) -> Realized:
        """Register the site's resources under `name`, on no host that runs a site `beside` it."""
        ...


@dataclass(frozen=True)
class Survey:
    """What a look at the operator's disk found: the version of the content and where it lies, or faults.

    Paths in `faults` are relative to the workload's options.
    """

    version: str
    folder: str | None
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True)
class OnTarget:
    """How a kind runs on one target: its endpoint's form, its bill, its realization.

    `needs` names the environment variables without which the target cannot be reached at all.
    """

    form: Callable[[Any], Form]
    bill: Callable[[Any], tuple[Line, ...]]
    realize: Realize
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Kind:
    """A kind of workload. The keys of `on` are the declared capability: where it can run."""

    name: str
    options: type[BaseModel]
    stateful: bool
    survey: Callable[[Any, Path], Survey]
    on: Mapping[str, OnTarget]
