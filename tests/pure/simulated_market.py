"""A market in memory with an injected clock and a script of faults, for `reconcile`.

It follows facts about the real one (what is lost, what is late, who expires when); that the Console behaves so is
what the contract tests are for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from components.targets.akash.market.decide import (
    CloseDeployment,
    OpenDeployment,
    SendManifest,
    Step,
    TakeBid,
    UpdateManifest,
)
from components.targets.akash.market.observed import Bid, Deployment, Lease, Observed, Service, Standing, pick
from components.targets.akash.market.reconcile import TransientError
from components.targets.akash.market.request import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from components.errors import MarketError

VERSION = "aa"
CEILING = Decimal("27.91")  # $12.00 a month
BID_LIFE = 300.0
READY_AFTER = 10.0


def want(**changed: object) -> Request:
    """Ask for one service on a leased IP for at most $12.00 a month."""
    asked = {
        "name": "docs.test-00",
        "data": {"services": {"web": {}}},
        "manifest": "[]",
        "version": VERSION,
        "ceiling": CEILING,
        "service": "web",
        "leased_ip": True,
    }
    return Request(**{**asked, **changed})  # type: ignore[arg-type]


class Killed(BaseException):
    """The process ends here, without a word."""


@dataclass
class Rented:
    """One deployment in the world's books."""

    id: str
    name: str
    version: str
    opened: float
    state: str = "active"
    lease: Lease | None = None
    delivered: float | None = None
    expired: bool = False


@dataclass
class World:
    """The chain and its providers; `offers` are (seconds after opening, bid)."""

    offers: tuple[tuple[float, Bid], ...] = (
        (2.0, Bid("dear", Decimal(20))),
        (4.0, Bid("cheap", Decimal(10))),
        (4.0, Bid("cheaper-but-avoided", Decimal(5))),
        (5.0, Bid("too-dear", Decimal(30))),
    )
    now: float = 1000.0
    books: list[Rented] = field(default_factory=list)
    late: list[tuple[float, Callable[[], None]]] = field(default_factory=list)
    silent: set[str] = field(default_factory=set)
    leases_at_once: int = 0
    paid: list[Decimal] = field(default_factory=list)

    def pass_time(self, seconds: float) -> None:
        """Let time pass, and what was late arrive."""
        self.now += seconds
        due = [effect for at, effect in self.late if at <= self.now]
        self.late = [(at, effect) for at, effect in self.late if at > self.now]
        for effect in due:
            effect()

    def open(self, name: str, version: str) -> None:
        """Take a deposit and an order."""
        self.books.append(Rented(str(len(self.books) + 7), name, version, self.now))

    def find(self, id: str) -> Rented:
        """Look a deployment up."""
        return next(each for each in self.books if each.id == id)

    def bids(self, rented: Rented) -> tuple[Bid, ...]:
        """Show the bids on it; they live for five minutes."""
        age = self.now - rented.opened
        state = "closed" if rented.expired or age >= BID_LIFE else "open"
        return tuple(
            Bid(bid.provider, bid.price, state)
            for after, bid in self.offers
            if after <= age and bid.provider not in self.silent
        )

    def take(self, id: str, bid: Bid) -> None:
        """Make a lease, once, and only of an open bid."""
        rented = self.find(id)
        offered = [each for each in self.bids(rented) if (each.provider, each.state) == (bid.provider, "open")]
        if rented.state != "active" or rented.lease is not None or not offered:
            return
        rented.lease = Lease(bid.provider, "active", offered[0].price)
        self.paid.append(offered[0].price)
        self.deliver(id, rented.version)
        running = [each for each in self.open_ones() if each.lease and each.lease.state == "active"]
        self.leases_at_once = max(self.leases_at_once, len(running))

    def deliver(self, id: str, version: str) -> None:
        """Put a manifest on a deployment."""
        rented = self.find(id)
        if rented.state == "active":
            if rented.version != version or rented.delivered is None:
                rented.delivered = self.now
            rented.version = version

    def close(self, id: str) -> None:
        """End it; once or again."""
        rented = self.find(id)
        rented.state = "closed"
        if rented.lease:
            rented.lease = Lease(rented.lease.provider, "closed", rented.lease.price, "owner")

    def open_ones(self) -> list[Rented]:
        """Return every deployment that costs money, newest first."""
        return [each for each in reversed(self.books) if each.state == "active"]

    def event(self, name: str) -> None:
        """Something happens behind our back, to every deployment that is open."""
        for each in self.open_ones():
            if name == "lease-closed" and each.lease:
                each.lease = Lease(each.lease.provider, "closed", each.lease.price, "unstable")
            elif name == "silent" and each.lease and len(self.silent) < 1:
                self.silent.add(each.lease.provider)
            elif name == "escrow-empty":
                self.close(each.id)
            elif name == "bids-expire":
                each.expired = True


