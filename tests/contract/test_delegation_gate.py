"""An update asks the parent before an authority stops answering for a zone, or answers without the key of its DS."""

from __future__ import annotations

import pytest
import yaml

from components.commands.plan import load
from components.dns import delegation
from components.needs import State
from tests.contract.test_delegation import OTHER, SERVERS, world  # noqa: F401 a fixture
from tests.contract.test_zone_check import EXAMPLE
from tests.pure.test_own_servers import OWN
from tests.pure.test_own_servers import SERVERS as PLACED
from tests.settings import site_folder, zone_stack

WITH_DS = f"{EXAMPLE}dao.example. 300 IN DS {OTHER}\n"
#: The parent names the stack's own servers, at their addresses.
MOVED = EXAMPLE.replace("ns1.dao.example", OWN[0]).replace("ns2.dao.example", OWN[1])


@pytest.fixture
def gate(tmp_path):
    """Return the findings of the check for authorities and named servers."""
    site_folder(tmp_path)
    path = zone_stack(tmp_path)

    def look(*authorities, names):
        made = yaml.safe_load(path.read_text())
        own = {"servers": PLACED} if "powerdns" in authorities else {}
        named = {"registrar": "Gandi", "name_servers": list(names)}
        made["config"]["unmoor:dns"] = {"authorities": list(authorities), "delegation": named} | own
        path.write_text(yaml.safe_dump(made))
        (check,) = (
            each
            for each in delegation.checks(load(path, built=False))
            if each.name == "servers that continue to answer"
        )
        assert check.late
        (finding,) = check.look()
        return finding

    return look


def test_own_servers_alone_are_refused_while_the_parent_leads_to_others(gate, world):  # noqa: F811 the fixture
    world()
    found = gate("powerdns", names=OWN)
    assert found.state is State.NOT_READY
    assert "example still leads dao.example to 'ns1.dao.example', 'ns2.dao.example'" in found.sentence


def test_own_servers_go_on_alone_once_the_parent_leads_to_them(gate, world):  # noqa: F811 the fixture
    world(example=MOVED)
    assert gate("powerdns", names=OWN).state is State.READY


def test_going_back_is_refused_while_the_parent_has_a_key_that_the_old_side_has_not(gate, world):  # noqa: F811 a fixture
    world(example=WITH_DS)
    found = gate("route53", names=SERVERS)
    assert found.state is State.NOT_READY
    assert "example still has a DS of dao.example" in found.sentence
    assert found.mend.startswith("take the DS out at the registrar, wait until its TTL has passed")


def test_going_back_is_refused_while_the_parent_leads_to_the_stacks_own_servers(gate, world):  # noqa: F811 a fixture
    world(example=MOVED)
    found = gate("route53", names=["ns-1.awsdns-01.org"])
    assert found.state is State.NOT_READY
    assert f"'{OWN[1]}', '{OWN[0]}'" in found.sentence


def test_without_a_key_at_the_parent_one_authority_is_no_news(gate, world):  # noqa: F811 the fixture
    world()
    assert gate("route53", names=SERVERS).state is State.READY


def test_while_both_answer_nothing_has_to_be_asked(gate, monkeypatch):
    monkeypatch.setattr(delegation.check, "look", lambda *_: pytest.fail("something was asked"))
    assert gate("route53", "powerdns", names=SERVERS).state is State.READY
