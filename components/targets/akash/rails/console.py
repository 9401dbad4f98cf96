"""The Console rail: the market through the Console's API, told in the words of `observed`."""

from __future__ import annotations

import base64
import binascii
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Self

from ....errors import MarketError, Refused
from ..market.observed import RUNNING, Bid, Deployment, Lease, Observed, Service, Standing, pick
from ..market.steps import CloseDeployment, OpenDeployment, SendManifest, Step, TakeBid, UpdateManifest
from ..sdl import document as sdl
from .console_client import Console

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..market.reconcile import Clock
    from ..market.request import Request

_PAGE = 100
_Json = dict[str, Any]


class ConsoleRail:
    """A market with the keys and the wallet of a Console account. `id` is the deployment this run works on."""

    def __init__(self, clock: Clock, console: Console | None = None) -> None:
        self._clock = clock
        self._console = console or Console(clock)
        self.id = ""
        self._taken: frozenset[str] = frozenset()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._console.close()

    def observe(self, want: Request) -> Observed:
        """Look by id; by name while there is none, and once more before all is well: a lost opening may have landed."""
        try:
            return self._observe(want)
        except (LookupError, TypeError, ValueError, ArithmeticError) as fault:
            raise MarketError(f"akash: the Console's answer is not what its API describes ({fault!r})") from fault

    def _observe(self, want: Request) -> Observed:
        self.id = want.id or self.id
        spare: tuple[str, ...] = ()
        if not self.id:
            spare = self._find(want)
        seen = self._look()
        if want.id or not (seen.services and all(each.ready for each in seen.services.values())):
            return self._with(seen, spare)
        ours, spare = self.id, self._find(want)
        return self._with(seen if self.id == ours else self._look(), spare)

    def _with(self, seen: Observed, spare: tuple[str, ...]) -> Observed:
        return replace(seen, spare=spare, taken=self._taken)

    def _find(self, want: Request) -> tuple[str, ...]:
        standing = [each for each in self._list() if each["deployment"]["state"] == "active"]
        standing.sort(key=lambda each: _height(each["deployment"].get("created_at")), reverse=True)
        names = self._names(want, standing)
        found = [
            Standing(_deployment(each, names.get(str(each["deployment"]["id"]["dseq"]))), _lease(each)[0])
            for each in standing
        ]
        self.id, spare, taken = pick(want.name, sorted(want.avoid), found)
        self._taken = taken | (self._holders(want, found) if want.hosts else frozenset())
        return spare

    def _holders(self, want: Request, found: Iterable[Standing]) -> frozenset[str]:
        """Name the providers whose ingress leads one of our hosts to another deployment: it would stay with that one.

        Of the same owner's deployments on one provider the first one has a host until it ends, and it then leads to
        nobody (provider v0.16, `cluster/hostname.go`).
        """
        return frozenset(
            each.lease.provider
            for each in found
            if each.lease
            and each.lease.state in RUNNING
            and each.deployment.id != self.id
            and want.hosts & self._hosts(each.deployment.id)
        )

    def _hosts(self, dseq: str) -> frozenset[str]:
        """Give the hosts that lead to a deployment; none if that is not to be had, which its own status then shows."""
        try:
            answer = self._console.call("show", dseq=dseq, missing={}).get("data") or {}
        except MarketError:
            return frozenset()
        _, status = _lease(answer)
        services = ((status or {}).get("services") or {}).values()
        return frozenset(uri for each in services for uri in each.get("uris") or ())

    def _list(self) -> list[_Json]:
        found: list[_Json] = []
        while True:
            data = self._console.call("list", params={"skip": len(found), "limit": _PAGE})["data"]
            found += data["deployments"]
            if not data["deployments"] or not data["pagination"].get("hasMore"):
                return found

    def _names(self, want: Request, standing: Iterable[_Json]) -> dict[str, str]:
        """Give group names by dseq: as the list shows them, else by our manifest's hash, else as the chain has them."""
        names: dict[str, str] = {}
        unknown: set[str] = set()
        for each in standing:
            found = each["deployment"]
            dseq = str(found["id"]["dseq"])
            if each.get("groups"):
                names[dseq] = each["groups"][0]["group_spec"]["name"]
            elif _hex(found.get("hash")) == want.version:
                names[dseq] = want.name
            else:
                unknown.add(str(found["id"]["owner"]))
        for owner in unknown:
            names = {**self._chain_names(owner), **names}
        return names

    def _chain_names(self, owner: str) -> dict[str, str]:
        params: dict[str, str | int] = {"filters.owner": owner, "filters.state": "active", "pagination.limit": 1000}
        answer = self._console.call("groups", params=params, missing={})
        return {
            str(each["deployment"]["id"]["dseq"]): each["groups"][0]["group_spec"]["name"]
            for each in answer.get("deployments") or ()
        }

    def _look(self) -> Observed:
        now = self._clock.now()
        if not self.id:
            return Observed(now)
        answer = self._console.call("show", dseq=self.id, missing={}).get("data")
        if not answer or answer["deployment"]["state"] != "active":
            gone, self.id = self.id, ""
            return Observed(now, Deployment(gone, "closed", ""))
        lease, status = _lease(answer)
        bids = self._console.call("bids", params={"dseq": self.id})["data"] if lease is None else ()
        services = (status or {}).get("services") or {}
        return Observed(
            now,
            _deployment(answer),
            lease,
            tuple(_bid(each["bid"]) for each in bids),
            {name: _service(each) for name, each in services.items()} or None,
            {name: tuple(ip["IP"] for ip in ips) for name, ips in ((status or {}).get("ips") or {}).items()},
            {name: tuple(each.get("uris") or ()) for name, each in services.items()},
        )

    def perform(self, want: Request, step: Step) -> None:
        """Take one step by one call."""
        match step:
            case OpenDeployment():
                self._open(want)
            case TakeBid(dseq, bid):
                chosen = {"dseq": dseq, "gseq": bid.gseq, "oseq": bid.oseq, "provider": bid.provider}
                self._console.call("lease", body={"manifest": want.manifest, "leases": [chosen]})
            case SendManifest(dseq) | UpdateManifest(dseq):
                self._console.call("update", dseq=dseq, body={"data": {"sdl": _text(want)}})
            case CloseDeployment(dseq):
                self.close(dseq)

    def _open(self, want: Request) -> None:
        body = {"data": {"sdl": _text(want), "deposit": float(want.deposit_usd)}}
        data = self._console.call("open", body=body)["data"]
        signed = data.get("signTx") or {}
        if signed.get("code"):
            raise Refused(f"akash: the deployment was not opened: {signed.get('rawLog')}")
        self.id = str(data["dseq"])

    def close(self, dseq: str) -> None:
        """Close a deployment; fine if it is closed already."""
        self._console.call("close", dseq=dseq, missing={})
        if dseq == self.id:
            self.id = ""

    def is_open(self, dseq: str) -> bool:
        """Whether a deployment costs money."""
        answer = self._console.call("show", dseq=dseq, missing={}).get("data")
        return answer is not None and answer["deployment"]["state"] == "active"

    def host_uri(self, provider: str) -> str:
        """Give the address of a provider's gateway; empty if it is not to be had."""
        try:
            return str(self._console.call("host", owner=provider, missing={}).get("hostUri") or "")
        except MarketError:
            return ""


