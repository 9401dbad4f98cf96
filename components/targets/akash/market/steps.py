"""The steps of a deployment's life on the market: values that print as a sentence, and know nothing of how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .observed import Bid, dollars

if TYPE_CHECKING:
    from decimal import Decimal

    from ....errors import MarketError


@dataclass(frozen=True)
class OpenDeployment:
    """Ask the market for bids; costs a deposit, which comes back on closing."""

    name: str
    deposit_usd: Decimal

    def __str__(self) -> str:
        return f"open deployment {self.name} with ${self.deposit_usd:.2f} in escrow"


@dataclass(frozen=True)
class AwaitOpening:
    """An opening was asked for and not answered: it may still appear, and a second one would be paid twice."""

    name: str

    def __str__(self) -> str:
        return f"wait whether deployment {self.name} was opened: the market took the order and did not answer"


@dataclass(frozen=True)
class AwaitSight:
    """A deployment that was opened or held is not shown; reads lag, and a second would be paid twice."""

    id: str

    def __str__(self) -> str:
        return f"wait until the market shows deployment {self.id}"


@dataclass(frozen=True)
class AwaitNames:
    """Deployments stand in the account whose names are not known: one of them may be the one that is wanted."""

    count: int

    def __str__(self) -> str:
        return f"wait until the market shows the names of {self.count} open deployments of the account"


@dataclass(frozen=True)
class AwaitUpdate:
    """A manifest was put on a deployment, and its hash is not the new one yet."""

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
    """Turn a bid into a lease and hand its provider the manifest."""

    id: str
    bid: Bid

    def __str__(self) -> str:
        return f"take the bid of {self.bid.provider} on deployment {self.id}: {dollars(self.bid.price)}"


@dataclass(frozen=True)
class SendManifest:
    """Hand over the manifest again: without one a provider shows no status, and closes the lease after 300 s."""

    id: str
    provider: str

    def __str__(self) -> str:
        return f"send the manifest of deployment {self.id} to {self.provider}"


@dataclass(frozen=True)
class UpdateManifest:
    """Put a new manifest on the same deployment: its group stays as it is, so does its endpoint."""

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
    """End a deployment that is beyond recovery, or a spare one; `shun` its provider for the rest of the run."""

    id: str
    why: str
    shun: str = ""

    def __str__(self) -> str:
        return f"close deployment {self.id}: {self.why}"


@dataclass(frozen=True)
class GiveUp:
    """The market's life ends here without what was asked for: close what must not stay open, and give the reason."""

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

#: Steps that ask nothing of the market: the run waits a moment and looks again.
WAITS = (AwaitOpening, AwaitSight, AwaitNames, AwaitUpdate, AwaitBids, AwaitReady)
