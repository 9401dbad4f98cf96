"""The target Akash: read documents, rent, and keep a deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...target import Target

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pulumi

    from ...needs import Needs
    from ...topology import Topology
    from .account import Account

#: The environment variables by which the account is reached. They stand here so that reading the names imports nothing.
URL_VARIABLE, KEY_VARIABLE = "AKASH_CONSOLE_URL", "AKASH_CONSOLE_API_KEY"


def _account(
    name: str, what: Mapping[str, Any], opts: pulumi.ResourceOptions
) -> tuple[Account, Mapping[str, pulumi.Output[Any]]]:
    """Register the account's resource; its outputs give how many days the lease of each site is paid for."""
    import pulumi

    from .account import Account

    sites = dict(what["sites"])
    made = Account(name, deployments=list(sites.values()), hosts=list(what["hosts"]), opts=opts)
    paid = pulumi.Output.all(sites, made.runway_days).apply(
        lambda known: {site: known[1][dseq] for site, dseq in known[0].items() if dseq in known[1]}
    )
    return made, {"balance_usd": made.balance_usd, "escrow_usd": made.escrow_usd, "runway_days": paid}


def _needs(topology: Topology) -> Needs:
    from . import needs

    return needs.of(topology)


TARGET = Target(
    "akash",
    company=None,
    credentials=(KEY_VARIABLE,),
    rented=True,
    several_operators=True,
    account=_account,
    needs=_needs,
)
