"""The market at work: time passes, providers bid, leases run and end, escrow drains, faults strike."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..net.tls import CERTIFICATE_DAYS
from ..state import write
from . import crosscheck, journal
from .container import Watchdog
from .faults import gone, name_servers, silent, since
from .ingress import Ingress
from .ledger import BLOCK_SECONDS, Deployment, Lease, Ledger, Reason
from .monitor import Monitor
from .providers import BY_OWNER, PROVIDERS, AkashProvider, refusal
from .sizes import ask
from .workload import NAMES, Grounds, Workload

if TYPE_CHECKING:
    from ..state import State
    from .document import Submitted

TICK_SECONDS = 0.2
GONE_SECONDS = 3.0
MANIFEST_SECONDS = 300.0
STALE_SECONDS = 600.0
#: `AUTO_TOP_UP_LOOK_AHEAD_WINDOW_IN_H` and `AUTO_TOP_UP_TARGET_RUNWAY_IN_H` of Console's deployment config.
TOP_UP_AT, TOP_UP_TO = 24 * 3600, 48 * 3600
#: `TRIAL_DEPLOYMENT_CLEANUP_HOURS` (console `close-trial-deployment.handler.ts`).
TRIAL_SECONDS = 24 * 3600.0
EVENTS = 200


class ProviderError(Exception):
    """What a provider's gateway answered, with its HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(message)


@dataclass
class Record:
    """What Console keeps of a deployment in addition to the chain."""

    submitted: Submitted
    sdl: str
    auto_top_up: bool = False
    created: float = field(default_factory=time.time)


