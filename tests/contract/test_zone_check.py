"""All that answer for a zone are compared: each fault of a server, of the delegation or of a name is named."""

from __future__ import annotations

import json
from dataclasses import dataclass

import dns.dnssec
import dns.flags
import dns.message
import dns.name
import dns.rdata
import dns.rdatatype
import dns.rrset
import dns.zone
import pytest
import yaml
from click.testing import CliRunner

from components.commands import zone as zone_command
from components.commands.zone import cli
from components.dns import asking
from components.dns.beat import Beat
from components.dns.powerdns import publish
from tests.contract.name_servers import Serves, serving
from tests.settings import zone_stack

PARENT, NS1, NS2, RESOLVER = "127.77.1.1", "127.77.1.11", "127.77.1.12", "127.77.1.2"
EXAMPLE = f"""\
example. 300 IN SOA a.nic.example. hostmaster.nic.example. 1 3600 600 604800 300
example. 300 IN NS a.nic.example.
a.nic.example. 300 IN A {PARENT}
dao.example. 300 IN NS ns1.dao.example.
dao.example. 300 IN NS ns2.dao.example.
ns1.dao.example. 300 IN A {NS1}
ns2.dao.example. 300 IN A {NS2}
"""
#: The answers of a resolver: the parent delegates another zone to these servers.
KNOWN = EXAMPLE.replace("dao.example. 300 IN NS", "else.example. 300 IN NS")
DAO = f"""\
dao.example. 300 IN SOA ns1.dao.example. hostmaster.dao.example. 7 3600 600 604800 300
dao.example. 300 IN NS ns1.dao.example.
dao.example. 300 IN NS ns2.dao.example.
dao.example. 300 IN MX 10 mail.dao.example.
dao.example. 300 IN CAA 0 issue "letsencrypt.org"
ns1.dao.example. 300 IN A {NS1}
ns2.dao.example. 300 IN A {NS2}
docs.dao.example. 30 IN A 203.0.113.7
docs.dao.example. 300 IN CAA 0 issue "amazon.com"
docs.dao.example. 300 IN CAA 0 issue "letsencrypt.org; validationmethods=http-01"
docs.dao.example. 300 IN CAA 0 issuewild ";"
docs-akash.dao.example. 30 IN A 203.0.113.7
docs-akash.dao.example. 300 IN CAA 0 issue "letsencrypt.org; validationmethods=http-01"
docs-akash.dao.example. 300 IN CAA 0 issuewild ";"
docs-akash-2.dao.example. 30 IN A 203.0.113.8
docs-akash-2.dao.example. 300 IN CAA 0 issue "letsencrypt.org; validationmethods=http-01"
docs-akash-2.dao.example. 300 IN CAA 0 issuewild ";"
"""
#: A key of another zone, and what a parent would publish for it (RFC 4034 §5.4, the key of its example).
KEY = (
    "256 3 5 AQOeiiR0GOMYkDshWoSKz9XzfwJr1AYtsmx3TGkJaNXVbfi/2pHm822aJ5iI9BMzNXxeYCmZDRD99WYwYqUSdjMmmAphXdvx"
    "egXd/M5+X7OrzKBaMbCVdFLUUh6DhweJBjEVv5f2wwjM9XzcnOf+EPbtG9DMBmADjFDc2w/rljwvFw=="
)


@pytest.fixture
def stack(tmp_path):
    return zone_stack(tmp_path, ("dao.example", "MX", "10 mail.dao.example."))


def zone(text, origin="dao.example."):
    return dns.zone.from_text(text, origin, relativize=False)


def checked(stack, monkeypatch, ns1=DAO, ns2=DAO, example=EXAMPLE, more=(), servers=None, **misbehaviour):
    """Check with two servers; what a resolver knows is what the parent's zone holds."""
    hosts = {
        PARENT: Serves(zone(example, "example.")),
        RESOLVER: Serves(zone(KNOWN, "example.")),
        NS1: Serves(zone(ns1)),
        NS2: Serves(zone(ns2), **misbehaviour),
        **(servers or {}),
    }
    with serving(hosts) as port:
        monkeypatch.setattr(asking, "PORT", port)
        if misbehaviour.get("udp", True) is False:  # two time-outs in a row are waited for
            monkeypatch.setattr(asking, "TIMEOUT_S", 2.0)
            monkeypatch.setattr(asking, "TRIES", 1)
        words = ["check", "--stack", str(stack), "--resolver", RESOLVER, "--json", *more]
        result = CliRunner().invoke(cli, words, standalone_mode=False)
    assert result.exception is None, result.exception
    shown = json.loads(result.stdout)
    assert result.return_value == (1 if shown["differences"] else 0)
    return shown | {"text": [f"{each['where']}: {each['what']}" for each in shown["differences"]], "hosts": hosts}


