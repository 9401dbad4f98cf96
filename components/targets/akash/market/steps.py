"""The steps of a deployment's life on the market: values that print as a sentence and perform nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .observed import Bid, dollars

if TYPE_CHECKING:
    from decimal import Decimal

    from ....errors import MarketError


@dataclass(frozen=True)
class OpenDeployment:
    """Ask the market for bids. It costs a deposit, which is paid back on closing."""

    name: str
    deposit_usd: Decimal

    def __str__(self) -> str:
        return f"open deployment {self.name} with ${self.deposit_usd:.2f} in escrow"


@dataclass(frozen=True)
class AwaitOpening:
    """Wait for an opening that was requested and not answered: it may appear, and a second one costs twice."""

    name: str

    def __str__(self) -> str:
        return f"wait whether deployment {self.name} was opened: the market took the order and did not answer"


@dataclass(frozen=True)
class AwaitSight:
    """Wait for a deployment that was opened or held and is not shown: reads lag, and a second one costs twice."""

    id: str

    def __str__(self) -> str:
        return f"wait until the market shows deployment {self.id}"


@dataclass(frozen=True)
class AwaitNames:
    """Wait for the names of deployments in the account: one of them may be the wanted one."""

    count: int

    def __str__(self) -> str:
        return f"wait until the market shows the names of {self.count} open deployments of the account"


@dataclass(frozen=True)
class AwaitUpdate:
    """Wait for the new hash of a deployment that was given a new manifest."""

    id: str

    def __str__(self) -> str:
        return f"wait until deployment {self.id} has the new manifest's hash"


@dataclass(frozen=True)
class AwaitBids:
    """Wait for the first bid, or for a cheaper one."""

    id: str
    bids: int

    def __str__(self) -> str:
        return f"wait for bids on deployment {self.id} ({self.bids} so far)"


@dataclass(frozen=True)
class TakeBid:
    """Accept a bid, which makes a lease, and send its provider the manifest."""

    id: str
    bid: Bid

    def __str__(self) -> str:
        return f"take the bid of {self.bid.provider} on deployment {self.id}: {dollars(self.bid.price)}"


@dataclass(frozen=True)
class SendManifest:
    """Send the manifest again: without one a provider shows no status, and closes the lease after 300 s."""

    id: str
    provider: str

    def __str__(self) -> str:
        return f"send the manifest of deployment {self.id} to {self.provider}"


@dataclass(frozen=True)
class UpdateManifest:
    """Put a new manifest on the same deployment; its group and its endpoint stay."""

    id: str

    def __str__(self) -> str:
        return f"update the manifest of deployment {self.id}"


@dataclass(frozen=True)
class AwaitReady:
    """Wait for every replica, and for the endpoint."""

    id: str
    missing: str

    def __str__(self) -> str:
        return f"wait for deployment {self.id}: {self.missing}"


@dataclass(frozen=True)
class CloseDeployment:
    """Close a deployment that is lost or spare; avoid the provider `shun` for the rest of the run."""

    id: str
    why: str
    shun: str = ""

    def __str__(self) -> str:
        return f"close deployment {self.id}: {self.why}"


@dataclass(frozen=True)
class GiveUp:
    """End the run without what was asked for: close what must not stay open, and give the reason."""

    error: type[MarketError]
    why: str
    close: str = ""
    advice: str = ""

    def __str__(self) -> str:
        return self.why


@dataclass(frozen=True)
class Done:
    """The market shows what was asked for."""

    id: str
    provider: str
    price: Decimal

    def __str__(self) -> str:
        return f"deployment {self.id} runs at {self.provider} for {dollars(self.price)}"


Step = (
    OpenDeployment
    | AwaitOpening
    | AwaitSight
    | AwaitNames
    | AwaitUpdate
    | AwaitBids
    | TakeBid
    | SendManifest
    | UpdateManifest
    | AwaitReady
    | CloseDeployment
    | GiveUp
    | Done
)

#: Steps that call nothing on the market: the run waits and observes again.
WAITS = (AwaitOpening, AwaitSight, AwaitNames, AwaitUpdate, AwaitBids, AwaitReady)
