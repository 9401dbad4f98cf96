"""The sandbox's registry delegates zones to name servers on leases, which resolvers outside ask too."""

from __future__ import annotations

import os

import dns.flags
import dns.message
import dns.query
import dns.rcode
import pytest
import yaml
from click.testing import CliRunner

from components import resolver
from components.dns import asking, check, verdict
from components.dns.asking import Resolver
from sandbox.__main__ import main
from sandbox.net import registrar
from sandbox.net.parent import ADDRESS as PARENT
from sandbox.state import REPOSITORY

from .akash_world import SDL, AkashWorld, wait
from .net_world import values
from .powerdns import MISSING, ZONE

KEY = "12345 13 2 " + "ab" * 32
IMAGE = "ghcr.io/dao-example/names"
#: PowerDNS with a zone of one name, which leads to the address of the variable LEADS. Its socket has a relative path,
#: because the absolute one of a test's folder may be longer than the 107 bytes that a socket's path may have.
SERVE = """\
python -m components.dns.powerdns.server --folder "$PWD" --address 127.0.0.1 --port "$PORT_53" || exit
printf '%s\\n' '$ORIGIN dao.example.' "@ 60 SOA ns1 host $SERIAL 3600 600 604800 60" '@ 60 NS ns1' '@ 60 NS ns2' \
  "ns1 60 A $NS1" "ns2 60 A $NS2" "docs 5 A $LEADS" 'big 60 TXT '"$(printf '"%0200d" ' 1 2 3 4 5 6 7 8)" > zone
pdnsutil --config-dir="$PWD" load-zone dao.example zone || exit
exec pdns_server --config-dir="$PWD" --socket-dir=. --daemon=no --guardian=no
"""


@pytest.fixture(scope="module")
def akash(net, tmp_path_factory):
    """Run an Akash in the same world, with an image that has PowerDNS."""
    file = tmp_path_factory.mktemp("images") / "images.yaml"
    file.write_text(yaml.safe_dump({IMAGE: {"tools": ["pdns_server", "pdnsutil", "python"]}}))
    tools = tmp_path_factory.mktemp("tools")
    (tools / "python").write_text(f'#!/bin/sh\nexec {REPOSITORY}/.venv/bin/python "$@"\n')
    (tools / "python").chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UNMOOR_SANDBOX_IMAGES", str(file))
        patch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
        with AkashWorld(net.state.root) as world:
            yield world


@pytest.fixture
def routed(net, monkeypatch):
    """Ask name servers by the sandbox's routes, as programs in it do."""
    monkeypatch.setenv(resolver.ROUTES, str(net.state.root / "routes"))
    yield Resolver(f"127.0.0.1:{net.state.port('dns')}")
    for path in (net.state.root / "parents").iterdir():
        path.unlink()


def document(serial, ns1, ns2, leads="203.0.113.200"):
    made = {**SDL, "services": {"web": {**SDL["services"]["web"], "image": IMAGE}}, "endpoints": {"ns": {"kind": "ip"}}}
    service = made["services"]["web"]
    service["args"] = [SERVE]
    service["env"] = [f"SERIAL={serial}", f"NS1={ns1}", f"NS2={ns2}", f"LEADS={leads}", f"PYTHONPATH={REPOSITORY}"]
    to = [{"global": True, "ip": "ns"}]
    service["expose"] = [{"port": 53, "as": 53, "proto": proto, "to": to} for proto in ("UDP", "TCP")]
    return yaml.safe_dump(made)


def leased(akash, dseq):
    """Return the leased address, once it is there over both protocols."""
    found = wait(lambda: (akash.status(dseq) or {}).get("ips", {}).get("web"))
    assert {(each["Port"], each["Protocol"]) for each in found} == {(53, "UDP"), (53, "TCP")}
    (address,) = {each["IP"] for each in found}
    return address


def test_a_zone_that_was_never_moved_is_delegated_to_route53(net, routed):
    net.put("docs.dao.example", values=["203.0.113.1"])
    seen = check.look(ZONE, [], routed, [], lambda _: None)
    assert seen.above == "example"
    assert len(seen.delegated) == 4
    assert seen.ds == frozenset()
    assert {answers[ZONE, "SOA"].authoritative for answers in seen.answers.values()} == {True}
    assert [each.what for each in verdict.differences(seen, [])] == []


def test_the_parent_answers_a_referral_with_glue_and_the_ds_itself(net, routed):
    servers = {"ns1.dao.example": "203.0.113.10", "ns.else.example": ""}
    registrar.change(net.state, ZONE, servers, [KEY])
    referral = asking.ask(PARENT, f"www.{ZONE}", "A", tcp=False)
    assert (referral.names, dict(referral.glue)) == (set(servers), {"ns1.dao.example": {"203.0.113.10"}})
    assert (referral.authoritative, referral.recursive, referral.values) == (False, False, frozenset())
    ds = asking.ask(PARENT, ZONE, "DS", tcp=True)
    assert (ds.authoritative, {each.lower() for each in ds.values}) == (True, {KEY})
    assert asking.ask(PARENT, "www.else.test", "A", tcp=False).rcode == "REFUSED"
    assert asking.ask(PARENT, "else.example", "A", tcp=False).rcode == "NXDOMAIN"


