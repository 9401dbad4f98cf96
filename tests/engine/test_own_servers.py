"""A zone moves to name servers of the stack's own, through the real engine. The tests run in order on one stack."""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
from sandbox.akash import inventory as akash
from sandbox.akash.providers import PROVIDERS
from sandbox.client import NotReached
from sandbox.faults import CLOSED
from sandbox.net import registrar
from sandbox.state import VARIABLE
from sandbox.validating import Validating, validating
from tests.contract.powerdns import MISSING, NO_RESOLVER

from . import docs_stack
from .docs_stack import HOST, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .conftest import Sandbox
    from .docs_stack import Docs

ZONE = "dao.example"
OLD = ["ns-1.awsdns-01.org", "ns-2.awsdns-02.com"]
SITES = ("ns-akash", "ns-akash-2")
NEW = [f"{site}.{ZONE}" for site in SITES]
KEY = csk.make()
DS = csk.ds(KEY, ZONE, Path("key"))
IMAGE = "ghcr.io/dao-example/nameserver@sha256:" + "4c6e91c6ed0e2fa03efd5b44747b625fec79bc9cd06ac5235a779726618e530d"

#: The most seconds for which the resolver of the roll-over caches an answer, also if its TTL is longer.
REMEMBERED_S = 2

REHEARSAL = pytest.mark.skipif(
    not os.environ.get("TESTS_DRILLS"), reason="takes minutes; `python -m tests drills` runs it"
)
pytestmark = [pytest.mark.timeout(1500), pytest.mark.skipif(MISSING is not None, reason=str(MISSING))]


def dns_of(*authorities: str, names: list[str], ds: tuple[str, ...] = ()) -> dict[str, object]:
    """Return the settings of the zone's authorities and delegation."""
    delegation = {"registrar": "Gandi", "name_servers": names, "ds": list(ds)}
    servers = {"placement": ["akash", "akash"], "image": IMAGE, "budget_usd_month": 20}
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
    """Return the address of a name server by Route 53 or by the registry."""
    glue = (docs.state.delegation(ZONE) or {}).get("servers", {}).get(f"{site}.{ZONE}")
    return glue or docs.records()[f"{site}.{ZONE}"]


def ask(docs: Docs, site: str, host: str, type_: str, *, tcp: bool = False) -> dns.message.Message:
    """Ask a name server itself."""
    host_, port = docs.state.route(address(docs, site), 53) or ("", 0)
    query = dns.message.make_query(f"{host}.", type_, want_dnssec=True, payload=1232)
    query.flags &= ~dns.flags.RD
    return (dns.query.tcp if tcp else dns.query.udp)(query, host_, 10, port)


def valid(docs: Docs, site: str, host: str, type_: str) -> set[str]:
    """Return a server's answer for a name after validating its signature with the key of the DS."""
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


def operator(docs: Docs, site: str) -> str:
    """Return the Akash provider that leases a name server its address."""
    at = address(docs, site)
    return next(each.owner for each in PROVIDERS if at in each.addresses)


def test_a_lost_server_is_rented_anew_apart_from_the_other_one_whose_operator_bids_lowest(standing: Docs) -> None:
    lost, other = (operator(standing, site) for site in SITES)
    (stays,) = (dseq for dseq, owner in standing.leases().items() if owner == other)
    with standing.broken(f"provider-gone-{lost}"):
        until(lambda: lost not in running(), "the network closes the lease")
        standing.up("--refresh")
    assert standing.leases()[stays] == other
    assert operator(standing, SITES[1]) == other
    assert operator(standing, SITES[0]) not in {lost, other}
    for site in SITES:
        assert valid(standing, site, NEW[0], "A") == {address(standing, SITES[0])}


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


