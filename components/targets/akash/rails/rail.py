"""A rail: one way to the Akash market. The resource, the commands and the account know no more of it than this."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, Self

from ..market.reconcile import Market

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from decimal import Decimal

    from ..market.observed import Observed, Standing


@dataclass(frozen=True)
class Runway:
    """The account's money: what is free and what is in escrow, in USD, and how long each lease is paid for, in days."""

    balance_usd: Decimal
    escrow_usd: Decimal
    days: Mapping[str, float] = field(default_factory=dict)
    trial: bool = False


class Rail(Market, Protocol):
    """The market with the wallet of one account. All of it raises MarketError, and TransientError for what may pass."""

    id: str
    """The deployment that this run works on; empty while there is none."""
    in_use: Callable[[str], bool]
    """Whether a deployment of the wanted name, which this run has not opened, is to be left alone."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def look(self, id: str) -> Observed:
        """Look at one deployment, with its bids while it has no lease.

        Its state is UNSEEN where the market shows none of that number.
        """
        ...

    def close(self, id: str) -> None:
        """Close a deployment; fine if it is closed already."""
        ...

    def is_open(self, id: str) -> bool | None:
        """Return whether a deployment costs money; None if the market shows none of that number."""
        ...

    def gateway(self, provider: str) -> str:
        """Give the https address of a provider's gateway; empty if it is not to be had."""
        ...

    def owner(self) -> str:
        """Give the address of the account whose money is spent; empty if it is not to be had."""
        ...

    def account(self) -> list[Standing]:
        """List every open deployment of the account; one that cannot be read is left out, never an error."""
        ...

    def runway(self, standing: list[Standing]) -> Runway:
        """Return the account's money, and for how long each of these leases is paid."""
        ...
