"""New content through the real engine, in every constellation: no request fails, and none sees an older release again.

The tests run in order on one stack: what one leaves, the next one uses. That requests are not torn at hundreds a second
is shown by tests/contract, on the container alone.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from components.web import http as front
from sandbox.client import NotReached, Resolver, get

from .docs_stack import HOST, Docs, until

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    for site in docs.pulumi.outputs()["workloads"]["docs"]["sites"]:
        until(lambda site=site: docs.site_serves(site) == docs.version(), f"{site} serves it too")