def started(docs: Docs, *words: str) -> subprocess.Popen[str]:
    """Start a command as an operator types it in the project's folder."""
    folder = docs.pulumi.project / "stacks"
    folder.mkdir(exist_ok=True)
    (folder / "Pulumi.docs.yaml").write_text(docs.pulumi.config_file.read_text())
    return subprocess.Popen(
        words, cwd=docs.pulumi.project, env={**os.environ, **docs.pulumi.environment},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def typed(docs: Docs, *words: str) -> str:
    """Run a command, which has to succeed."""
    child = started(docs, *words)
    shown, _ = child.communicate()
    assert child.returncode == 0, f"{' '.join(words)}\n{shown}"
    return shown


def carry_out(docs: Docs, chapter: str, person: Callable[[list[str]], None] = lambda _: None) -> None:
    """Carry out a chapter of the runbook, with an operator who reads each line and may act."""
    words = ("--execute", "--yes", "--approved-by", "a test", "--chapter", chapter)
    lines: list[str] = []
    with started(docs, "./unmoor", "runbook", "docs", "--stack", "docs", *words) as child:
        for line in child.stdout or ():
            lines.append(line)
            person(lines)
    assert child.returncode == 0, "".join(lines)


@REHEARSAL
def test_the_runbook_of_a_closed_account_is_carried_out(standing: Docs) -> None:
    with standing.broken(CLOSED):
        carry_out(standing, "account-closed")


@REHEARSAL
def test_the_runbook_of_a_lost_name_server_is_carried_out_with_the_glue_that_it_prints(standing: Docs) -> None:
    lost = address(standing, SITES[0])
    owner = next(each.owner for each in PROVIDERS if lost in each.addresses)

    def at_the_registrar(lines: list[str]) -> None:
        """Change the glue to the printed addresses when the step waits for that."""
        text = "".join(lines)
        printed = text.partition("Change the glue")[2]
        if lines[-1].startswith("      $ ") and printed.count("      $ ") == 2:
            found = set(
                re.findall(r"(\S+) A at .*: the parent's glue is '(\S+)', and the zone answers '(\S+)'", printed)
            )
            ((server, old, new),) = found
            assert (server, old) == (NEW[0], lost)
            given = standing.state.delegation(ZONE) or {}
            registrar.change(standing.state, ZONE, {**given["servers"], server: new}, given["ds"])

    with standing.broken(f"provider-gone-{owner}"):
        until(lambda: owner not in running(), "the network closes the lease")
    carry_out(standing, "name-server-lost", at_the_registrar)
    assert address(standing, SITES[0]) != lost
    for site in SITES:
        assert valid(standing, site, NEW[0], "A") == {address(standing, SITES[0])}
    assert standing.served() == standing.version()


def running() -> set[str]:
    """Return the operators of running leases."""
    newest = [each["leases"][-1] for each in akash.open_deployments() if each["leases"]]
    return {each["id"]["provider"] for each in newest if each["state"] == "active"}


class Visitor(threading.Thread):
    """A thread that looks a name up until it is stopped. Each answer has to be validated."""

    def __init__(self, resolver: Validating) -> None:
        super().__init__()
        self.resolver, self.asked, self.lost, self.ended = resolver, 0, list[str](), threading.Event()

    def run(self) -> None:
        while not self.ended.wait(0.05):
            self.asked += 1
            try:
                self.resolver.addresses(HOST)
            except NotReached as why:
                self.lost.append(str(why))


@REHEARSAL
@pytest.mark.skipif(NO_RESOLVER is not None, reason=str(NO_RESOLVER))
def test_the_key_is_exchanged_on_leases_in_five_steps_and_no_look_up_is_lost(standing: Docs, tmp_path: Path) -> None:
    """The resolver trusts both keys; its cache of one key must never meet signatures of only the other."""
    file = tmp_path / "new.key"
    typed(standing, "./unmoor", "zone", "key", "--stack", "docs", str(file))
    new = csk.ds(file.read_text(), ZONE, file)

    def due() -> int:
        child = started(standing, "./unmoor", "zone", "roll", str(file), "--stack", "docs", "--json")
        shown, _ = child.communicate()
        steps: list[dict[str, Any]] = json.loads(shown[shown.index("{") :])["steps"]
        return next((number for number, step in enumerate(steps, 1) if step["state"] == "next"), 0)

    def given(*keys: str) -> None:
        standing.pulumi.environment = {**standing.pulumi.environment, csk.VARIABLE: "".join(keys)}

    def publish(*ds: str) -> None:
        standing.settings["unmoor:dns"] = dns_of("powerdns", names=NEW, ds=ds)
        standing.write()

    def vouched(*ds: str) -> None:
        registrar.change(standing.state, ZONE, (standing.state.delegation(ZONE) or {})["servers"], ds)
        time.sleep(2 * REMEMBERED_S)  # as a step demands

    with validating(standing.state, ZONE, tmp_path / "unbound", (DS, new), REMEMBERED_S) as resolver:
        visitor = Visitor(resolver)
        visitor.start()
        try:
            assert due() == 1
            given(KEY, file.read_text())
            publish(DS, new)
            typed(standing, "./unmoor", "rotate", "ns", "--stack", "docs", "--yes")
            until(lambda: due() == 2, "both servers show both keys")
            vouched(DS, new)
            assert due() == 3
            publish(new, DS)
            standing.up()
            assert due() == 4
            vouched(new)
            assert due() == 5
            publish(new)
            standing.up()
            assert due() == 0
            given(file.read_text())
            typed(standing, "./unmoor", "rotate", "ns", "--stack", "docs", "--yes")
            assert due() == 0
            time.sleep(2 * REMEMBERED_S)
        finally:
            visitor.ended.set()
            visitor.join()
    assert visitor.lost == [], f"{len(visitor.lost)} of {visitor.asked}"
    assert visitor.asked > 200


def test_going_back_is_refused_while_the_parent_has_the_key(standing: Docs) -> None:
    standing.settings["unmoor:dns"] = dns_of("route53", names=OLD)
    run = standing.fails()
    assert "still leads dao.example to 'ns-akash-2.dao.example', 'ns-akash.dao.example'" in run.output
    registrar.change(standing.state, ZONE, dict.fromkeys(OLD, ""), (standing.state.delegation(ZONE) or {})["ds"])
    run = standing.fails()
    assert "still has a DS of dao.example" in run.output
    assert len(standing.leases()) == 3
