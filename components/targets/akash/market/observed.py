"""What the Akash market shows of one deployment, and what one run remembers of it: values, nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ..sdl.price import BLOCKS_PER_MONTH, UACT_PER_USD

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

#: A lease in one of these states runs; a reclaimed one runs until its deadline, and takes no new manifest.
RUNNING = ("active", "reclaiming")


def usd_month(uact_block: Decimal) -> Decimal:
    """Turn uact per block into USD per month (1 ACT = 1,000,000 uact = $1; months of 30.437 days)."""
    return uact_block * BLOCKS_PER_MONTH / UACT_PER_USD


def dollars(uact_block: Decimal) -> str:
    """Print uact per block as an operator reads it: `$12.00 a month`."""
    return f"${usd_month(uact_block):.2f} a month"


@dataclass(frozen=True)
class Bid:
    """What one Akash provider asks for the whole group; price in `denom` per block."""

    provider: str
    price: Decimal
    state: str = "open"
    denom: str = "uact"
    gseq: int = 1
    oseq: int = 1


@dataclass(frozen=True)
class Lease:
    """A bid that was taken; price in uact per block."""

    provider: str
    state: str
    price: Decimal
    reason: str = ""


@dataclass(frozen=True)
class Deployment:
    """A deployment on the market: its dseq as an opaque string, its manifest hash as hex, its group's name if shown."""

    id: str
    state: str
    version: str
    owner: str = ""
    group: str | None = None


@dataclass(frozen=True)
class Standing:
    """A deployment of ours as the list of deployments shows it."""

    deployment: Deployment
    lease: Lease | None = None


@dataclass(frozen=True)
class Service:
    """Replicas of one service: how many serve, of how many, and how many of them run the newest manifest."""

    available: int
    total: int
    updated: int

    @property
    def ready(self) -> bool:
        """Whether every replica serves the newest manifest."""
        return self.total > 0 and self.available >= self.total and self.updated >= self.total


@dataclass(frozen=True)
class Since:
    """What this run has lived through; times in seconds of the clock that `Observed.now` is read from."""

    id: str = ""
    asked: float | None = None  # an opening was asked for, and no answer came
    opened: float | None = None
    first_bid: float | None = None
    leased: float | None = None
    sent: float | None = None
    refused: float | None = None  # the provider takes no manifest and shows no status
    openings: int = 0
    shunned: frozenset[str] = frozenset()  # providers that took a lease and then did not answer


@dataclass(frozen=True)
class Observed:
    """One look at the market. `services` is None when the Akash provider gives no status.

    `spare` are further open deployments of the same name, `taken` the providers on which another deployment of ours has
    a name of this one: one that is being replaced, or one that its ingress leads the same host to. A leased IP's name
    and a host may be used once on one provider.
    """

    now: float
    deployment: Deployment | None = None
    lease: Lease | None = None
    bids: tuple[Bid, ...] = ()
    services: Mapping[str, Service] | None = None
    ips: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    uris: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    spare: tuple[str, ...] = ()
    taken: frozenset[str] = frozenset()
    since: Since = Since()

    @property
    def open(self) -> Deployment | None:
        """The deployment, unless it is closed."""
        return self.deployment if self.deployment and self.deployment.state == "active" else None


def remember(since: Since, seen: Observed) -> Observed:
    """Add to a look at the market what this run remembers; a new deployment starts with an empty memory."""
    found = seen.open
    if found is None:
        return replace(seen, since=Since(asked=since.asked, openings=since.openings, shunned=since.shunned))
    if found.id != since.id:
        since = Since(found.id, opened=seen.now, openings=since.openings, shunned=since.shunned)
    leased = seen.lease is not None and seen.lease.state in RUNNING
    return replace(
        seen,
        since=replace(
            since,
            first_bid=seen.now if since.first_bid is None and seen.bids else since.first_bid,
            leased=seen.now if since.leased is None and leased else since.leased,
            refused=since.refused if seen.services is None else None,
        ),
    )


def pick(group: str, avoid: Sequence[str], found: Sequence[Standing]) -> tuple[str, tuple[str, ...], frozenset[str]]:
    """Choose among open deployments named `group`, newest first: ours (or ""), the spare ones, and taken providers.

    One with a provider to avoid, or whose provider is taking it back, runs on until its replacement stands.
    Of the others the one with a lease is ours, else the one without, else the one that lost it.
    """
    named = [each for each in found if each.deployment.group == group and each.deployment.state == "active"]
    leaving = [each for each in named if each.lease and _leaving(each.lease, avoid)]
    ours = sorted((each for each in named if each not in leaving), key=lambda each: _rank(each.lease))
    ids = [each.deployment.id for each in ours]
    taken = frozenset(each.lease.provider for each in leaving if each.lease)
    return (ids[0] if ids else ""), tuple(ids[1:]), taken


def _leaving(lease: Lease, avoid: Sequence[str]) -> bool:
    return lease.state == "reclaiming" or (lease.state == "active" and lease.provider in avoid)


def _rank(lease: Lease | None) -> int:
    if lease is None:
        return 1
    return 0 if lease.state == "active" else 2
