"""A zone moves to name servers of the stack's own, through the real engine. The tests run in order on one stack."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import dns.dnssec
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rdatatype
import dns.rrset
import pytest

from components import operator_key
from components.dns.powerdns import csk
from sandbox.net import registrar
from sandbox.state import VARIABLE
from tests.contract.powerdns import MISSING

from . import docs_stack
from .docs_stack import HOST, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conftest import Sandbox
    from .docs_stack import Docs

ZONE = "dao.example"
OLD = ["ns-1.awsdns-01.org", "ns-2.awsdns-02.com"]
SITES = ("ns-akash", "ns-akash-2")
NEW = [f"{site}.{ZONE}" for site in SITES]
KEY = csk.make()
DS = csk.ds(KEY, ZONE, Path("key"))
IMAGE = "ghcr.io/dao-example/nameserver@sha256:" + "4c6e91c6ed0e2fa03efd5b44747b625fec79bc9cd06ac5235a779726618e530d"

pytestmark = [pytest.mark.timeout(1500), pytest.mark.skipif(MISSING is not None, reason=str(MISSING))]


def dns_of(*authorities: str, names: list[str], ds: tuple[str, ...] = ()) -> dict[str, object]:
    """Return the settings of who answers for the zone."""
    delegation = {"registrar": "Gandi", "name_servers": names, "ds": list(ds)}
    servers = {"placement": ["akash", "akash"], "image": IMAGE}
    own = {"servers": servers} if "powerdns" in authorities else {}
    return {"authorities": list(authorities), "delegation": delegation} | own


@pytest.fixture(scope="module")
def standing(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Docs]:
    """Make the stack with both authorities, and deploy it."""
    variables = {operator_key.VARIABLE: "ab" * 32, csk.VARIABLE: KEY}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(sandbox.state.root))
        made = docs_stack.make(tmp_path_factory.mktemp("own"), sandbox.state, {**sandbox.environment, **variables})
        registrar.change(sandbox.state, ZONE, dict.fromkeys(OLD, ""))
        made.settings["unmoor:dns"] = dns_of("route53", "powerdns", names=OLD)
        made.up()
        yield made
        made.end()


def address(docs: Docs, site: str) -> str:
    """Return where a name server is, as Route 53 has it or as the registry does."""
    glue = (docs.state.delegation(ZONE) or {}).get("servers", {}).get(f"{site}.{ZONE}")
    return glue or docs.records()[f"{site}.{ZONE}"]


def ask(docs: Docs, site: str, host: str, type_: str, *, tcp: bool = False) -> dns.message.Message:
    """Ask a name server itself."""
    host_, port = docs.state.route(address(docs, site), 53) or ("", 0)
    query = dns.message.make_query(f"{host}.", type_, want_dnssec=True, payload=1232)
    query.flags &= ~dns.flags.RD
    return (dns.query.tcp if tcp else dns.query.udp)(query, host_, 10, port)


def valid(docs: Docs, site: str, host: str, type_: str) -> set[str]:
    """Return what a server answers for a name, once its signature has been validated by the key of the DS."""
    zone = dns.name.from_text(ZONE)
    keys = next(each for each in ask(docs, site, ZONE, "DNSKEY").answer if each.rdtype == dns.rdatatype.DNSKEY)
    assert {dns.dnssec.make_ds(zone, key, "SHA256").to_text() for key in keys} == {DS}
    answer = ask(docs, site, host, type_).answer
    (found,) = (each for each in answer if each.rdtype == dns.rdatatype.from_text(type_))
    (signed,) = (each for each in answer if each.rdtype == dns.rdatatype.RRSIG)
    dns.dnssec.validate(found, signed, {zone: keys})
    return {one.to_text() for one in found}


def test_both_authorities_answer_the_same_and_own_servers_sign_it(standing: Docs) -> None:
    operators = list(standing.leases().values())
    assert len(operators) == len(set(operators)) == 2
    assert len({address(standing, site) for site in SITES}) == 2
    for site in SITES:
        assert ask(standing, site, HOST, "A", tcp=True).flags & dns.flags.AA
        (led,) = valid(standing, site, HOST, "CNAME")
        assert led.rstrip(".") == standing.records()[f"{HOST}/primary"]
        assert valid(standing, site, ZONE, "NS") == {f"{name}." for name in (*OLD, *NEW)}
        assert valid(standing, site, f"{site}.{ZONE}", "A") == {address(standing, site)}
    assert standing.served() == standing.version()


def test_a_second_update_changes_nothing(standing: Docs) -> None:
    assert standing.again().changes() == {}


def test_going_on_alone_is_refused_while_the_parent_leads_elsewhere(standing: Docs) -> None:
    before = standing.records()
    standing.settings["unmoor:dns"] = dns_of("powerdns", names=NEW)
    run = standing.fails()
    assert "still leads dao.example to 'ns-1.awsdns-01.org'" in run.output
    assert standing.records() == before
    assert valid(standing, "ns-akash", HOST, "CNAME")


def test_once_the_delegation_has_moved_own_servers_answer_alone_and_visitors_notice_nothing(standing: Docs) -> None:
    glue = {f"{site}.{ZONE}": address(standing, site) for site in SITES}
    registrar.change(standing.state, ZONE, glue, [DS])
    until(lambda: standing.served() == standing.version(), "visitors are led by own servers")
    standing.settings["unmoor:dns"] = dns_of("powerdns", names=NEW, ds=(DS,))
    standing.up()
    assert not [name for name in standing.records() if name.endswith(ZONE) and name != ZONE]
    for site in SITES:
        assert valid(standing, site, ZONE, "NS") == {f"{name}." for name in NEW}
    assert standing.served() == standing.version()


def test_a_flip_is_followed_by_names_of_own_servers(standing: Docs) -> None:
    standing.up(mode="decentralized")
    operators = list(standing.leases().values())
    assert len(operators) == len(set(operators)) == 3, "a site shares no operator with a name server"
    for site in SITES:
        assert valid(standing, site, HOST, "A") == valid(standing, site, f"docs-akash.{ZONE}", "A")
    until(lambda: standing.served() == standing.version(), "visitors are served by the new site")


def test_going_back_is_refused_while_the_parent_has_the_key(standing: Docs) -> None:
    standing.settings["unmoor:dns"] = dns_of("route53", names=OLD)
    run = standing.fails()
    assert "still leads dao.example to 'ns-akash-2.dao.example', 'ns-akash.dao.example'" in run.output
    registrar.change(standing.state, ZONE, dict.fromkeys(OLD, ""), [DS])
    run = standing.fails()
    assert "still has a DS of dao.example" in run.output
    assert len(standing.leases()) == 3