def _text(want: Request) -> str:
    return sdl.dump(sdl.Document(want.data))


def _deployment(answer: _Json, group: str | None = None) -> Deployment:
    found = answer["deployment"]
    named = answer["groups"][0]["group_spec"]["name"] if answer.get("groups") else None
    return Deployment(
        str(found["id"]["dseq"]), found["state"], _hex(found.get("hash")), str(found["id"]["owner"]), group or named
    )


def _lease(answer: _Json) -> tuple[Lease | None, _Json | None]:
    """Choose the lease that runs, else the last one, with what its provider shows of it."""
    leases: list[_Json] = answer.get("leases") or []
    if not leases:
        return None, None
    chosen = next((each for each in leases if each["state"] in RUNNING), leases[-1])
    lease = Lease(
        str(chosen["id"]["provider"]), chosen["state"], Decimal(chosen["price"]["amount"]), chosen.get("reason") or ""
    )
    return lease, chosen.get("status")


def _bid(bid: _Json) -> Bid:
    return Bid(
        str(bid["id"]["provider"]),
        Decimal(bid["price"]["amount"]),
        bid["state"],
        bid["price"]["denom"],
        bid["id"]["gseq"],
        bid["id"]["oseq"],
    )


def _service(service: _Json) -> Service:
    available = int(service["available"])
    return Service(available, int(service["total"]), int(service.get("updated_replicas", available)))


def _hex(encoded: str | None) -> str:
    """Turn a hash as the API shows it (base64) into hex."""
    try:
        return base64.b64decode(encoded or "", validate=True).hex()
    except binascii.Error:
        return ""


def _height(created: object) -> tuple[int, str]:
    """Order heights that are spelt as text, of any length."""
    return len(str(created or "")), str(created or "")
