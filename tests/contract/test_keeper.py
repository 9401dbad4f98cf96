"""The keeper next to a real PowerDNS: zones are taken whole or not at all, and names follow their members."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import ssl
import threading
from dataclasses import replace

import dns.dnssec
import dns.flags
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.resolver
import dns.zone
import pytest

from components.dns.plain import Row
from components.dns.powerdns import bundle, csk, keeper
from components.dns.powerdns.judge import DOWN, UP
from components.dns.powerdns.probing import Prober
from components.dns.powerdns.stores import Stores
from components.errors import ConfigError
from tests.contract.authority import self_signed
from tests.contract.containers import free_port, until
from tests.contract.powerdns import (
    MISSING,
    PRIMARY,
    SERVERS,
    STANDBY,
    ZONE,
    Backend,
    NameServer,
    Signer,
    key_file,
    lead,
    store,
    switch,
    zone_rows,
)

pytestmark = pytest.mark.skipif(MISSING is not None, reason=MISSING or "")


def made(serial, rows=None, switches=None):
    return bundle.make(
        ZONE, serial, SERVERS, zone_rows() if rows is None else rows, [switch()] if switches is None else switches
    )


@pytest.fixture(scope="module")
def signer(tmp_path_factory):
    return Signer(tmp_path_factory.mktemp("signer"))


@pytest.fixture(scope="module")
def key(tmp_path_factory):
    return key_file(tmp_path_factory.mktemp("key"))


@pytest.fixture
def stores(tmp_path):
    with store(tmp_path / "one") as one, store(tmp_path / "two") as two:
        yield [one, two]


@pytest.fixture
def served(tmp_path):
    server = NameServer(tmp_path / "ns").start()
    yield server
    server.stop()


def put(stores, signer, what):
    for each in stores:
        each.put(what, signer.sign(what.raw))


class Kept:
    """A keeper in this process, whose clock and probes are the test's."""

    def __init__(self, served, stores, signer, key=None):
        self.reported, self.now = [], 0.0
        found = Stores(ZONE, [each.url for each in stores], signer.allowed, self.reported.append)
        self.keeper = keeper.Keeper(
            served.database, found, served.folder, key, report=self.reported.append, clock=lambda: self.now
        )
        self.keeper.resume()

    def probe(self, primary, standby, times=1):
        for _ in range(times):
            self.now += 1
            for member, ok in zip(
                self.keeper.names["docs.dao.example"].switch.members, (primary, standby), strict=True
            ):
                self.keeper.judge("docs.dao.example", member, ok=ok)


@pytest.fixture
def kept(served, stores, signer, key):
    put(stores, signer, made(1))
    one = Kept(served, stores, signer, key)
    assert one.keeper.refresh(), one.reported
    return one


def validated(served, host, type_, keys):
    """Validate an answer by the zone's keys, as a resolver does. The server gives sets in any order."""
    answer = {each.rdtype: each for each in served.ask(host, type_, dnssec=True).answer}
    wanted = answer[dns.rdatatype.from_text(type_)]
    dns.dnssec.validate(wanted, answer[dns.rdatatype.RRSIG], {dns.name.from_text(ZONE): keys})


def test_a_zone_is_served_signed_and_every_answer_validates_by_its_one_key(served, kept):
    (keys,) = served.ask(ZONE, "DNSKEY").answer
    assert [one.flags for one in keys] == [257]
    for host, type_ in ((ZONE, "SOA"), (ZONE, "NS"), (ZONE, "MX"), ("docs.dao.example", "A")):
        validated(served, host, type_, keys)
    assert served.answers("docs.dao.example") == {PRIMARY}
    assert served.answers(ZONE, "NS") == {f"{each}." for each in SERVERS}


def test_a_later_zone_is_signed_by_the_key_of_the_first_though_the_keeper_is_given_none(served, stores, signer, kept):
    (keys,) = served.ask(ZONE, "DNSKEY").answer
    put(stores, signer, made(2))
    assert Kept(served, stores, signer).keeper.refresh()
    assert served.ask(ZONE, "DNSKEY").answer == [keys]
    validated(served, "docs.dao.example", "A", keys)
    absent = served.ask("absent.dao.example", "A", dnssec=True)
    assert absent.rcode() == dns.rcode.NXDOMAIN
    proofs = [each for each in absent.authority if each.rdtype == dns.rdatatype.NSEC]
    assert proofs
    assert all(each[0].next != each.name for each in proofs)
    names = {each.name.to_text() for each in proofs} | {each[0].next.to_text() for each in proofs}
    assert "_keeper.dao.example." in names, names


