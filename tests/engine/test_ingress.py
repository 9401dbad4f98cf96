"""A lease behind the shared ingress (`front: ingress`), through the real engine: CNAMEs, plain HTTP, no certificate.

The ingress is the sandbox's. That the controllers of real providers route and refuse as it does is not claimed.
The tests run in order on one stack: what one leaves, the next one uses.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.akash import inventory as akash
from sandbox.akash.providers import BY_OWNER
from sandbox.aws import inventory
from sandbox.client import Resolver

from .docs_stack import ACCOUNT, HOST, PRIMARY, STANDBY, Docs, finished, started, until

if TYPE_CHECKING:
    from sandbox.drive import Run

pytestmark = pytest.mark.timeout(900)

DIRECT = "docs-akash.dao.example"
CLOUDFRONT = ".cloudfront.net"
SELF_SIGNED = ("self-signed certificate", "self signed certificate")


@pytest.fixture(scope="module")
def centralized(docs: Docs) -> Docs:
    docs.up(options=docs.workload["options"] | {"ingress": "shared"})
    return docs


def test_a_standby_behind_the_ingress_is_probed_over_http_before_its_record_stands(centralized: Docs) -> None:
    docs = centralized
    run = docs.up(mode="active-standby")
    assert {op for op, name in run.steps() if name != ACCOUNT} == {"same", "create"}
    asked = probe(docs)
    assert (asked["url"], asked["at"]) == (f"http://{HOST}/healthz", [docs.records()[DIRECT]])
    assert finished(run, "docs-akash") < started(run, "docs-akash-probe")
    assert finished(run, "docs-akash-probe") < started(run, STANDBY)
    assert docs.again().changes() == {}


def test_the_failover_set_is_two_cnames_the_standbys_to_the_ingress_of_who_rents_it_out(centralized: Docs) -> None:
    docs = centralized
    members = failover_set()
    assert {role: kind for role, (kind, _) in members.items()} == {"PRIMARY": "CNAME", "SECONDARY": "CNAME"}
    assert members["PRIMARY"][1].endswith(CLOUDFRONT)
    assert members["SECONDARY"][1].endswith(ingress(docs))


def test_a_browser_refuses_the_site_and_plain_http_serves_it_under_both_names(centralized: Docs) -> None:
    docs = centralized
    (address,) = Resolver(docs.state).addresses(DIRECT)
    assert any(words in docs.curl(HOST, address) for words in SELF_SIGNED)
    for host in (HOST, DIRECT):
        assert docs.served(host, address=address, scheme="http") == docs.version()


def test_the_plan_shows_what_a_browser_will_see(centralized: Docs) -> None:
    output = centralized.unmoor("plan", "docs")
    assert "note     docs-akash: it is reached by a name of the provider, where no certificate for the public" in output
    assert "browsers get a self-signed one and refuse https" in output


def test_while_aws_is_down_the_host_leads_to_the_ingress_and_is_served_over_http(centralized: Docs) -> None:
    """So Route 53 found the lease healthy over plain HTTP: of two unhealthy sites it would answer the first."""
    docs = centralized
    (there,) = Resolver(docs.state).addresses(DIRECT)
    assert docs.address() != there
    with docs.broken("aws-down"):
        until(lambda: docs.address() == there, "the host leads to the ingress")
        assert docs.served(scheme="http") == docs.version()
        assert any(words in docs.served() for words in SELF_SIGNED)
    assert docs.site_serves("docs-aws") == docs.version()


def test_swapping_the_roles_changes_two_records_in_place_and_publishes_plain_http(centralized: Docs) -> None:
    docs = centralized
    run = docs.up(active="decentralized")
    looks = [f"docs-{target}-{look}" for target in ("aws", "akash") for look in ("probe", "confirm")]
    assert run.changes() == dict.fromkeys((*looks, f"{HOST}-exchange", PRIMARY, STANDBY), "update")
    assert failover_set()["PRIMARY"][1].endswith(ingress(docs))
    assert docs.pulumi.outputs()["workloads"]["docs"]["url"] == f"http://{HOST}/"
    assert f"docs  http://{HOST}/  should serve" in docs.unmoor("status")
    assert docs.served(scheme="http") == docs.version()
    assert docs.again().changes() == {}


def test_the_aws_half_goes_last(centralized: Docs) -> None:
    docs = centralized
    run = docs.up(mode="decentralized", active=None)
    assert {op for op, name in run.steps() if name != ACCOUNT} == {"same", "delete"}
    assert finished(run, STANDBY, "delete") < started(run, "docs-aws-drain", "delete")
    # The health check belongs to the record, and goes with it.
    steps = ("docs-aws-drain", "docs-aws-probe", "docs-aws-confirm", "docs-aws-health")
    rest = [name for name in run.changes() if name.startswith("docs-aws") and name not in steps]
    assert len(rest) > 2
    assert finished(run, "docs-aws-drain", "delete") < min(started(run, name, "delete") for name in rest)
    assert docs.served(scheme="http") == docs.version()
    assert docs.again().changes() == {}


def test_a_lost_lease_is_rented_elsewhere_and_the_records_follow_to_the_new_ingress(centralized: Docs) -> None:
    docs = centralized
    (before,), name = docs.leases().items(), docs.records()[DIRECT]
    # It stays gone for the rest of this module, so that nobody rents there again.
    docs.state.start_fault(f"provider-gone-{before[1]}")
    until(lambda: akash.open_deployments()[0]["leases"][-1]["state"] == "closed", "the network closes the lease")
    run = docs.pulumi.up("--refresh")
    (after,) = docs.leases().items()
    assert (after[0] != before[0], after[1] != before[1]) == (True, True)
    followed(docs, run, name)


def test_a_lease_that_is_replaced_takes_its_names_to_another_ingress(centralized: Docs) -> None:
    """One ingress leads a name to one lease; the old one has it until its end, and the name then leads nowhere."""
    docs = centralized
    (before,), name = docs.leases().items(), docs.records()[DIRECT]
    run = docs.up(options=docs.workload["options"] | {"budget_usd_month": 11})
    followed(docs, run, name)
    (after,) = docs.leases().items()
    assert (after[0] != before[0], after[1] != before[1]) == (True, True)


def test_destroy_leaves_no_deployment_open_and_no_record(centralized: Docs) -> None:
    centralized.pulumi.destroy()
    assert (inventory.objects(), centralized.leases()) == ([], {})


def followed(docs: Docs, run: Run, before: str) -> None:
    """Verify that the names lead to another ingress, moved after the probe and before the old lease ended."""
    now = docs.records()
    assert (now[DIRECT] != before, now[DIRECT].endswith(ingress(docs))) == (True, True)
    assert now[f"{HOST}/primary"] == now[DIRECT]
    assert finished(run, "docs-akash-probe") < started(run, PRIMARY)
    assert finished(run, PRIMARY) < started(run, "docs-akash-drain", "delete-replaced")
    assert finished(run, "docs-akash-drain", "delete-replaced") < started(run, "docs-akash", "delete-replaced")
    for host in (HOST, DIRECT):
        assert docs.served(host, scheme="http") == docs.version()
    assert docs.again().changes() == {}


def failover_set() -> dict[str, tuple[str, str]]:
    """Return the members of the host's failover set: role to record type and where it leads."""
    route53 = inventory.client("route53")
    zone = route53.list_hosted_zones()["HostedZones"][0]["Id"]
    return {
        record["Failover"]: (record["Type"], record["ResourceRecords"][0]["Value"])
        for record in route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
        if "Failover" in record
    }


def ingress(docs: Docs) -> str:
    """Return the domain of the ingress of the lease's provider."""
    (provider,) = docs.leases().values()
    return f".ingress.{BY_OWNER[provider].domain}"


def probe(docs: Docs) -> dict[str, Any]:
    """Return the input of the lease's probe, from the state."""
    resources = json.loads(docs.pulumi.export())["deployment"]["resources"]
    (found,) = [each for each in resources if each["urn"].endswith("::docs-akash-probe")]
    given: dict[str, Any] = json.loads(found["inputs"]["stdin"])
    return given
