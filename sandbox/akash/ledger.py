"""The chain's books, in memory: deployments, groups, orders, bids, leases, escrow, and one wallet."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

BLOCK_SECONDS = 6.117
GENESIS_HEIGHT, GENESIS_TIME = 27_230_465, 1_780_920_000.0  # the v2.1.0 upgrade, June 2026
MIN_DEPOSIT = 500_000  # uact
BID_DEPOSIT = 500_000
BID_SECONDS = 300.0
MAX_BIDS = 20
DENOM = "uact"
OWNER = "akash1vwr8z00ty7mqnk4dtchr9mn9j96nuh6w59hldw"
#: Another account, whose key `other-account` uses.
OTHER = "akash1qyqszqgpqyqszqgpqyqszqgpqyqszqgpkwtsmf"


class ChainError(Exception):
    """A transaction that the chain refuses, in the chain's own words."""


class Reason(IntEnum):
    """Why a lease is closed; the names are the chain's."""

    LEASE_CLOSED_INVALID = 0
    LEASE_CLOSED_OWNER = 1
    LEASE_CLOSED_REASON_UNSTABLE = 10000
    LEASE_CLOSED_REASON_DECOMMISSION = 10001
    LEASE_CLOSED_REASON_UNSPECIFIED = 10002
    LEASE_CLOSED_REASON_MANIFEST_TIMEOUT = 10003
    LEASE_CLOSED_REASON_INSUFFICIENT_FUNDS = 20000


@dataclass
class Bid:
    """An offer of one provider on one order; price in uact per block."""

    provider: str
    gseq: int
    oseq: int
    price: float
    time: float
    height: int
    state: str = "open"


@dataclass
class Lease:
    """An accepted bid."""

    provider: str
    gseq: int
    oseq: int
    price: float
    time: float
    height: int
    state: str = "active"
    closed_on: int = 0
    reason: Reason = Reason.LEASE_CLOSED_INVALID
    transferred: float = 0.0


@dataclass
class Group:
    """One placement; `spec` is the group specification's JSON."""

    gseq: int
    spec: dict[str, Any]
    time: float
    state: str = "open"
    oseq: int = 1
    order: str = "open"


@dataclass
class Deployment:
    """A deployment with its escrow account; money in uact, settled up to a block."""

    dseq: str
    hash: bytes
    time: float
    height: int
    groups: list[Group]
    funds: float
    settled_at: int
    deposits: list[tuple[int, float]]
    notice: int = 0  # seconds of reclamation that its owner demands
    transferred: float = 0.0
    state: str = "active"
    escrow: str = "open"
    bids: list[Bid] = field(default_factory=list)
    leases: list[Lease] = field(default_factory=list)

    def live(self) -> list[Lease]:
        """Return the leases that run and cost; reclaimed ones do until they end (chain `x/market`, lease states)."""
        return [lease for lease in self.leases if lease.state in ("active", "reclaiming")]


