"""Other hosts that lead to a workload's own, through the real engine: added to a site that stands, flipped, taken out.

The tests run in order on one stack: what one leaves, the next one uses.
"""

from __future__ import annotations

import json

import pytest

from sandbox.client import NotReached, Resolver, get

from .docs_stack import AKASH, AWS, HOST, Docs, finished, started, until

pytestmark = pytest.mark.timeout(900)

OTHERS = ["www.dao.example", "dao.example"]
PAGE = f"https://{HOST}/guide/?a=b"


def led(docs: Docs, address: str | None = None) -> dict[str, str]:
    """Return where each of the other hosts leads a visitor who validates: the place that asks, and the Location."""
    found = {}
    for host in OTHERS:
        try:
            page = get(f"https://{host}/guide/?a=b", docs.state, address=address)
            found[host] = f"{page.address.rpartition('.')[0]}. {page.status} {page.headers.get('location')}"
        except NotReached as why:
            found[host] = str(why)
    return found


@pytest.fixture(scope="module")
def standing(docs: Docs) -> Docs:
    docs.up(mode="active-standby")
    return docs


def test_hosts_are_added_to_both_halves_while_visitors_are_served(standing: Docs) -> None:
    docs = standing
    run = docs.up(redirect_from=OTHERS)
    until(lambda: set(led(docs).values()) == {f"{AWS} 301 {PAGE}"}, "Route 53 answers for both")
    assert {"docs-aws-probe", "docs-akash-probe"} <= run.changes().keys()
    for host in OTHERS:
        assert finished(run, "docs-aws-probe") < started(run, f"{host}/primary")
        assert finished(run, "docs-akash-probe") < started(run, f"{host}/standby")
    assert not [
        step for step in run.steps() if step[1] in {"docs-akash", "docs-aws-distribution"} and "replace" in step[0]
    ]
    assert docs.served() == docs.version()
    assert docs.again().changes() == {}


def test_the_standby_has_a_certificate_for_each_before_anything_moves(standing: Docs) -> None:
    docs = standing
    address = Resolver(docs.state).addresses("docs-akash.dao.example")[0]
    until(lambda: set(led(docs, address).values()) == {f"{AKASH} 301 {PAGE}"}, "certificates of the standby")


def test_a_flip_takes_all_hosts_along(standing: Docs) -> None:
    docs = standing
    docs.up(active="decentralized")
    until(lambda: set(led(docs).values()) == {f"{AKASH} 301 {PAGE}"}, "Route 53 leads both to the other side")
    shown = {each["site"]: each for each in json.loads(docs.unmoor("status", "--json"))["docs"]}
    for host in OTHERS:
        assert (shown[host]["well"], shown[host]["certificate"]["names"]) == (True, [host])


def test_a_first_deployment_on_akash_alone_gets_certificates_for_all(standing: Docs) -> None:
    docs = standing
    docs.pulumi.destroy()
    docs.up(mode="decentralized", active=None)
    until(lambda: set(led(docs).values()) == {f"{AKASH} 301 {PAGE}"}, "certificates for both")
    assert docs.served() == docs.version()


def test_hosts_that_are_taken_out_leave_no_record(standing: Docs) -> None:
    docs = standing
    docs.up(redirect_from=None)
    assert {name for name in docs.records() if name.partition("/")[0] in OTHERS} == set()
    assert docs.served() == docs.version()
    docs.pulumi.destroy()