def test_the_server_refuses_what_is_not_its_work(served, kept):
    other = served.ask("www.example.org", "A")
    assert other.rcode() == dns.rcode.REFUSED
    assert not other.flags & dns.flags.RA
    with pytest.raises(dns.exception.DNSException):
        list(dns.query.xfr(served.address, ZONE, port=served.port, lifetime=5))


def test_a_name_moves_by_proof_and_the_changed_row_is_signed_and_answered_at_once(served, kept):
    kept.probe(True, True)
    kept.probe(False, True, DOWN - 1)
    assert served.answers("docs.dao.example") == {PRIMARY}
    kept.probe(False, True)
    assert served.answers("docs.dao.example") == {STANDBY}
    (keys,) = served.ask(ZONE, "DNSKEY").answer
    validated(served, "docs.dao.example", "A", keys)
    kept.probe(True, True, UP)
    assert served.answers("docs.dao.example") == {STANDBY}, "the way back is held for a minute"
    kept.probe(True, True, 60)
    assert served.answers("docs.dao.example") == {PRIMARY}
    assert served.serial() == 1, "the serial is the bundle's"


def test_both_members_of_a_balanced_name_answer_until_one_is_proven_dead(served, stores, signer, key):
    both = [*zone_rows(), *lead(STANDBY)]
    put(stores, signer, made(1, both, [switch(balance=True)]))
    one = Kept(served, stores, signer, key)
    assert one.keeper.refresh(), one.reported
    (keys,) = served.ask(ZONE, "DNSKEY").answer
    assert served.answers("docs.dao.example") == {PRIMARY, STANDBY}
    one.probe(True, True)
    one.probe(True, False, DOWN)
    assert served.answers("docs.dao.example") == {PRIMARY}
    validated(served, "docs.dao.example", "A", keys)
    one.keeper.beat()
    assert "docs.dao.example=docs-akash" in "".join(served.answers("_keeper.dao.example", "TXT"))
    put(stores, signer, made(2, both, [switch(balance=True)]))
    again = Kept(served, stores, signer)
    assert again.keeper.refresh(), again.reported
    assert served.answers("docs.dao.example") == {PRIMARY}, "a restart and a new zone leave it where it leads"
    again.probe(True, True, 80)
    assert served.answers("docs.dao.example") == {PRIMARY, STANDBY}
    validated(served, "docs.dao.example", "A", keys)
    put(stores, signer, made(3))
    assert again.keeper.refresh(), again.reported
    assert served.answers("docs.dao.example") == {PRIMARY}, "it is balanced no more"
    again.probe(False, True, DOWN)
    assert served.answers("docs.dao.example") == {STANDBY}


def test_a_name_that_is_led_by_names_is_not_balanced():
    named = switch(balance=True)
    cname = Row("docs.dao.example", "CNAME", 5, "d111.vendor.example.")
    named = replace(named, members=(replace(named.members[0], rows=(cname,)), named.members[1]))
    with pytest.raises(ConfigError, match="is to be balanced, but a name has at most one CNAME"):
        made(1, [row for row in zone_rows() if row.name != "docs.dao.example"] + [cname], [named])


def test_a_name_may_move_from_an_address_to_a_name_of_a_vendor_s(served, stores, signer):
    there = switch()
    cname = Row("docs.dao.example", "CNAME", 5, "d111.vendor.example.")
    there = type(there)(
        there.host,
        (there.members[0], type(there.members[1])("docs-aws", (cname,), there.members[1].probe, "d111.vendor.example")),
    )
    put(stores, signer, made(1, switches=[there]))
    one = Kept(served, stores, signer)
    assert one.keeper.refresh()
    one.probe(True, True)
    one.probe(False, True, DOWN)
    assert served.answers("docs.dao.example", "CNAME") == {"d111.vendor.example."}
    assert Kept(served, stores, signer).keeper.names["docs.dao.example"].standing.leads == 1


def test_a_keeper_that_starts_again_goes_on_from_the_rows(served, stores, signer, kept):
    kept.probe(True, True)
    kept.probe(False, True, DOWN)
    again = Kept(served, stores, signer)
    assert again.keeper.names["docs.dao.example"].standing.leads == 1
    assert not again.keeper.refresh()
    again.probe(False, True, 5)
    assert served.answers("docs.dao.example") == {STANDBY}


