"""Drills of own name servers, as visitors of a validating resolver see them.

A signed parent delegates to two servers; unbound's only trust is the parent's key. One server freezes in
`test_own_names_alone.py`.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import threading
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import dns.rdatatype
import dns.zone
import pytest
import yaml
from click.testing import CliRunner

from components.commands.zone import cli
from components.dns import asking
from components.dns.powerdns import bundle, csk
from components.dns.powerdns.keeper import Keeper
from components.dns.powerdns.stores import Stores
from sandbox.net.stranger import ADDRESS as STRANGER
from sandbox.net.stranger import Stranger
from sandbox.state import State
from tests.contract.containers import free_port, until
from tests.contract.name_servers import serving
from tests.contract.powerdns import (
    MISSING,
    NO_RESOLVER,
    PRIMARY,
    SERVERS,
    STANDBY,
    ZONE,
    Backend,
    NameServer,
    Signer,
    ds_of,
    lead,
    rcode,
    resolved,
    store,
    switch,
    validating,
    zone_rows,
)
from tests.settings import zone_stack

pytestmark = [
    pytest.mark.skipif(not os.environ.get("TESTS_DRILLS"), reason="takes minutes; `python -m tests drills` runs it"),
    pytest.mark.skipif(bool(MISSING or NO_RESOLVER), reason=MISSING or NO_RESOLVER or ""),
]

NS1, NS2, PARENT, RESOLVER = "127.77.4.1", "127.77.4.2", "127.77.4.3", "127.77.4.4"
ABOVE = f"""\
example. 300 IN SOA a.nic.example. hostmaster.nic.example. 1 3600 600 604800 300
example. 300 IN NS a.nic.example.
a.nic.example. 300 IN A {PARENT}
"""
DELEGATION = f"""\
dao.example. 300 IN NS ns1.dao.example.
dao.example. 300 IN NS ns2.dao.example.
ns1.dao.example. 300 IN A {NS1}
ns2.dao.example. 300 IN A {NS2}
"""
AT = ["--at", f"docs-akash={PRIMARY}", "--at", f"docs-akash-2={STANDBY}"]
#: The number of fresh names that each drill asks for.
FRESH = 100
#: The most seconds for which the resolver of the roll-over caches an answer, also if its TTL is longer.
REMEMBERED_S = 2


class Parent(NameServer):
    """A signed zone above ours, whose DS records can be changed as at a registry."""

    def delegate(self, *ds: str) -> None:
        words = ["replace-rrset", "example", "dao", "DS", "300", *ds]
        self.util(*words)
        self.util("rectify-zone", "example")
        subprocess.run(
            ["pdns_control", f"--socket-dir={self.folder}", "purge", f"{ZONE}$"], check=True, capture_output=True
        )

    def util(self, *words: str) -> None:
        subprocess.run(["pdnsutil", f"--config-dir={self.folder}", *words], check=True, capture_output=True)


@pytest.fixture(scope="module")
def signer(tmp_path_factory):
    return Signer(tmp_path_factory.mktemp("signer"))


@pytest.fixture(scope="module")
def world(tmp_path_factory, signer):
    """Two servers, a signed parent above them, a store, and the files of two keys."""
    folder = tmp_path_factory.mktemp("drills")
    key = folder / "key"
    key.write_text(csk.make())
    with (
        store(folder / "store") as place,
        serving({RESOLVER: dns.zone.from_text(ABOVE, "example.", relativize=False)}) as port,
    ):
        put(place, signer, zone(1))
        servers = [NameServer(folder / name, at, port) for name, at in (("ns1", NS1), ("ns2", NS2))]
        parent = Parent(folder / "parent", PARENT, port)
        (parent.folder / "zone").write_text(ABOVE + DELEGATION)
        parent.util("load-zone", "example", str(parent.folder / "zone"))
        parent.util("secure-zone", "example")
        parent.util("rectify-zone", "example")
        try:
            keepers = [
                Keeper(each.database, Stores(ZONE, [place.url], signer.allowed, print), each.folder, key)
                for each in servers
            ]
            assert [each.refresh() for each in keepers] == [True, True]
            for each in (*servers, parent):
                each.start()
            parent.delegate(ds_of(servers[0]))
            yield World(folder, port, place, servers, keepers, parent, key)
        finally:
            for each in (*servers, parent):
                each.stop()


class World:
    """The servers, parent, store and keys of the fixture."""

    def __init__(self, folder, port, place, servers, keepers, parent, key):
        self.folder, self.port, self.place, self.servers = folder, port, place, servers
        self.keepers, self.parent, self.key = keepers, parent, key

    def resolver(self, name, *more, second=None, first=True):
        """Run a fresh resolver that trusts only the parent; `second` replaces the second name server's address."""
        at = [f"{NS1}@{self.port}", second or f"{NS2}@{self.port}"]
        stubs = {"example": [f"{PARENT}@{self.port}"], ZONE: at}
        anchor = f"example. DS {ds_of(self.parent, 'example')}"
        return validating(self.folder / name, anchor, stubs, *more, first=first)


