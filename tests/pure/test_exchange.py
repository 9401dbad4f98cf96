"""Members of a failover set change places at once, and only when they would otherwise be the same."""

from __future__ import annotations

import itertools

import pytest

from components.dns.route53.exchange import swap

EDGE = {"AliasTarget": {"DNSName": "d111.cloudfront.net.", "HostedZoneId": "Z2", "EvaluateTargetHealth": False}}
LEASE = {"ResourceRecords": [{"Value": "203.0.113.7"}], "TTL": 60}
PLACES = {"edge": (EDGE, ["d111.cloudfront.net"]), "lease": (LEASE, ["203.0.113.7"])}


def member(role: str, place: str) -> dict:
    name = {"Name": "docs.dao.example.", "Type": "A", "SetIdentifier": role.lower(), "Failover": role}
    return name | PLACES[place][0] | {"HealthCheckId": f"check-{place}"}


def leads(record: dict) -> str:
    return next(place for place, (value, _) in PLACES.items() if value.items() <= record.items())


@pytest.mark.parametrize(("primary", "standby"), [("edge", "lease"), ("lease", "edge")])
def test_both_change_places_with_their_checks(primary: str, standby: str) -> None:
    made = swap([member("PRIMARY", primary), member("SECONDARY", standby)], PLACES[standby][1])
    assert [(one["Failover"], leads(one), one["HealthCheckId"]) for one in made] == [
        ("PRIMARY", standby, f"check-{standby}"),
        ("SECONDARY", primary, f"check-{primary}"),
    ]


def test_nothing_changes_when_it_is_so_already_or_there_is_nothing_to_exchange() -> None:
    both = [member("PRIMARY", "edge"), member("SECONDARY", "lease")]
    assert swap(both, PLACES["edge"][1]) == []
    assert swap(both, ["192.0.2.99"]) == []
    assert swap(both[:1], PLACES["lease"][1]) == []
    assert swap([], PLACES["lease"][1]) == []
    assert swap([{"Name": "docs.dao.example.", "Type": "A", **LEASE}], PLACES["lease"][1]) == []


STATES = {"c": ("edge",), "s": ("edge", "lease"), "turned": ("lease", "edge"), "d": ("lease",)}


@pytest.mark.parametrize(("before", "after"), [*itertools.permutations(STATES, 2)])
def test_no_write_on_the_way_between_two_states_makes_both_members_the_edge(before: str, after: str) -> None:
    """The deployment's own order: exchange, primary, standby, and only then what goes."""
    roles = ("PRIMARY", "SECONDARY")
    zone = {role: member(role, place) for role, place in zip(roles, STATES[before], strict=False)}
    seen = []
    for record in swap([*zone.values()], PLACES[STATES[after][0]][1]):
        zone[record["Failover"]] = record
    seen.append([leads(one) for one in zone.values()])
    for role, place in zip(roles, STATES[after], strict=False):
        zone[role] = member(role, place)
        seen.append([leads(one) for one in zone.values()])
    assert all(places.count("edge") < 2 for places in seen), seen