def test_a_zone_whose_servers_and_parent_agree_has_no_difference(stack, monkeypatch):
    shown = checked(stack, monkeypatch)
    assert shown["differences"] == []
    assert shown["servers"] == [f"ns1.dao.example ({NS1})", f"ns2.dao.example ({NS2})"]
    assert "not signed" in shown["notes"][0]
    for address in (NS1, NS2):
        asked = shown["hosts"][address].asked
        assert {"docs.dao.example. A", "docs.dao.example. CAA", "dao.example. MX"} <= set(asked)
        assert asked.count("docs-akash.dao.example. A") == 2, "over UDP and over TCP"


@pytest.mark.parametrize("value", ["203.0.113.8", "203.0.113.7"])
def test_servers_may_lead_a_public_name_to_different_members(stack, monkeypatch, value):
    moved = DAO.replace("docs.dao.example. 30 IN A 203.0.113.7", f"docs.dao.example. 30 IN A {value}")
    assert checked(stack, monkeypatch, ns2=moved)["differences"] == []


def test_a_balanced_name_may_lead_to_both_members_or_to_one(stack, monkeypatch):
    both = DAO.replace("docs.dao.example. 30 IN A 203.0.113.7\n", "docs.dao.example. 30 IN A 203.0.113.7\n" * 2, 1)
    both = both.replace("docs.dao.example. 30 IN A 203.0.113.7\n", "docs.dao.example. 30 IN A 203.0.113.8\n", 1)
    assert len(checked(stack, monkeypatch, ns2=both)["differences"]) == 2, "it is not balanced"
    stack.write_text(stack.read_text().replace("mode: decentralized", "balance: true\n      mode: decentralized"))
    assert checked(stack, monkeypatch, ns2=both)["differences"] == []


NOW = 1_800_000_000
AWAY = {"docs.dao.example": "docs-akash-2"}
AT1, AT2 = f"ns1.dao.example ({NS1})", f"ns2.dao.example ({NS2})"


@pytest.mark.parametrize(
    ("one", "two", "expected"),
    [
        (Beat(NOW, 7), Beat(NOW - 20, 7), []),
        (Beat(NOW, 7, AWAY), Beat(NOW, 7, AWAY), []),
        (Beat(NOW, 7), Beat(NOW - 90, 7), [f"{AT2}: its keeper wrote 90 s ago: it is dead, and no name follows"]),
        (Beat(NOW + 90_000, 7), Beat(NOW, 7), [f"{AT1}: its clock is 90000 s ahead; set it"]),
        (Beat(NOW, 7), Beat(NOW, 6), ["serial of dao.example: servers disagree: "]),
        (
            Beat(NOW, 7, AWAY),
            Beat(NOW, 7),
            [f"docs.dao.example, by keepers: servers disagree: {AT1}: 'docs-akash-2'; {AT2}: 'where it leads while"],
        ),
        (Beat(NOW, 7), "v=spf1 -all", []),
        (None, None, []),
    ],
)
def test_keepers_that_are_dead_or_disagree_are_named_and_nothing_where_there_are_none(
    stack, monkeypatch, one, two, expected
):
    monkeypatch.setattr(zone_command.time, "time", lambda: float(NOW))
    texts = [DAO if each is None else f'{DAO}_keeper.dao.example. 5 IN TXT "{each}"\n' for each in (one, two)]
    text = checked(stack, monkeypatch, ns1=texts[0], ns2=texts[1])["text"]
    assert len(text) == len(expected), text
    assert all(found.startswith(wanted) for found, wanted in zip(text, expected, strict=True)), text


def test_a_beat_reads_as_it_was_written_and_is_cut_between_names():
    assert Beat.read(f'"{Beat(5, 7, AWAY)}"') == Beat(5, 7, AWAY)
    many = Beat(5, 7, {f"n{number}.dao.example": "docs-akash-2" for number in range(99)})
    assert len(str(many)) <= 255
    read = Beat.read(str(many))
    assert read.away.items() < many.away.items()
    assert [Beat.read(text) for text in ("", "t=x serial=1", "t=1", "serial=1")] == [None] * 4


