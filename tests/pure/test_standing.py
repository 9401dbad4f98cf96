"""Hosts are asked for before an update: once, unless they were adopted, and every fault at once."""

from __future__ import annotations

import copy
import dataclasses
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pytest
from botocore.exceptions import EndpointConnectionError

from components.authority import Survey
from components.config import models as config
from components.config.standing import StandingRecord
from components.deploy import standing
from components.deploy.workload import outputs
from components.dns.route53 import Route53
from components.errors import Fault, PlanError, StepError
from components.plan.planner import plan
from components.project import builtin
from components.release import Release
from components.review.review import review
from components.runbook.case import RING, case
from components.runbook.moves import flip
from components.targets.aws import account
from tests.settings import settings, site_folder

HOST = "docs.dao.example"
CNAME = {"type": "CNAME", "ttl": 300, "values": ["dao-example.pages.example"]}
RECORD = StandingRecord.model_validate(CNAME)
PHRASE = "CNAME dao-example.pages.example, ttl 300 s"


@dataclass(frozen=True)
class Seen(Route53):
    """An authority that answers what a test gives it, and counts how often it was asked."""

    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def survey(self, plan, zone):
        self.asked.append(plan.host)
        answer = self.answers.get(plan.host, Survey())
        if isinstance(answer, Exception):
            raise answer
        return answer


def planned(authority: Seen | None = None, **docs: Any):
    made = settings(**docs)
    made["workloads"]["blog"] = {**copy.deepcopy(made["workloads"]["docs"]), "host": "blog.dao.example"}
    for mine in ("adopt", "redirect_from"):
        made["workloads"]["blog"].pop(mine, None)
    stack, faults = config.read(made)
    assert stack is not None, faults
    registry = builtin().with_(authorities=[authority] if authority else [])
    return plan(stack, registry, {"docs": Release("a" * 64), "blog": Release("b" * 64)}), registry


