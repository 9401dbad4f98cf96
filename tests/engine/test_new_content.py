"""New content through the real engine, in every constellation: no request fails, and none sees an older release again.

The tests run in order on one stack: what one leaves, the next one uses. That requests are not torn at hundreds a second
is shown by tests/contract, on the container alone.
"""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

import pytest

from components.web import http as front
from sandbox.client import NotReached, Resolver, get
from sandbox.net.tls import Authority
from sandbox.state import State

from ..loopback import Loopback
from .docs_stack import HOST, PROBE_S, PROBE_VARIABLE, Docs, mend, tamper, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.timeout(900)

#: Seconds between two requests.
PAUSE_S = 0.15
ONE, TWO = (
    {"centralized": "aws", "decentralized": ["akash"]},
    {"centralized": "aws", "decentralized": ["akash", "akash"]},
)
#: In this order, each from where the one before it ended.
CONSTELLATIONS = {
    "active-standby, AWS active": {"mode": "active-standby", "active": None},
    "active-standby, Akash active": {"mode": "active-standby", "active": "decentralized"},
    "decentralized, one site": {"mode": "decentralized", "placement": ONE},
    "decentralized, two sites": {"mode": "decentralized", "placement": TWO},
}


@contextmanager
def asking(docs: Docs) -> Iterator[list[str]]:
    """Ask for the release all the time, as visitors with one resolver do; what was answered, or why nothing was."""
    seen: list[str] = []
    done = threading.Event()

    def ask() -> None:
        resolver = Resolver(docs.state)
        while not done.wait(PAUSE_S):
            try:
                address = resolver.addresses(HOST)[0]
                page = get(front.url(HOST, front.HEALTH_PATH), docs.state, address=address, timeout=15)
                seen.append(page.body.decode().partition("\n")[0] if page.status == 200 else f"status {page.status}")
            except NotReached as why:
                seen.append(str(why))

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        thread.join()


@pytest.mark.parametrize("name", CONSTELLATIONS)
def test_new_content_costs_no_request(docs: Docs, name: str) -> None:
    docs.up(**CONSTELLATIONS[name])
    until(lambda: docs.served() == docs.version(), "it is served")
    before = docs.version()
    healthy = verdicts(docs)
    with asking(docs) as seen:
        until(lambda: len(seen) > 5, "somebody asks")
        docs.page(f"new content in {name}")
        run = docs.up()
        until(lambda: seen[-1:] == [docs.version()], "the new release is served")
        count = len(seen)
        until(lambda: len(seen) > count + 10, "it goes on being served")
    wanted = [before, docs.version()]
    assert [one for one in seen if one not in wanted] == []
    assert seen == sorted(seen, key=wanted.index)
    assert not {"docs-akash", "docs-akash-2"} & run.changes().keys()
    assert not [name for name in run.changes() if name.endswith("-health")]
    assert verdicts(docs) == healthy, "no health check changes its mind"
    for site in docs.pulumi.outputs()["workloads"]["docs"]["sites"]:
        until(lambda site=site: docs.site_serves(site) == docs.version(), f"{site} serves it too")


def test_a_failed_replacement_leaves_failover_as_it_was(docs: Docs) -> None:
    """Both stores give other bytes, so neither new lease is ever well; what stood serves on, and is judged on."""
    records, judged, options = led(docs), verdicts(docs), docs.workload["options"]
    right = tamper(docs)
    docs.pulumi.environment = {**docs.pulumi.environment, PROBE_VARIABLE: "5"}
    run = docs.fails(options=options | {"budget_usd_month": 11})
    docs.pulumi.environment = {**docs.pulumi.environment, PROBE_VARIABLE: PROBE_S}
    mend(docs, right)
    assert "was left as it is" in run.output
    assert (led(docs), verdicts(docs)) == (records, judged)
    primary, standby = records["primary"], records["secondary"]
    ours = docs.state.route(primary, front.PORTS["https"])
    assert ours
    docs.state.withdraw_route(primary, front.PORTS["https"])
    until(lambda: docs.address() == standby, "visitors are led to the other site")
    docs.state.publish_route(primary, front.PORTS["https"], ours[1])
    until(lambda: docs.address() == primary, "visitors are led back")
    docs.up(options=options)
    assert (len(docs.leases()), all(docs.leases().values())) == (2, True)
    until(lambda: docs.served() == docs.version(), "it is served")


def led(docs: Docs) -> dict[str, str]:
    """Return where each member of the public name leads."""
    found = docs.records()
    return {role: found[f"{HOST}/{role}"] for role in ("primary", "secondary")}


def test_a_stranger_at_the_address_of_a_site_who_answers_everything_is_not_healthy(docs: Docs, tmp_path: Path) -> None:
    """As after a lease that its provider closed: Route 53 verifies no certificate, and the record still leads there."""
    primary, standby = led(docs)["primary"], led(docs)["secondary"]
    ours = docs.state.route(primary, front.PORTS["https"])
    assert ours
    with stranger(State(tmp_path / "stranger")) as port:
        docs.state.publish_route(primary, front.PORTS["https"], port)
        try:
            until(lambda: docs.address() == standby, "visitors are led to the other site")
            saw = [each["saw"] for check in health(docs).values() for each in check["checkers"]]
            assert any("the string is not in the first" in each for each in saw)
        finally:
            docs.state.publish_route(primary, front.PORTS["https"], ours[1])
    until(lambda: docs.address() == primary, "visitors are led back")


def health(docs: Docs) -> dict[str, Any]:
    """Return what the health checkers of the sandbox hold, by the id of the check."""
    found: dict[str, Any] = json.loads((docs.state.root / "health.json").read_text())
    return found


def verdicts(docs: Docs) -> dict[str, tuple[bool, float]]:
    """Return whether the check of each site is healthy, and since when; once all of them have looked."""
    sites = docs.pulumi.outputs()["workloads"]["docs"]["sites"]
    until(lambda: len(health(docs)) == len(sites), "a check of each site")
    until(lambda: all("200" in each["saw"] for one in health(docs).values() for each in one["checkers"]), "every look")
    return {name: (each["healthy"], each["since"]) for name, each in health(docs).items()}


@contextmanager
def stranger(state: State) -> Iterator[int]:
    """Answer 200 to everything over HTTPS, with a certificate of one's own and the host that was asked for."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(f"welcome to {self.headers['Host']}{self.path}".encode())

        def log_message(self, *_: object) -> None:
            pass

    server = Loopback(("127.0.0.1", 0), Answers)
    server.socket = Authority(state).context((HOST,)).wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