@dataclass
class SimulatedMarket:
    """One process's door to the world. `script` gives a fault for each call; "" is none, and so is its end."""

    world: World
    script: Iterator[str]
    id: str = ""
    taken: frozenset[str] = frozenset()
    performed: list[Step] = field(default_factory=list)

    def observe(self, want: Request) -> Observed:
        fault = self._fault()
        if fault in {"fail", "lost", "late", "void"}:
            raise TransientError("akash: the market did not answer", took=False)
        self.id = want.id or self.id
        spare: tuple[str, ...] = ()
        if not self.id or (not want.id and self._ready()):
            found = [Standing(self._told(each), each.lease) for each in self.world.open_ones()]
            self.id, spare = pick(want.name, self.id, want.keep, found)
        if not self.id:
            return Observed(self.world.now, taken=self.taken)
        rented = self.world.find(self.id)
        if rented.state != "active":
            self.id = ""
            return Observed(self.world.now, self._told(rented))
        services, ips = self._status(rented)
        bids = () if rented.lease else self.world.bids(rented)
        return Observed(self.world.now, self._told(rented), rented.lease, bids, services, ips, {}, spare, self.taken)

    def _ready(self) -> bool:
        services, _ = self._status(self.world.find(self.id))
        return services is not None and services["web"].ready

    def _told(self, rented: Rented) -> Deployment:
        return Deployment(rented.id, rented.state, rented.version, "owner", rented.name)

    def _status(self, rented: Rented) -> tuple[dict[str, Service] | None, dict[str, tuple[str, ...]]]:
        if rented.lease is None or rented.lease.provider in self.world.silent or rented.delivered is None:
            return None, {}
        up = int(self.world.now - rented.delivered >= READY_AFTER)
        return {"web": Service(up, 1, up)}, {"web": ("203.0.113.9",)} if up else {}

    def perform(self, want: Request, step: Step) -> None:
        fault = self._fault()
        if fault == "fail":
            raise TransientError("akash: the market is busy", took=False)
        if fault == "void":
            raise TransientError("akash: the market did not answer", took=None)
        if fault in {"late", "kill-late"}:
            self.world.late.append((self.world.now + 12.0, lambda: self._effect(want, step)))
        else:
            self._effect(want, step)
        if fault in {"kill-after", "kill-late"}:
            raise Killed
        if fault in {"lost", "late"}:
            raise TransientError("akash: the market did not answer", took=None)
        self.performed.append(step)
        if isinstance(step, OpenDeployment):
            self.id = self.world.books[-1].id
        if isinstance(step, SendManifest | UpdateManifest):
            rented = self.world.find(step.id)
            if rented.lease and rented.lease.provider in self.world.silent:
                raise TransientError("akash: the provider is not reachable", took=None)

    def _effect(self, want: Request, step: Step) -> None:
        match step:
            case OpenDeployment():
                self.world.open(want.name, want.version)
            case TakeBid(id, bid):
                self.world.take(id, bid)
            case SendManifest(id) | UpdateManifest(id):
                self.world.deliver(id, want.version)
            case CloseDeployment(id):
                self.world.close(id)
            case _:
                raise AssertionError(f"{step} is not for the market")

    def _fault(self) -> str:
        fault = next(self.script, "")
        if fault == "kill-before":
            raise Killed
        self.world.event(fault)
        return fault


@dataclass
class SimulatedClock:
    """The world's time; sleeping is what makes it pass."""

    world: World
    cancel_at: float | None = None
    cancelled: MarketError | None = None

    def now(self) -> float:
        return self.world.now

    def sleep(self, seconds: float) -> None:
        self.world.pass_time(seconds)
        if self.cancelled and self.cancel_at is not None and self.world.now >= self.cancel_at:
            raise self.cancelled
