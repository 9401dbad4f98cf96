"""A scripted transport for the Console's API, and its shapes (Console's own schemas, September 2026)."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from components.targets.akash.market.request import Request, request
from components.targets.akash.rails.console import ConsoleRail
from components.targets.akash.rails.console_client import Console
from components.targets.akash.sdl import document as sdl

if TYPE_CHECKING:
    from collections.abc import Callable

    Answer = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]

KEY = "key-that-must-not-be-seen"
ENV = {"AKASH_CONSOLE_URL": "https://console.example", "AKASH_CONSOLE_API_KEY": KEY}
DOCS = sdl.load((Path(__file__).parents[2] / "sdl" / "docs.yaml").read_bytes()).data
WANT = request("docs.test", DOCS, "web")
OPEN = ("POST", "/v1/deployments")
LIST = ("GET", "/v1/deployments")
SHOW = ("GET", "/v1/deployments/7")
BIDS = ("GET", "/v1/bids")
ME, WALLETS = ("GET", "/v1/user/me"), ("GET", "/v1/wallets")
#: Asked on the way: a Console that has none of these routes is the same to all but the tests that script them.
ASIDE = {ME, WALLETS, ("PATCH", "/v2/deployment-settings/7")}


class StillClock:
    """Time that only sleeping moves."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def now(self) -> float:
        return sum(self.slept)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


class Wire:
    """Answers by method and path, in order; the last answer stays. Keeps what was asked."""

    def __init__(self, answers: dict[tuple[str, str], list[Answer] | Answer]) -> None:
        self.answers = {key: value if isinstance(value, list) else [value] for key, value in answers.items()}
        self.asked: list[httpx.Request] = []
        self.clock = StillClock()
        self.rail = ConsoleRail(self.clock, Console(self.clock, ENV, httpx.MockTransport(self.answer)))

    def answer(self, asked: httpx.Request) -> httpx.Response:
        if (asked.method, asked.url.path) in ASIDE - set(self.answers):
            return httpx.Response(404, json={"message": "Not found"})
        self.asked.append(asked)
        answers = self.answers[asked.method, asked.url.path]
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(found, Exception):
            raise found
        return found(asked) if callable(found) else found

    def calls(self) -> list[tuple[str, str]]:
        return [(each.method, each.url.path) for each in self.asked]


def ok(data: Any) -> Callable[[httpx.Request], httpx.Response]:
    return lambda _: httpx.Response(200, json={"data": data})


def fault(status: int, message: str, **headers: str) -> Callable[[httpx.Request], httpx.Response]:
    body = {"error": "X", "message": message, "code": "x", "type": "x"}
    return lambda _: httpx.Response(status, json=body, headers=headers)


def entry(
    dseq: str = "7", want: Request | None = WANT, state: str = "active", leases: Any = (), height: str = "100"
) -> Any:
    version = bytes.fromhex(want.version) if want else b"\0" * 32
    return {
        "deployment": {
            "id": {"owner": "akash1me", "dseq": dseq},
            "state": state,
            "hash": base64.b64encode(version).decode(),
            "created_at": height,
        },
        "leases": list(leases),
        "escrow_account": {},
    }


def lease(provider: str = "akash1p", state: str = "active", status: Any = None, dseq: str = "7", **more: Any) -> Any:
    shown = {"id": {"owner": "akash1me", "dseq": dseq, "gseq": 1, "oseq": 1, "provider": provider, "bseq": 0}}
    price = {"denom": "uact", "amount": "8.020000000000000000"}
    return {**shown, "state": state, "price": price, "created_at": "101", "closed_on": "0", "status": status, **more}


def page(*entries: Any, more: bool = False) -> Any:
    return ok({"deployments": list(entries), "pagination": {"total": 0, "skip": 0, "limit": 0, "hasMore": more}})


def named(dseq: str) -> tuple[str, str]:
    """Return the one route that tells the name of a deployment's group."""
    return ("GET", f"/v1/deployment/akash1me/{dseq}")


def group(name: str) -> Any:
    """Return what it answers, as `getDeploymentByOwnerAndDseq` makes it."""
    return lambda _: httpx.Response(
        200, json={"owner": "akash1me", "other": {"groups": [{"group_spec": {"name": name}}]}}
    )


STATUS = {
    "services": {"web": {"name": "web", "available": 1, "total": 1, "uris": ["x.example"], "updated_replicas": 1}},
    "forwarded_ports": {},
    "ips": {"web": [{"IP": "203.0.113.9", "Port": 80, "ExternalPort": 80, "Protocol": "TCP"}]},
}


def leading(*hosts: str) -> Any:
    """Return the status of a lease to which its ingress leads these hosts."""
    return {**STATUS, "services": {"web": {**STATUS["services"]["web"], "uris": list(hosts)}}}
