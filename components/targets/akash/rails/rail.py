"""The interface of a rail, one way to the Akash market. Resource, commands and account depend on nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, Self

from ..market.reconcile import Market

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from decimal import Decimal

    from ..market.observed import Observed, Standing
    from .provider_proxy import Line


@dataclass(frozen=True)
class Runway:
    """The account's money: free and in escrow, in USD, and the days for which each lease is paid."""

    balance_usd: Decimal
    escrow_usd: Decimal
    days: Mapping[str, float] = field(default_factory=dict)
    trial: bool = False


class Rail(Market, Protocol):
    """The market with the wallet of one account. Every method raises MarketError; TransientError for what may pass."""

    id: str
    """The deployment that this run works on; empty while there is none."""
    in_use: Callable[[str], bool]
    """Whether a deployment of the wanted name, which this run has not opened, is to be left alone."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def look(self, id: str) -> Observed:
        """Observe one deployment, with its bids while it has no lease.

        Its state is UNSEEN where the market shows none of that number.
        """
        ...

    def close(self, id: str) -> None:
        """Close a deployment; one that is closed already is no error."""
        ...

    def is_open(self, id: str) -> bool | None:
        """Return whether a deployment costs money; None if the market shows none of that number."""
        ...

    def gateway(self, provider: str) -> str:
        """Return the https address of a provider's gateway; empty if it is not available."""
        ...

    def last_lines(self, dseq: str, provider: str, service: str) -> list[Line]:
        """Return the last log lines of a service's containers, or else the last events of their pods."""
        ...

    def owner(self) -> str:
        """Return the address of the account whose money is spent; empty if it is not available."""
        ...

    def account(self) -> list[Standing]:
        """List every open deployment of the account; one that cannot be read is left out, never an error."""
        ...

    def runway(self, standing: list[Standing]) -> Runway:
        """Return the account's money, and the days for which each of these leases is paid."""
        ...
