"""One topology at three authorities: what each publishes is the same zone."""

from __future__ import annotations

import json

import pytest

from components.dns import plain, static, zone
from components.dns.powerdns import rows
from components.exposure import Endpoint, Exposure, Proof, Reach
from components.kinds.static.akash import OnAkash
from components.plan.stack import topology
from components.project import builtin
from components.topology import Role
from tests.graph.monitor import run
from tests.settings import settings, site_folder

#: What the clouds of the graph's monitor answer.
AT = {
    "docs-aws": Endpoint(name="d111111abcdef8.cloudfront.net", zone="Z2FDTNDATAQYW2"),
    "docs-akash": Endpoint(addresses=("203.0.113.7",)),
    "docs-akash-2": Endpoint(addresses=("203.0.113.7",)),
}
MAIL = zone.RRset("dao.example", "MX", 300, ("10 mail.dao.example.",))
STATES = [
    ("centralized", "centralized"),
    ("active-standby", "centralized"),
    ("active-standby", "decentralized"),
    ("decentralized", "centralized"),
]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    site_folder(folder)
    return folder


def planned(*state, decentralized=("akash",), registry=None, **docs):
    return topology(settings(*state, decentralized=decentralized, **docs), registry or builtin(), None)


def of_route53(found):
    """Return the records of Route 53 that a list of sets stands for, as their inputs would be registered."""
    made = []
    for rrset in found:
        one = {"name": rrset.host, "type": str(rrset.type), "zoneId": "Z1", "allowOverwrite": True}
        if rrset.values:
            made.append(one | {"ttl": float(rrset.ttl), "records": list(rrset.values)})
        for member in rrset.members:
            role = {Role.PRIMARY: "PRIMARY", Role.STANDBY: "SECONDARY"}.get(member.role)
            policy = {"failoverRoutingPolicies": [{"type": role}], "setIdentifier": role.lower()} if role else {}
            check = {"healthCheckId": f"{member.site.name}-health-id"} if member.probe else {}
            at = AT[member.site.name]
            alias = {"name": at.name, "zoneId": at.zone, "evaluateTargetHealth": False}
            leads = {"aliases": [alias]} if at.zone else {"ttl": float(rrset.ttl), "records": list(at.addresses)}
            made.append(one | leads | policy | check)
    return in_order(made)


def in_order(records):
    return sorted(records, key=lambda record: json.dumps(record, sort_keys=True))


@pytest.mark.parametrize("state", STATES)
def test_what_is_registered_at_the_first_authority_is_the_zone(root, state):
    graph = run(settings(*state), root)
    proofs = [f"_x.{host}." for host in ("docs.dao.example", "docs-aws.dao.example")]
    registered = [r.inputs for r in graph.of_type("aws:route53/record:Record") if r.inputs["name"] not in proofs]
    assert in_order(registered) == of_route53(zone.zone(graph.topology))


@pytest.mark.parametrize("state", STATES)
def test_what_the_health_checks_ask_is_the_zone_s_probes(root, state):
    graph = run(settings(*state), root)
    asked = {
        (
            r.inputs["type"].lower(),
            r.inputs["fqdn"],
            "ipAddress" in r.inputs,
            r.inputs["resourcePath"],
            r.inputs["searchString"],
        )
        for r in graph.of_type("aws:route53/healthCheck:HealthCheck")
    }
    probes = {member.probe for rrset in zone.zone(graph.topology) for member in rrset.members if member.probe}
    wanted = {(f"{probe.scheme}_str_match", probe.host, probe.by_address, probe.path, probe.mark) for probe in probes}
    assert asked == wanted