def zone(serial, more=(), switches=(), keys=()):
    rows = [*zone_rows(FRESH), *more]
    return bundle.make(ZONE, serial, SERVERS, rows, switches, keys=keys)


def put(place, signer, made):
    place.put(made, signer.sign(made.raw))


def names(word):
    return [f"{word}{number}.dao.example" for number in range(FRESH)]


def test_the_first_answers_of_a_cold_server_are_the_primary(world, signer):
    """No member was ever probed, and the servers and the resolver start with empty caches."""
    moved = [switch(host) for host in names("cold")]
    put(world.place, signer, zone(10, [row for each in moved for row in lead(PRIMARY, each.host)], moved))
    assert [each.refresh() for each in world.keepers] == [True, True]
    for each in world.servers:
        each.kill("pdns")
        each.start()
    with world.resolver("cold") as resolver:
        assert [resolved(resolver, host, 5) for host in names("cold")] == [PRIMARY] * FRESH


def test_while_both_members_are_dead_the_primary_answers(tmp_path, world, signer):
    port = free_port()
    backends = [Backend(address, port) for address in (PRIMARY, STANDBY)]
    served = NameServer(tmp_path / "ns")
    try:
        for each in backends:
            each.status = 503
        with store(tmp_path / "store") as place:
            put(place, signer, zone(1, lead(PRIMARY, "both.dao.example"), [switch("both.dao.example", port)]))
            served.keep([place], signer, "--key", str(world.key))
            served.start()
            until(lambda: all(len(each.seen) > 5 for each in backends) or None, "probes of both")
            assert served.answers("both.dao.example") == {PRIMARY}
            backends[1].status = 200
            until(lambda: served.answers("both.dao.example") == {STANDBY} or None, "the standby, which lives again")
    finally:
        served.stop()
        for each in backends:
            each.end()


@pytest.fixture
def stranger(tmp_path):
    """Run a stranger's server for our zone, as at a lost server's address; return its port and its questions."""
    state = State(tmp_path)
    state.prepare()
    state.delegate(ZONE, {"servers": {SERVERS[0]: NS1, SERVERS[1]: NS2}, "ds": []})
    asked = []

    class Noted(Stranger):
        async def respond(self, wire):
            asked.append(wire)
            return await super().respond(wire)

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server = Noted(state)
    yield asyncio.run_coroutine_threadsafe(server.start(), loop).result(30), asked

    async def close():
        server.close()
        await asyncio.sleep(0)  # transports close in the loop's next turn

    asyncio.run_coroutine_threadsafe(close(), loop).result(30)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def test_no_answer_of_a_stranger_at_a_reused_address_is_accepted(world, stranger):
    port, asked = stranger
    query = dns.message.make_query(f"n1.{ZONE}", "A", want_dnssec=True)
    believed = dns.query.udp(query, "127.0.0.1", 10, port)
    assert [one.to_text() for one in believed.answer[0]] == [STRANGER]
    assert {each.rdtype for each in believed.answer} == {dns.rdatatype.A, dns.rdatatype.RRSIG}
    before = len(asked)
    with world.resolver("stranger", second=f"127.0.0.1@{port}") as resolver:
        assert [resolved(resolver, host, 10) for host in names("n")] == ["192.0.2.1"] * FRESH
    assert len(asked) > before, "the resolver asked it"


@pytest.mark.parametrize(("days", "code"), [(-16, "SERVFAIL"), (-1.1, "NOERROR"), (1.1, "NOERROR"), (16, "SERVFAIL")])
def test_a_clock_that_is_days_wrong_ends_every_name_at_resolvers_that_validate(world, days, code):
    """The resolver's clock is wrong here, by as much as a server's would be. One day is an alarm, but no failure."""
    date = (datetime.now(UTC) + timedelta(days=days)).strftime("%Y%m%d%H%M%S")
    with world.resolver(f"clock{days}", f'val-override-date: "{date}"', first=False) as resolver:
        assert rcode(resolver, f"n1.{ZONE}", 10) == code


class Visitor(threading.Thread):
    """A thread that asks for one name after another until it is stopped. Each answer has to be validated."""

    def __init__(self, resolver):
        super().__init__()
        self.resolver, self.asked, self.lost, self.ended = resolver, 0, [], threading.Event()

    def run(self):
        while not self.ended.wait(0.05):
            host = f"n{self.asked % FRESH}.dao.example"
            self.asked += 1
            if not resolved(self.resolver, host, 10):
                self.lost.append((self.asked, rcode(self.resolver, host)))

    def sees(self, tag):
        """Return whether the resolver has an answer that this key signed."""
        query = dns.message.make_query(ZONE, "SOA", want_dnssec=True)
        answer = dns.query.udp(query, "127.0.0.1", 10, self.resolver).answer
        return {one.key_tag for each in answer if each.rdtype == dns.rdatatype.RRSIG for one in each} == {tag}


