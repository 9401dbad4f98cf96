"""Entries of a stack's zone: one bundle for any order of the entries, and never a name that leads nowhere."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.dns.powerdns import entries
from components.errors import ConfigError

ZONE = "dao.example"


def member(host, site, role=None, **more):
    known = {"host": host, "ttl": 30, "site": site, "reach": "address"} | more
    probe = {"scheme": "https", "host": f"{site}.{ZONE}", "by_address": True, "mark": "m", "path": "/healthz"}
    return known if role is None else known | {"role": role, "probe": probe}


def entry(one, at):
    return {"sets": [], "members": [one], "at": [at]}


def server(number):
    host = f"ns{number}.{ZONE}"
    return entry(member(host, f"ns{number}"), f"192.0.2.{number}") | {"server": host}


def leads(role, site, at, host="docs.dao.example", **more):
    return entry(member(host, site, role, **more), at)


BOTH = {
    "ns1": server(1),
    "ns2": server(2),
    "a/p": leads("primary", "aws", "192.0.2.10"),
    "a/s": leads("standby", "akash", "192.0.2.20"),
    "b/p": leads("primary", "aws", "192.0.2.10", "b.dao.example"),
    "b/s": leads("standby", "akash", "192.0.2.20", "b.dao.example"),
}


def document(given_):
    return json.loads(entries.made(ZONE, 1, given_).raw)


def rows(made, host="docs.dao.example"):
    return [row["content"] for row in made["records"] if row["name"] == host]


@given(st.permutations(list(BOTH)))
def test_the_order_in_which_entries_were_published_changes_no_byte(order):
    assert entries.made(ZONE, 1, {name: BOTH[name] for name in order}).raw == entries.made(ZONE, 1, BOTH).raw


def test_a_name_leads_to_its_primary_and_its_members_are_judged():
    made = document(BOTH)
    assert rows(made) == ["192.0.2.10"]
    (switch,) = (each for each in made["switches"] if each["host"] == "docs.dao.example")
    assert [each["site"] for each in switch["members"]] == ["aws", "akash"]
    assert made["servers"] == ["ns1.dao.example", "ns2.dao.example"]
    assert rows(made, "ns2.dao.example") == ["192.0.2.2"]


@pytest.mark.parametrize(
    ("primary", "standby"), [("akash", "akash"), ("aws", "aws")], ids=["primary moved first", "standby moved first"]
)
def test_while_members_change_places_the_one_site_that_both_name_answers_alone(primary, standby):
    at = {"aws": "192.0.2.10", "akash": "192.0.2.20"}
    moved = BOTH | {"a/p": leads("primary", primary, at[primary]), "a/s": leads("standby", standby, at[standby])}
    made = document(moved)
    assert rows(made) == [at[primary]]
    assert [each["host"] for each in made["switches"]] == ["b.dao.example"]


def test_a_site_that_is_rented_anew_has_its_own_name_before_visitors_are_led_there():
    """Its own name is published first, so that it gets a certificate, and its public names once it was probed."""
    for key in ("z-host", "a/a"):  # the order of names decides nothing
        known = {**BOTH, key: entry(member("docs-aws.dao.example", "aws"), "192.0.2.11")}
        made = document(known)
        assert rows(made, "docs-aws.dao.example") == ["192.0.2.11"]
        assert rows(made) == rows(made, "b.dao.example") == ["192.0.2.10"]
        assert {each["members"][0]["connect"] for each in made["switches"]} == {"192.0.2.10"}
        moved = document({**known, "a/p": leads("primary", "aws", "192.0.2.11")})
        assert (rows(moved), rows(moved, "b.dao.example")) == (["192.0.2.11"], ["192.0.2.10"])


def test_a_standby_answers_when_its_primary_was_taken_out_first():
    alone = {name: each for name, each in BOTH.items() if name != "a/p"}
    assert rows(document(alone)) == ["192.0.2.20"]


def test_halves_are_shared_by_two_members_alone():
    shared = BOTH | {
        "a/p": leads("primary", "aws", "192.0.2.10", weight=50),
        "a/s": leads("standby", "akash", "192.0.2.20", weight=50),
    }
    assert sorted(rows(document(shared))) == ["192.0.2.10", "192.0.2.20"]
    one = {name: each for name, each in shared.items() if name != "a/s"}
    assert rows(document(one)) == ["192.0.2.10"]


def test_a_site_that_is_reached_by_a_name_is_a_cname_without_caa():
    by_name = {**member("docs.dao.example", "aws", "primary"), "reach": "alias"}
    caa = {"host": "docs.dao.example", "type": "CAA", "ttl": 300, "values": ['0 issue "amazon.com"']}
    given_ = {"ns1": server(1), "p": entry(by_name, "d1.cloudfront.net"), "caa": {"sets": [caa]}}
    found = [(row["type"], row["content"]) for row in document(given_)["records"] if row["name"] == "docs.dao.example"]
    assert found == [("CNAME", "d1.cloudfront.net.")]


def test_a_proof_is_written_as_a_vendor_gives_it():
    proof = {"host": "_x.docs.dao.example.", "type": "CNAME", "ttl": 300, "values": ["_y.acm-validations.aws."]}
    made = document({"ns1": server(1), "proof": {"sets": [proof]}, "again": {"sets": [proof]}})
    assert rows(made, "_x.docs.dao.example") == ["_y.acm-validations.aws."]


def test_others_that_answer_meanwhile_stand_in_the_ns_set():
    made = document({"ns1": server(1), "records": {"sets": [], "also": ["ns-1.awsdns-01.org"]}})
    assert made["servers"] == ["ns1.dao.example", "ns-1.awsdns-01.org"]


def test_a_zone_without_a_server_is_refused():
    with pytest.raises(ConfigError, match="has no name server"):
        entries.made(ZONE, 1, {"a/p": BOTH["a/p"]})
