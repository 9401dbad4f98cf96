"""What planning, assessment and runbook know of a place where workloads run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from .needs import Needs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pulumi

    from .topology import Topology


def _nothing(_: Topology) -> Needs:
    return Needs()


class Accounting(Protocol):
    """Registers the resource that compares an account with the sites that a stack has there."""

    def __call__(
        self, name: str, what: Mapping[str, Any], opts: pulumi.ResourceOptions
    ) -> tuple[pulumi.Resource, Mapping[str, pulumi.Output[Any]]]:
        """Register the one resource `name`, and return it with the stack's outputs about the account.

        `what` has `sites`, the identity of each site that stands there by its name, and `hosts`, every name of the
        stack that may lead to one.
        """
        ...


@dataclass(frozen=True)
class Target:
    """A place where sites run.

    `company` is the vendor that can end all sites there; None where operators are many and interchangeable.
    `credentials` names the environment variables without which an update cannot reach it. `rented` means that sites
    end when a prepaid account is empty. `several_operators` means that two sites can have two operators. `account`
    registers, once per stack, the resource that compares the account with the stack; None where a target leaves no
    orphans.
    `needs` returns what an update of a stack needs of this target.
    """

    name: str
    company: str | None
    credentials: tuple[str, ...] = ()
    rented: bool = False
    several_operators: bool = False
    account: Accounting | None = None
    needs: Callable[[Topology], Needs] = _nothing
