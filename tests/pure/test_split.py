"""Look-ups that both sites answer: what a plan prints, signs and refuses, and what other authorities lose."""

from __future__ import annotations

import pytest

from components.commands.plan import _text
from components.config import models as config
from components.dns.plain import losses
from components.dns.zone import zone
from components.errors import PlanError
from components.kind import State
from components.kinds.static.kind import Static
from components.plan.canonical import plan_hash
from components.plan.stack import topology
from components.project import builtin
from components.review.review import review
from sandbox.aws import record_rules
from tests.pure.test_redirect_from import planned
from tests.pure.test_service import stack as service
from tests.settings import settings

ALIAS = {"HostedZoneId": "Z1", "EvaluateTargetHealth": True}


def refused(made: dict, registry=None) -> list[str]:
    stack, found = config.read(made)
    if stack is None:
        return [str(fault) for fault in found]
    with pytest.raises(PlanError) as caught:
        planned(made, registry=registry)
    return [str(fault) for fault in caught.value.faults]


SHARES = [
    ({"split": {"decentralized": 10}}, "centralized", {"docs-aws": 90, "docs-akash": 10}),
    ({"split": {"decentralized": 10}}, "decentralized", {"docs-akash": 10, "docs-aws": 90}),
    ({"split": {"decentralized": 0}}, "centralized", {"docs-aws": 100, "docs-akash": 0}),
    ({"balance": True}, "centralized", {"docs-aws": 50, "docs-akash": 50}),
    ({}, "centralized", {}),
]


@pytest.mark.parametrize(("more", "active", "weights"), SHARES)
def test_shares_follow_the_sides_and_not_the_roles(more, active, weights) -> None:
    (workload,) = planned(settings("active-standby", active, **more)).workloads
    assert workload.weights == weights
    public = next(each for each in zone(planned(settings("active-standby", active, **more))) if each.members[1:])
    assert [member.weight for member in public.members] == [weights.get(site.name) for site in workload.sites]


def test_two_leases_can_be_balanced() -> None:
    made = settings("decentralized", decentralized=("akash", "akash"), balance=True)
    assert planned(made).workloads[0].weights == {"docs-akash": 50, "docs-akash-2": 50}


class Writer(Static):
    """A kind whose data one site alone may write."""

    state = State.WRITER


WRONG = [
    (
        settings("centralized", split={"decentralized": 10}),
        "workloads.docs.split: shares look-ups between the sides of",
    ),
    (settings("decentralized", split={"decentralized": 10}), "and mode is decentralized; take it out, or write"),
    (settings("centralized", balance=True), "workloads.docs.balance: one site stands in centralized; take it out"),
    (settings("decentralized", balance=True), "workloads.docs.balance: one site stands in decentralized"),
    (settings("active-standby", balance=True, split={"decentralized": 1}), "split and balance are two ways to share"),
    (settings("active-standby", split={"decentralized": 101}), "split.decentralized: 101 must be 100 or less"),
    (settings("active-standby", split={"akash": 10}), "workloads.docs.split.akash: no such setting"),
]


@pytest.mark.parametrize(("made", "sentence"), WRONG)
def test_shares_without_two_sites_to_share_between_are_refused(made, sentence) -> None:
    assert sentence in "\n".join(refused(made))


@pytest.mark.parametrize("more", [{"balance": True}, {"split": {"decentralized": 10}}])
def test_what_one_site_alone_may_write_is_not_shared(more) -> None:
    made = settings("active-standby", **more)
    why = "one site of a static alone may write, so visitors cannot be led to both; take it out"
    assert f"workloads.docs.{next(iter(more))}: {why}" in refused(made, builtin().with_(kinds=[Writer()]))


def test_what_runs_once_is_not_shared() -> None:
    made = service("active-standby", singleton=True, update="in-place")
    made["workloads"]["api"]["balance"] = True
    with pytest.raises(PlanError) as caught:
        topology(made, builtin(), None)
    why = "one site of this service alone may run, so visitors cannot be led to both; take it out"
    assert f"workloads.api.balance: {why}" in [str(fault) for fault in caught.value.faults]
    made["workloads"]["api"]["options"]["singleton"] = False
    assert topology(made, builtin(), None).workloads[0].weights == {"api-aws": 50, "api-akash": 50}


def test_signers_agree_to_shares_and_a_plan_without_keeps_its_hash() -> None:
    made = [{}, {"split": {"decentralized": 0}}, {"split": {"decentralized": 10}}, {"balance": True}]
    plans = [planned(settings("active-standby", **more)) for more in made]
    assert len({plan_hash(each) for each in plans}) == 4
    assert plan_hash(planned(settings("active-standby", balance=False))) == plan_hash(plans[0])