@pytest.fixture
def rolled(world, signer, tmp_path, monkeypatch):
    """Make a stack that names its delegation; return `publish(*ds)`, `wait()`, and `due()`, which is the next step."""
    monkeypatch.setattr(asking, "PORT", world.port)
    servers = [(name, "A", at) for name, at in zip(SERVERS, (NS1, NS2), strict=True)]
    path = zone_stack(tmp_path, *servers, *((host, "A", "192.0.2.1") for host in names("n")))
    new_file = tmp_path / "new"
    run("key", "--stack", path, new_file)

    def publish(*ds):
        named = {"registrar": "Gandi", "name_servers": list(SERVERS), "ds": list(ds)}
        document = yaml.safe_load(path.read_text())
        document["config"]["unmoor:dns"] = {"delegation": named}
        path.write_text(yaml.safe_dump(document))
        words = ["bundle", "--stack", path, *(word for each in SERVERS for word in ("--server", each)), *AT]
        result = run(*words, "--sign", signer.key, "--out", world.place.folder)
        assert result.exception is None, result.exception
        for keeper in world.keepers:
            assert keeper.refresh()
            wait()

    def wait():
        """Wait twice as long as the resolver caches answers, as a step demands."""
        threading.Event().wait(2 * REMEMBERED_S)

    def due():
        shown = run("roll", "--stack", path, new_file, "--resolver", RESOLVER, "--json")
        assert shown.exception is None, shown.exception
        steps = json.loads(shown.stdout)["steps"]
        assert len(steps) == 5
        return next((number for number, step in enumerate(steps, 1) if step["state"] == "next"), 0)

    return SimpleNamespace(new=new_file, publish=publish, wait=wait, due=due)


def test_no_answer_fails_validation_while_the_key_is_exchanged_step_by_step(world, rolled):
    old, new = (csk.ds(file.read_text(), ZONE, file) for file in (world.key, rolled.new))
    with world.resolver("roll", f"cache-max-ttl: {REMEMBERED_S}") as resolver:
        visitor = Visitor(resolver)
        visitor.start()
        try:
            rolled.publish(old)
            assert rolled.due() == 1
            world.key.write_text(world.key.read_text() + rolled.new.read_text())
            rolled.publish(old, new)
            assert rolled.due() == 2
            world.parent.delegate(old, new)
            rolled.wait()
            assert rolled.due() == 3
            assert visitor.sees(int(old.split()[0]))
            rolled.publish(new, old)
            assert rolled.due() == 4
            assert visitor.sees(int(new.split()[0]))
            world.parent.delegate(new)
            rolled.wait()
            assert rolled.due() == 5
            rolled.publish(new)
            assert rolled.due() == 0
            rolled.wait()
        finally:
            visitor.ended.set()
            visitor.join()
    assert visitor.lost == [], f"{len(visitor.lost)} of {visitor.asked}"
    assert visitor.asked > FRESH
    world.key.write_text(rolled.new.read_text())


def run(*words):
    return CliRunner().invoke(cli, [str(word) for word in words], standalone_mode=False)


def test_a_key_that_is_exchanged_at_once_fails(world, signer, tmp_path):
    """The steps prevent this: the parent has only the DS of the old key, and the servers sign with another key."""
    other = tmp_path / "other"
    other.write_text(csk.make())
    before = world.key.read_text()
    there = csk.ds(before, ZONE, world.key)
    world.key.write_text(before + other.read_text())
    put(world.place, signer, zone(4_000_000_000, keys=[csk.ds(other.read_text(), ZONE, other)]))
    assert all(each.refresh() for each in world.keepers)
    with world.resolver("swapped", first=False) as resolver:
        assert rcode(resolver, f"n1.{ZONE}", 10) == "SERVFAIL"
    put(world.place, signer, zone(4_000_000_001, keys=[there]))
    assert all(each.refresh() for each in world.keepers)
    with world.resolver("back") as resolver:
        assert resolved(resolver, f"n1.{ZONE}", 10)


def test_a_key_that_a_server_does_not_have_is_left_out_and_the_ones_that_it_has_go_on(world, signer):
    there = csk.ds(world.key.read_text().partition("\nPrivate-key-format")[0], ZONE, world.key)
    missing = "12345 13 2 " + "ab" * 32
    for serial, keys in ((4_000_000_002, [there, missing]), (4_000_000_003, [missing])):
        put(world.place, signer, zone(serial, keys=keys))
        assert all(each.refresh() for each in world.keepers)
        assert [ds_of(each) for each in world.servers] == [there, there]