BOTH = ("UDP", "TCP")
WAY = f"ns2.dao.example ({NS2}) over"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "docs.dao.example. 30 IN A 203.0.113.7",
            "docs.dao.example. 30 IN A 198.51.100.66",
            [f"docs.dao.example A at {WAY} {way}: answers '198.51.100.66', which is neither member" for way in BOTH],
        ),
        (
            "IN MX 10 mail",
            "IN MX 10 evil",
            [f"dao.example MX at {WAY} {way}: answers '10 evil.dao.example.'" for way in BOTH],
        ),
        ('dao.example. 300 IN CAA 0 issue "letsencrypt.org"\n', "", ["dao.example CAA: servers disagree"]),
        (
            'docs.dao.example. 300 IN CAA 0 issue "amazon.com"',
            'docs.dao.example. 300 IN CAA 0 issue "evil.example"',
            [f"docs.dao.example CAA at {WAY} {way}" for way in BOTH],
        ),
        ("docs-akash-2.dao.example. 30 IN A 203.0.113.8\n", "", ["docs-akash-2.dao.example A: servers disagree"]),
        (
            "dao.example. 300 IN NS ns2.dao.example.",
            "dao.example. 300 IN NS ns3.else.example.",
            [
                *(f"{WAY} {way}: its NS set lacks ns2.dao.example" for way in BOTH),
                *(f"{WAY} {way}: its NS set has ns3.else.example" for way in BOTH),
                *(f"ns3.else.example over {way}: has no address" for way in BOTH),
            ],
        ),
        (
            f"ns2.dao.example. 300 IN A {NS2}",
            "ns2.dao.example. 300 IN A 192.0.2.99",
            [f"ns2.dao.example A at {WAY} {way}: the parent's glue is '{NS2}'" for way in BOTH]
            + ["ns2.dao.example A: servers disagree"],
        ),
    ],
)
def test_what_one_server_answers_otherwise_is_named(stack, monkeypatch, old, new, expected):
    assert old in DAO
    text = checked(stack, monkeypatch, ns2=DAO.replace(old, new))["text"]
    assert [one for one in text if not any(one.startswith(each) for each in expected)] == []
    assert [each for each in expected if not any(one.startswith(each) for one in text)] == []


@pytest.mark.parametrize(
    ("misbehaviour", "expected"),
    [
        ({"udp": False}, [f"{WAY} UDP: no answer within 2 s"]),
        ({"tcp": False}, [f"{WAY} TCP: "]),
        ({"authoritative": False}, [f"{WAY} {way}: answers without authority" for way in BOTH]),
        ({"recursive": True}, [f"{WAY} {way}: offers recursion" for way in BOTH]),
    ],
)
def test_a_server_that_misbehaves_is_named(stack, monkeypatch, misbehaviour, expected):
    text = checked(stack, monkeypatch, **misbehaviour)["text"]
    assert len(text) == len(expected)
    assert all(one.startswith(each) for one, each in zip(text, expected, strict=True)), text


def test_a_server_without_the_zone_is_named(stack, monkeypatch):
    other = Serves(zone(DAO.replace("dao.example", "dao.other"), "dao.other."))
    text = checked(stack, monkeypatch, servers={NS2: other})["text"]
    assert text[:2] == [
        f"{WAY} {way}: answers REFUSED; load the zone dao.example there, or take the server out of the NS set"
        for way in BOTH
    ]


@dataclass
class Aliased(Serves):
    """A server that answers an alias to every question about some types, all without any."""

    types: tuple[str, ...] = ()

    def answer(self, query):
        question, (reply,) = query.question[0], super().answer(query)
        if not self.types or dns.rdatatype.to_text(question.rdtype) in self.types:
            reply = dns.message.make_response(query)
            reply.flags |= dns.flags.AA
            reply.answer = [dns.rrset.from_text(question.name, 60, "IN", "CNAME", "evil.example.")]
        return [reply]


def test_a_server_that_answers_aliases_alone_is_named(stack, monkeypatch):
    shown = checked(stack, monkeypatch, servers={NS2: Aliased(zone(DAO))})
    assert shown["text"][:2] == [
        f"{WAY} {way}: answers 'CNAME evil.example.' for the SOA; load the zone dao.example there, or take the server "
        "out of the NS set"
        for way in BOTH
    ]
    assert "not signed" in shown["notes"][0]
    assert shown["notes"][1] == f"serials: ns1.dao.example ({NS1}) 7"