def test_a_new_zone_keeps_a_name_at_the_site_it_leads_to(served, stores, signer, kept):
    kept.probe(True, True)
    kept.probe(False, True, DOWN)
    put(stores, signer, made(2, [*zone_rows(), Row("new.dao.example", "A", 300, "192.0.2.9")]))
    assert kept.keeper.refresh()
    assert served.serial() == 2
    assert served.answers("new.dao.example") == {"192.0.2.9"}
    assert served.answers("docs.dao.example") == {STANDBY}
    there = switch()
    flipped = type(there)(there.host, there.members[::-1])
    put(stores, signer, made(3, [*lead(STANDBY), *zone_rows()[1:]], [flipped]))
    assert kept.keeper.refresh()
    assert served.answers("docs.dao.example") == {STANDBY}
    assert kept.keeper.names["docs.dao.example"].standing.leads == 0


def test_a_new_zone_that_turns_roles_round_leads_to_no_site_without_proof(served, stores, signer, kept):
    kept.probe(True, True)
    there = switch()
    flipped = type(there)(there.host, there.members[::-1])
    put(stores, signer, made(2, [*lead(STANDBY), *zone_rows()[1:]], [flipped]))
    assert kept.keeper.refresh()
    assert served.answers("docs.dao.example") == {PRIMARY}


def test_a_zone_is_exchanged_without_a_lost_answer(served, stores, signer, kept):
    ended, lost, asked = threading.Event(), [], itertools.count()

    def visitor():
        while not ended.is_set():
            next(asked)
            message = served.ask("docs.dao.example", "A", patience=20)
            if message is None or not message.answer:
                lost.append(message)

    thread = threading.Thread(target=visitor)
    thread.start()
    try:
        for serial in range(2, 6):
            put(stores, signer, made(serial, zone_rows(200)))
            assert kept.keeper.refresh(), kept.reported
            assert served.serial() == serial
    finally:
        ended.set()
        thread.join()
    assert lost == []
    assert next(asked) > 10


def broken(what):
    """Return a bundle's document with content that `make` refuses."""
    document = json.loads(made(2).raw)
    for path, value in what.items():
        if path == "records":
            document["records"] += value
        else:
            document[path] = value
    return bundle.Made(json.dumps(document).encode())


def row(name, type_, content):
    return {"name": name, "type": type_, "ttl": 5, "content": content}


BROKEN = [
    ({"zone": "other.example"}, "zone: is other.example, and this server's is dao.example"),
    ({"records": [row("www.dao.example", "LUA", "A \"ifportup(80, {'192.0.2.1'})\"")]}, "is no value of LUA"),
    ({"records": [row("www.dao.example", "A", "192.0.2.1\nx.dao.example. 5 IN LUA A 1")]}, "records[5].content"),
    ({"records": [row("mail.dao.example", "CNAME", "other.example.")]}, "mail.dao.example: has a CNAME and A"),
    ({"records": [row("dao.example", "CNAME", "other.example.")]}, "dao.example: is the zone's apex"),
    ({"records": [row("www.else.example", "A", "192.0.2.1")]}, "is outside the zone"),
    ({"records": [row("www.dao.example", "A", "192.0.2.999")]}, "is no value of A"),
    ({"records": [row("dao.example", "SOA", "a. b. 9 1 1 1 1")]}, "has SOA, which the server makes itself"),
    ({"records": [row("docs.dao.example", "A", "192.0.2.66")]}, "has other rows in the zone than its members"),
    ({"serial": 0}, "serial"),
    ({"format": 2}, "format"),
]


@pytest.mark.parametrize(("what", "sentence"), BROKEN)
def test_a_bundle_that_is_broken_leaves_what_served_though_it_is_signed(served, stores, signer, kept, what, sentence):
    put(stores, signer, broken(what))
    assert not kept.keeper.refresh()
    assert sentence in "\n".join(kept.reported)
    assert (served.serial(), served.answers("docs.dao.example")) == (1, {PRIMARY})
    reported = len(kept.reported)
    assert not kept.keeper.refresh()
    assert len(kept.reported) == reported, "a fault is reported once, and not with every look"


