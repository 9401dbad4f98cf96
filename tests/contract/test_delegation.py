"""What leads to a zone is watched: the stack names it, and each look compares it with the parent and the servers."""

from __future__ import annotations

import contextlib
import json

import pytest
import yaml
from click.testing import CliRunner

from components.commands import status
from components.commands.plan import load
from components.commands.zone import cli as zone_cli
from components.dns import asking, delegation
from components.doctor import run
from components.needs import State
from components.resolver import VARIABLE
from tests.contract.name_servers import serving
from tests.contract.test_zone_check import DAO, EXAMPLE, KEY, KNOWN, NS1, NS2, PARENT, RESOLVER, zone
from tests.settings import site_folder, zone_stack

SERVERS = ["ns1.dao.example", "ns2.dao.example"]
DS = "60485 5 1 2bb183af5f22588179a53b0a98631fad1a292118"
OTHER = "60486 5 1 2bb183af5f22588179a53b0a98631fad1a292119"
AT = "dao.example {} at example"
ASK = "ask 'Gandi' who changed it"


@pytest.fixture
def named(tmp_path):
    """Return a stack that names its delegation, or none."""
    site_folder(tmp_path)

    def make(**delegation_):
        path = zone_stack(tmp_path)
        made = yaml.safe_load(path.read_text())
        if delegation_:
            made["config"]["unmoor:dns"] = {"delegation": {"registrar": "Gandi", **delegation_}}
        path.write_text(yaml.safe_dump(made))
        return path

    return make


@pytest.fixture
def world(monkeypatch):
    """Serve the parent and two servers; the parent's zone and the servers' are given."""
    with contextlib.ExitStack() as opened:

        def start(example=EXAMPLE, dao=DAO):
            zones = {
                PARENT: zone(example, "example."),
                RESOLVER: zone(KNOWN, "example."),
                NS1: zone(dao),
                NS2: zone(dao),
            }
            port = opened.enter_context(serving(zones))
            monkeypatch.setattr(asking, "PORT", port)
            monkeypatch.setenv(VARIABLE, f"{RESOLVER}:{port}")

        yield start


def watched(path):
    return [f"{each.where}: {each.what}" for each in delegation.differences(load(path, built=False))]


def test_a_delegation_that_is_as_the_stack_names_it_has_no_difference(named, world):
    world()
    assert watched(named(name_servers=SERVERS[::-1])) == []


def test_where_the_stack_names_none_nothing_is_asked(named, monkeypatch):
    monkeypatch.setattr(delegation.check, "look", lambda *_: pytest.fail("something was asked"))
    path = named()
    assert watched(path) == []
    assert list(delegation.checks(load(path, built=False))) == []


WITH_DS = f"{EXAMPLE}dao.example. 300 IN DS {OTHER}\n"
STRANGER = EXAMPLE.replace("dao.example. 300 IN NS ns2.dao.example.", "dao.example. 300 IN NS ns.evil.example.")


@pytest.mark.parametrize(
    ("example", "dao", "settings", "expected"),
    [
        (STRANGER, DAO, {}, f"{AT.format('NS')}: has 'ns.evil.example', which the stack does not name; {ASK}"),
        (STRANGER, DAO, {}, f"{AT.format('NS')}: lacks 'ns2.dao.example', which the stack names; {ASK}"),
        (WITH_DS, DAO, {}, f"{AT.format('DS')}: has '{OTHER}', which the stack does not name; {ASK}"),
        (EXAMPLE, DAO, {"ds": [DS]}, f"{AT.format('DS')}: lacks '{DS}', which the stack names; {ASK}"),
        (
            EXAMPLE.replace(f"ns1.dao.example. 300 IN A {NS1}", f"ns1.dao.example. 300 IN A {NS2}"),
            DAO,
            {},
            "the glue may lead to a stranger",
        ),
        (EXAMPLE, DAO.replace('issue "amazon.com"', 'issue "evil.example"'), {}, "docs.dao.example CAA at"),
        (
            f"{EXAMPLE}dao.example. 300 IN DS {DS}\n",
            f"{DAO}dao.example. 300 IN DNSKEY {KEY}\n",
            {"ds": [DS]},
            "answers no key for the parent's DS",
        ),
    ],
)
def test_what_changed_above_the_zone_is_named(named, world, example, dao, settings, expected):
    world(example=example, dao=dao)
    found = watched(named(name_servers=SERVERS, **settings))
    assert any(expected in each for each in found), found


def test_status_check_and_doctor_alarm(named, world, monkeypatch):
    world(example=WITH_DS)
    path = named(name_servers=SERVERS)
    monkeypatch.setattr(status, "look", lambda _, name: {"site": name, "well": True})
    shown = CliRunner().invoke(status.cli, ["--stack", str(path), "--json"], standalone_mode=False)
    (first, *_) = json.loads(shown.stdout)[status.DELEGATION]
    assert (shown.return_value, first["where"]) == (1, AT.format("DS"))
    words = ["check", "--stack", str(path), "--resolver", RESOLVER]
    checked = CliRunner().invoke(zone_cli, words, standalone_mode=False)
    assert checked.return_value == 1
    assert f"! {first['where']}: {first['what']}" in checked.stdout
    seen, _ = run.look(delegation.checks(load(path, built=False)))
    assert seen.name == "parent"
    assert seen.state is State.NOT_READY
    assert first["what"] in seen.findings[0].sentence


def test_status_is_well_with_a_delegation_that_is_well(named, world, monkeypatch):
    world()
    path = named(name_servers=SERVERS)
    monkeypatch.setattr(status, "look", lambda _, name: {"site": name, "well": True})
    shown = CliRunner().invoke(status.cli, ["--stack", str(path), "--json"], standalone_mode=False)
    assert (shown.return_value, json.loads(shown.stdout)[status.DELEGATION]) == (0, [])


def test_a_parent_that_cannot_be_found_is_an_alarm_and_no_traceback(named, world, monkeypatch):
    world()
    monkeypatch.setenv(VARIABLE, "127.77.1.99:9")
    path = named(name_servers=SERVERS)
    monkeypatch.setattr(status, "look", lambda _, name: {"site": name, "well": True})
    shown = CliRunner().invoke(status.cli, ["--stack", str(path), "--json"], standalone_mode=False)
    assert shown.return_value == 1
    (only,) = json.loads(shown.stdout)[status.DELEGATION]
    assert "the resolver does not know which zone delegates dao.example" in only["what"]
