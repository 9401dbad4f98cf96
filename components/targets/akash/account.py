"""`unmoor:akash:Account` as Pulumi programs write it; made from the provider's `schema.json` by `make classes`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence  # noqa: TC003 the SDK evaluates annotations
from typing import cast

import pulumi


@pulumi.input_type
class _Inputs:
    deployments: pulumi.Input[list[str]] | None = pulumi.property("deployments")
    hosts: pulumi.Input[list[str]] | None = pulumi.property("hosts")


class Account(pulumi.CustomResource):
    """What a stack has in the Console account, compared with what its resources have: one a stack.

    A preview shows deployments that bear the stack's mark and belong to no resource, such as that of a killed run that
    was rolled back, and an update closes those to which no record leads. A deployment that a resource has or had is
    left to the engine.
    """

    def __init__(
        self,
        resource_name: str,
        *,
        deployments: pulumi.Input[Sequence[pulumi.Input[str]]] | None = None,
        hosts: pulumi.Input[Sequence[pulumi.Input[str]]] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Register the resource.

        `deployments`: the ids of every deployment of the stack; none unless given.

        `hosts`: the names of the zone that may lead to a deployment: none to which one leads is closed.
        """
        inputs = _Inputs.__new__(_Inputs)
        inputs.__dict__.update(
            {
                "deployments": deployments,
                "hosts": hosts,
                "owner": None,
                "held": None,
                "orphans": None,
                "balance_usd": None,
                "escrow_usd": None,
                "runway_days": None,
                "trial": None,
            }
        )
        super().__init__("unmoor:akash:Account", resource_name, inputs, opts)  # type: ignore[arg-type]

    @property
    @pulumi.getter
    def deployments(self) -> pulumi.Output[list[str]]:
        """The ids of every deployment of the stack, sorted."""
        return cast("pulumi.Output[list[str]]", pulumi.get(self, "deployments"))

    @property
    @pulumi.getter
    def hosts(self) -> pulumi.Output[list[str]]:
        """The names of the zone that may lead to a deployment, sorted."""
        return cast("pulumi.Output[list[str]]", pulumi.get(self, "hosts"))

    @property
    @pulumi.getter
    def owner(self) -> pulumi.Output[str]:
        """The address of the account that pays."""
        return cast("pulumi.Output[str]", pulumi.get(self, "owner"))

    @property
    @pulumi.getter
    def held(self) -> pulumi.Output[list[str]]:
        """Deployments that resources of the stack have, or had and that are still open."""
        return cast("pulumi.Output[list[str]]", pulumi.get(self, "held"))

    @property
    @pulumi.getter
    def orphans(self) -> pulumi.Output[list[str]]:
        """Deployments that bear the stack's mark, belong to no resource and are still open, with their names."""
        return cast("pulumi.Output[list[str]]", pulumi.get(self, "orphans"))

    @property
    @pulumi.getter(name="balanceUsd")
    def balance_usd(self) -> pulumi.Output[float]:
        """What the account has free, in USD."""
        return cast("pulumi.Output[float]", pulumi.get(self, "balance_usd"))

    @property
    @pulumi.getter(name="escrowUsd")
    def escrow_usd(self) -> pulumi.Output[float]:
        """What stands in the escrow of all its deployments, in USD."""
        return cast("pulumi.Output[float]", pulumi.get(self, "escrow_usd"))

    @property
    @pulumi.getter(name="runwayDays")
    def runway_days(self) -> pulumi.Output[Mapping[str, float]]:
        """For how many whole days each lease of the stack is paid, by its deployment."""
        return cast("pulumi.Output[Mapping[str, float]]", pulumi.get(self, "runway_days"))

    @property
    @pulumi.getter
    def trial(self) -> pulumi.Output[bool]:
        """Whether the account is a trial, whose deployments are closed after 24 hours."""
        return cast("pulumi.Output[bool]", pulumi.get(self, "trial"))
