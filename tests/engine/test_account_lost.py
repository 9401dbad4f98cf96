"""The AWS account is suspended, then closed, while a stack has its zone in Route 53: what goes on, and what is lost.

The tests run in order: what one leaves, the next one uses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox.akash import inventory as akash
from sandbox.client import NotReached, Resolver
from sandbox.faults import CLOSED, SUSPENDED

from .docs_stack import AKASH, AWS, HOST, Docs, until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def standing(docs: Docs) -> Docs:
    docs.up(mode="active-standby")
    until(lambda: docs.address().startswith(AWS), "AWS answers")
    return docs


def test_a_suspended_account_moves_visitors_to_the_standby_and_an_update_names_the_reason(standing: Docs) -> None:
    docs, version = standing, standing.version()
    with docs.broken(SUSPENDED):
        until(lambda: docs.address().startswith(AKASH), "health checks lead to the standby")
        assert docs.served() == version
        docs.page("a page for which there is no account")
        failed = docs.fails()
        assert "store aws: cannot be listed: All access to this object has been disabled" in failed.output
        assert docs.served() == version, "what served goes on"
        assert docs.leases()
    until(lambda: docs.address().startswith(AWS), "the way back")
    docs.up()
    assert docs.again().changes() == {}


def test_a_closed_account_takes_every_name_with_it_though_the_lease_serves_on(standing: Docs) -> None:
    docs, version = standing, standing.version()
    lease = Resolver(docs.state).addresses("docs-akash.dao.example")[0]
    with docs.broken(CLOSED):
        for name in (HOST, "docs-akash.dao.example"):
            with pytest.raises(NotReached, match="REFUSED"):
                Resolver(docs.state).addresses(name)
        assert docs.served(address=lease) == version, "the site itself is not the account's"
        assert len(akash.open_deployments()) == 1
        assert "not well" in docs.unmoor("status")
    until(lambda: docs.served() == version, "the account is back")


def test_the_plan_named_it_before(standing: Docs) -> None:
    for mode in ("active-standby", "decentralized"):
        standing.write(mode=mode)
        assert "AWS alone can still switch this off: the zone" in standing.unmoor("plan")


def test_the_content_comes_back_from_the_other_vendor_s_store_alone(standing: Docs, tmp_path: Path) -> None:
    docs = standing
    docs.write(mode="active-standby")
    with docs.broken(CLOSED):
        docs.unmoor("restore", "docs", str(tmp_path / "back"), "--version", docs.version())
    assert {each.name: each.read_bytes() for each in (tmp_path / "back").glob("*.html")} == {
        each.name: each.read_bytes() for each in docs.site.glob("*.html")
    }