def test_a_review_names_each_share_that_changes() -> None:
    before, after = (planned(settings("active-standby", split={"decentralized": share})) for share in (10, 50))
    found = review("prod", "main", (before, after), builtin()).changes
    assert {(each.where, each.old, each.new) for each in found} == {
        ("workloads.docs.weights.docs-aws", 90, 50),
        ("workloads.docs.weights.docs-akash", 10, 50),
    }
    assert {each.meaning for each in found} == {"Of 100 look-ups of the name, how many lead to this site."}


def test_a_plan_names_who_moves_together_and_a_plain_zone_what_it_loses() -> None:
    made = planned(settings("active-standby", split={"decentralized": 10}))
    assert any("a share of look-ups is no share of visitors" in loss for loss in made.workloads[0].losses)
    lost = "docs.dao.example: look-ups are not shared here; all lead to docs-aws while it is up"
    assert lost in list(losses(zone(made)))
    assert not any("shared" in each for each in losses(zone(planned(settings("active-standby")))))


#: An active-standby of two sites: what shares it, the authorities, and the lines of the plan.
PRINTED = [
    ({}, (), [], "to docs-akash"),
    ({"split": {"decentralized": 10}}, (), ["90 to docs-aws, 10 to docs-akash"], "from each site to the other"),
    ({"split": {"decentralized": 100}}, (), ["0 to docs-aws, 100 to docs-akash"], "to docs-aws"),
    ({"split": {"decentralized": 0}}, (), ["100 to docs-aws, 0 to docs-akash"], "to docs-akash"),
    ({"split": {"decentralized": 90}}, ("powerdns",), [], "to docs-akash"),
    (
        {"split": {"decentralized": 90}},
        ("route53", "powerdns"),
        ["10 to docs-aws, 90 to docs-akash"],
        "from each site to the other",
    ),
]


@pytest.mark.parametrize(("more", "authorities", "shares", "failover"), PRINTED)
def test_a_plan_prints_the_shares_that_an_authority_gives_and_who_takes_over(
    more, authorities, shares, failover
) -> None:
    printed = text(settings("active-standby", **more), authorities)
    assert printed.count("both sites answer") == (1 if failover.startswith("from") else 0)
    lines = printed.splitlines()
    assert [line for line in lines if line.startswith("  split ")] == [
        f"  split    of 100 look-ups, {each}" for each in shares
    ]
    (to,) = [line for line in lines if line.startswith("  failover ")]
    assert to.startswith(f"  failover {failover}, seen")


def test_halves_of_own_name_servers_are_printed() -> None:
    made = settings("decentralized", decentralized=("akash", "akash"), balance=True)
    printed = text(made, ("powerdns",))
    assert "  split    of 100 look-ups, 50 to docs-akash, 50 to docs-akash-2\n" in printed
    assert "share    docs.dao.example: at own name servers, 50 of 100 look-ups, ttl 30 s, to docs-akash-2" in printed


def test_a_plan_says_when_issuers_are_published_next_to_a_name() -> None:
    allowed = "allow    docs.dao.example: certificates by amazon.com and letsencrypt.org"
    waits = ", once no site of it is reached by a name"
    for authorities, end in (("powerdns",), waits), (("route53",), ""):
        assert f"{allowed}{end}\n" in text(settings("active-standby"), authorities)


def text(made: dict, authorities: tuple[str, ...]) -> str:
    """Return what `unmoor plan` prints of the workload."""
    image = f"ghcr.io/dao-example/nameserver@sha256:{'ab' * 32}"
    own = {
        "servers": {"placement": ["akash", "akash"], "image": image},
        "delegation": {"registrar": "Gandi", "name_servers": ["ns-akash.dao.example", "ns-akash-2.dao.example"]},
    }
    made["dns"] = {"authorities": list(authorities), **(own if "powerdns" in authorities else {})}
    whole = topology(made, builtin(), None)
    return _text(next(each for each in whole.workloads if each.name == "docs"), whole)


def test_the_sandbox_refuses_an_alias_to_a_record_of_the_zone_that_is_not_there() -> None:
    target = {"Name": "_split.docs.dao.example.", "Type": "A", "TTL": 5, "ResourceRecords": [{"Value": "192.0.2.1"}]}
    alias = {"Name": "docs.dao.example.", "AliasTarget": ALIAS | {"DNSName": "_split.docs.dao.example"}}
    for type_, there, sound in (("A", [], False), ("CNAME", [target], False), ("A", [target], True)):
        changes = [("CREATE", alias | {"Type": type_})]
        faults, _ = record_rules.refusals("dao.example", there, changes, [])
        assert ("but that target was not found" in " ".join(faults)) is not sound
