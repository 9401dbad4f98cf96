"""A name server's document on the sandbox's Akash: a lease answers the zone over UDP and TCP once it has the key.

The sandbox stands for Console and Kubernetes; Caddy, PowerDNS, the keeper and the image's program are real. There is no
issuer here, so the test writes the files that Caddy would write; test_web_server_secrets.py shows that Caddy does.
"""

from __future__ import annotations

import json

import dns.flags
import dns.message
import dns.query
import dns.rdatatype
import httpx
import pytest
import yaml

from components import operator_key
from components.dns.plain import Row
from components.dns.powerdns import bundle, csk, server
from components.kinds.nameserver.document import document_for
from components.plan.stack import topology
from components.probe.handover import written
from components.project import builtin
from sandbox.images import find_caddy
from tests.contract.akash_world import AkashWorld, wait
from tests.contract.powerdns import MISSING, ZONE, Signer, store
from tests.pure.test_own_servers import stack
from tests.settings import site_folder

pytestmark = [
    pytest.mark.skipif(MISSING is not None, reason=str(MISSING)),
    pytest.mark.skipif(find_caddy() is None, reason="no caddy: set CADDY, or let the sandbox build it once"),
]


def answer(world, address, host, type_, *, tcp):
    """Return the answer at the leased address by its route; None without one."""
    at, port = world.state.route(address, 53)
    query = dns.message.make_query(f"{host}.", type_, want_dnssec=True, payload=1232)
    query.flags &= ~dns.flags.RD
    try:
        return (dns.query.tcp if tcp else dns.query.udp)(query, at, 5, port)
    except (OSError, EOFError, dns.exception.Timeout):
        return None


def answered(world, address, host, *, tcp):
    """Return an answer with records; None before there is one."""
    found = answer(world, address, host, "A", tcp=tcp)
    return found if found and found.answer else None


def health(world, address):
    """Return the health that the web server of the lease shows; "" before it listens."""
    try:
        return world.get(address, "/healthz").text
    except httpx.TransportError:
        return ""


def test_a_lease_waits_for_the_key_and_answers_signed_by_it_over_both_transports(tmp_path):
    site_folder(tmp_path / "project")
    servers, _ = topology(stack("powerdns"), builtin(), tmp_path / "project").workloads
    signer, key = Signer(tmp_path / "signer"), csk.make()
    public = " ".join(signer.key.with_suffix(".pub").read_text().split()[:2])
    rows = [Row(f"ns-akash.{ZONE}", "A", 300, "203.0.113.10"), Row(f"docs.{ZONE}", "A", 30, "203.0.113.99")]
    made = bundle.make(ZONE, 41, [f"ns-akash.{ZONE}"], rows, [])
    with store(tmp_path / "store") as shown, AkashWorld(tmp_path / "akash") as world:
        shown.put(made, signer.sign(made.raw))
        document = document_for(servers.sites[0], servers.release, [shown.url], "ab" * 32, public)
        dseq = world.run(yaml.safe_dump(document))
        address = world.status(dseq)["ips"]["web"][0]["IP"]
        assert {each["IP"] for each in world.status(dseq)["ips"]["dns"]} == {address}
        wait(lambda: "were not handed over yet" in health(world, address))
        assert answer(world, address, ZONE, "SOA", tcp=True) is None

        body, _ = written({server.KEY: key})
        (lease,) = (world.state.root / "akash" / "leases").iterdir()
        with (lease / "web-0" / "srv" / "inbox").open("a") as inbox:
            line = {"level": "info", "status": 202, "values": body.decode()}
            inbox.write(json.dumps(line, separators=(",", ":")) + "\n")
        for tcp in (False, True):
            found = wait(lambda tcp=tcp: answered(world, address, f"docs.{ZONE}", tcp=tcp))
            assert {dns.rdatatype.to_text(each.rdtype) for each in found.answer} == {"A", "RRSIG"}
            assert found.flags & dns.flags.AA
        # The name server is well, but without an issuer there is no certificate, and /healthz gives that as the reason.
        wait(lambda: "there is no certificate" in health(world, address))
        logs = "".join(path.read_text() for path in (tmp_path / "akash").rglob("*.log"))
        assert key.splitlines()[2] not in logs
        world.close(dseq)


def test_the_document_of_a_server_holds_hashes_and_public_keys_alone(tmp_path, monkeypatch):
    monkeypatch.setenv(operator_key.VARIABLE, secret := "cd" * 32)
    site_folder(tmp_path)
    servers, _ = topology(stack("powerdns"), builtin(), tmp_path).workloads
    signer = operator_key.public_line(operator_key.zone_signer(ZONE))
    text = json.dumps(document_for(servers.sites[0], servers.release, ["https://a.example/x"], "ef" * 32, signer))
    assert signer in text
    assert secret not in text
    assert operator_key.zone_signer("other.example").public_key() != operator_key.zone_signer(ZONE).public_key()