class World:
    """Everything in the market; `turn` lets a moment pass."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.ledger = Ledger(now=time.time())
        self.records: dict[str, Record] = {}
        self.grounds = {each.owner: Grounds(each) for each in PROVIDERS}
        self.ingresses = {owner: Ingress(state, grounds) for owner, grounds in self.grounds.items()}
        self.workloads: dict[tuple[str, int, int], Workload] = {}
        self.monitors: dict[tuple[str, int, int], Monitor] = {}
        self.events: list[str] = []
        self.watchdog = Watchdog()
        self._real = time.time()
        self._decided: set[tuple[str, int, int, str]] = set()
        self._gone: dict[str, float] = {}
        self._struck = {name: since(state, name) for name in state.faults()}
        self._tasks: set[asyncio.Task[None]] = set()
        self._journal = ""
        self._led: set[str] = set()

    # Time

    def advance(self) -> None:
        """Let the chain's clock follow the real one, unless the chain is halted."""
        real = time.time()
        if not self.halted:
            self.ledger.now += real - self._real
        self._real = real

    @property
    def halted(self) -> bool:
        """The chain makes no blocks."""
        return self.state.fault("chain-halted") is not None

    async def run(self) -> None:
        """Turn for ever."""
        while True:
            await self.turn()
            await asyncio.sleep(TICK_SECONDS)

    async def turn(self) -> None:
        """Do what is due at this moment."""
        self.advance()
        await self._vanish_and_return()
        if not self.halted:
            self._bids()
            self._reclaims()
            self._leases()
            self._escrows()
        self._volumes()
        self._name_servers()
        self.write()

    def note(self, event: str) -> None:
        """Note what happened, for the journal."""
        self.events = [*self.events[1 - EVENTS :], f"{time.strftime('%H:%M:%S')} {event}"]

    # Providers

    async def _vanish_and_return(self) -> None:
        for provider in PROVIDERS:
            away = gone(self.state, provider)
            if away and provider.owner not in self._gone:
                self._gone[provider.owner] = self._real
                self.note(f"{provider.name} is gone")
                await self.ingresses[provider.owner].close()
                # All tenants of a provider that was away ask anew when it is back, and we are not the first.
                self.grounds[provider.owner].strangers.update(self.grounds[provider.owner].addresses)
                for key in [key for key, each in self.workloads.items() if each.lease.provider == provider.owner]:
                    self.workloads.pop(key).end()
            elif not away and provider.owner in self._gone:
                del self._gone[provider.owner]
                self.note(f"{provider.name} is back")
                await self.open_ingress(provider)

    async def open_ingress(self, provider: AkashProvider) -> None:
        """Let a provider answer at its own address."""
        self.state.publish_host(f"provider.{provider.domain}", provider.ingress)
        await self.ingresses[provider.owner].open()

    def online(self, provider: AkashProvider) -> bool:
        """Return whether a provider is online."""
        return provider.owner not in self._gone

    def silent(self, owner: str) -> bool:
        """Return whether a provider's gateway answers nothing."""
        return owner in self._gone or silent(self.state, BY_OWNER[owner])

    def _bids(self) -> None:
        idle = self.state.fault("no-bids") is not None
        dear = self.state.fault("bid-too-dear")
        factor = 1.0 if dear is None else float(dear.get("factor", 10))
        for deployment in self.ledger.deployments.values():
            self.ledger.expire(deployment)
            for group in deployment.groups if deployment.state == "active" else ():
                for provider in PROVIDERS:
                    key = (deployment.dseq, group.gseq, group.oseq, provider.owner)
                    late = self.ledger.now - group.time < provider.delay
                    if group.order != "open" or late or key in self._decided or idle or provider.owner in self._gone:
                        continue
                    self._decided.add(key)
                    why, price = refusal(
                        provider, group.spec, self.held(provider), notice=deployment.notice, dearer=factor
                    )
                    if why:
                        self.note(f"{provider.name} does not bid on {deployment.dseq}/{group.gseq}: {why}")
                    elif self.ledger.bid(deployment.dseq, group.gseq, provider.owner, price):
                        self.note(f"{provider.name} bids {price:.6f} on {deployment.dseq}/{group.gseq}")

    def held(self, provider: AkashProvider) -> list[Any]:
        """Return what a provider's leases hold of it."""
        return [
            ask(deployment.groups[lease.gseq - 1].spec)
            for deployment in self.ledger.deployments.values()
            for lease in deployment.live()
            if lease.provider == provider.owner
        ]

    # Leases

    def _leases(self) -> None:
        for deployment in list(self.ledger.deployments.values()):
            for lease in deployment.live():
                key = (deployment.dseq, lease.gseq, lease.oseq)
                workload = self.workloads.get(key)
                age = self.ledger.now - lease.time
                if lease.state == "reclaiming":  # its provider may not close it before the deadline
                    continue
                if lease.provider in self._gone:
                    if self._real - self._gone[lease.provider] > GONE_SECONDS:
                        self.lose(deployment, lease, Reason.LEASE_CLOSED_REASON_UNSTABLE)
                elif workload is None and age > MANIFEST_SECONDS:
                    self.lose(deployment, lease, Reason.LEASE_CLOSED_REASON_MANIFEST_TIMEOUT)
                elif workload and self.monitors.setdefault(key, Monitor()).failed(self._real, ready=workload.ready):
                    self.lose(deployment, lease, Reason.LEASE_CLOSED_REASON_UNSTABLE)
            age = self.ledger.now - deployment.time
            if deployment.state == "active" and not deployment.leases and age > STALE_SECONDS:
                self.ledger.close(deployment.dseq)
                self.note(f"{deployment.dseq} closed: never leased")
            trial = self.state.fault("trial")
            if deployment.state == "active" and trial is not None and age > float(trial.get("seconds", TRIAL_SECONDS)):
                self.ledger.close(deployment.dseq)
                self.end(deployment.dseq)
                self.note(f"{deployment.dseq} closed: the trial is over")

    def _reclaims(self) -> None:
        if self._strike("reclaim") is not None:
            for deployment in self.ledger.deployments.values():
                if self.ledger.reclaim(deployment):
                    self.note(f"the lease of {deployment.dseq} is reclaimed by its provider")

    def lose(self, deployment: Deployment, lease: Lease, reason: Reason) -> None:
        """Give up a lease as its provider."""
        self.ledger.abandon(deployment.dseq, lease, reason)
        self.end(deployment.dseq)
        self.note(f"lease of {deployment.dseq} closed by its provider: {reason.name.lower()}")

    def end(self, dseq: str) -> None:
        """Stop what runs for leases that have ended."""
        live = {(dseq, lease.gseq, lease.oseq) for lease in self.ledger.get(dseq).live()}
        for key in [key for key in self.workloads if key[0] == dseq and key not in live]:
            self.workloads.pop(key).end()
            self.monitors.pop(key, None)

    def deliver(self, dseq: str, manifest: list[dict[str, Any]]) -> None:
        """Send a manifest to every provider of a deployment. Raises ProviderError."""
        deployment = self.ledger.get(dseq)
        for lease in deployment.live():
            if self.silent(lease.provider):
                raise ProviderError(503, f"Provider {lease.provider} is not reachable")
            if lease.state != "active":  # provider `manifest/manager.go`: ErrNoLeaseForDeployment
                raise ProviderError(404, "no lease for deployment")
        running = {
            deployment.groups[key[1] - 1].spec["name"]: set(each.services)
            for key, each in self.workloads.items()
            if key[0] == dseq
        }
        if wrong := crosscheck.fault(manifest, deployment, running):
            raise ProviderError(422, wrong)
        by_name = {group["name"]: group["services"] for group in manifest}
        for lease in deployment.live():
            key = (dseq, lease.gseq, lease.oseq)
            grounds = self.grounds[lease.provider]
            workload = self.workloads.setdefault(key, Workload(self.state, grounds, dseq, lease, self.watchdog))
            services = by_name[deployment.groups[lease.gseq - 1].spec["name"]]
            task = asyncio.get_running_loop().create_task(workload.accept(services))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    # Money

    def _escrows(self) -> None:
        drained = self._strike("escrow-empty") is not None
        for deployment in list(self.ledger.deployments.values()):
            if deployment.state != "active":
                continue
            per_block = sum(each.price for each in deployment.live())
            left = deployment.funds - self.ledger.owed(deployment)
            record = self.records[deployment.dseq]
            funded = record.auto_top_up or self.state.fault("funding-always-on") is not None
            if funded and per_block and left * BLOCK_SECONDS < TOP_UP_AT * per_block:
                self.fund(deployment)
            if drained or (per_block and left <= 0 and not funded):
                self.ledger.starve(deployment)
                self.end(deployment.dseq)
                self.note(f"{deployment.dseq} closed: insufficient funds")

    def fund(self, deployment: Deployment) -> None:
        """Fill an escrow to two days of its leases' cost (console `FundDeploymentCommand`)."""
        per_block = sum(each.price for each in deployment.live())
        left = deployment.funds - self.ledger.owed(deployment)
        amount = per_block * TOP_UP_TO / BLOCK_SECONDS - left
        if 0 < amount <= self.ledger.wallet:
            self.ledger.deposit(deployment.dseq, amount)

    def _volumes(self) -> None:
        if self._strike("volume-lost") is not None:
            for workload in self.workloads.values():
                workload.lose_volumes()
            self.note("volumes lost")
        if (aged := self._strike("certificate-expired")) is not None:
            self._date_certificates(float(aged.get("days", -1)) - CERTIFICATE_DAYS)
        behind = self._struck.get("clock-skew", 0)
        if (skewed := self._strike("clock-skew")) is not None:
            self._date_certificates(float(skewed.get("days", 1)))
        elif behind and not self._struck["clock-skew"]:
            self._date_certificates(0)

    def _name_servers(self) -> None:
        """Route the addresses of name servers by the faults, also those without a lease."""
        struck = name_servers(self.state)
        for workload in self.workloads.values():
            workload.lead_names(struck)
        leased = {ip for workload in self.workloads.values() for ip, port in workload.routes if port == NAMES}
        for ip in struck.keys() - leased:
            self.state.publish_route(ip, NAMES, struck[ip])
        for ip in self._led - struck.keys() - leased:
            self.state.withdraw_route(ip, NAMES)
        self._led = set(struck)

    def _date_certificates(self, days: float) -> None:
        """Make all certificates on volumes begin `days` from now."""
        for workload in self.workloads.values():
            workload.date_certificates(dt.datetime.now(dt.UTC) + dt.timedelta(days=days))
        self.note(f"certificates begin {days:+g} days from now")

    def _strike(self, name: str) -> dict[str, Any] | None:
        """Return the parameters of a fault that acts once, in the moment in which it is switched on; else None."""
        struck, before = since(self.state, name), self._struck.get(name, 0)
        self._struck[name] = struck
        return self.state.fault(name) or {} if struck not in (0, before) else None

    # Inspection and the end

    def write(self) -> None:
        """Keep the journal, `akash/world.json`, for people to read; no program reads it back."""
        text = json.dumps(journal.of(self), indent=1) + "\n"
        if text != self._journal:
            write(self.state.root / "akash" / "world.json", text)
            self._journal = text

    async def close(self) -> None:
        """End the world; nothing of it is left."""
        for workload in self.workloads.values():
            workload.end()
        self.workloads.clear()
        for ingress in self.ingresses.values():
            await ingress.close()
        self.watchdog.close()
