"""A site that is live at a vendor is taken over, given back, taken again and put back, and no visitor loses an answer.

The tests run in order, each from where the one before it ended.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from components.web import http as front
from sandbox.aws import inventory, zone
from sandbox.client import Visitor
from sandbox.drive import EngineFailed
from sandbox.net import vendor
from sandbox.state import write

from .docs_stack import HOST, TTL, Docs, kill, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.client import Sample

    from .conftest import Sandbox

pytestmark = pytest.mark.timeout(600)

#: Seconds between two visits, the fewest that count, and the addresses of the vendor and of CloudFront.
PERIOD_S, VISITS = 1 / 6, 200
VENDOR, AWS = vendor.ADDRESS, "192.0.2."
#: A name that is to lead visitors to the host, and is live at the vendor too.
WWW = "www.dao.example"
ONE = {"type": "CNAME", "ttl": TTL, "values": [vendor.SITE]}
STOOD = [ONE, ONE | {"at": WWW}]


@pytest.fixture(scope="module")
def live(docs: Docs) -> Iterator[Visitor]:
    """Let the host be live at the vendor, visited six times a second by a client that validates."""
    # The drain of this stack waits TTL; a resolver must not keep an alias for longer.
    write(docs.state.root / "dns.json", json.dumps({"alias_ttl": TTL}))
    for host in (HOST, WWW):
        vendor.move_in(docs.state, host)
        zone.lead(host, "CNAME", vendor.SITE, ttl=TTL)
    visitor = Visitor(front.url(HOST), docs.state, PERIOD_S)
    visitor.start()
    until(lambda: bool(visitor.samples) and visitor.samples[-1].ok, "the first answer of the vendor")
    yield visitor
    visitor.stop()


def test_without_adopt_the_host_is_refused_before_anything_is_built(docs: Docs, live: Visitor) -> None:
    before = inventory.objects()
    docs.write(redirect_from=[WWW])
    with pytest.raises(EngineFailed) as refused:
        docs.pulumi.preview()
    printed = " ".join(refused.value.run.output.split())
    assert f"workloads.docs.host: CNAME {vendor.SITE}, ttl {TTL} s stands at {HOST}" in printed
    assert f"workloads.docs.redirect_from[0]: CNAME {vendor.SITE}, ttl {TTL} s stands at {WWW}" in printed
    assert "`unmoor adopt docs` writes the lines" in printed
    assert inventory.objects() == before


def test_a_record_that_the_file_does_not_name_is_refused_before_anything_is_built(docs: Docs, live: Visitor) -> None:
    before = inventory.objects()
    run = docs.fails(adopt=[{"type": "CNAME", "ttl": TTL, "values": ["other.pages.example"]}])
    assert f"CNAME {vendor.SITE}, ttl {TTL} s stands at {HOST}, and `adopt` names CNAME other.pages" in run.output
    assert inventory.objects() == before


def test_killed_at_the_change_and_run_again_it_is_adopted_and_no_visit_failed(
    docs: Docs, sandbox: Sandbox, live: Visitor
) -> None:
    docs.write(adopt=STOOD)
    preview = docs.pulumi.preview()
    assert f"{HOST}: CNAME {vendor.SITE}, ttl {TTL} s stands there, and is replaced in one change" in preview.output
    kill(docs.pulumi, sandbox, lambda: bool(members()))
    docs.pulumi.up()
    assert docs.again().changes() == {}
    assert kinds() == kinds(WWW) == {"CAA", "A primary"}
    until(lambda: served_by(live, AWS), "an answer from AWS")
    until(lambda: len(live.samples) >= VISITS, "enough visits")
    assert failed(live) == []
    addresses = {sample.address for sample in live.samples}
    assert VENDOR in addresses
    assert any(str(address).startswith(AWS) for address in addresses)


def test_the_outputs_name_what_stood_there(docs: Docs, live: Visitor) -> None:
    adopted = docs.pulumi.outputs()["workloads"]["docs"]["adopted"]
    assert adopted["stood"] == [f"CNAME {vendor.SITE}, ttl {TTL} s", f"{WWW} CNAME {vendor.SITE}, ttl {TTL} s"]
    # None was counted yet for a name that the killed update took: it left no outputs.
    assert adopted["rounds"] in ({WWW: 0}, {WWW: 1})
    assert f'\\"stood\\":[\\"CNAME {vendor.SITE}' in docs.pulumi.export()


def test_undo_leads_visitors_back_and_a_preview_shows_what_is_taken_again(docs: Docs, live: Visitor) -> None:
    done = docs.unmoor("adopt", "docs", "--undo", "--yes", well=True)
    assert f"{HOST}, {WWW} given back" in done
    until(lambda: served_by(live, VENDOR), "an answer from the vendor")
    shown = docs.pulumi.preview()
    assert shown.changes() == {f"{name}-adopt": "update" for name in (HOST, WWW)}
    # "again" only where an update ended since it was taken; the one that was killed left no outputs that count it.
    assert f"{HOST}: CNAME {vendor.SITE}, ttl {TTL} s stands there" in " ".join(shown.output.split())
    assert "given back already" in docs.unmoor("adopt", "docs", "--undo", "--yes", well=True)


def test_the_next_update_takes_it_again(docs: Docs, live: Visitor) -> None:
    docs.pulumi.up()
    assert docs.again().changes() == {}
    until(lambda: served_by(live, AWS), "an answer from AWS")
    assert failed(live) == []


def test_with_a_standby_the_whole_set_is_taken_again(docs: Docs, live: Visitor) -> None:
    """The engine's state has every record all the time, so an update alone would not create them."""
    docs.up(mode="active-standby", adopt=STOOD)
    whole = {"CAA", "A primary", "A secondary"}
    assert kinds() == kinds(WWW) == whole
    docs.unmoor("adopt", "docs", "--undo", "--yes", well=True)
    assert kinds() == kinds(WWW) == {"CNAME"}
    docs.pulumi.up()
    assert kinds() == kinds(WWW) == whole
    assert docs.again().changes() == {}
    assert set(docs.pulumi.preview("--refresh").changes().values()) <= {"refresh"}
    assert failed(live) == []


def test_destroy_puts_back_what_stood_and_no_visit_failed(docs: Docs, live: Visitor) -> None:
    docs.pulumi.destroy()
    for name in (HOST, WWW):
        (record,) = zone.standing(name)
        assert (record["Type"], record["TTL"], record["ResourceRecords"]) == ("CNAME", TTL, [{"Value": vendor.SITE}])
    assert inventory.objects() == [f"record {name}. CNAME" for name in (HOST, WWW)]
    until(lambda: served_by(live, VENDOR), "an answer from the vendor")
    assert failed(live) == []


def members() -> list[dict[str, Any]]:
    return [record for record in zone.standing(HOST) if record.get("Failover")]


def kinds(host: str = HOST) -> set[str]:
    return {" ".join(filter(None, (one["Type"], one.get("SetIdentifier")))) for one in zone.standing(host)}


def failed(visitor: Visitor) -> list[Sample]:
    return visitor.failed(0, time.time())


def served_by(visitor: Visitor, prefix: str) -> bool:
    last = visitor.samples[-1]
    return last.ok and str(last.address).startswith(prefix)