@pytest.fixture
def reported(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    lines: list[str] = []
    for level in ("info", "warn"):
        monkeypatch.setattr(pulumi.log, level, lambda text, level=level: lines.append(f"{level}: {text}"))
    return lines


def before(round_: int | None = None) -> dict[str, Any]:
    adopted = {} if round_ is None else {"adopted": {"round": round_}}
    return {"workloads": {"docs": {"hosts": [HOST]} | adopted, "blog": {"hosts": ["blog.dao.example"]}}}


def test_every_host_that_is_held_is_refused_at_once(reported):
    held = {HOST: Survey((RECORD,), (Fault("host", "held"),)), "blog.dao.example": Survey((), (Fault("host", "too"),))}
    with pytest.raises(PlanError) as refused:
        standing.demand(*planned(Seen(answers=held)), {})
    assert [str(fault) for fault in refused.value.faults] == ["workloads.docs.host: held", "workloads.blog.host: too"]


def test_a_host_of_the_last_update_is_not_asked_for_again_unless_it_was_adopted(reported):
    authority = Seen()
    assert standing.demand(*planned(authority), before()) == {}
    assert authority.asked == []
    assert standing.demand(*planned(authority, adopt=[CNAME]), before(1)) == {HOST: 1}
    assert authority.asked == [HOST]


def test_rounds_count_how_often_the_host_was_taken(reported):
    live = Seen(answers={HOST: Survey((RECORD,))})
    assert standing.demand(*planned(live, adopt=[CNAME]), {}) == {HOST: 1}
    assert f"info: {HOST}: {PHRASE} stands there, and is replaced in one change by docs-aws" in reported
    assert standing.demand(*planned(Seen(), adopt=[CNAME]), before(1)) == {HOST: 1}, "a second update changes nothing"
    reported.clear()
    assert standing.demand(*planned(live, adopt=[CNAME]), before(1)) == {HOST: 2}
    assert "stands there again; this update takes the name once more, in one change" in reported[0]
    assert reported[0].startswith("warn: ")


def test_rounds_of_other_names_are_their_own_and_a_new_name_is_asked_for(reported):
    www = "www.dao.example"
    more = {"redirect_from": [www], "adopt": [CNAME, CNAME | {"at": www}]}
    live = Seen(answers={HOST: Survey((RECORD.model_copy(update={"at": www}),))})
    assert standing.demand(*planned(live, **more), before(1)) == {HOST: 1, www: 1}
    assert reported == [f"info: {www}: {PHRASE} stands there, and is replaced in one change by docs-aws"]
    again = before(1)
    again["workloads"]["docs"]["adopted"]["rounds"] = {www: 1}
    assert standing.demand(*planned(live, **more), again) == {HOST: 1, www: 2}
    held = Seen(answers={HOST: Survey((), (Fault("redirect_from[0]", "held"),))})
    with pytest.raises(PlanError, match=r"workloads\.docs\.redirect_from\[0\]: held"):
        standing.demand(*planned(held, redirect_from=[www]), before())


def test_a_zone_that_cannot_be_asked_is_a_warning_and_for_an_adoption_a_refusal(reported):
    silent = {HOST: StepError("the zone is silent")}
    assert standing.demand(*planned(Seen(answers=silent)), {}) == {}
    assert reported == ["warn: the zone is silent; if something else stands there, the update fails at its record"]
    with pytest.raises(PlanError, match=r"workloads\.docs\.adopt: the zone is silent"):
        standing.demand(*planned(Seen(answers=silent), adopt=[CNAME]), {})


def test_a_review_shows_what_is_replaced_and_what_is_forgotten():
    bare, registry = planned()
    adopted, _ = planned(adopt=[CNAME])
    new = review("prod", "main", (None, adopted), registry).workloads[0]
    assert new.interruption == f"none: {HOST} leads to {PHRASE} until the new site answers, then moves in one change"
    taken = review("prod", "main", (bare, adopted), registry)
    assert any("replaced in one change" in one.meaning for one in taken.changes)
    forgotten = review("prod", "main", (adopted, bare), registry)
    assert f"docs: {PHRASE} is forgotten: it is not put back at {HOST} when the workload ends" in forgotten.cautions
    gone = review("prod", "main", (adopted, _without_docs(bare)), registry)
    assert next(one for one in gone.workloads if one.name == "docs").interruption == f"{HOST} goes back to {PHRASE}"


def _without_docs(topology):
    return dataclasses.replace(
        topology,
        workloads=tuple(one for one in topology.workloads if one.name != "docs"),
        actions=topology.of("blog"),
    )


def test_a_runbook_forgets_what_stood_before_a_flip_that_could_not_adopt(tmp_path):
    site_folder(tmp_path)
    stack, _ = config.read(settings("active-standby", adopt=[CNAME]))
    assert stack is not None
    made = case("prod", stack, "docs", builtin(), tmp_path)
    steps = {str(course): [step.name for step in flip(made, course)] for course in made.neighbours}
    assert steps["centralized"][0] == "show"
    assert steps["active-standby, active decentralized"][:2] == ["forget", "show"]
    assert [bool(made.prospects[course].plan.adopt) for course in RING] == [True, True, False, False]


def test_another_label_is_refused_while_the_stack_stands(reported):
    made, registry = planned()
    labelled = dataclasses.replace(
        made, workloads=tuple(dataclasses.replace(plan, label="next") for plan in made.workloads)
    )
    with pytest.raises(PlanError, match=r"label: it was left out at the last update; .* destroy the stack"):
        standing.demand(labelled, registry, before())
    known = before()
    for workload in known["workloads"].values():
        workload["label"] = "next"
    assert standing.demand(labelled, registry, known) == {}
    with pytest.raises(PlanError, match="label: it was next at the last update"):
        standing.demand(made, registry, known)
    assert outputs(labelled.workloads[0])["label"] == "next"
    assert "label" not in outputs(made.workloads[0])
    changed = review("prod", "main", (made, labelled), registry)
    assert any("`label` changes from none to next" in sentence for sentence in changed.refused)


def test_what_an_interrupted_update_made_is_looked_up_for_sites_that_no_update_finished(
    reported: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = {"Id": "E1", "Comment": "unmoor docs-aws", "Aliases": {"Items": [HOST]}}
    others = [
        {"Id": "E0", "Comment": "unmoor docs-aws", "Aliases": {}},
        {"Id": "E2", "Comment": "unmoor docs-aws.staging", "Aliases": {"Items": [HOST]}},
    ]
    asked = []
    monkeypatch.setattr(account, "distributions", lambda: asked.append("") or [*others, ours])
    assert standing.left(*planned(), {}) == {"docs-aws": "E1"}
    assert len(asked) == 1, "for all sites at once; the other workload has none"
    finished = {"workloads": {name: {"sites": {f"{name}-aws": "primary"}} for name in ("docs", "blog")}}
    assert (standing.left(*planned(), finished), len(asked)) == ({}, 1)


def test_a_cloud_that_does_not_answer_is_a_warning(reported: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise EndpointConnectionError(endpoint_url="https://cloudfront.amazonaws.com")

    monkeypatch.setattr(account, "distributions", fail)
    assert standing.left(*planned(), {}) == {}
    assert [line.partition(": ")[0] for line in reported] == ["warn", "warn"]
    assert "CloudFront does not list its distributions" in reported[0]
    assert reported[0].endswith("what an interrupted update made of docs-aws is not taken")