def test_an_address_to_which_nothing_leads_is_refused_and_never_asked(routed):
    assert "nothing listens at port 53 of 203.0.113.99" in asking.ask("203.0.113.99", ZONE, "A", tcp=False).error


@pytest.mark.parametrize(
    ("servers", "why"),
    [
        ({"ns1.dao.example": ""}, "ns1.dao.example: needs an address"),
        ({"ns.else.example": "203.0.113.1"}, "ns.else.example: is outside the zone"),
        ({"ns1.dao.example": "here"}, "here is no IPv4 address"),
        ({}, "2003 Required parameter missing"),
    ],
)
def test_a_registrar_refuses_what_no_registry_takes(net, servers, why):
    with pytest.raises(registrar.Refused, match=why):
        registrar.change(net.state, ZONE, servers)
    assert net.state.delegation(ZONE) is None


def test_a_frozen_registrar_changes_nothing_until_the_fault_ends(net, routed, monkeypatch):
    monkeypatch.setenv("UNMOOR_SANDBOX", str(net.state.root))
    monkeypatch.setattr("sandbox.__main__._running", lambda: net.state)

    def run(*words):
        return CliRunner().invoke(main, words)

    words = ["registrar", ZONE, "ns1.dao.example=203.0.113.10", "--ds", KEY]
    assert run(*words).exit_code == 0
    before = net.state.delegation(ZONE)
    assert run("break", "registrar-frozen").exit_code == 0
    refused = run("registrar", ZONE, "ns1.dao.example=203.0.113.11")
    assert "2304 Object status prohibits operation: dao.example is clientUpdateProhibited" in str(refused.exception)
    assert net.state.delegation(ZONE) == before
    assert run("mend", "registrar-frozen").exit_code == 0
    assert run("registrar", ZONE, "ns1.dao.example=203.0.113.11").exit_code == 0
    assert net.state.delegation(ZONE) == {"servers": {"ns1.dao.example": "203.0.113.11"}, "ds": []}


@pytest.mark.skipif(MISSING is not None, reason=MISSING or "")
def test_two_leases_answer_for_the_zone_and_the_faults_strike_one_at_a_time(net, akash, routed):
    first = akash.run(document(1, "203.0.113.10", "203.0.113.30"))
    second = akash.run(document(2, "203.0.113.10", "203.0.113.30"), "cascadia")
    at = [leased(akash, first), leased(akash, second)]
    assert at == ["203.0.113.10", "203.0.113.30"]
    for address, serial in zip(at, ("1", "2"), strict=True):
        for tcp in (False, True):
            wait(lambda a=address, t=tcp: asking.ask(a, ZONE, "SOA", tcp=t).values)
            (soa,) = asking.ask(address, ZONE, "SOA", tcp=tcp).values
            assert soa.split()[2] == serial

    registrar.change(net.state, ZONE, {"ns1.dao.example": at[0], "ns2.dao.example": at[1]})
    assert values(net.ask("docs.dao.example")) == ["203.0.113.200"]
    big = net.ask("big.dao.example", "TXT")
    assert big.flags & dns.flags.TC
    assert len(net.ask("big.dao.example", "TXT", dns.query.tcp).answer) == 1
    for place in (1, 2):
        assert serial_at(net.state.port(f"server-{place}")) == place

    with akash.fault("nameserver-gone-1"):
        wait(lambda: asking.ask(at[0], ZONE, "SOA", tcp=True).error)
        assert asking.ask(at[1], ZONE, "SOA", tcp=False).values
        assert [values(net.ask("docs.dao.example")) for _ in range(4)] == [["203.0.113.200"]] * 4
        assert akash.show(first)["deployment"]["state"] == "active"
    wait(lambda: asking.ask(at[0], ZONE, "SOA", tcp=False).values)

    with akash.fault("nameserver-address-reused", server=2):
        wait(lambda: asking.ask(at[1], "docs.dao.example", "A", tcp=False).values == {"203.0.113.250"})
        assert asking.ask(at[1], ZONE, "DNSKEY", tcp=False).values
        assert asking.ask(at[0], "docs.dao.example", "A", tcp=False).values == {"203.0.113.200"}
    wait(lambda: asking.ask(at[1], "docs.dao.example", "A", tcp=False).values == {"203.0.113.200"})

    akash.close(second)
    wait(lambda: "nothing listens" in asking.ask(at[1], ZONE, "SOA", tcp=False).error)
    third = akash.run(document(3, "203.0.113.10", "203.0.113.30"), "cascadia")
    again = leased(akash, third)
    assert again == at[1], "the first free address of the pool, as MetalLB gives it"
    wait(lambda: asking.ask(again, ZONE, "SOA", tcp=False).values)
    akash.close(first, third)


def serial_at(port):
    """Return the serial that a resolver outside gets from the port of one name server."""
    query = dns.message.make_query(ZONE, "SOA")
    return int(dns.query.udp(query, "127.0.0.1", 5, port).answer[0][0].serial)
