"""`up` is killed with everything that it started, and run again: it reaches the same end, and pays for nothing twice.

The tests run in order, each from where the one before it ended. TESTS_KILLS is how many times, once by itself.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from sandbox.aws import inventory

from .docs_stack import AKASH, HOST, Docs, kill, runs

if TYPE_CHECKING:
    from .conftest import Sandbox

pytestmark = pytest.mark.timeout(600)

ONE = {"centralized": "aws", "decentralized": ["akash"]}
TWO = {"centralized": "aws", "decentralized": ["akash", "akash"]}


@pytest.fixture(scope="module", params=range(int(os.environ.get("TESTS_KILLS", "1"))))
def base(docs: Docs, request: pytest.FixtureRequest) -> Docs:
    docs.page(f"the first page of round {request.param}")
    docs.up(mode="centralized", placement=ONE)
    return docs


def test_killed_after_a_deployment_was_opened(base: Docs, sandbox: Sandbox) -> None:
    base.write(mode="active-standby")
    kill(base.pulumi, sandbox, lambda: bool(base.leases()))
    opened = base.leases()
    base.pulumi.up()
    assert list(base.leases()) == list(opened)
    rests(base, "docs-aws", "docs-akash")


def test_killed_while_publishing(base: Docs, sandbox: Sandbox) -> None:
    base.page("the second page")
    kill(base.pulumi, sandbox, lambda: runs(sandbox, "step publish"))
    standing = base.leases()
    base.pulumi.up()
    assert base.leases() == standing
    assert base.site_serves("docs-aws", "/").endswith("the second page")
    rests(base, "docs-aws", "docs-akash")


def test_killed_between_a_lease_and_the_probe_of_its_site_and_again_while_draining(
    base: Docs, sandbox: Sandbox
) -> None:
    standing = base.leases()
    base.write(mode="decentralized", placement=TWO)
    kill(base.pulumi, sandbox, lambda: len([1 for lease in base.leases().values() if lease]) > 1)
    assert not runs(sandbox, "step probe")
    rented = base.leases()
    assert (len(rented), standing.items() < rented.items()) == (2, True)
    kill(base.pulumi, sandbox, lambda: runs(sandbox, "step drain"))
    assert base.site_serves("docs-aws") == base.version(), "it stands as long as resolvers may lead to it"
    base.pulumi.up()
    assert base.leases() == rented
    assert [each for each in inventory.objects() if each.startswith(("bucket", "distribution"))] == []
    rests(base, "docs-akash", "docs-akash-2")


def rests(base: Docs, primary: str, standby: str) -> None:
    """Verify the end of an update that was not killed: one deployment a site, records right, nothing left to do."""
    sites = (primary, standby)
    records = base.records()
    found = [records[f"{HOST}/{role}"] for role in ("primary", "secondary")]
    assert found == [records[f"{site}.dao.example"] for site in sites]
    on_akash = [site for site in sites if "akash" in site]
    assert [value.startswith(AKASH) for value in found] == ["akash" in site for site in sites]
    assert (len(base.leases()), all(base.leases().values())) == (len(on_akash), True)
    assert [base.site_serves(site) for site in sites] == [base.version()] * 2
    assert base.again().changes() == {}