def test_a_bundle_that_is_forged_foreign_or_older_leaves_what_served(tmp_path, served, stores, signer, kept):
    put(stores, signer, made(5))
    assert kept.keeper.refresh()
    stranger = Signer(tmp_path / "stranger")
    put(stores, stranger, made(6))
    assert not kept.keeper.refresh()
    assert "is not signed by a signer" in kept.reported[-1]
    newer = made(7)
    for each in stores:
        each.put(newer, signer.sign(made(8).raw))
    assert not kept.keeper.refresh()
    for each in stores:
        each.put(newer, signer.sign(newer.raw))
        (each.folder / f"{newer.name}.json").write_bytes(made(9).raw)
    assert not kept.keeper.refresh()
    assert f"gives a bundle that is not {newer.name}" in kept.reported[-1]
    put(stores, signer, made(4))
    assert not kept.keeper.refresh()
    assert "has serial 4, older than 5 that is served" in kept.reported[-1]
    assert served.serial() == 5


def test_one_store_that_is_gone_lies_or_lags_does_not_hold_a_zone_up(served, stores, signer, kept):
    one, two = stores
    for number, spoil in enumerate(("gone", "lies", "lags")):
        (one.folder / "current").unlink(missing_ok=True)
        if spoil == "lies":
            (one.folder / "current").write_text("../../etc/passwd")
        if spoil == "lags":
            put([one], signer, made(1))
        put([two], signer, made(10 + number))
        assert kept.keeper.refresh(), spoil
        assert served.serial() == 10 + number


def test_both_stores_gone_for_long_are_reported_once_and_names_go_on_following(served, stores, signer, kept):
    before = len(kept.reported)
    for each in stores:
        (each.folder / "current").rename(each.folder / "away")
    for _ in range(60):
        assert not kept.keeper.refresh()
        kept.keeper.beat()
    assert [said.partition(": ")[0] for said in kept.reported[before:]] == [each.url for each in stores]
    assert served.answers("docs.dao.example") == {PRIMARY}
    kept.probe(False, True, DOWN)
    assert served.answers("docs.dao.example") == {STANDBY}
    put(stores, signer, made(2))
    assert kept.keeper.refresh()
    assert served.serial() == 2


def test_a_zone_is_downloaded_once_and_a_look_that_finds_no_other_reads_its_name_alone(served, stores, signer, kept):
    one, two = stores
    name = made(1).name
    assert [each.read for each in stores] == [["current", f"{name}.json", f"{name}.json.sig"], ["current"]]
    for keeper_ in (kept.keeper, Kept(served, stores, signer).keeper):
        for each in stores:
            each.read.clear()
        assert not keeper_.refresh()
        assert [each.read for each in stores] == [["current"], ["current"]]
    put([two], signer, made(2))
    two.read.clear()
    assert kept.keeper.refresh()
    assert two.read == ["current", f"{made(2).name}.json", f"{made(2).name}.json.sig"]
    one.read.clear()
    assert not kept.keeper.refresh()
    assert one.read == ["current"]
    assert "has serial 1, older than 2 that is served" in kept.reported[-1]


def test_a_zone_that_could_not_be_taken_is_downloaded_again(served, stores, signer, kept, monkeypatch):
    def full(*_):
        raise OSError("no space left")

    put(stores, signer, made(2))
    with monkeypatch.context() as patched:
        patched.setattr(kept.keeper._database, "swap", full)
        assert not kept.keeper.refresh()
    assert kept.keeper.refresh()
    assert served.serial() == 2


def test_a_key_that_is_handed_over_after_its_zone_was_taken_is_shown_without_another_zone(
    tmp_path, served, stores, signer
):
    old, new = csk.make(), csk.make()
    both = [csk.ds(each, ZONE, tmp_path) for each in (new, old)]
    key = tmp_path / "keys"
    key.write_text(old)
    put(stores, signer, bundle.make(ZONE, 1, SERVERS, zone_rows(), [switch()], keys=both))
    kept = Kept(served, stores, signer, key)
    assert kept.keeper.refresh()
    assert shown(served) == {both[1]}
    kept.probe(False, True, times=DOWN)
    assert not kept.keeper.refresh()

    key.write_text(old + new.partition("PrivateKey")[0])  # being written
    assert not kept.keeper.refresh()
    key.write_text(old + new)
    restarted = Kept(served, stores, signer, key)
    assert restarted.keeper.refresh(), restarted.reported
    assert shown(served) == set(both)
    assert served.serial() == 1
    assert served.answers("docs.dao.example") == {STANDBY}, "where it led by proof"
    signed = {each.rdtype: each for each in served.ask(ZONE, "SOA", dnssec=True).answer}[dns.rdatatype.RRSIG]
    assert {one.key_tag for one in signed} == {int(both[0].split()[0])}, "by the first key of the zone"
    assert not restarted.keeper.refresh()


