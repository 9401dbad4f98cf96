"""What the Akash market shows of one deployment, and what one run remembers of it: plain values."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ..sdl.price import BLOCKS_PER_MONTH, UACT_PER_USD

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from decimal import Decimal

#: A lease in one of these states runs; a reclaimed one runs until its deadline, and takes no new manifest.
RUNNING = ("active", "reclaiming")
#: The state of a deployment that was opened or held and that a read does not show. It is not closed: reads lag.
UNSEEN = "unseen"


def usd_month(uact_block: Decimal) -> Decimal:
    """Turn uact per block into USD per month (1 ACT = 1,000,000 uact = $1; months of 30.437 days)."""
    return uact_block * BLOCKS_PER_MONTH / UACT_PER_USD


def dollars(uact_block: Decimal) -> str:
    """Return uact per block in the operator's form: `$12.00 a month`."""
    return f"${usd_month(uact_block):.2f} a month"


@dataclass(frozen=True)
class Bid:
    """What one Akash provider asks for the whole group; price in `denom` per block.

    `organization` and `region` are the provider's own words, empty where it has none or they were not asked for.
    """

    provider: str
    price: Decimal
    state: str = "open"
    denom: str = "uact"
    gseq: int = 1
    oseq: int = 1
    organization: str = ""
    region: str = ""


@dataclass(frozen=True)
class Lease:
    """An accepted bid; price in uact per block."""

    provider: str
    state: str
    price: Decimal
    reason: str = ""


def reason(lease: Lease) -> str:
    """Return what ended a lease: its state, with the network's reason where there is one."""
    return lease.state + f" ({lease.reason})" * bool(lease.reason)


@dataclass(frozen=True)
class Deployment:
    """A deployment on the market: its dseq as an opaque string, its group's name if shown.

    `version` is its manifest's hash as hex, empty while the market does not know it. `state` is the market's, or
    UNSEEN for one that is known to have been opened and that the market does not show.
    """

    id: str
    state: str
    version: str
    owner: str = ""
    group: str | None = None


@dataclass(frozen=True)
class Standing:
    """An open deployment of the account; `escrow_usd` is what stands in its escrow, settled or not."""

    deployment: Deployment
    lease: Lease | None = None
    escrow_usd: Decimal | None = None
    topped_up: bool | None = None


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
    """What this run remembers; times in seconds of the clock that `Observed.now` is read from."""

    id: str = ""
    asked: float | None = None  # an opening was requested, and no answer came
    opened: float | None = None
    first_bid: float | None = None
    leased: float | None = None
    unseen: float | None = None  # reads have not shown the deployment since
    unnamed: float | None = None  # deployments whose names are not known stand in the account, first at
    put: float | None = None  # its manifest was put on the market: by opening, or by an update
    sent: float | None = None
    refused: float | None = None  # the provider has refused the manifest and shown no status since
    openings: int = 0
    shunned: frozenset[str] = frozenset()  # providers that accepted a lease and then did not answer


@dataclass(frozen=True)
class Observed:
    """One observation of the market. `services` is None when the Akash provider gives no status.

    `spare` are further open deployments of the same name, `taken` the providers whose ingress routes a host of this one
    to another deployment of the account: a host may be used once on one provider. `unnamed` counts open deployments
    whose names the market does not show at the moment. `refused` is what was left out of the answer, and why.
    `neighbours` are the providers of deployments to be apart from, `strangers` those of deployments whose names the
    market does not show, which may be such. `organizations` and `regions` are those of neighbours and of providers to
    avoid.
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
    unnamed: int = 0
    refused: str = ""
    neighbours: frozenset[str] = frozenset()
    strangers: frozenset[str] = frozenset()
    organizations: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()
    since: Since = Since()

    @property
    def open(self) -> Deployment | None:
        """The deployment, unless it is closed."""
        return self.deployment if self.deployment and self.deployment.state == "active" else None


def places(seen: Observed) -> tuple[list[str], list[str]]:
    """Return the addresses and names at which a deployment is reached, as far as its provider shows them."""
    return [each for ips in seen.ips.values() for each in ips], [each for uris in seen.uris.values() for each in uris]


def hidden(seen: Observed) -> bool:
    """Return whether the deployment may be reachable at an address or name that is not shown."""
    if seen.deployment is None or seen.deployment.state == UNSEEN:
        return True
    if seen.lease is None:  # reads lag: a bid that was taken has a lease, shown or not
        return any(bid.state == "active" for bid in seen.bids)
    return seen.lease.state in RUNNING and seen.services is None


def remember(since: Since, seen: Observed) -> Observed:
    """Add this run's memory to an observation; a new deployment starts with an empty memory."""
    found = seen.deployment
    unnamed = (since.unnamed if since.unnamed is not None else seen.now) if seen.unnamed else None
    run = Since(asked=since.asked, unnamed=unnamed, openings=since.openings, shunned=since.shunned)
    if found is None or found.state not in ("active", UNSEEN):
        return replace(seen, since=run)
    if found.id != since.id:
        since = replace(run, id=found.id, asked=None, opened=seen.now, put=since.put if not since.id else None)
    if found.state == UNSEEN:
        unseen = seen.now if since.unseen is None else since.unseen
        return replace(seen, since=replace(since, unseen=unseen, unnamed=unnamed))
    leased = seen.lease is not None and seen.lease.state in RUNNING
    return replace(
        seen,
        since=replace(
            since,
            unseen=None,
            unnamed=unnamed,
            first_bid=seen.now if since.first_bid is None and seen.bids else since.first_bid,
            leased=seen.now if since.leased is None and leased else since.leased,
            refused=since.refused if seen.services is None else None,
        ),
    )


def pick(group: str, held: str, keep: Collection[str], found: Sequence[Standing]) -> tuple[str, tuple[str, ...]]:
    """Choose among open deployments named `group`, newest first: ours (or ""), and the spare ones.

    `held` is the one that this run works on, whether it is listed or not: a list adds spares, and never removes the one
    that is held. Those in `keep` are left alone. Of the others, the one with a lease is ours, else the one without,
    else the one that lost its lease.
    """
    named = [each for each in found if each.deployment.group == group and each.deployment.state == "active"]
    free = [each for each in named if each.deployment.id not in keep]
    ids = [each.deployment.id for each in sorted(free, key=lambda each: _rank(each.lease))]
    ours = held or (ids[0] if ids else "")
    return ours, tuple(each for each in ids if each != ours)


def _rank(lease: Lease | None) -> int:
    if lease is None:
        return 2
    return {"active": 0, "reclaiming": 1}.get(lease.state, 3)
