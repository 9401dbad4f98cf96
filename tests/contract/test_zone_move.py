"""A delegation moves to other servers step by step: each world as it stands after a step shows that the next is due."""

from __future__ import annotations

import json

import dns.dnssec
import dns.rdata
import pytest
from click.testing import CliRunner

from components.commands.zone import cli
from components.dns import asking
from tests.contract.name_servers import Serves, serving
from tests.contract.test_zone_check import DAO, EXAMPLE, KEY, KNOWN, NS1, NS2, PARENT, RESOLVER, zone
from tests.settings import zone_stack

NS3, NS4 = "127.77.1.13", "127.77.1.14"
TO = ["--to", f"ns3.dao.example={NS3}", "--to", f"ns4.dao.example={NS4}"]
BACK = ["--to", f"ns1.dao.example={NS1}", "--to", f"ns2.dao.example={NS2}"]
_MADE = dns.dnssec.make_ds("dao.example.", dns.rdata.from_text("IN", "DNSKEY", KEY), "SHA256")
DS = f"dao.example. 86400 IN DS {_MADE}\n"
SIGNED = f"dao.example. 300 IN DNSKEY {KEY}\n"
OLD = "".join(f"dao.example. 300 IN NS ns{number}.dao.example.\n" for number in (1, 2))
NEW = OLD.replace("ns1", "ns3").replace("ns2", "ns4")
GLUE = f"ns3.dao.example. 300 IN A {NS3}\nns4.dao.example. 300 IN A {NS4}\n"


def dao(ns, more=""):
    return DAO.replace(OLD, ns) + GLUE + more


def above(ns, more=""):
    return EXAMPLE.replace(OLD, ns) + (GLUE if "ns3" in ns else "") + more


@pytest.fixture
def moved(tmp_path, monkeypatch):
    """Return `moved(parent, old, new, to)`: what the command shows, and whether all is done."""
    stack = zone_stack(tmp_path)

    def make(parent, old, new, to, *words):
        hosts = {PARENT: Serves(zone(parent, "example.")), RESOLVER: Serves(zone(KNOWN, "example."))}
        hosts |= {at: Serves(zone(text)) for at, text in ((NS1, old), (NS2, old), (NS3, new), (NS4, new))}
        with serving(hosts) as port:
            monkeypatch.setattr(asking, "PORT", port)
            words = ["move", "--stack", str(stack), "--resolver", RESOLVER, *to, *words]
            result = CliRunner().invoke(cli, words, standalone_mode=False)
        assert result.exception is None, result.exception
        return result

    return make


def due(result):
    """Return the next step's number, what it still misses, and the seconds to wait after it; 0 when done."""
    shown = json.loads(result.stdout)
    states = [step["state"] for step in shown["steps"]]
    assert len(states) == 7
    assert shown["done"] is (result.return_value == 0)
    if shown["done"]:
        assert states == ["done"] * 7
        return 0, "", 0
    place = states.index("next")
    assert states == ["done"] * place + ["next"] + ["later"] * (6 - place)
    step = shown["steps"][place]
    assert [each["missing"] for each in shown["steps"] if each["state"] != "next"] == [[]] * 6
    return place + 1, "\n".join(step["missing"]), step["wait_s"]


SLOW = OLD.replace("300", "86400")
FORWARD = [
    ("nothing was done", above(OLD), dao(SLOW), dao(NEW, SIGNED), 1, "NS set a TTL of 86400 s", 86_400),
    (
        "one name differs",
        above(OLD),
        dao(OLD),
        dao(NEW, SIGNED).replace("docs.dao.example. 30 IN A 203.0.113.7", "docs.dao.example. 30 IN A 198.51.100.66"),
        2,
        "which is neither member",
        0,
    ),
    ("the old key stands", above(OLD, DS), dao(OLD, SIGNED), dao(NEW), 3, "no key for the parent's DS", 86_400),
    ("both serve", above(OLD), dao(OLD), dao(NEW, SIGNED), 4, "does not name 'ns3.dao.example'", 300),
    ("both name all", above(OLD), dao(OLD + NEW), dao(OLD + NEW, SIGNED), 5, "does not name ns3.dao.example", 300),
    (
        "glue leads elsewhere",
        above(OLD + NEW).replace(f"IN A {NS4}", "IN A 192.0.2.99"),
        dao(OLD + NEW),
        dao(OLD + NEW, SIGNED),
        2,
        "192.0.2.99",
        0,
    ),
    ("the parent names all", above(OLD + NEW), dao(OLD + NEW), dao(OLD + NEW, SIGNED), 6, "names ns1.dao.example", 300),
    ("the parent names the new", above(NEW), dao(OLD + NEW), dao(OLD + NEW, SIGNED), 7, "still names 'ns1", 172_800),
    ("the old are out", above(NEW), dao(OLD + NEW), dao(NEW, SIGNED), 7, "has no DS", 172_800),
    ("all is done", above(NEW, DS), dao(OLD + NEW), dao(NEW, SIGNED), 0, "", 0),
    ("unsigned, all is done", above(NEW), dao(OLD + NEW), dao(NEW), 0, "", 0),
]


@pytest.mark.parametrize(("parent", "old", "new", "number", "missing", "wait"), [each[1:] for each in FORWARD])
def test_each_step_is_due_once_the_one_before_it_shows(moved, parent, old, new, number, missing, wait):
    shown = due(moved(parent, old, new, TO, "--json"))
    assert (shown[0], shown[2]) == (number, wait), shown
    assert missing in shown[1]


def test_the_way_back_begins_with_the_key_at_the_parent(moved):
    """With it, the unsigned servers are a zone that validating resolvers refuse."""
    number, missing, wait = due(moved(above(NEW, DS), dao(OLD), dao(NEW, SIGNED), BACK, "--json"))
    assert (number, wait) == (3, 86_400)
    assert "ns1.dao.example" in missing
    assert "validating resolvers fail until it is taken out and its TTL has passed" in missing
    assert "ns3.dao.example" not in missing, "those have the key"
    assert due(moved(above(NEW), dao(OLD), dao(NEW, SIGNED), BACK, "--json"))[0] == 4


def test_the_list_reads_as_a_procedure(moved):
    result = moved(above(OLD), dao(OLD), dao(NEW, SIGNED), TO)
    lines = result.stdout.splitlines()
    assert result.return_value == 1
    assert lines[0] == "ok   1 lower the TTL of the NS set to 300 s at 'ns1.dao.example', 'ns2.dao.example'"
    assert "next 4 name old and new servers in the NS set, at the old and at the new" in lines
    assert "-    5 name 'ns3.dao.example', 'ns4.dao.example' at the registrar, with glue for those in the zone" in lines
    assert "       then wait 172800 s: resolvers that remember too long, before the old zone is deleted" in lines


def test_a_server_without_an_address_is_refused(tmp_path):
    words = ["move", "--stack", str(zone_stack(tmp_path)), "--to", "ns3.dao.example"]
    result = CliRunner().invoke(cli, words)
    assert result.exit_code == 2
    assert "is not NAME=ADDRESS; write ns1.dao.example=192.0.2.53" in result.output