def test_one_topology_three_ways():
    found = zone.zone(planned("decentralized", decentralized=("akash", "akash")), [MAIL])
    caa = ('0 issue "letsencrypt.org; validationmethods=http-01"', '0 issuewild ";"')
    leads = [("docs.dao.example", "docs-akash"), ("docs-akash.dao.example", "docs-akash")]
    leads += [("docs-akash-2.dao.example", "docs-akash-2")]
    expected = [
        plain.Row("dao.example", "MX", 300, "10 mail.dao.example."),
        plain.Row("docs.dao.example", "CAA", zone.CAA_TTL, '0 issue "amazon.com"'),
        *(plain.Row(host, "CAA", zone.CAA_TTL, value) for host, _ in leads for value in caa),
        *(plain.Row(host, "A", 30, AT[site].addresses[0]) for host, site in leads),
    ]
    assert static.render(found, AT) == rows.records(found, AT) == sorted(expected)
    assert list(static.degraded(found)) == ["docs.dao.example: always leads to docs-akash; no failover to docs-akash-2"]
    (switch,) = rows.switches(found, AT)
    assert [(m.site, m.connect, m.rows, m.probe.host) for m in switch.members] == [
        (
            site,
            AT[site].addresses[0],
            (plain.Row("docs.dao.example", "A", 30, AT[site].addresses[0]),),
            f"{site}.dao.example",
        )
        for site in ("docs-akash", "docs-akash-2")
    ]
    assert [record["name"] for record in of_route53(found) if "setIdentifier" in record] == ["docs.dao.example"] * 2


def test_halves_are_two_rows_on_servers_of_one_s_own_and_other_shares_are_named_as_lost():
    balanced = zone.zone(planned("decentralized", decentralized=("akash", "akash"), balance=True))
    at = AT | {"docs-akash-2": Endpoint(addresses=("203.0.113.8",))}
    found = [row.content for row in rows.records(balanced, at) if (row.name, row.type) == ("docs.dao.example", "A")]
    assert found == ["203.0.113.7", "203.0.113.8"]
    assert [switch.balance for switch in rows.switches(balanced, AT)] == [True]
    assert list(rows.losses(balanced)) == []
    assert any("look-ups are not shared here" in loss for loss in static.degraded(balanced))
    split = zone.zone(planned("active-standby", split={"decentralized": 10}))
    assert [switch.balance for switch in rows.switches(split, AT)] == [False]
    assert any("look-ups are not shared here" in loss for loss in rows.losses(split))


def test_a_member_that_is_reached_by_a_name_is_a_cname_that_stands_alone():
    found = zone.zone(planned("active-standby", "decentralized"))
    leads = {(row.name, row.type, row.content) for row in static.render(found, AT)}
    assert ("docs.dao.example", "A", "203.0.113.7") in leads
    assert ("docs-aws.dao.example", "CNAME", "d111111abcdef8.cloudfront.net.") in leads
    assert {row.name for row in static.render(found, AT) if row.type == "CAA"} == {"docs-akash.dao.example"}
    assert [loss.partition(":")[0] for loss in plain.losses(found)] == ["docs.dao.example", "docs-aws.dao.example"]
    (docs,) = [each for each in found if each.host == "docs.dao.example" and each.members]
    assert {row.type for row in plain.answer(docs, docs.members[1], AT["docs-aws"])} == {"CNAME"}


class Named(OnAkash):
    """A container that is reached by a name of a vendor's."""

    def exposure(self, options, acme):
        return Exposure(Reach.NAME, "sectigo.com", Proof.DNS)


def test_a_set_of_names_has_no_caa_anywhere():
    registry = builtin().with_(on={("static", "akash"): Named()})
    found = zone.zone(planned("active-standby", registry=registry))
    assert {str(rrset.type) for rrset in found} == {"CNAME"}


def test_every_row_of_a_zone_is_one_that_a_zone_may_hold():
    for state in STATES:
        assert list(zone.faults(zone.zone(planned(*state), [MAIL]), "dao.example")) == []


@pytest.mark.parametrize(
    ("plain_set", "sentence"),
    [
        (zone.RRset("docs.dao.example", "A", 60, ("192.0.2.1",)), "record of workload 'docs' and as a plain record"),
        (zone.RRset("docs.dao.example", "CNAME", 60, ("old.example.",)), "has a CNAME and A, CAA"),
        (zone.RRset("dao.example", "CNAME", 60, ("old.example.",)), "is the zone's apex"),
        (zone.RRset("dao.example", "MX", 60, ("10 other.example.",)), "has MX twice, so join both sets to one"),
        (zone.RRset("docs.other.example", "A", 60, ("192.0.2.1",)), "is outside the zone dao.example"),
    ],
)
def test_what_no_zone_may_hold_is_named(plain_set, sentence):
    found = zone.zone(planned("active-standby"), [MAIL, plain_set])
    assert sentence in "\n".join(map(str, zone.faults(found, "dao.example")))
