"""Discovery of a zone, against a name server of our own on this machine.

The table of vendors is general knowledge: that it is still true out there cannot be proved here.
"""

from __future__ import annotations

import ipaddress
import socket
from datetime import date
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from dnslib import QTYPE, RCODE, RR
from dnslib.server import BaseResolver, DNSServer

from components.assess import reading
from components.assess.discover import dns
from components.commands.content import cli as content
from components.commands.discover import cli
from components.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ZONE = """
dao.example. 60 IN NS ada.ns.cloudflare.com.
dao.example. 60 IN NS bob.ns.cloudflare.com.
dao.example. 60 IN MX 10 aspmx.l.google.com.
dao.example. 60 IN MX 20 mx.nobody-knows.example.
dao.example. 60 IN A 104.16.1.1
docs.dao.example. 60 IN CNAME abc123.gitbook.io.
abc123.gitbook.io. 60 IN A 198.51.100.7
www.dao.example. 60 IN CNAME d111.cloudfront.net.
d111.cloudfront.net. 60 IN A 192.0.2.10
explorer.dao.example. 60 IN CNAME site.netlify.app.
site.netlify.app. 60 IN A 75.2.60.5
api.dao.example. 60 IN A 203.0.113.9
loop.dao.example. 60 IN CNAME loop2.dao.example.
loop2.dao.example. 60 IN CNAME loop.dao.example.
other.example. 60 IN NS ns-1.awsdns-01.com.
other.example. 60 IN NS ns1.desec.io.
"""
WRITTEN = """\
dao: {name: Example}
as_of: 2026-11-01
workloads:
  documentation:
    title: Docs   # ours
    state: none
    importance: low
    hosts: [docs.dao.example, loop.dao.example]
    cost: {stated: {usd_month: 65, source: invoice}}
    size: {cpu: 1, memory_gib: 1}
    parties: {compute: gitbook, edge: netlify}
"""


class Answers(BaseResolver):
    """Answer from the text above; a name without records of a type is empty, a strange one refused."""

    def __init__(self) -> None:
        self.records = RR.fromZone(ZONE)

    def resolve(self, request, _handler):
        reply = request.reply()
        for one in self.records:
            if one.rname == request.q.qname and one.rtype == request.q.qtype:
                reply.add_answer(one)
        if str(request.q.qname).startswith("broken."):
            reply.header.rcode = RCODE.SERVFAIL
        elif not any(one.rname == request.q.qname for one in self.records):
            reply.header.rcode = RCODE.NXDOMAIN
        return reply


@pytest.fixture(scope="module")
def resolver() -> Iterator[str]:
    server = DNSServer(Answers(), address="127.0.0.1", port=0)
    port = server.server.server_address[1]
    server.start_thread()
    yield f"127.0.0.1:{port}"
    server.stop()
    server.server.server_close()


def test_the_vendors_behind_a_zone_are_named(resolver: str):
    found = dns.discover(dns.Asker(resolver), "dao.example", ["docs.dao.example"])
    assert found.dns == ("cloudflare",)
    assert found.mail == ("google-workspace",)
    by_host = {one.host: one for one in found.names}
    assert list(by_host) == [
        "dao.example", "docs.dao.example", "www.dao.example", "api.dao.example", "explorer.dao.example",
    ]  # fmt: skip
    assert (by_host["docs.dao.example"].compute, by_host["docs.dao.example"].edge) == ("gitbook", "gitbook")
    assert (by_host["explorer.dao.example"].compute, by_host["explorer.dao.example"].edge) == ("netlify", "netlify")
    assert (by_host["www.dao.example"].edge, by_host["www.dao.example"].compute) == ("cloudfront", "")
    assert by_host["docs.dao.example"].chain == ("abc123.gitbook.io",)


def test_cloudflare_s_proxy_is_seen_by_its_ranges_and_hides_who_runs_it(resolver: str):
    found = dns.discover(dns.Asker(resolver), "dao.example", [])
    apex = next(one for one in found.names if one.host == "dao.example")
    assert (apex.edge, apex.compute, apex.proxied) == ("cloudflare", "", True)


def test_what_is_unknown_is_reported(resolver: str):
    found = dns.discover(dns.Asker(resolver), "dao.example", [])
    assert found.unknown == ["mx.nobody-knows.example", "api.dao.example (203.0.113.9)"]


def test_two_authorities_are_two(resolver: str):
    assert dns.discover(dns.Asker(resolver), "other.example", []).dns == ("route53", "desec")


def test_a_chain_that_bites_its_tail_ends(resolver: str):
    found = dns.discover(dns.Asker(resolver), "dao.example", ["loop.dao.example"])
    loop = next(one for one in found.names if one.host == "loop.dao.example")
    assert loop.chain == ("loop2.dao.example", "loop.dao.example")


