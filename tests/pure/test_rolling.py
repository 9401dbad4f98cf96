"""Keys of a zone: those that a stack names reach its servers, and a roll-over is judged by the servers' answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.commands.rotate import resources
from components.config.models import Delegation
from components.dns import rolling
from components.dns.asking import Answer
from components.dns.check import Seen, Server, Way
from components.dns.moving import State
from components.dns.powerdns import bundle, csk, entries, needs
from components.needs import State as Ready
from components.plan.stack import topology
from components.project import builtin
from tests.pure.test_own_servers import OWN, stack
from tests.settings import site_folder

ZONE = "dao.example"
OLD, NEW = csk.make(), csk.make()
DS = [csk.ds(key, ZONE, Path("key")) for key in (OLD, NEW)]


def test_a_file_of_two_keys_is_read_as_both():
    assert csk.split(OLD + NEW) == [OLD, NEW]
    assert csk.by_ds(OLD + NEW, ZONE, Path("key")) == dict(zip(DS, (OLD, NEW), strict=True))


def test_the_keys_that_a_stack_names_are_in_the_bundle_in_their_order():
    server = {"sets": [], "members": [{"host": "ns1.dao.example", "ttl": 5, "site": "ns-akash", "reach": "address"}]}
    known = {"one": server | {"at": ["192.0.2.1"], "server": "ns1.dao.example"}, "records": {"keys": DS[::-1]}}
    made = bundle.read(entries.made(ZONE, 1, known).raw, ZONE)
    assert made.keys == tuple(DS[::-1])
    assert bundle.read(entries.made(ZONE, 1, {"one": known["one"]}).raw, ZONE).keys == ()


def test_the_order_of_keys_in_a_stack_file_is_kept_and_that_of_servers_is_not():
    named = Delegation(registrar="Gandi", name_servers=["b.example", "a.example"], ds=[*DS[::-1], DS[1]])
    assert (named.name_servers, named.ds) == (("a.example", "b.example"), tuple(DS[::-1]))


@pytest.fixture
def planned(tmp_path):
    site_folder(tmp_path)
    (tmp_path / "stacks").mkdir()

    def plan(*ds):
        named = {"registrar": "Gandi", "name_servers": list(OWN), "ds": list(ds)}
        return topology(stack("powerdns", delegation=named), builtin(), tmp_path)

    return plan


def test_the_key_is_handed_over_again_by_rotate(planned):
    (servers,) = [plan for plan in planned().workloads if plan.name == "ns"]
    assert resources(servers, builtin(), ()) == ["ns-akash-key", "ns-akash-2-key"]


@pytest.mark.parametrize(
    ("exported", "named", "state"),
    [
        (OLD, DS[:1], Ready.READY),
        (OLD + NEW, DS, Ready.READY),
        (OLD, DS, Ready.NOT_READY),
        (NEW, DS[:1], Ready.NOT_READY),
    ],
)
def test_an_update_needs_every_key_that_the_stack_names(planned, monkeypatch, exported, named, state):
    monkeypatch.setenv(csk.VARIABLE, exported)
    (check,) = needs.of(planned(*named)).checks
    (found,) = check.look()
    assert found.state is state
    assert OLD.splitlines()[-1].partition(": ")[2] not in str(found)


def seen(keys, ds):
    """Return the answers of a parent and one server."""
    way, above = (
        Way(Server("ns1.dao.example", "192.0.2.1"), tcp=True),
        Way(Server("a.nic.example", "192.0.2.2"), tcp=True),
    )
    shown = frozenset(_dnskey(key) for key in keys)
    answers = {way: {(ZONE, "SOA"): Answer("NOERROR"), (ZONE, "DNSKEY"): Answer("NOERROR", shown, ttl=60)}}
    parent = {above: {(ZONE, "DS"): Answer("NOERROR", frozenset(ds), ttl=86_400)}}
    return Seen(ZONE, "example", parent, answers)


def _dnskey(key):
    import dns.dnssec

    return dns.dnssec.make_dnskey(csk._read(key, Path("key")).public_key(), "ECDSAP256SHA256", 257).to_text()


@pytest.mark.parametrize(
    ("keys", "ds", "signs", "step"),
    [
        ([OLD], DS[:1], 0, 1),
        ([OLD, NEW], DS[:1], 0, 2),
        ([OLD, NEW], DS, 0, 3),
        ([OLD, NEW], DS, 1, 4),
        ([OLD, NEW], DS[1:], 1, 5),
        ([NEW], DS[1:], 1, 0),
    ],
)
def test_the_step_that_is_next_follows_from_what_is_answered(keys, ds, signs, step):
    tag = DS[signs].partition(" ")[0]
    found = rolling.steps(
        seen(keys, ds), {Server("ns1.dao.example", "192.0.2.1"): Answer("NOERROR", frozenset((tag,)))}, DS[1]
    )
    assert next((number for number, each in enumerate(found, 1) if each.state is State.NEXT), 0) == step
    assert [each.wait_s for each in found] == [60, 86_400, 60, 86_400, 60]


def test_a_server_that_does_not_answer_holds_the_first_step_up():
    gone = Answer("", error="no answer within 3 s")
    world = seen([OLD, NEW], DS)
    (way,) = world.answers
    world.answers[way] = {(ZONE, "SOA"): gone}
    first = rolling.steps(world, {way.server: gone}, DS[1])[0]
    assert (first.state, first.missing) == (State.NEXT, (f"{way} does not answer: no answer within 3 s",))