def shown(served):
    """Return the DS of each key that the server publishes."""
    (keys,) = served.ask(ZONE, "DNSKEY").answer
    return {dns.dnssec.make_ds(dns.name.from_text(ZONE), each, "SHA256").to_text() for each in keys}


def test_what_powerdns_itself_refuses_leaves_what_served(served, stores, signer, kept, monkeypatch):
    monkeypatch.setattr(bundle, "_row_faults", lambda _: [])
    put(stores, signer, broken({"records": [row("mail.dao.example", "CNAME", "other.example.")]}))
    assert not kept.keeper.refresh()
    assert "pdnsutil check-zone refuses the zone" in kept.reported[-1]
    assert (served.serial(), served.answers("mail.dao.example")) == (1, {"192.0.2.25"})


def test_no_bundle_is_made_that_a_keeper_would_refuse():
    with pytest.raises(ConfigError, match="has a CNAME and A"):
        made(1, [*zone_rows(), Row("mail.dao.example", "CNAME", 5, "other.example.")])


def test_the_program_fails_over_and_its_death_leaves_the_answers(tmp_path, served, stores, signer, key):
    port = free_port()
    put(stores, signer, made(1, switches=[switch(port=port)]))
    backends = [Backend(address, port) for address in (PRIMARY, STANDBY)]
    try:
        served.keep(stores, signer, "--key", str(key))
        until(lambda: served.serial() == 1 or None, "the first zone")
        until(lambda: all(each.seen for each in backends) or None, "probes")
        assert {host for host, _ in backends[0].seen} == {"docs-akash.dao.example"}
        assert {path for _, path in backends[0].seen} == {"/healthz"}
        assert served.answers("docs.dao.example") == {PRIMARY}
        backends.pop(0).end()
        until(lambda: served.answers("docs.dao.example") == {STANDBY} or None, "the standby")
        until(
            lambda: "docs.dao.example=docs-akash-2" in "".join(served.answers("_keeper.dao.example", "TXT")) or None,
            "a beat",
        )
        served.kill("keeper")
        before = served.answers("_keeper.dao.example", "TXT")
        backends.pop(0).end()
        assert [served.answers("docs.dao.example") for _ in range(50)] == [{STANDBY}] * 50
        assert served.answers("_keeper.dao.example", "TXT") == before
        served.kill("pdns")
        served.start()
        assert served.answers("docs.dao.example") == {STANDBY}
    finally:
        for each in backends:
            each.end()


CERTIFICATES = [
    ("docs-akash.dao.example", 30, True),
    ("docs-akash.dao.example", -0.0001, False),
    ("other.example", 30, False),
]


@pytest.mark.parametrize(("name", "days", "well"), CERTIFICATES)
def test_a_member_is_well_only_with_a_certificate_for_its_name(tmp_path, name, days, well):
    pair = self_signed(name, tmp_path / "member", days=days, since=-60)
    port = free_port()
    member = bundle.read(made(1, switches=[switch(port=port, scheme="https")]).raw, ZONE).switches[0].members[0]
    backend = Backend(PRIMARY, port, pair)

    async def probed():
        async with contextlib.aclosing(Prober(ssl.create_default_context(cafile=pair[0]))) as prober:
            return await prober.well(member)

    try:
        assert asyncio.run(probed()) is well
        backend.status = 503
        assert asyncio.run(probed()) is False
    finally:
        backend.end()
    assert asyncio.run(probed()) is False


@pytest.mark.parametrize(
    ("body", "well"), [(b"12\nunmoor-01\n", True), (b"ok", False), (b"." * 6000 + b"unmoor-01", False)]
)
def test_a_member_is_well_only_with_its_mark_in_the_beginning_of_the_answer(body, well):
    port = free_port()
    member = bundle.read(made(1, switches=[switch(port=port, mark="unmoor-01")]).raw, ZONE).switches[0].members[0]
    backend = Backend(PRIMARY, port, body=body)

    async def probed():
        async with contextlib.aclosing(Prober()) as prober:
            return await prober.well(member)

    try:
        assert asyncio.run(probed()) is well
    finally:
        backend.end()
