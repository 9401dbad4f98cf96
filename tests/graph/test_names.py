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
