"""What doctor sees of a vendor whose names are to be adopted, through the sandbox's internet."""

from __future__ import annotations

import pytest

from components.doctor import hosts
from components.needs import State
from components.plan.stack import topology
from components.project import builtin
from sandbox.net import vendor
from tests.settings import settings, site_folder

HOST = "docs.dao.example"


@pytest.fixture
def live(net, monkeypatch):
    vendor.move_in(net.state, HOST)
    for name in (HOST, "gone.dao.example"):
        net.put(name, "CNAME", values=[vendor.SITE])
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{net.state.port('proxy')}")
    monkeypatch.setenv("SSL_CERT_FILE", str(net.state.ca_bundle))
    monkeypatch.setenv("NO_PROXY", "")
    return net.state


def look(name: str) -> tuple[State, str]:
    (finding,) = hosts.answers(name)
    return finding.state, finding.sentence


def test_a_vendor_that_answers_only_by_name_is_asked_by_the_name(live):
    assert look(HOST) == (
        State.READY,
        f"https://{HOST}/ is answered with 200 and a certificate that browsers accept",
    )


def test_an_expired_certificate_of_the_vendor_is_a_caution_before_anything_is_built(live):
    live.start_fault(vendor.EXPIRED)
    try:
        state, sentence = look(HOST)
    finally:
        live.end_fault(vendor.EXPIRED)
    assert state is State.CAUTION
    assert "shows a certificate that browsers refuse (certificate has expired)" in sentence


def test_a_name_that_the_vendor_does_not_know_is_a_caution(live):
    state, sentence = look("gone.dao.example")
    assert state is State.CAUTION
    assert "certificate that browsers refuse" in sentence


def test_a_name_that_leads_nowhere_is_a_caution(live):
    state, sentence = look("missing.dao.example")
    assert (state, "is not answered" in sentence) == (State.CAUTION, True)


def test_every_adopted_name_is_looked_at(tmp_path):
    site_folder(tmp_path)
    one = {"type": "CNAME", "ttl": 60, "values": [vendor.SITE]}
    plan = topology(
        settings(adopt=[one, {"at": "www.dao.example", **one}], redirect_from=["www.dao.example"]), builtin(), tmp_path
    )
    assert [each.name for each in hosts.checks(plan)] == ["answers of docs.dao.example", "answers of www.dao.example"]
    assert list(hosts.checks(topology(settings(), builtin(), tmp_path))) == []