def test_every_range_of_the_table_is_one_and_belongs_to_one():
    networks = [network for network, _ in dns._networks()]
    assert not any(one.overlaps(other) for index, one in enumerate(networks) for other in networks[index + 1 :])
    assert dns.by_address("172.67.1.1") == "cloudflare"
    assert dns.by_address("185.199.108.153") == "github-pages"
    assert dns.by_address(str(ipaddress.IPv4Address("203.0.113.1"))) == ""
    assert dns.by_suffix("cname", "notnetlify.app.example") == ""


def test_a_zone_that_is_none_is_a_sentence(resolver: str):
    with pytest.raises(ConfigError, match=r"nowhere\.example: no name servers"):
        dns.discover(dns.Asker(resolver), "nowhere.example", [])


def test_a_resolver_that_fails_is_a_sentence(resolver: str):
    with pytest.raises(ConfigError, match=r"the resolver did not answer for broken\.example NS"):
        dns.discover(dns.Asker(resolver), "broken.example", [])


@pytest.mark.parametrize("text", ["resolver.example", "127.0.0.1:x"])
def test_a_resolver_is_an_address(text: str):
    with pytest.raises(ConfigError, match="is not a resolver"):
        dns.Asker(text)


def test_the_machine_s_own_resolver_is_the_default():
    assert dns.Asker(None)._resolver.nameservers


def test_findings_are_merged_and_differences_left(resolver: str, tmp_path: Path):
    file = tmp_path / "inventory.yaml"
    file.write_text(WRITTEN)
    arguments = ["dns", "dao.example.", "--resolver", resolver, "-i", str(file), "--date", "2026-11-22"]
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == 0, done.output
    assert "dao.example: DNS at cloudflare (ada.ns.cloudflare.com, bob.ns.cloudflare.com)" in done.output
    assert "dao.example: mail at google-workspace" in done.output
    assert "dao.example: cloudflare, which hides who runs it (104.16.1.1)" in done.output
    assert "? not in the table: api.dao.example (203.0.113.9)" in done.output
    assert "+ workloads.documentation.parties.dns: cloudflare" in done.output
    assert "  workloads.documentation.parties.edge has netlify, found gitbook; left as written" in done.output
    assert "+ workloads.explorer: explorer.dao.example" in done.output
    text = file.read_text()
    assert "title: Docs   # ours" in text
    read = reading.load(file, date(2026, 11, 22))
    assert read.workloads["explorer"].parties == {"dns": ("cloudflare",), "edge": ("netlify",), "compute": ("netlify",)}
    assert read.workloads["api"].parties["compute"] == ("unknown",)
    assert "nothing to add" in CliRunner().invoke(cli, arguments).output


def test_records_that_the_server_has_are_asked_for_on_this_machine_only(resolver: str):
    """The asker goes to the given port; a closed one is an error at once or after five seconds, never an answer."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        asker = dns.Asker(f"127.0.0.1:{free.getsockname()[1]}")
        asker._resolver.lifetime = 0.2
        with pytest.raises(ConfigError):
            asker.ask("dao.example", "NS")
    assert QTYPE.NS == 2


def test_names_that_still_lead_to_a_vendor_are_listed(resolver: str) -> None:
    def run(vendor: str) -> tuple[int, list[str], str]:
        words = ["names", "dao.example", vendor, "--resolver", resolver]
        done = CliRunner().invoke(content, words, standalone_mode=False)
        lines = [line for line in done.output.splitlines() if "DNSHandler" not in line]  # the name server's own log
        return done.exit_code, lines, str(done.exception or "")

    assert run("gitbook")[:2] == (1, ["docs.dao.example leads to gitbook: abc123.gitbook.io -> 198.51.100.7"])
    assert run("netlify")[:2] == (1, ["explorer.dao.example leads to netlify: site.netlify.app -> 75.2.60.5"])
    assert run("vercel")[:2] == (0, ["no name of dao.example leads to vercel, of 5 that answer"])
    assert "choose from" in run("gitbok")[2]


def test_a_vendor_and_a_bill_that_could_not_be_seen_are_unknown_and_no_figure(resolver: str, tmp_path: Path):
    file = tmp_path / "inventory.yaml"
    CliRunner().invoke(cli, ["dns", "dao.example", "--resolver", resolver, "-i", str(file), "--date", "2026-11-22"])
    read = reading.load(file, date(2026, 11, 22))
    for one in read.workloads.values():
        assert one.cost.stated is None
        assert one.cost.unknown == "put the last invoice here"
    assert "usd_month: 0" not in file.read_text()
    assert read.workloads["api"].parties["compute"] == ("unknown",)


def test_the_names_of_this_tool_s_own_sites_are_no_workloads():
    found = dns.Zone("dao.example", (), (), ())
    found.names += [dns.Behind(host, (), ("192.0.2.1",)) for host in ("docs.dao.example", "docs-aws.dao.example",
                                                                         "docs-akash-2.dao.example")]  # fmt: skip
    drafts = dns.drafts(found, {"docs.dao.example": "docs"})
    assert list(drafts) == ["docs"]
