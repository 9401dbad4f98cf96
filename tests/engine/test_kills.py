"""`up` is killed with everything that it started, and run again: it reaches the same end, and pays for nothing twice.

The tests run in order, each from where the one before it ended. TESTS_KILLS is how many times, once by itself.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from typing import TYPE_CHECKING

import pytest

from sandbox.aws import inventory

from .docs_stack import AKASH, HOST, PRIMARY, STANDBY, Docs, kill, runs

if TYPE_CHECKING:
    from pathlib import Path

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


def test_records_that_were_made_and_not_noted_are_taken(base: Docs, tmp_path: Path) -> None:
    """The engine writes a record to the state after Route 53's last answer; after a kill before that it is unknown."""
    standing = base.records()
    lost = forget(base, tmp_path)
    run = base.pulumi.up()
    assert {name for op, name in run.steps() if op == "create"} == lost
    assert {PRIMARY, STANDBY, "docs-akash-host", f"{HOST}-caa"} <= lost
    assert base.records() == standing
    assert base.again().changes() == {}


def test_a_record_of_another_party_is_left_and_the_command_is_given(base: Docs, tmp_path: Path) -> None:
    route53, name = inventory.client("route53"), "docs-akash.dao.example"
    zone = next(each["Id"] for each in route53.list_hosted_zones()["HostedZones"] if each["Name"] == "dao.example.")
    theirs = {"Name": name, "Type": "A", "TTL": 5, "ResourceRecords": [{"Value": "192.0.2.99"}]}
    batch = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": theirs}]}
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)
    forget(base, tmp_path)
    shown = base.fails().output
    assert f"{name}: a record A stands there, which this stack's state does not know" in shown
    assert base.records()[name] == "192.0.2.99"
    command = re.search(r"run the update again: (aws route53 .*)", shown)
    assert command is not None
    words = shlex.split(command[1])
    route53.change_resource_record_sets(HostedZoneId=words[4], ChangeBatch=json.loads(words[6]))
    assert name not in base.records()
    base.pulumi.up()
    rests(base, "docs-akash", "docs-akash-2")


def test_a_distribution_that_was_made_and_not_noted_is_taken(base: Docs, sandbox: Sandbox) -> None:
    """CloudFront takes minutes to deploy one, and the engine notes it at the end; a name can be at one alone."""
    base.write(mode="active-standby", placement=ONE)
    sandbox.state.start_fault("edge-slow")
    kill(base.pulumi, sandbox, lambda: bool(distributions()))
    sandbox.state.end_fault("edge-slow")
    left = distributions()
    assert ("import", "docs-aws-distribution") in base.pulumi.preview().started()
    base.pulumi.up()
    assert (len(left), distributions()) == (1, left)
    rests(base, "docs-aws", "docs-akash")


def distributions() -> list[str]:
    """Return the ids of the account's distributions."""
    listed = inventory.client("cloudfront").list_distributions()["DistributionList"]
    return [each["Id"] for each in listed.get("Items", ())]


def forget(base: Docs, folder: Path) -> set[str]:
    """Remove every record from the state, and return the names of their resources."""
    state = json.loads(base.pulumi.export())
    known = state["deployment"]["resources"]
    lost = {each["urn"] for each in known if each["type"] == "aws:route53/record:Record"}
    kept = [each for each in known if each["urn"] not in lost]
    for each in kept:
        each["dependencies"] = [urn for urn in each.get("dependencies", ()) if urn not in lost]
        needed = each.get("propertyDependencies") or {}
        each["propertyDependencies"] = {
            key: [urn for urn in urns or () if urn not in lost] for key, urns in needed.items()
        }
    state["deployment"]["resources"] = kept
    (folder / "state.json").write_text(json.dumps(state))
    base.pulumi.restore(folder / "state.json")
    return {urn.rpartition("::")[2] for urn in lost}