def test_a_parent_that_answers_an_alias_for_the_ds_is_named(stack, monkeypatch):
    signed = DAO + f"dao.example. 300 IN DNSKEY {KEY}\n"
    for types in (("DS",), ()):
        parent = Aliased(zone(EXAMPLE, "example."), types=types)
        shown = checked(stack, monkeypatch, signed, signed, servers={PARENT: parent})
        for way in BOTH:
            where = f"a.nic.example ({PARENT}) over {way}"
            what = "answers 'CNAME evil.example.' for the DS, which may not be an alias; ask who runs it"
            assert f"{where}: {what}" in shown["text"]


def test_a_server_that_answers_an_alias_for_the_soa_has_no_zone_yet(monkeypatch):
    with serving({NS1: Aliased(zone(DAO)), NS2: zone(DAO)}) as port:
        monkeypatch.setattr(asking, "PORT", port)
        assert publish.unserved(NS1, "dao.example", 7) == "it answers NOERROR, and has no zone yet"
        assert publish.unserved(NS2, "dao.example", 7) == ""


def test_a_parent_without_glue_and_one_that_delegates_nothing_are_named(stack, monkeypatch):
    no_glue = checked(stack, monkeypatch, example=EXAMPLE.replace(f"ns2.dao.example. 300 IN A {NS2}\n", ""))["text"]
    assert any(one.startswith("ns2.dao.example A: has no glue at the parent") for one in no_glue)
    nothing = checked(stack, monkeypatch, example=EXAMPLE.replace("dao.example. 300 IN NS", "x.example. 300 IN NS"))[
        "text"
    ]
    assert "dao.example NS: example delegates nothing; set the name servers there" in nothing


def test_a_key_that_is_not_the_one_of_the_ds_is_named(stack, monkeypatch):
    key = dns.rdata.from_text("IN", "DNSKEY", KEY.replace("256 3 5", "257 3 13"))
    ds = dns.dnssec.make_ds(dns.name.from_text("dao.example"), key, "SHA256").to_text()
    signed, example = DAO + f"dao.example. 300 IN DNSKEY {key.to_text()}\n", EXAMPLE + f"dao.example. 300 IN DS {ds}\n"
    assert checked(stack, monkeypatch, signed, signed, example)["differences"] == []
    for other in (DAO, DAO + f"dao.example. 300 IN DNSKEY {KEY}\n"):
        text = checked(stack, monkeypatch, signed, other, example)["text"]
        assert [one.partition(" '")[0] for one in text] == [
            f"{WAY} {way}: answers no key for the parent's DS" for way in BOTH
        ]
    assert any("example has no DS" in note for note in checked(stack, monkeypatch, signed, signed)["notes"])
    odd = EXAMPLE + f"dao.example. 300 IN DS 1 13 99 {'ab' * 20}\n"
    assert len(checked(stack, monkeypatch, signed, signed, odd)["text"]) == 4


def test_servers_that_nothing_is_delegated_to_yet_are_compared_too(stack, monkeypatch):
    new = "127.77.1.13"
    more = ["--server", f"ns3.dao.example={new}"]
    servers = {new: Serves(zone(DAO.replace("IN MX 10 mail", "IN MX 20 mail")))}
    text = checked(stack, monkeypatch, more=more, servers=servers)["text"]
    assert {one.partition(" over")[0] for one in text} == {f"dao.example MX at ns3.dao.example ({new})"}


def test_a_server_at_another_port_is_refused(stack):
    words = ["check", "--stack", str(stack), "--server", "ns3.dao.example=192.0.2.53:1053"]
    result = CliRunner().invoke(cli, words)
    assert result.exit_code == 2
    assert "leave the port out" in result.output


def test_a_plain_record_under_a_name_of_the_stack_is_refused(stack):
    document = yaml.safe_load((stack.parent / "zone.yaml").read_text())
    document["records"].append({"host": "docs.dao.example", "type": "A", "ttl": 60, "values": ["192.0.2.1"]})
    (stack.parent / "zone.yaml").write_text(yaml.safe_dump(document))
    result = CliRunner().invoke(
        cli, ["check", "--stack", str(stack), "--resolver", "127.0.0.1:1"], standalone_mode=False
    )
    assert "docs.dao.example: has A twice, as a record of workload 'docs' and as a plain record" in str(
        result.exception
    )
