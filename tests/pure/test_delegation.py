"""Registrar, registry and keys of a zone: what a plan lists, what signers agree to, and what is refused."""

from __future__ import annotations

import pytest

from components.config import models as config
from components.kinds.static.kind import Content
from components.kinds.static.routes import Routes
from components.plan.canonical import plan_hash
from components.plan.planner import plan
from components.project import builtin
from components.release import Release
from components.review.review import review
from tests.settings import settings

SMALL = Release("ab" * 32, Content("site", 1, Routes({"index.html": 1})), pinned=False)
DS = "60485 13 2 " + "ab" * 32
NAMED = {"registrar": "Gandi", "name_servers": ["ns2.dao.example", "ns1.dao.example"], "ds": [DS]}


def planned(mode="decentralized", **delegation):
    made = settings(mode) | ({"dns": {"delegation": delegation}} if delegation else {})
    stack, found = config.read(made)
    assert found == []
    return plan(stack, builtin(), dict.fromkeys(stack.workloads, SMALL))


def test_registrar_and_registry_are_listed_before_the_zone() -> None:
    (workload,) = planned(**NAMED).workloads
    assert [str(each) for each in workload.central] == [
        "Gandi alone can still switch this off: the domain",
        "the registry of example alone can still switch this off: the domain",
        "AWS alone can still switch this off: the zone",
    ]
    (before,) = planned().workloads
    assert [each.company for each in before.central] == ["AWS"]


def test_signers_agree_to_what_stands_at_the_parent_in_any_order() -> None:
    one = planned(**NAMED)
    again = planned(**NAMED | {"name_servers": NAMED["name_servers"][::-1]})
    others = [NAMED | {"ds": []}, NAMED | {"registrar": "OVH"}, NAMED | {"name_servers": ["ns1.dao.example"]}, {}]
    assert plan_hash(one) == plan_hash(again)
    assert len({plan_hash(planned(**each)) for each in others} | {plan_hash(one)}) == 5


CHANGES = [
    ({"registrar": "OVH"}, "zone.delegation.registrar", "This company can point the whole zone elsewhere."),
    ({"ds": []}, "zone.delegation.ds", "The parent should vouch for these keys, and no other."),
    (
        {"name_servers": ["ns1.dao.example"]},
        "zone.delegation.name_servers",
        "The parent should name these servers, and no other.",
    ),
]


@pytest.mark.parametrize(("changed", "where", "meaning"), CHANGES)
def test_a_review_asks_to_read_a_change_at_the_parent_twice(changed, where, meaning) -> None:
    found = review("prod", "main", (planned(**NAMED), planned(**NAMED | changed)), builtin())
    assert [(each.where, each.meaning, each.caution) for each in found.changes] == [(where, meaning, True)]
    assert "Gandi alone can still switch off docs: the domain" in found.central[0]


@pytest.mark.parametrize(
    ("delegation", "sentence"),
    [
        ({"registrar": "Gandi"}, "dns.delegation.name_servers: is required"),
        (NAMED | {"ds": ["60485 13 2 XY"]}, "dns.delegation.ds[0]: '60485 13 2 XY' is not a DS record; write key tag"),
        (NAMED | {"name_servers": ["ns1.dao.example."]}, "dns.delegation.name_servers[0]:"),
        (NAMED | {"registry": "x"}, "dns.delegation.registry: no such setting; did you mean registrar?"),
    ],
)
def test_what_is_no_delegation_is_refused(delegation, sentence) -> None:
    _, found = config.read(settings() | {"dns": {"delegation": delegation}})
    assert any(str(each).startswith(sentence) for each in found), [str(each) for each in found]
