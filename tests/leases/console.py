"""A Console in memory, over simulated time: the sandbox's ledger and shapes behind an `httpx` transport.

It lies as the real one does (`sandbox/akash/reads.py` cites where): reads lag, the list hands out leases in another
order, names are known by one route and late, hashes become placeholders, a provider's silence takes a minute. A fault
strikes at a numbered call, before or after its effect.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import httpx

from components.targets.akash.market.names import owner_of
from sandbox.akash import document, shapes
from sandbox.akash.faults import DEAD_READ_S
from sandbox.akash.ledger import OWNER, ChainError, Deployment, Ledger, Reason
from sandbox.akash.reads import UNKNOWN, from_database
from sandbox.akash.refusals import of_chain
from sandbox.akash.world import MANIFEST_SECONDS

#: Providers by address, with their price in uact per block; none of them sees a ceiling.
PRICES = {"akash1pa": 5.0, "akash1pb": 6.0, "akash1pc": 7.0, "akash1pd": 8.0}
BID_AFTER_S, READY_AFTER_S = 2.0, 5.0
FOREIGN = ("90001", "90002")
#: What may happen between two calls, or between two runs.
EVENTS = ("silence", "dark", "voice", "placeholders", "lag", "reclaim", "lose", "escrow-empty")


class Killed(BaseException):
    """The process ends here, without a word."""


@dataclass
class World:
    """One account, its providers, and the zone that leads to what they lease out."""

    now: float = 1_000_000.0
    ledger: Ledger = field(default_factory=lambda: Ledger(wallet=1000e6, now=1_000_000.0))
    manifests: dict[str, tuple[str, float]] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    dark: set[str] = field(default_factory=set)
    read_lag: float = 0.5
    index_lag: float = 1.0
    placeholders: bool = False
    faults: dict[int, str] = field(default_factory=dict)
    calls: int = 0
    records: dict[str, str] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)
    opened: int = 0
    puts: int = 0
    gone: dict[str, float] = field(default_factory=dict)
    #: Providers that bid on nothing any more.
    away: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        spec = {"name": "clicked by a person", "requirements": {}, "resources": []}
        for dseq in FOREIGN:
            self.ledger.create(dseq, [spec], b"\1" * 32, 5e6, 0)

    # -- time and what happens by itself

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.ledger.now = self.now
        for each in self.ledger.deployments.values():
            for lease in each.live():
                missing = each.dseq not in self.manifests and self.now - lease.time > MANIFEST_SECONDS
                if missing and lease.state == "active":
                    self.ledger.abandon(each.dseq, lease, Reason.LEASE_CLOSED_REASON_MANIFEST_TIMEOUT)

    def event(self, name: str) -> None:
        """Let something happen to the newest leased deployment that is not a stranger's."""
        ours = [
            each for each in self.ledger.deployments.values() if each.dseq not in FOREIGN and each.state == "active"
        ]
        leased = [(each, lease) for each in ours for lease in each.leases if lease.state in ("active", "reclaiming")]
        if name == "silence":
            self.silent = {lease.provider for _, lease in leased[-1:]}
        elif name == "dark":
            self.silent = self.dark = {lease.provider for _, lease in leased[-1:]}
        elif name == "voice":
            self.silent, self.dark = set(), set()
        elif name == "placeholders":
            self.placeholders = not self.placeholders
        elif name == "lag":
            self.read_lag = 0.5 if self.read_lag > 1 else 30.0
        elif leased and name == "reclaim":
            leased[-1][1].state = "reclaiming"
        elif leased and name == "lose":
            self.ledger.abandon(leased[-1][0].dseq, leased[-1][1], Reason.LEASE_CLOSED_REASON_UNSTABLE)
        elif ours and name == "escrow-empty":
            self.ledger.starve(ours[-1])

    # -- what visitors see

    def serving(self, deployment: Deployment) -> bool:
        """Return whether visitors get an answer from a deployment: yes for a silent provider, no for a dark one."""
        put = self.manifests.get(deployment.dseq)
        running = [each for each in deployment.leases if each.state in ("active", "reclaiming")]
        live = [each for each in running if each.provider not in self.dark]
        return deployment.state == "active" and bool(live) and put is not None and self.now - put[1] >= READY_AFTER_S

    def leads(self, addresses: Any, _names: Any, _hosts: Any) -> list[str]:
        """Read the zone, as an authority does."""
        return [host for host, address in self.records.items() if address in addresses]

    def close(self, dseq: str) -> None:
        found = self.ledger.get(dseq)
        led = [host for host, address in self.records.items() if address == self.addresses.get(dseq)]
        if led and any(each.state in ("active", "reclaiming") for each in found.leases):
            self.violations.append(f"1: {dseq} was closed while {', '.join(led)} leads to it")
        if dseq in FOREIGN:
            self.violations.append(f"3: {dseq} of another owner was closed")
        if found.state == "active":
            self.ledger.close(dseq)
            self.gone[dseq] = self.now

    # -- HTTP

    def answer(self, asked: httpx.Request) -> httpx.Response:
        self.calls += 1
        self.sleep(0.05)
        fault = self.faults.pop(self.calls, "")
        if fault == "kill-before":
            raise Killed
        if fault == "busy":
            return httpx.Response(503, json={"message": "Service temporarily unavailable"})
        if fault == "missing" and asked.method == "GET":
            return httpx.Response(404, json={"message": "Deployment not found"})
        if fault in EVENTS:
            self.event(fault)
        try:
            found = self._route(asked)
        except ChainError as refused:
            said = of_chain(str(refused))
            found = httpx.Response(said.status, json={"message": said.message})
        if fault == "kill-after":
            raise Killed
        if fault == "unanswered":
            self.sleep(95.0)
            raise httpx.ReadTimeout("no answer")
        return found

    def _route(self, asked: httpx.Request) -> httpx.Response:  # noqa: C901, PLR0911, PLR0912 one case a route
        body = json.loads(asked.content) if asked.content else {}
        match asked.method, asked.url.path.strip("/").split("/"):
            case "POST", ["v1", "deployments"]:
                return self._open(body)
            case "GET", ["v1", "deployments"]:
                return self._list()
            case "GET", ["v1", "deployments", dseq]:
                return self._show(dseq)
            case "PUT", ["v1", "deployments", dseq]:
                return self._put(dseq, body)
            case "DELETE", ["v1", "deployments", dseq]:
                return self._delete(dseq)
            case "GET", ["v1", "bids"]:
                return self._bids(asked.url.params["dseq"])
            case "POST", ["v1", "leases"]:
                return self._lease(body)
            case "GET", ["v1", "deployment", _, dseq]:
                return self._named(dseq)
            case "GET", ["v1", "user", "me"]:
                return data({"id": "u"})
            case "GET", ["v1", "wallets"]:
                return data([{"address": OWNER, "isTrialing": False}])
            case "GET", ["v1", "balances"]:
                return data({"balance": self.ledger.wallet / 1e6, "deployments": 1.0, "total": 1.0})
            case _, ["v2", "deployment-settings", _]:
                return data({"autoTopUpEnabled": True})
            case "GET", ["v1", "providers", owner]:
                return httpx.Response(200, json={"hostUri": f"https://{owner}.example:8443"})
        return httpx.Response(404, json={"message": "Not found"})

    def _open(self, body: Any) -> httpx.Response:
        submitted = document.read(body["data"]["sdl"])
        self.opened += 1
        dseq = str(100 + self.opened)
        self.ledger.create(dseq, submitted.groups, submitted.version, 500_000, submitted.notice)
        return data({"dseq": dseq, "manifest": submitted.manifest, "signTx": {"code": 0}}, 201)

    def _visible(self, each: Deployment) -> bool:
        return self.now - each.time >= self.read_lag

    def _view(self, each: Deployment) -> dict[str, Any]:
        shown = shapes.deployment(each)
        if self.placeholders:
            shown["hash"] = UNKNOWN
        late = each.dseq in self.gone and self.now - self.gone[each.dseq] < self.read_lag
        if late:
            shown["state"] = "active"
        leases = [shapes.lease(each, lease) for lease in each.leases if self.now - lease.time >= self.read_lag]
        return {"deployment": shown, "leases": leases, "escrow_account": shapes.escrow(each)}

    def _list(self) -> httpx.Response:
        everything = [self._view(each) for each in self.ledger.deployments.values() if self._visible(each)]
        page = [each for each in everything if each["deployment"]["state"] == "active"]
        leases = [each["leases"] for each in page]
        for each, other in zip(page, [*leases[1:], *leases[:1]], strict=True):
            each["leases"] = other
        broken = [{"deployment": {"id": {}}, "groups": [{}], "leases": 7}, {}]
        page = [*page, *({**each, "leases": []} for each in broken)]
        return data({"deployments": page, "pagination": {"hasMore": False}})

    def _show(self, dseq: str) -> httpx.Response:
        found = self.ledger.deployments.get(dseq)
        if found is None or not self._visible(found):
            return httpx.Response(404, json={"message": "Deployment not found"})
        return data(self._full(found))

    def _full(self, found: Deployment) -> dict[str, Any]:
        view = self._view(found)
        if any(each.provider in self.silent for each in found.live()):
            self.sleep(DEAD_READ_S)
        for shown in view["leases"]:
            shown["status"] = self._status(found, shown)
        return view

    def _status(self, found: Deployment, shown: Any) -> Any:
        put = self.manifests.get(found.dseq)
        running = shown["state"] in ("active", "reclaiming")
        if not running or put is None or shown["id"]["provider"] in self.silent:
            return None
        up = int(self.now - put[1] >= READY_AFTER_S)
        ip = [{"IP": self.addresses[found.dseq], "Port": 80}] if up else []
        service = {"available": up, "total": 1, "updated_replicas": up, "uris": []}
        return {"services": {"web": service}, "ips": {"web": ip}}

    def _put(self, dseq: str, body: Any) -> httpx.Response:
        self.puts += 1
        submitted = document.read(body["data"]["sdl"])
        found = self.ledger.get(dseq)
        if submitted.groups[0]["name"] != found.groups[0].spec["name"]:
            return httpx.Response(422, json={"message": "manifest cross-validation error: unknown deployment group"})
        if found.hash != submitted.version:
            self.ledger.update(dseq, submitted.version)
        return self._deliver(found, submitted.manifest) or data(self._full(found))

    def _deliver(self, found: Deployment, manifest: str) -> httpx.Response | None:
        live = found.live()
        if any(each.provider in self.silent for each in live):
            self.sleep(DEAD_READ_S)
            return httpx.Response(503, json={"message": "Provider is not reachable"})
        if live and self.manifests.get(found.dseq, ("",))[0] != manifest:
            self.manifests[found.dseq] = (manifest, self.now)
        return None

    def _delete(self, dseq: str) -> httpx.Response:
        if dseq not in self.ledger.deployments:
            return httpx.Response(404, json={"message": "Deployment not found"})
        self.close(dseq)
        return data({"success": True})

    def _bids(self, dseq: str) -> httpx.Response:
        found = self.ledger.deployments[dseq]
        if found.state == "active" and self.now - found.time >= BID_AFTER_S and not found.bids:
            for provider, price in ((each, price) for each, price in PRICES.items() if each not in self.away):
                self.ledger.bid(dseq, 1, provider, price)
        self.ledger.expire(found)
        return data([bid(found, each) for each in found.bids])

    def _lease(self, body: Any) -> httpx.Response:
        wanted = body["leases"][0]
        found = self.ledger.get(wanted["dseq"])
        if not found.live():
            self._apart(found, wanted["provider"])
            self.ledger.lease(wanted["dseq"], wanted["gseq"], wanted["oseq"], wanted["provider"])
            self.addresses[found.dseq] = f"203.0.113.{len(self.addresses) + 1}"
        return self._deliver(found, body["manifest"]) or data(self._full(found))

    def _apart(self, found: Deployment, provider: str) -> None:
        """Note a lease at an operator where another site of the same stack has visitors."""
        ours = owner_of(found.groups[0].spec["name"])
        for each in self.ledger.deployments.values():
            other = owner_of(each.groups[0].spec["name"])
            near = ours and other and ours.stack == other.stack and ours.site != other.site
            led = self.addresses.get(each.dseq) in self.records.values()
            if near and led and provider in {lease.provider for lease in each.live()}:
                self.violations.append(f"4: {found.dseq} was rented from {provider}, where {each.dseq} serves")

    def _named(self, dseq: str) -> httpx.Response:
        found = self.ledger.deployments.get(dseq)
        if found is None or self.now - found.time < self.index_lag:
            return httpx.Response(404, json={"message": "Deployment not found"})
        other = {"deployment": shapes.deployment(found), "groups": [{"group_spec": dict(found.groups[0].spec)}]}
        detail = {"other": other}
        return httpx.Response(200, json=from_database(detail) if self.placeholders else detail)


def bid(found: Deployment, each: Any) -> dict[str, Any]:
    """Show a bid, without its offer."""
    at = {"owner": OWNER, "dseq": found.dseq, "gseq": 1, "oseq": each.oseq, "provider": each.provider, "bseq": 0}
    return {"bid": {"id": at, "state": each.state, "price": shapes.coin(each.price)}}


def data(found: Any, status: int = 200) -> httpx.Response:
    """Wrap an answer as the API does."""
    return httpx.Response(status, json={"data": found})


@dataclass
class Clock:
    """The world's time; sleeping is what makes it pass."""

    world: World

    def now(self) -> float:
        return self.world.now

    def sleep(self, seconds: float) -> None:
        self.world.sleep(seconds)
