"""Health checks and records: who judges which machine, and in which order they are written."""

from __future__ import annotations

import json

import pytest

from components.errors import PlanError
from components.plan.stack import topology
from components.project import builtin
from tests.graph.monitor import ANSWERS, run
from tests.pure.test_service import stack
from tests.settings import settings, site_folder

CHECK = "aws:route53/healthCheck:HealthCheck"


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
    assert {"ipAddress", "type"} <= set(check.request.replaceOnChanges)
    assert graph.named("docs-akash-probe").urn in graph.behind(check.urn)
    assert "ipAddress" not in graph.named("docs-aws-health").inputs


@pytest.mark.parametrize("mode", ["centralized", "active-standby", "decentralized"])
def test_a_publication_touches_no_health_check_and_none_looks_for_a_release(tmp_path, mode):
    site_folder(tmp_path)
    before = run(settings(mode), tmp_path)
    (tmp_path / "site" / "index.html").write_text("another page")
    after = run(settings(mode), tmp_path)
    releases = {graph.topology.workloads[0].release.id for graph in (before, after)}
    checks = [{r.name: r.inputs for r in graph.of_type(CHECK)} for graph in (before, after)]
    assert (len(releases), checks[0]) == (2, checks[1])
    for site in after.topology.workloads[0].sites:
        assert checks[1][f"{site.name}-health"]["searchString"] == site.mark
        assert not any(release[:8] in site.mark for release in releases)


def test_the_mark_of_a_site_is_no_other_sites_and_no_word_of_its_names():
    """A stranger who answers every request with the name that was asked for would have a name in the answer."""
    sites = {site.mark: site for root in ("dao.example", "dao2.example") for site in marked(root)}
    assert len(sites) == 6
    for mark, site in sites.items():
        assert not any(part in mark for host in site.hosts for part in host.split("."))


def marked(zone):
    made = settings("active-standby", decentralized=("akash", "akash"))
    made = json.loads(json.dumps(made).replace("dao.example", zone))
    return topology(made, builtin(), None).workloads[0].everywhere


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


@pytest.mark.parametrize("kind", ["static", "service"])
def test_a_certificate_has_a_subject_that_acm_takes(root, kind):
    """ACM API reference, RequestCertificate: 64 octets for the first name, 253 for others."""
    long = f"{'x' * 30}.{'y' * 30}.dao.example"
    made = settings("centralized", host=long) if kind == "static" else stack("centralized")
    (name,) = made["workloads"]
    made["workloads"][name]["host"] = long
    graph = run(made, root)
    certificate = graph.named(f"{name}-aws-certificate").inputs
    assert certificate["domainName"] == f"{name}-aws.dao.example"
    assert certificate["subjectAlternativeNames"] == [long]
    assert graph.named(f"{name}-aws-proof-{long}").inputs["records"]


@pytest.mark.parametrize("kind", ["static", "service"])
def test_names_without_a_subject_are_refused_where_the_stack_asks_for_a_certificate(root, kind):
    made = settings("decentralized") if kind == "static" else stack("decentralized")
    made = json.loads(json.dumps(made).replace("dao.example", f"{'z' * 60}.example"))
    with pytest.raises(PlanError) as caught:
        topology(made, builtin(), root)
    (name,) = made["workloads"]
    (fault,) = caught.value.faults
    assert fault.path == f"workloads.{name}.host"
    assert f"neither it nor {name}-aws.zzz" in fault.message
    assert fault.message.endswith("choose a shorter host")
    if kind == "static":
        arn = "arn:aws:acm:us-east-1:123456789012:certificate/0a1b"
        made["workloads"][name]["options"]["existing"] = {"certificate": arn}
        assert topology(made, builtin(), root).workloads


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
