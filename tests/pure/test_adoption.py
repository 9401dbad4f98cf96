"""A host changes hands in one batch that Route 53's rules take, and only when what stands there is what was named."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from components.action import Run
from components.config import models as config
from components.dns.route53 import Route53, adoption, survey, taking
from components.errors import PlanError, StepError
from components.kinds.static.akash import OnAkash
from components.plan.canonical import canonical, plan_hash, signed
from components.plan.planner import plan
from components.project import builtin
from components.release import Release
from components.target import Target
from components.topology import Topology
from sandbox.aws import record_rules
from tests.settings import settings

HOST, ZONE = "docs.dao.example", "dao.example"
VENDOR = "dao-example.pages.example"
CNAME = {"type": "CNAME", "ttl": 300, "values": [VENDOR]}
ADDRESS = {"type": "A", "ttl": 60, "values": ["198.51.100.30", "198.51.100.31"]}
SIX = {"type": "AAAA", "ttl": 60, "values": ["2001:db8::30"]}
ALIAS = {"type": "A", "alias": "d999.cloudfront.net", "alias_zone": "Z2FDTNDATAQYW2"}
CAA = {"type": "CAA", "ttl": 3600, "values": ['0 issue "letsencrypt.org"', '0 issue "amazon.com"']}
#: What users have at a live host.
LIVE = {
    "a CNAME": [CNAME],
    "addresses": [ADDRESS],
    "both families": [ADDRESS, SIX],
    "an alias": [ALIAS],
    "an alias and its CAA": [ALIAS, CAA],
    "addresses and their CAA": [ADDRESS, SIX, CAA],
}
every_live = pytest.mark.parametrize("live", LIVE.values(), ids=LIVE)
CHECK = "check-1"
EDGE = {"type": "A", "alias": True, "at": ["d111.cloudfront.net"], "zone": "Z2FDTNDATAQYW2", "ttl": 60, "check": CHECK}
LEASE = {"type": "A", "alias": False, "at": ["203.0.113.7"], "zone": "", "ttl": 30, "check": CHECK}
OURS = {"ttl": 300, "values": ['0 issue "amazon.com"', '0 issuewild ";"']}
TEXT = {"Name": f"{HOST}.", "Type": "TXT", "TTL": 60, "ResourceRecords": [{"Value": '"of the owner"'}]}


def given(
    live: list[dict[str, Any]], primary: dict[str, Any] = EDGE, caa: dict[str, Any] | None = OURS
) -> dict[str, Any]:
    return {"host": HOST, "apex": ZONE, "records": live, "primary": primary, "caa": caa}


def shaped(live: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return records as Route 53 lists them: names with the dot, values in its own order."""
    made = []
    for one in live:
        record: dict[str, Any] = {"Name": f"{HOST}.", "Type": one["type"]}
        if "alias" in one:
            target = {"DNSName": f"{one['alias']}.", "HostedZoneId": one["alias_zone"], "EvaluateTargetHealth": False}
            made.append(record | {"AliasTarget": target})
            continue
        values = [{"Value": f"{value}." if one["type"] == "CNAME" else value} for value in reversed(one["values"])]
        made.append(record | {"TTL": one["ttl"], "ResourceRecords": values})
    return made


