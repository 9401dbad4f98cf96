"""The rules by which Route 53 answers, as tables. They prove what our stand-in does, not what AWS does."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from sandbox.net.answer import Question, Record, RecordSet, answer

SOA = RecordSet("dao.example", "SOA", 900, ("ns.example. hostmaster.example. 1 7200 900 1209600 86400",))
APEX = (SOA, RecordSet("dao.example", "NS", 172_800, ("ns-1.example", "ns-2.example")))


def ask(name: str, kind: str, *records: RecordSet, sick: tuple[str, ...] = (), **outside: str) -> list[str]:
    """Values answered; `sick` are unhealthy checks, `outside` what aliases out of the zone lead to."""
    return [record.value for record in answered(name, kind, *records, sick=sick, **outside).records]


def answered(name: str, kind: str, *records: RecordSet, sick: tuple[str, ...] = (), **outside: str):
    def target(question: Question) -> list[Record]:
        value = outside.get(question.name.partition(".")[0]) if question.type == "A" else None
        return [Record(question.name, "A", 60, value)] if value else []

    health = dict.fromkeys(sick, False)
    return answer([*APEX, *records], health, Question(name, kind), random.Random(1), target)


def member(role: str, value: str, check: str = "") -> RecordSet:
    return RecordSet("docs.dao.example", "A", 10, (value,), failover=role, health_check=check)


@pytest.mark.parametrize(
    ("primary_check", "secondary_check", "sick", "answers"),
    [
        ("p", "s", (), "primary"),
        ("p", "s", ("s",), "primary"),
        ("p", "s", ("p",), "secondary"),
        ("p", "s", ("p", "s"), "primary"),
        ("p", "", ("p",), "secondary"),
        ("", "s", (), "primary"),
        ("", "s", ("s",), "primary"),
        ("", "", (), "primary"),
    ],
)
def test_a_failover_set_answers_by_the_table(primary_check, secondary_check, sick, answers):
    records = (member("PRIMARY", "primary", primary_check), member("SECONDARY", "secondary", secondary_check))
    assert [answers] == ask("docs.dao.example", "A", *records, sick=sick)
    assert [answers] == ask("docs.dao.example", "A", *reversed(records), sick=sick)


def test_a_lone_primary_answers_even_when_it_is_sick():
    assert ["primary"] == ask("docs.dao.example", "A", member("PRIMARY", "primary", "p"), sick=("p",))


def test_a_check_without_an_opinion_is_healthy():
    assert ["primary"] == ask("docs.dao.example", "A", member("PRIMARY", "primary", "new"), member("SECONDARY", "x"))


def weighted(value: str, weight: int, check: str = "") -> RecordSet:
    return RecordSet("docs.dao.example", "A", 10, (value,), weight=weight, health_check=check)


@pytest.mark.parametrize(
    ("weights", "sick", "possible"),
    [
        ({"a": 1, "b": 3}, (), {"a", "b"}),
        ({"a": 1, "b": 0}, (), {"a"}),
        ({"a": 1, "b": 3}, ("a",), {"b"}),
        ({"a": 1, "b": 0}, ("a",), {"b"}),
        ({"a": 1, "b": 0}, ("a", "b"), {"a"}),
        ({"a": 2, "b": 2}, ("a", "b"), {"a", "b"}),
        ({"a": 0, "b": 0}, (), {"a", "b"}),
    ],
)
def test_weights_choose_among_the_healthy(weights, sick, possible):
    records = [weighted(name, weight, name) for name, weight in weights.items()]
    rng, health = random.Random(7), dict.fromkeys(sick, False)
    question = Question("docs.dao.example", "A")
    seen = Counter(answer([*APEX, *records], health, question, rng).records[0].value for _ in range(200))
    assert possible == set(seen)


@pytest.mark.parametrize(
    ("sick", "possible"),
    [((), {"a", "b"}), (("a",), {"b"}), (("b",), {"a"}), (("a", "b"), {"a", "b"})],
)
@pytest.mark.parametrize("kind", ["A", "CNAME"])
def test_a_failover_alias_to_weighted_records_answers_by_their_health(kind, sick, possible):
    """The standby has the check of `b`. An alias has its target's type, a CNAME's too."""
    shares = [
        RecordSet("_split.docs.dao.example", kind, 10, (name,), weight=50, health_check=name) for name in ("a", "b")
    ]
    through = RecordSet("docs.dao.example", kind, alias=shares[0].name, evaluate_target=True, failover="PRIMARY")
    standby = RecordSet("docs.dao.example", kind, 10, ("b",), failover="SECONDARY", health_check="b")
    rng, health = random.Random(7), dict.fromkeys(sick, False)
    asked = Question("docs.dao.example", "A")
    answers = [answer([*APEX, *shares, through, standby], health, asked, rng).records for _ in range(60)]
    assert {record.value for records in answers for record in records} == possible
    assert {(record.name, record.type) for records in answers for record in records} == {("docs.dao.example", kind)}


def test_weights_are_shares():
    rng, question = random.Random(7), Question("docs.dao.example", "A")
    records = [*APEX, weighted("a", 1), weighted("b", 9)]
    seen = Counter(answer(records, {}, question, rng).records[0].value for _ in range(1000))
    assert 50 < seen["a"] < 150


def test_multivalue_leaves_out_the_sick_and_gives_eight_at_most():
    records = [
        RecordSet("m.dao.example", "A", 10, (str(at),), multivalue=True, health_check=str(at)) for at in range(10)
    ]
    assert {"2", "3", "4", "5", "6", "7", "8", "9"} == set(ask("m.dao.example", "A", *records, sick=("0", "1")))
    assert 8 == len(ask("m.dao.example", "A", *records))
    assert 2 == len(ask("m.dao.example", "A", *records[:2], sick=("0", "1")))


def test_an_alias_to_cloudfront_answers_its_addresses_under_the_asked_name():
    alias = RecordSet("docs.dao.example", "A", alias="d1.cloudfront.net")
    found = answered("docs.dao.example", "A", alias, d1="192.0.2.10")
    assert (Record("docs.dao.example", "A", 60, "192.0.2.10"),) == found.records


def test_an_alias_within_the_zone_has_the_ttl_of_its_target_and_its_routing():
    alias = RecordSet("dao.example", "A", alias="docs.dao.example")
    records = (alias, member("PRIMARY", "primary", "p"), member("SECONDARY", "secondary"))
    found = answered("dao.example", "A", *records, sick=("p",))
    assert (Record("dao.example", "A", 10, "secondary"),) == found.records


@pytest.mark.parametrize(("evaluate", "answers"), [(True, "secondary"), (False, "target")])
def test_an_alias_is_as_healthy_as_its_target_only_if_it_evaluates_that(evaluate, answers):
    records = (
        RecordSet("docs.dao.example", "A", alias="t.dao.example", evaluate_target=evaluate, failover="PRIMARY"),
        member("SECONDARY", "secondary"),
        RecordSet("t.dao.example", "A", 5, ("target",), health_check="t", multivalue=True),
    )
    assert [answers] == ask("docs.dao.example", "A", *records, sick=("t",))


def test_aliases_that_lead_round_in_a_circle_answer_nothing():
    records = (
        RecordSet("a.dao.example", "A", alias="b.dao.example"),
        RecordSet("b.dao.example", "A", alias="a.dao.example"),
    )
    assert [] == ask("a.dao.example", "A", *records)


@pytest.mark.parametrize(
    ("name", "kind", "exists"),
    [
        ("docs.dao.example", "AAAA", True),  # another type stands there: NODATA
        ("deep.dao.example", "A", True),  # only names below it exist: NODATA too
        ("nothing.dao.example", "A", False),
        ("x.docs.dao.example", "A", False),
    ],
)
def test_absence_is_nodata_or_nxdomain_and_brings_the_soa(name, kind, exists):
    records = (member("PRIMARY", "primary"), RecordSet("very.deep.dao.example", "A", 5, ("1",)))
    found = answered(name, kind, *records)
    assert (exists, ()) == (found.exists, found.records)
    assert [("dao.example", "SOA", 900)] == [(one.name, one.type, one.ttl) for one in found.authority]


def test_a_cname_answers_every_type_but_is_not_followed_here():
    record = RecordSet("docs.dao.example", "CNAME", 10, ("there.example",))
    for kind in ("A", "TXT", "CNAME"):
        assert ["there.example"] == ask("docs.dao.example", kind, record)


def test_a_wildcard_covers_names_that_do_not_exist_and_no_others():
    records = (RecordSet("*.dao.example", "A", 5, ("wild",)), RecordSet("www.dao.example", "TXT", 5, ('"x"',)))
    assert ["wild"] == ask("any.dao.example", "A", *records)
    assert ["wild"] == ask("more.any.dao.example", "A", *records)
    assert [] == ask("www.dao.example", "A", *records)
    assert [] == ask("x.www.dao.example", "A", *records)
    assert [] == ask("dao.example", "A", *records)