@dataclass
class Ledger:
    """Every transaction as a method; `now` is set before each call, and never read from a clock."""

    wallet: float = 100e6  # uact: USD 100
    now: float = GENESIS_TIME
    deployments: dict[str, Deployment] = field(default_factory=dict)

    @property
    def height(self) -> int:
        """The block of this moment."""
        return GENESIS_HEIGHT + int((self.now - GENESIS_TIME) / BLOCK_SECONDS)

    def get(self, dseq: str) -> Deployment:
        """Return a deployment, or refuse as the chain does."""
        if dseq not in self.deployments:
            raise ChainError("Deployment not found")
        return self.deployments[dseq]

    def create(
        self, dseq: str, specs: list[dict[str, Any]], version: bytes, deposit: float, notice: int = 0
    ) -> Deployment:
        """MsgCreateDeployment; the deposit is in uact."""
        if dseq in self.deployments:
            raise ChainError("Deployment exists")
        for spec in specs:
            for unit in spec["resources"]:
                if unit["price"]["denom"] != DENOM:
                    raise ChainError(f"invalid price: unsupported denomination {unit['price']['denom']}")
        if deposit < MIN_DEPOSIT:
            raise ChainError(f"Deposit too low - {deposit:.0f}{DENOM} < {MIN_DEPOSIT}{DENOM}: Deposit invalid")
        self._pay(deposit)
        groups = [Group(index, spec, self.now) for index, spec in enumerate(specs, 1)]
        paid = [(self.height, deposit)]
        made = Deployment(dseq, version, self.now, self.height, groups, deposit, self.height, paid, notice)
        self.deployments[dseq] = made
        return made

    def _pay(self, amount: float) -> None:
        if amount > self.wallet:
            raise ChainError(f"{self.wallet:.0f}{DENOM} is smaller than {amount:.0f}{DENOM}: insufficient balance")
        self.wallet -= amount

    def bid(self, dseq: str, gseq: int, provider: str, price: float) -> Bid | None:
        """MsgCreateBid on the open order of a group; None if it may not be made any more."""
        deployment = self.get(dseq)
        group = deployment.groups[gseq - 1]
        on_order = [bid for bid in deployment.bids if (bid.gseq, bid.oseq) == (gseq, group.oseq)]
        if deployment.state != "active" or group.order != "open" or len(on_order) >= MAX_BIDS:
            return None
        made = Bid(provider, gseq, group.oseq, price, self.now, self.height)
        deployment.bids.append(made)
        return made

    def takable(self, dseq: str, gseq: int, oseq: int, provider: str) -> Bid:
        """Return the bid that a MsgCreateLease would accept, or refuse."""
        deployment = self.get(dseq)
        if deployment.state != "active":
            raise ChainError("Deployment closed")
        group = deployment.groups[gseq - 1] if 0 < gseq <= len(deployment.groups) else None
        bid = next((b for b in deployment.bids if (b.gseq, b.oseq, b.provider) == (gseq, oseq, provider)), None)
        if group is None or bid is None:
            raise ChainError("unknown bid")
        if group.order != "open" or group.oseq != oseq:
            raise ChainError("order not open")
        if bid.state != "open":
            raise ChainError("bid not open")
        return bid

    def lease(self, dseq: str, gseq: int, oseq: int, provider: str) -> Lease:
        """MsgCreateLease: the bid is taken, the others on its order are lost."""
        bid = self.takable(dseq, gseq, oseq, provider)
        deployment = self.get(dseq)
        group = deployment.groups[gseq - 1]
        self.settle(deployment)
        for other in deployment.bids:
            if (other.gseq, other.oseq, other.state) == (gseq, oseq, "open"):
                other.state = "lost"
        bid.state = group.order = "active"
        made = Lease(provider, gseq, oseq, bid.price, self.now, self.height)
        deployment.leases.append(made)
        return made

    def update(self, dseq: str, version: bytes) -> None:
        """MsgUpdateDeployment: the chain keeps nothing of it but the hash."""
        deployment = self.get(dseq)
        if deployment.state != "active":
            raise ChainError("Deployment closed")
        if deployment.hash == version:
            raise ChainError("Invalid: deployment hash")
        deployment.hash = version

    def deposit(self, dseq: str, amount: float) -> None:
        """MsgAccountDeposit, in uact."""
        deployment = self.get(dseq)
        if deployment.state != "active":
            raise ChainError("Deployment closed")
        if amount > self.wallet:
            raise ChainError(f"{self.wallet:.0f}{DENOM} is smaller than {amount:.0f}{DENOM}: insufficient funds")
        self.wallet -= amount
        self.settle(deployment)
        deployment.funds += amount
        deployment.deposits.append((self.height, amount))

    def owed(self, deployment: Deployment) -> float:
        """Return what the leases have used since the last settlement, in uact."""
        return sum(each.price for each in deployment.live()) * (self.height - deployment.settled_at)

    def settle(self, deployment: Deployment) -> None:
        """Move what is owed from the escrow to the providers."""
        blocks, funds = self.height - deployment.settled_at, deployment.funds
        owed = self.owed(deployment)
        share = min(1.0, funds / owed) if owed else 0.0
        for lease in deployment.live():
            lease.transferred += lease.price * blocks * share
        deployment.funds = max(0.0, funds - owed)
        deployment.transferred += min(owed, funds)
        deployment.settled_at = self.height

    def close(self, dseq: str) -> None:
        """Close a deployment by its owner (MsgCloseDeployment); the rest of the escrow returns to the wallet."""
        deployment = self.get(dseq)
        if deployment.state != "active":
            raise ChainError("Deployment closed")
        self.settle(deployment)
        self._end(deployment, "closed", Reason.LEASE_CLOSED_OWNER)
        deployment.escrow = "closed"
        self.wallet += deployment.funds
        deployment.funds = 0.0

    def starve(self, deployment: Deployment) -> None:
        """End the leases for want of funds, and close the deployment for good: its escrow is empty."""
        self.settle(deployment)
        deployment.transferred += deployment.funds
        deployment.funds = 0.0
        self._end(deployment, "insufficient_funds", Reason.LEASE_CLOSED_REASON_INSUFFICIENT_FUNDS)
        deployment.escrow = "overdrawn"

    def _end(self, deployment: Deployment, state: str, reason: Reason) -> None:
        for lease in deployment.live():
            lease.state, lease.reason, lease.closed_on = state, reason, self.height
        for bid in deployment.bids:
            if bid.state in ("open", "active"):
                bid.state = "closed"
        for group in deployment.groups:
            group.state, group.order = state, "closed"
        deployment.state = "closed"

    def abandon(self, dseq: str, lease: Lease, reason: Reason) -> None:
        """Close a bid by its provider: lease closed, group paused, deployment active, escrow locked until closed."""
        deployment = self.get(dseq)
        self.settle(deployment)
        lease.state, lease.reason, lease.closed_on = "closed", reason, self.height
        group = deployment.groups[lease.gseq - 1]
        group.state, group.order = "paused", "closed"
        for bid in deployment.bids:
            if (bid.gseq, bid.oseq, bid.provider) == (lease.gseq, lease.oseq, lease.provider):
                bid.state = "closed"

    def reclaim(self, deployment: Deployment) -> bool:
        """Begin a reclamation by the provider (MsgLeaseStartReclaim); return whether the chain accepts it.

        The chain accepts it for an active lease with an agreed window (`x/market/handler/server.go`), which ends no
        sooner than that: a day or more, so never here.
        """
        found = [each for each in deployment.live() if each.state == "active"] if deployment.notice else []
        for lease in found:
            lease.state = "reclaiming"
        return bool(found)

    def expire(self, deployment: Deployment) -> None:
        """Withdraw open bids that were not taken within five minutes."""
        for bid in deployment.bids:
            if bid.state == "open" and self.now - bid.time > BID_SECONDS:
                bid.state = "closed"
