"""Health checks and records: who judges which machine, and in which order they are written."""

from __future__ import annotations

import pytest

from tests.graph.monitor import ANSWERS, run
from tests.settings import settings, site_folder


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    site_folder(folder)
    return folder


def at_address(root, monkeypatch, address):
    answer = ANSWERS["unmoor:akash:Deployment"]
    monkeypatch.setitem(ANSWERS, "unmoor:akash:Deployment", lambda n, i: answer(n, i) | {"address": address})
    return run(settings("active-standby"), root)


def test_a_health_check_asks_the_address_that_its_record_leads_to(root, monkeypatch):
    graph = at_address(root, monkeypatch, "203.0.113.9")
    check = graph.named("docs-akash-health")
    assert check.inputs["ipAddress"] == "203.0.113.9"
    assert check.inputs["fqdn"] == "docs-akash.dao.example"
    assert graph.named("docs.dao.example/standby").inputs["records"] == ["203.0.113.9"]
    assert check.urn in graph.behind(graph.named("docs.dao.example/standby").urn)


def test_a_new_address_replaces_the_check_and_not_before_the_site_was_probed(root, monkeypatch):
    graph = at_address(root, monkeypatch, "203.0.113.9")
    check = graph.named("docs-akash-health")
    assert "ipAddress" in check.request.replaceOnChanges
    assert graph.named("docs-akash-probe").urn in graph.behind(check.urn)
    assert "ipAddress" not in graph.named("docs-aws-health").inputs


@pytest.mark.parametrize("mode", ["centralized", "active-standby", "decentralized"])
def test_members_are_exchanged_after_the_check_and_before_the_primary_is_written(root, mode):
    graph = run(settings(mode), root)
    primary = next(iter(graph.outputs["workloads"]["docs"]["sites"]))
    exchange = graph.named("docs.dao.example-exchange").urn
    assert graph.named(f"{primary}-probe").urn in graph.behind(exchange)
    assert exchange in graph.behind(graph.named("docs.dao.example/primary").urn)


OTHERS = ["www.dao.example", "dao.example"]


def test_both_halves_have_certificates_for_every_name_and_lead_to_the_host(root):
    graph = run(settings("active-standby", redirect_from=OTHERS), root)
    names = ["docs.dao.example", "docs-aws.dao.example", *OTHERS]
    certificate = graph.named("docs-aws-certificate").inputs
    assert [certificate["domainName"], *certificate["subjectAlternativeNames"]] == names
    for host in names:
        assert graph.named(f"docs-aws-proof-{host}").inputs["records"]
    assert graph.named("docs-aws-distribution").inputs["aliases"] == names
    assert 'HOSTS = ["www.dao.example","dao.example"]' in graph.named("docs-aws-request").inputs["code"]
    lease = graph.named("docs-akash").inputs
    assert lease["hosts"] == ["docs.dao.example", "docs-akash.dao.example", *OTHERS]
    assert "OTHERS=www.dao.example dao.example" in lease["sdl"]["services"]["web"]["env"]
    assert graph.outputs["workloads"]["docs"]["hosts"][:3] == ["docs.dao.example", *OTHERS]


def test_the_apex_is_an_alias_and_its_records_go_before_the_site(root):
    graph = run(settings("active-standby", redirect_from=OTHERS), root)
    apex = graph.named("dao.example/primary")
    assert (apex.inputs["name"], apex.inputs["type"]) == ("dao.example", "A")
    assert apex.inputs["aliases"][0]["name"] == "d111111abcdef8.cloudfront.net"
    for host in OTHERS:
        for role, site in (("primary", "docs-aws"), ("standby", "docs-akash")):
            assert {graph.named(f"{site}-{step}").urn for step in ("probe", "drain")} <= graph.behind(
                graph.named(f"{host}/{role}").urn
            )
