"""How soon a fresh standby has its certificate, and what our web server costs a page against a bare file server."""

from __future__ import annotations

import http.client
import json
import os
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from sandbox.client import NotReached, get
from sandbox.demo import running
from sandbox.drive import Pulumi
from sandbox.engine import resolve
from sandbox.state import REPOSITORY, State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HOST, AKASH = "docs.dao.example", "203.0.113."
#: The page: bytes that no server compresses for a client that does not ask for it.
PAGE, BYTES = "page.html", 10_000
REQUESTS = 1000


def main() -> Iterator[dict[str, Any]]:
    """Bring a standby up beside AWS, watch its certificate come, then ask both servers for the page in turn."""
    with tempfile.TemporaryDirectory() as root:
        state, site = State(Path(root) / "S"), Path(root) / "site"
        site.mkdir()
        for name in ("index.html", "404.html", PAGE):
            (site / name).write_bytes(os.urandom(BYTES // 2).hex().encode())
        with running(state) as environment:
            settings = yaml.safe_load((REPOSITORY / "stacks" / "Pulumi.sandbox.yaml").read_text())
            docs = settings["config"]["unmoor:workloads"]["docs"]
            docs["options"]["site"] = str(site)
            file = Path(root) / "Pulumi.sandbox.yaml"
            pulumi = Pulumi(state, environment, "sandbox", file)
            file.write_text(yaml.safe_dump(settings))
            pulumi.init()
            pulumi.up()
            docs["mode"] = "active-standby"
            file.write_text(yaml.safe_dump(settings))
            yield {"name": "https_certificate_s", "value": round(standby(pulumi, state), 2), "unit": "s", "reach": 10}
            yield {"name": "https_page_overhead_ms", "value": overhead(state, site), "unit": "ms", "reach": 1}


def standby(pulumi: Pulumi, state: State) -> float:
    """Deploy the standby; the seconds from its first answer over HTTP to its first valid one over HTTPS."""
    seen: dict[str, float] = {}

    def watch() -> None:
        while "https" not in seen:
            for scheme in ("http", "https"):
                for ip in {ip for ip, _ in state.routes() if ip.startswith(AKASH)}:
                    if scheme not in seen and answers(f"{scheme}://{HOST}/healthz", state, ip):
                        seen[scheme] = time.monotonic()
            time.sleep(0.05)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    pulumi.up()
    watcher.join(60)
    return seen["https"] - seen["http"]


def answers(url: str, state: State, address: str) -> bool:
    """Return whether there is any answer at an address, with a valid certificate if it is HTTPS."""
    try:
        get(url, state, address=address)
    except NotReached:
        return False
    return True


def overhead(state: State, site: Path) -> float:
    """Milliseconds that the median page takes longer from the lease than from a bare file server."""
    (ip,) = {ip for ip, _ in state.routes() if ip.startswith(AKASH)}
    real = state.route(ip, 443)
    assert real
    address = f"127.0.0.1:{_free()}"
    caddy = resolve.tool(resolve.CADDY) / "caddy"
    bare = subprocess.Popen(
        [caddy, "file-server", "--root", site, "--listen", address],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        plain = http.client.HTTPConnection(address)
        _until(lambda: plain.connect() is None)
        ours = http.client.HTTPConnection(*real)
        ours.connect()
        trusted = ssl.create_default_context(cafile=state.ca_bundle)
        ours.sock = trusted.wrap_socket(ours.sock, server_hostname=HOST)
        times: dict[str, list[float]] = {"bare": [], "ours": []}
        for _ in range(REQUESTS):
            for name, connection in (("bare", plain), ("ours", ours)):
                began = time.perf_counter()
                connection.request("GET", f"/{PAGE}", headers={"Host": HOST})
                answer = connection.getresponse()
                assert (answer.status, len(answer.read())) == (200, BYTES)
                times[name].append(time.perf_counter() - began)
        medians = {name: statistics.median(each) * 1000 for name, each in times.items()}
        print(json.dumps(medians), file=sys.stderr)
        return round(medians["ours"] - medians["bare"], 3)
    finally:
        bare.terminate()
        bare.wait()


def _until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            if done():
                return
        except OSError:
            time.sleep(0.05)
    raise SystemExit("the bare file server did not start")


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
