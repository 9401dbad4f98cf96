"""Other hosts that lead to a workload's own: names, records and certificates of a plan, and what it refuses."""

from __future__ import annotations

import itertools

import pytest

from components.action import Entry
from components.config import models as config
from components.errors import PlanError
from components.kind import Kind
from components.kinds.static.kind import Content, Static
from components.kinds.static.routes import Routes, Settings
from components.plan.planner import plan
from components.project import builtin
from components.release import Release
from components.review.review import review
from components.topology import Topology
from tests.settings import settings

OTHERS = ["www.dao.example", "dao.example"]
SMALL = Release("ab" * 32, Content("site", 1, Routes({"index.html": 1})), pinned=False)


def planned(made: dict, release: Release = SMALL, registry=None) -> Topology:
    stack, found = config.read(made)
    assert found == []
    return plan(stack, registry or builtin(), dict.fromkeys(stack.workloads, release))


def refused(made: dict, **more) -> list[str]:
    with pytest.raises(PlanError) as caught:
        planned(made, **more)
    return [str(fault) for fault in caught.value.faults]


def entries(topology: Topology, entry: str) -> list[dict]:
    found = [action.does.what for action in topology.actions if isinstance(action.does, Entry)]
    return [what for what in found if what["entry"] == entry]


@pytest.mark.parametrize("mode", ["centralized", "active-standby", "decentralized"])
def test_every_name_has_the_same_set_and_one_check_a_site_judges_all(mode) -> None:
    made = planned(settings(mode, redirect_from=OTHERS))
    (workload,) = made.workloads
    assert [name.host for name in workload.names] == ["docs.dao.example", *OTHERS]
    sets: dict[str, list] = {}
    for what in entries(made, "member"):
        sets.setdefault(what["name"], []).append({key: value for key, value in what.items() if key != "name"})
    assert list(sets) == ["docs.dao.example", *OTHERS]
    assert sets["dao.example"] == sets["www.dao.example"] == sets["docs.dao.example"]
    assert len(entries(made, "health")) == len(workload.sites)


def test_members_of_every_name_are_exchanged_before_they_are_written() -> None:
    made = planned(settings("active-standby", redirect_from=OTHERS))
    order = [action.name for action in made.actions]
    for host in ("docs.dao.example", *OTHERS):
        assert order.index(f"{host}-exchange") < order.index(f"{host}/primary") < order.index(f"{host}/standby")


def test_every_name_but_the_apex_names_its_issuers_and_the_apex_is_a_note() -> None:
    made = planned(settings("active-standby", redirect_from=OTHERS))
    named = {what["name"]: what["values"] for what in entries(made, "caa")}
    assert named["www.dao.example"] == named["docs.dao.example"]
    assert "dao.example" not in named
    assert made.workloads[0].losses[-1].startswith("dao.example is the zone's apex, whose CAA records")


def test_no_price_depends_on_them() -> None:
    """Health checks are a site's, certificates cost nothing, and so do alias queries."""
    bills = [planned(settings("active-standby", redirect_from=more)).workloads[0].bill for more in ([], OTHERS)]
    assert bills[0] == bills[1]


def test_names_outside_the_zone_twice_or_of_another_workload_are_refused_together() -> None:
    made = settings(redirect_from=["www.dao.example", "docs.dao.example", "docs-akash.dao.example", "www.dao.example"])
    made["workloads"]["blog"] = made["workloads"]["docs"] | {
        "host": "blog.dao.example",
        "redirect_from": ["www.dao.example"],
    }
    twice, path = "is a name of this workload already; remove one", "workloads.docs.redirect_from"
    other = "belongs to workload 'docs' already; choose another host or another workload name"
    site = "is the site host of docs-akash already; choose another host or another workload name"
    assert refused(made) == [
        f"{path}[1]: docs.dao.example {twice}",
        f"{path}[2]: docs-akash.dao.example {site}",
        f"{path}[3]: www.dao.example {twice}",
        f"workloads.blog.redirect_from[0]: www.dao.example {other}",
    ]
    assert refused(settings(redirect_from=["www.other.example"])) == [
        f"{path}[0]: www.other.example is outside the zone; choose a name that ends in .dao.example"
    ]


def test_no_cname_stands_at_the_apex() -> None:
    (output,) = refused(settings(redirect_from=OTHERS, options={"ingress": "shared"}))
    assert output.startswith("workloads.docs.redirect_from: dao.example is the zone's apex")


def test_a_kind_that_cannot_redirect_refuses_them() -> None:
    class Plain(Static):
        redirects = False

    output = refused(settings(redirect_from=OTHERS), registry=builtin().with_(kinds=[Plain()]))
    assert output == ["workloads.docs.redirect_from: static leads no other hosts to its own; remove it"]
    assert Kind.redirects is False


def test_the_names_of_a_site_count_in_the_size_of_its_function() -> None:
    """A folder whose functions have just room under a short host is refused under more names."""
    for count in itertools.count(200):
        files = {"index.html": 1} | {f"page-{n}.html": 1 for n in range(count)}
        content = Content("site", 1, Routes(files, Settings(fallback="index.html")))
        larger = Release("ab" * 32, content, pinned=False)
        try:
            planned(settings(), larger)
        except PlanError:
            break
        fits = larger
    names = [f"a-name-of-some-length-{n}.dao.example" for n in range(8)]
    (output,) = refused(settings(redirect_from=names), release=fits)
    assert output.startswith("workloads.docs.options.fallback: makes a CloudFront function of 10,")


def reviewed(before: dict, after: dict):
    return review("prod", "main", (planned(before), planned(after)), builtin())


def test_a_review_names_the_links_that_break() -> None:
    with_them, without = settings(redirect_from=OTHERS), settings()
    (gone,) = reviewed(with_them, without).workloads
    assert gone.cautions[:2] == tuple(f"links to {host} break" for host in OTHERS)
    assert reviewed(without, with_them).workloads[0].cautions == gone.cautions[2:]
    found = [change for change in reviewed(with_them, without).changes if "redirect_from" in change.where]
    assert {(change.meaning, change.caution) for change in found} == {
        ("Other names whose visitors this site leads to the host.", True)
    }


def test_a_host_that_leads_to_the_new_one_breaks_no_link() -> None:
    (moved,) = reviewed(settings(), settings(host="www.dao.example", redirect_from=["docs.dao.example"])).workloads
    assert moved.interruption == "docs.dao.example leads visitors on; www.dao.example takes its place"
    assert not [caution for caution in moved.cautions if "break" in caution]


def test_a_name_that_another_workload_has_is_not_taken_over_in_one_update() -> None:
    before, after = settings(redirect_from=["www.dao.example"]), settings()
    after["workloads"]["blog"] = after["workloads"]["docs"] | {
        "host": "blog.dao.example",
        "redirect_from": ["www.dao.example"],
    }
    blog = next(each for each in reviewed(before, after).workloads if each.name == "blog")
    assert blog.refused[0].startswith("www.dao.example is taken over from docs, whose records stand")
