"""Starts the sandbox's Akash in its own process and speaks to it as a client of the Console API would."""

from __future__ import annotations

import contextlib
import copy
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, Self, TypeVar

import httpx
import yaml

from sandbox.akash.providers import PROVIDERS
from sandbox.images import find_caddy
from sandbox.state import REPOSITORY, State
from tests.loopback import PLAIN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

T = TypeVar("T")
OWNERS = {each.name: each.owner for each in PROVIDERS}
#: A web server in three words; the sandbox's variables stand for the ports.
SERVE = 'exec python3 -m http.server "$HTTP_PORT" --bind 127.0.0.1'
SDL: dict[str, Any] = {
    "version": "2.0",
    "services": {
        "web": {
            "image": "docker.io/library/python:3.13-alpine",
            "command": ["sh", "-c"],
            "args": [f"echo hello > index.html; {SERVE}"],
            "env": ["WHO=nobody"],
            "expose": [{"port": 80, "as": 80, "proto": "TCP", "to": [{"global": True}]}],
        }
    },
    "profiles": {
        "compute": {
            "web": {"resources": {"cpu": {"units": 1}, "memory": {"size": "2Gi"}, "storage": [{"size": "10Gi"}]}}
        },
        "placement": {"site": {"pricing": {"web": {"denom": "uact", "amount": 100}}}},
    },
    "deployment": {"web": {"site": {"profile": "web", "count": 1}}},
}


def sdl(
    script: str | None = None,
    *,
    ip: str = "",
    volume: str = "",
    env: tuple[str, ...] = (),
    accept: tuple[str, ...] = (),
    image: str = "",
    ceiling: float | None = None,
    attributes: dict[str, str] | None = None,
) -> str:
    """Return the document with what a test varies."""
    made = copy.deepcopy(SDL)
    web, resources = made["services"]["web"], made["profiles"]["compute"]["web"]["resources"]
    if script is not None:
        web["args"] = [script]
    if image:
        web["image"] = image
    web["env"] += env
    if accept:
        web["expose"][0]["accept"] = list(accept)
    if ip:
        web["expose"][0]["to"][0]["ip"] = ip
        made["endpoints"] = {ip: {"kind": "ip"}}
    if volume:
        resources["storage"].append(
            {"name": "data", "size": "1Gi", "attributes": {"persistent": True, "class": volume}}
        )
        web["params"] = {"storage": {"data": {"mount": "/data", "readOnly": False}}}
    placement = made["profiles"]["placement"]["site"]
    if ceiling is not None:
        placement["pricing"]["web"]["amount"] = ceiling
    if attributes:
        placement["attributes"] = attributes
    return yaml.safe_dump(made)


def wait(look: Callable[[], T], seconds: float = 120.0) -> T:
    """Poll until the result is true, or fail with the last one."""
    end = time.monotonic() + seconds
    while not (seen := look()):
        if time.monotonic() > end:
            raise AssertionError(f"still {seen!r} after {seconds} s")
        time.sleep(0.1)
    return seen


class AkashWorld:
    """One world, its state folder, and a client with its key."""

    def __init__(self, folder: Path) -> None:
        self.state = State(folder)
        self.state.prepare()
        environment = {**os.environ, "UNMOOR_SANDBOX": str(folder), "CADDY": find_caddy() or ""}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sandbox.akash"], cwd=REPOSITORY, env=environment, start_new_session=True
        )
        port = wait(lambda: self.state.port("console"))
        self.api = httpx.Client(
            base_url=f"http://127.0.0.1:{port}", headers={"x-api-key": "sandbox-key"}, trust_env=False, timeout=95
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.api.close()
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(15)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)

    @contextlib.contextmanager
    def fault(self, name: str, **parameters: Any) -> Iterator[None]:
        """Break something for a while."""
        self.state.start_fault(name, parameters)
        try:
            yield
        finally:
            self.state.end_fault(name)

    def create(self, document: str, deposit: float = 5.0) -> dict[str, Any]:
        """Open a deployment, and return the API's answer."""
        answer = self.api.post("/v1/deployments", json={"data": {"sdl": document, "deposit": deposit}})
        assert answer.status_code == 201, answer.text
        opened = answer.json()["data"]
        wait(lambda: self.api.get(f"/v1/deployments/{opened['dseq']}").status_code == 200)  # reads lag
        return opened

    def bids(self, dseq: str) -> dict[str, dict[str, Any]]:
        """Return the bids on a deployment by the short name of who made them."""
        names = {owner: name for name, owner in OWNERS.items()}
        found = self.api.get("/v1/bids", params={"dseq": dseq}).json()["data"]
        return {names[each["bid"]["id"]["provider"]]: each["bid"] for each in found}

    def take(self, opened: dict[str, Any], provider: str) -> httpx.Response:
        """Ask for a lease from one provider."""
        at = {"dseq": opened["dseq"], "gseq": 1, "oseq": 1, "provider": OWNERS[provider]}
        return self.api.post("/v1/leases", json={"manifest": opened["manifest"], "leases": [at]})

    def show(self, dseq: str) -> dict[str, Any]:
        """Look at a deployment."""
        return self.api.get(f"/v1/deployments/{dseq}").json()["data"]

    def status(self, dseq: str) -> dict[str, Any] | None:
        """Return the status of a deployment's first lease."""
        return self.show(dseq)["leases"][0]["status"]

    def run(self, document: str, provider: str = "europa") -> str:
        """Open, lease from a provider, wait until the service is up, and return the dseq."""
        opened = self.create(document)
        wait(lambda: provider in self.bids(opened["dseq"]))
        answer = self.take(opened, provider)
        assert answer.status_code == 200, answer.text
        wait(lambda: self.up(opened["dseq"]))
        return opened["dseq"]

    def up(self, dseq: str) -> bool:
        """Return whether every replica of the service runs the newest manifest."""
        status = self.status(dseq)
        web = status["services"]["web"] if status else {}
        return bool(web) and web["total"] == web["available"] == web["updated_replicas"]

    def close(self, *dseqs: str) -> None:
        """Close deployments."""
        for dseq in dseqs:
            assert self.api.delete(f"/v1/deployments/{dseq}").json() == {"data": {"success": True}}

    def get(self, address: str, path: str = "/", port: int = 80, host: str = "") -> httpx.Response:
        """Fetch from a realistic address, as the sandbox's internet would; patient with a server that starts."""
        end = time.monotonic() + 10
        while True:
            route = self.state.route(address, port)
            try:
                if route is None:
                    raise httpx.ConnectError(f"no route to {address}")
                headers = {"Host": host} if host else {}
                return httpx.get(f"http://127.0.0.1:{route[1]}{path}", headers=headers, trust_env=False, verify=PLAIN)
            except httpx.TransportError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)