def apply(records: list[dict[str, Any]], batch: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Let the stand-in's rules judge a batch, and return the zone after it."""
    changes = [(one["Action"], one["ResourceRecordSet"]) for one in batch]
    faults, after = record_rules.refusals(ZONE, records, changes, [CHECK])
    assert faults == []
    return after


def form(records: list[dict[str, Any]]) -> list[str]:
    """Return records so that two zones can be compared."""
    made = []
    for one in records:
        target = one.get("AliasTarget", {})
        values = sorted(each["Value"].rstrip(".") for each in one.get("ResourceRecords", []))
        alias = [target["DNSName"].rstrip("."), target["HostedZoneId"]] if target else []
        made.append(
            str([one["Name"].rstrip("."), one["Type"], one.get("SetIdentifier"), one.get("TTL"), values, alias])
        )
    return sorted(made)


@every_live
@pytest.mark.parametrize("primary", [EDGE, LEASE], ids=["edge", "lease"])
def test_one_batch_leaves_our_records_alone_at_the_host(live, primary):
    batch = adoption.taken(given(live, primary), shaped(live))
    after = apply([TEXT, *shaped(live)] if live != [CNAME] else shaped(live), batch)
    assert form([one for one in after if one is not TEXT]) == form(adoption.wanted(given(live, primary)))
    actions = [one["Action"] for one in batch]
    assert actions == sorted(actions, key=["DELETE", "CREATE", "UPSERT"].index), "what goes comes first"


@every_live
def test_the_other_order_is_refused_by_the_stand_in(live):
    batch = adoption.taken(given(live), shaped(live))
    changes = [(one["Action"], one["ResourceRecordSet"]) for one in reversed(batch)]
    faults, _ = record_rules.refusals(ZONE, shaped(live), changes, [CHECK])
    assert any("conflicts with other records" in one or "exists with the same name" in one for one in faults)


@every_live
def test_giving_back_leaves_exactly_what_stood(live):
    taken = apply(shaped(live), adoption.taken(given(live), shaped(live)))
    standby = {**adoption.wanted(given(live, LEASE))[-1], "SetIdentifier": "secondary", "Failover": "SECONDARY"}
    back = apply([*taken, standby], adoption.given_back(given(live), [*taken, standby]))
    assert form(back) == form(shaped(live))
    assert adoption.given_back(given(live), back) == []


@every_live
def test_taking_again_changes_nothing_and_after_giving_back_takes_it_again(live):
    taken = apply(shaped(live), adoption.taken(given(live), shaped(live)))
    assert adoption.taken(given(live), taken) == []
    back = apply(taken, adoption.given_back(given(live), taken))
    assert form(apply(back, adoption.taken(given(live), back))) == form(taken)


def test_the_standby_joins_where_the_primary_stands_without_it():
    """After a host was given back and adopted again, the engine does not create records that its state has."""
    standby = {"host": HOST, "zone": {"zone_id": "Z1"}, "standby": LEASE}
    assert adoption.joined(standby, shaped([CNAME])) == [], "the host is not ours"
    primary = apply(shaped([CNAME]), adoption.taken(given([CNAME]), shaped([CNAME])))
    (change,) = adoption.joined(standby, primary)
    assert (change["Action"], change["ResourceRecordSet"]["Failover"]) == ("CREATE", "SECONDARY")
    assert change["ResourceRecordSet"]["ResourceRecords"] == [{"Value": "203.0.113.7"}]
    assert adoption.joined(standby, apply(primary, [change])) == []


@every_live
def test_on_removal_alone_it_is_put_back_only_where_no_member_stands(live):
    taken = apply(shaped(live), adoption.taken(given(live), shaped(live)))
    assert adoption.given_back(given(live), taken, alone=True) == []
    assert adoption.given_back(given(live), shaped(live), alone=True) == []
    rest = [one for one in taken if one["Type"] == "CAA"]
    assert form(apply(rest, adoption.given_back(given(live), rest, alone=True))) == form(shaped(live))


def test_a_host_that_was_not_adopted_is_never_put_back():
    taken = adoption.wanted(given([]))
    assert adoption.given_back(given([]), taken) == []
    assert adoption.given_back(given([]), [], alone=True) == []


def test_what_leads_elsewhere_by_now_is_left_alone():
    other = shaped([{"type": "CNAME", "ttl": 5, "values": ["third.example"]}])
    assert adoption.given_back(given([CNAME]), other) == []
    assert adoption.given_back(given([CNAME]), other, alone=True) == []


@pytest.mark.parametrize(("named", "stands"), [*itertools.permutations(LIVE, 2)])
def test_nothing_is_taken_that_was_not_named(named, stands):
    """What stands beyond what was named is never deleted; a part of what was named may have gone."""
    more = [one for one in LIVE[stands] if one not in LIVE[named]]
    if more:
        with pytest.raises(StepError, match="nothing was changed"):
            adoption.taken(given(LIVE[named]), shaped(LIVE[stands]))
    else:
        assert adoption.taken(given(LIVE[named]), shaped(LIVE[stands]))


def test_a_record_with_a_policy_is_refused():
    shared = [
        {**one, "SetIdentifier": name, "Weight": 1} for one, name in zip(shaped([ADDRESS] * 2), "ab", strict=True)
    ]
    with pytest.raises(StepError, match=r"docs\.dao\.example is shared by records .*A a, A b.*one simple record first"):
        adoption.taken(given([ADDRESS]), shared)


# -- planning


class Built:
    """A planned stack."""

    def __init__(self, **docs: Any) -> None:
        mode, active = docs.pop("mode", "centralized"), docs.pop("active", "centralized")
        stack, faults = config.read(settings(mode, active, **docs))
        assert stack is not None, faults
        self.topology: Topology = plan(stack, builtin(), {"docs": Release("a" * 64)})
        self.plan = self.topology.workloads[0]
        self.names = [action.name for action in self.topology.actions]
        self.given = {each.name: each.does.given for each in self.topology.actions if isinstance(each.does, Run)}


@pytest.mark.parametrize(
    ("mode", "active", "first", "then"),
    [
        ("decentralized", "centralized", "`mode: centralized`", "`mode: decentralized`"),
        ("active-standby", "decentralized", "`active: centralized`", "`active: decentralized`"),
    ],
)
def test_a_primary_that_proves_by_http_is_refused_with_the_two_flips(mode, active, first, then):
    with pytest.raises(PlanError) as refused:
        Built(mode=mode, active=active, adopt=[CNAME])
    said = str(refused.value)
    assert "workloads.docs.mode: docs.dao.example is live elsewhere, and docs-akash gets no certificate" in said
    assert f"write {first} and update, so that docs-aws takes the host; then take `adopt` out, write {then}" in said


def test_the_targets_that_could_adopt_are_named_where_the_placement_has_none():
    registry = builtin().with_(on={("static", "flux"): OnAkash()}, targets=[Target("flux", company=None)])
    stack, _ = config.read(settings(adopt=[CNAME], placement={"centralized": "flux", "decentralized": ["akash"]}))
    assert stack is not None
    with pytest.raises(PlanError, match=r"a target that proves names by a DNS record \(aws\), and adopt with it"):
        plan(stack, registry, {"docs": Release("a" * 64)})


@pytest.mark.parametrize("mode", ["centralized", "active-standby"])
def test_where_the_primary_proves_by_dns_the_change_stands_between_probe_and_record(mode):
    made = Built(mode=mode, adopt=[CNAME])
    names = made.names
    assert names.index("docs-aws-probe") < names.index(f"{HOST}-adopt") < names.index(f"{HOST}/primary")
    assert names.index(f"{HOST}-adopt") < names.index(f"{HOST}-caa"), "ours cannot stand at the name of a CNAME"
    text = [str(action) for action in made.topology.actions]
    assert f"adopt    {HOST}: CNAME {VENDOR}, ttl 300 s is replaced in one change" in text
    assert f"leave    {HOST}: on removal, CNAME {VENDOR}, ttl 300 s is put back in one change" in text


def test_a_plan_without_adopt_keeps_its_hash_and_one_with_it_is_another():
    bare, adopted = Built(), Built(adopt=[CNAME])
    assert "adopt" not in canonical(bare.plan)
    assert signed(adopted.topology)["workloads"]["docs"]["adopt"][0]["values"] == [VENDOR]
    hashes = {plan_hash(each.topology) for each in (bare, adopted, Built(adopt=[{**CNAME, "ttl": 60}]))}
    assert len(hashes) == 3
    assert f"{HOST}-adopt" not in bare.names


@pytest.mark.parametrize(
    ("adopt", "said"),
    [
        ([{"type": "CNAME", "ttl": 5}], "give `ttl` and `values`, or for an alias `alias` and `alias_zone`"),
        ([ALIAS | {"ttl": 5}], "give `ttl` and `values`"),
        ([CNAME, SIX], "nothing can stand at a name with a CNAME"),
        ([ADDRESS, ADDRESS], "name each type once"),
        ([{"type": "MX", "ttl": 5, "values": ["10 mail.example"]}], "choose A, AAAA, CNAME, CAA or HTTPS"),
        ([CNAME | {"values": ["a\nb"]}], "workloads.docs.adopt"),
        ([CNAME | {"tll": 5}], "did you mean ttl?"),
    ],
)
def test_what_cannot_stand_is_refused(adopt, said):
    stack, faults = config.read(settings(adopt=adopt))
    assert stack is None
    assert said in "; ".join(map(str, faults))


def test_a_caa_record_that_forbids_our_issuer_is_refused_in_planning():
    only = CAA | {"values": ['0 issue "letsencrypt.org"']}
    with pytest.raises(PlanError, match=r'does not let amazon\.com sign.*add the value 0 issue "amazon\.com"'):
        Built(adopt=[ADDRESS, only])
    wild = CAA | {"values": ['0 issue "letsencrypt.org"', '0 issuewild "amazon.com"']}
    with pytest.raises(PlanError, match=r"does not let amazon\.com sign"):
        Built(adopt=[ADDRESS, wild])
    for values in (['0 issue "amazonaws.com"'], ['0 iodef "mailto:x@dao.example"']):
        assert Built(adopt=[ADDRESS, CAA | {"values": values}]).plan.adopt


def test_an_authority_that_cannot_take_a_host_over_is_a_fault():
    class Other(Route53):
        name = "other"
        survey = None

    stack, _ = config.read(settings(adopt=[CNAME]) | {"dns": {"authorities": ["other"]}})
    assert stack is not None
    with pytest.raises(PlanError, match=r"workloads\.docs\.adopt: other cannot take over a host"):
        plan(stack, builtin().with_(authorities=[Other("other")]), {"docs": Release("a" * 64)})


# -- what is asked before an update


def found(stands: list[dict[str, Any]], wild: list[dict[str, Any]] | None = None, holders: Any = (), **docs: Any):
    made = Built(**docs)
    return survey.judge(made.plan, made.topology.zone, HOST, stands, wild or [], holders)


@every_live
def test_without_adopt_a_live_host_is_refused(live):
    seen = found(shaped(live))
    (fault,) = seen.faults
    assert fault.path == "host"
    assert "`unmoor adopt docs` writes the lines" in fault.message
    assert not found(
        shaped(live), adopt=[one.model_dump(mode="json", exclude_defaults=True) for one in seen.records]
    ).faults


def test_a_free_host_and_our_own_set_are_no_hindrance():
    assert found([]).faults == ()
    assert found([TEXT]).faults == ()
    ours = adoption.wanted(given([]))[-1:]
    assert found(ours).faults == ()
    assert found(ours, adopt=[CNAME]) == survey.Survey()


def test_our_own_caa_record_of_an_update_that_failed_is_no_hindrance():
    """It is published first, before anything leads anywhere."""
    ours = adoption.wanted(given([], caa=taking.host_caa(Built().plan, Built().topology.zone, HOST)))
    assert [record["Type"] for record in ours] == ["CAA", "A"]
    assert found(ours[:1]) == survey.Survey()
    assert found(ours[:1], adopt=[ADDRESS]).records == ()
    assert found([ours[1], *shaped([CAA])], adopt=[CNAME]) == survey.Survey(), "of issuers that were named before"


def test_what_is_named_and_does_not_stand_is_refused():
    (fault,) = found([], adopt=[CNAME]).faults
    assert "stands at docs.dao.example in the zone dao.example of this account" in fault.message
    assert "another server answers for the zone" in fault.message
    (fault,) = found(shaped([ADDRESS]), adopt=[ADDRESS, SIX]).faults
    assert "AAAA 2001:db8::30, ttl 60 s does not stand" in fault.message


def test_a_host_that_a_wildcard_answers_is_refused_as_the_first_record_below_it_hides_that():
    wild = [{**shaped([CNAME])[0], "Name": "\\052.dao.example."}]
    (fault,) = found([], wild).faults
    assert "docs.dao.example is answered by *.dao.example (CNAME dao-example.pages.example" in fault.message
    assert found([TEXT], wild).faults == (), "it is hidden already"
    assert found([{**TEXT, "Name": "_x.docs.dao.example."}], wild).faults == ()


def test_a_distribution_of_the_account_that_has_the_host_is_refused_with_the_procedure():
    holder = {"Id": "E9", "DomainName": "d999.cloudfront.net"}
    (fault,) = found(shaped([ALIAS]), holders=[holder], adopt=[ALIAS]).faults
    assert "the CloudFront distribution E9 (d999.cloudfront.net) of this account has docs.dao.example" in fault.message
    assert "aws cloudfront update-distribution --id E9 --distribution-config file://config.json" in fault.message
    assert '--if-match "$(aws cloudfront get-distribution-config --id E9 --query ETag' in fault.message


# -- other names of the workload

WWW = "www.dao.example"
AT_WWW = CNAME | {"at": WWW}


def at_www(stands: list[dict[str, Any]], wild: Any = (), holders: Any = (), **docs: Any) -> survey.Survey:
    made = Built(redirect_from=["dao.example", WWW], **docs)
    moved = [{**one, "Name": one["Name"].replace(HOST, WWW)} for one in stands]
    return survey.judge(made.plan, made.topology.zone, WWW, moved, wild, holders)


@every_live
def test_a_live_name_that_is_to_redirect_is_refused_until_it_is_adopted(live):
    seen = at_www(shaped(live))
    (fault,) = seen.faults
    assert fault.path == "redirect_from[1]"
    assert f"stands at {WWW}, and what is not this stack's is never overwritten" in fault.message
    assert {record.at for record in seen.records} == {WWW}
    named = [one.model_dump(mode="json", exclude_defaults=True) for one in seen.records]
    assert not at_www(shaped(live), adopt=named).faults
    assert "stands at" in at_www(shaped(live), adopt=[CNAME]).faults[0].message, "that is what stands at the host"


def test_wildcards_and_distributions_hinder_a_redirecting_name_as_they_do_the_host():
    wild = [{**shaped([CNAME])[0], "Name": "\\052.dao.example."}]
    assert at_www([], wild).faults[0].path == "redirect_from[1]"
    (fault,) = at_www([], holders=[{"Id": "E9", "DomainName": "d9.cloudfront.net"}]).faults
    assert f"has {WWW} as an alias" in fault.message


def test_each_adopted_name_changes_hands_in_a_change_of_its_own():
    made = Built(redirect_from=[WWW], adopt=[ADDRESS, AT_WWW])
    programs = {name: given for name, given in made.given.items() if name.endswith(("-adopt", "-leave"))}
    assert {name: given["records"] for name, given in programs.items()} == {
        f"{HOST}-adopt": [ADDRESS],
        f"{WWW}-adopt": [CNAME],
        f"{HOST}-leave": [ADDRESS],
        f"{WWW}-leave": [CNAME],
    }
    only = Built(redirect_from=[WWW], adopt=[AT_WWW])
    assert [name for name in only.given if name.endswith("-adopt")] == [f"{WWW}-adopt"]
    assert only.given[f"{HOST}-leave"]["records"] == []


def test_what_stands_at_a_name_that_is_not_the_workloads_is_refused():
    with pytest.raises(PlanError) as refused:
        Built(adopt=[AT_WWW])
    assert "workloads.docs.adopt[0].at: www.dao.example is no name of `redirect_from` (there are none)" in str(
        refused.value
    )
