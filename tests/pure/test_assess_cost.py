"""Costs: the worked examples come out, stated beats measured beats estimated, and the honest sum has every line."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from components.assess import cost, parts
from components.assess.figure import Basis, Figure
from components.assess.situation import Course
from components.assess.tariff import TARIFF, Coster
from components.config.models import Mode
from components.errors import ConfigError
from components.prices import book as prices

from .assess_samples import BOT, DOCS, FORUM, ON, assess, inventory, planned

BOOK = prices.read(prices.SHIPPED)
COSTER = Coster(BOOK, ON)


def today(**workload: Any) -> Figure:
    one = inventory(one={**BOT, "cost": {}, **workload}).workloads["one"]
    return cost.costs_today(COSTER, "one", one)


@pytest.mark.parametrize(
    ("part", "usd"),
    [
        ({"what": "ec2", "type": "t3.medium", "disk_gib": 30}, 730 * 0.0416 + 30 * 0.08),
        ({"what": "ec2", "type": "t3.medium", "disk_gib": 0, "count": 3}, 3 * 730 * 0.0416),
        ({"what": "lightsail", "plan": "2vcpu_4gb"}, 24),
        ({"what": "fargate", "vcpu": 1, "memory_gib": 2, "arch": "arm"}, 730 * (0.03238 + 2 * 0.00356)),
        (
            {"what": "rds", "type": "db.t4g.small", "disk_gib": 20, "backup_gib": 5},
            730 * 0.032 + 20 * 0.115 + 5 * 0.095,
        ),
        ({"what": "rds", "type": "db.t4g.small", "disk_gib": 20, "multi_az": True}, 2 * 730 * 0.032 + 20 * 0.23),
        ({"what": "elasticache", "type": "cache.t4g.micro", "engine": "valkey"}, 730 * 0.0128),
        ({"what": "s3", "gb": 10, "puts_k": 2, "gets_k": 100}, 0.23 + 0.01 + 0.04),
        ({"what": "cloudfront-plan", "plan": "pro"}, 15),
        ({"what": "cloudfront", "egress_gb": 1124, "requests_10k": 10}, 100 * 0.085 + 0.1),
        ({"what": "cloudfront", "egress_gb": 1000}, 0),
        ({"what": "alb", "lcu": 0.5}, 730 * (0.0225 + 0.5 * 0.008)),
        ({"what": "nat", "gb": 10}, 730 * 0.045 + 0.45),
        ({"what": "ipv4"}, 3.65),
        ({"what": "zone", "queries_million": 2}, 1.3),
        ({"what": "egress", "gb": 150}, 4.5),
        ({"what": "egress", "gb": 90}, 0),
        ({"what": "secret", "count": 2}, 0.8),
        ({"what": "logs", "gb": 20}, 10),
        ({"what": "ses", "messages_k": 30}, 3),
        ({"what": "storj", "gb": 500, "egress_gb": 100}, 4.2),
        ({"what": "akash", "cpu": 1, "memory_gib": 2, "disk_gib": 10}, 3.45),
        ({"what": "akash", "cpu": 1, "memory_gib": 2, "disk_gib": 10, "storage": "beta3", "ips": 1}, 8.65),
        ({"what": "fixed", "name": "server", "usd_month": 80, "source": "invoice", "count": 2}, 160),
    ],
)
def test_a_part_is_priced_by_its_tariff(part: dict[str, Any], usd: float):
    assert today(parts=[part]).value == pytest.approx(usd)


def test_every_part_that_can_be_written_has_a_tariff():
    """`fixed` brings its own price; `flux` is only ever a target."""
    union, _ = get_args(parts.AnyPart)
    written = {get_args(model.model_fields["what"].annotation)[0] for model in get_args(union)}
    assert written - {"fixed"} == set(TARIFF) - {"flux"}


def test_stated_beats_measured_beats_estimated_and_the_others_are_shown():
    parts = [{"what": "ipv4"}]
    stated = {"usd_month": 9, "source": "invoice 2026-10", "as_of": "2026-10-31"}
    measured = {"usd_month": 8, "source": "Cost Explorer"}
    best = today(parts=parts, cost={"stated": stated, "measured": measured})
    assert (best.value, best.basis) == (9, Basis.STATED)
    assert best.source == "inventory workloads.one.cost.stated: invoice 2026-10, 2026-10-31"
    second = today(parts=parts, cost={"measured": measured})
    assert (second.value, second.basis) == (8, Basis.MEASURED)
    third = today(parts=parts)
    assert (third.value, third.basis) == (3.65, Basis.ESTIMATED)
    one = inventory(one={**BOT, "parts": parts, "cost": {"stated": stated, "measured": measured}}).workloads["one"]
    assert [figure.value for figure in cost.also_known(COSTER, "one", one)] == [8, 3.65]


def test_a_size_without_a_price_is_a_fault_with_a_choice():
    with pytest.raises(ConfigError) as caught:
        assess(
            one={**BOT, "cost": {}, "parts": [{"what": "ec2", "type": "t9.huge"}, {"what": "lightsail", "plan": "x"}]}
        )
    first, second = caught.value.faults
    assert (first.path, first.message[:37]) == ("workloads.one.parts[0].type", "no price for 't9.huge'; choose from m")
    assert second.path == "workloads.one.parts[1].plan"


def test_a_stated_cost_needs_no_price_and_shows_that_there_is_none():
    whole = assess(one={**BOT, "parts": [{"what": "ec2", "type": "t9.huge"}]})
    (beside,) = whole.of("one").cost_also_known
    assert (beside.label, whole.of("one").cost_before.value) == ("no estimate", 6)


def after(workload: dict[str, Any], mode: Mode, *targets: str, dao: dict[str, Any] | None = None) -> Figure:
    what = inventory(dao, one=workload)
    return cost.costs_after(COSTER, "one", what.workloads["one"], Course(mode, targets), what.dao)


def test_docs_on_two_leases_cost_as_much_as_in_the_worked_example():
    """Two leases with addresses and two checks outside AWS: 24.36 USD, against 0.02 on AWS: moving costs more."""
    figure = after(DOCS, Mode.DECENTRALIZED, "akash", "akash")
    assert figure.value == pytest.approx(2 * 5.43 + 2 * 6.75)
    assert assess(docs={**DOCS, "plan": planned("decentralized", "akash", "akash")}).value.saving_month.value < 0


def test_a_standby_adds_its_lease_both_checks_copies_and_the_traffic_that_makes_them():
    """The forum keeps its bill; the standby's lines are each there."""
    figure = after(FORUM, Mode.ACTIVE_STANDBY, "akash")
    kept = 2 * 20 + 30 * 0.2
    lines = {line.label: line.value for line in figure.inputs}
    assert lines == pytest.approx({
        "one on aws, as today": 730 * (0.0416 + 0.032) + 1.15,
        "one on akash": 3.25 * 1.6 + 6.5 * 0.8 + 40 * 0.04 + 0.05 + 5,
        "one-aws: health check (AWS endpoint, fast interval, string match, https)": 3.5,
        "one-akash: health check (endpoint outside AWS, fast interval, string match, https)": 6.75,
        f"copies in aws: 2 full and 30 days of changes, {kept:g} GB": kept * 0.023,
        f"copies in storj: 2 full and 30 days of changes, {kept:g} GB": kept * 0.007,
        "a restore drill a month out of storj": 0.14,
        "traffic out of AWS: a full copy a month and the changes, no free allowance left": 26 * 0.09,
    })  # fmt: skip
    assert figure.value == pytest.approx(sum(lines.values()))


def test_what_stays_is_still_paid():
    stays = [{"what": "ses", "messages_k": 30, "stays": True}]
    figure = after({**FORUM, "parts": FORUM["parts"] + stays}, Mode.DECENTRALIZED, "akash")
    assert {line.label: line.value for line in figure.inputs}["what stays"] == pytest.approx(3)


def test_what_stays_where_it_is_costs_what_it_costs():
    assert after(FORUM, Mode.CENTRALIZED) == cost.costs_today(COSTER, "one", inventory(one=FORUM).workloads["one"])


def test_a_workload_without_a_name_needs_no_address_and_a_single_site_no_check():
    figure = after(BOT, Mode.DECENTRALIZED, "akash")
    assert [line.label for line in figure.inputs] == ["one on akash"]
    assert figure.value == pytest.approx(0.4 + 0.4 + 0.04 + 0.05)


def test_flux_charges_whole_steps_and_never_less_than_its_minimum():
    assert after(BOT, Mode.DECENTRALIZED, "flux").value == pytest.approx(0.99)
    large = {**BOT, "size": {"cpu": 2, "memory_gib": 4, "disk_gib": 30}}
    assert after(large, Mode.DECENTRALIZED, "flux").value == pytest.approx(20 * 0.15 + 41 * 0.05 + 30 * 0.02)


def test_a_workload_without_a_size_has_no_price_elsewhere():
    one = inventory(one={**BOT, "state": "external", "size": None}).workloads["one"]
    assert cost.on_network(COSTER, "akash", "one", one, "x").value == 0


def test_a_store_without_a_price_is_left_out_of_the_sum_and_unsold_gigabytes_of_the_minimum_are_shared():
    whole = assess({"tools": {"stores": ["aws", "filebase"]}}, one=FORUM)
    assert not any("filebase" in line.label for line in whole.of("one").cost_after.inputs)
    assert [line.label for line in whole.shared.inputs] == ["registry lock of dao.example"]
    _, line = assess(one=FORUM).shared.inputs
    used = 46 * 0.007 + 0.14
    assert line.value == pytest.approx(5 - used)


def test_a_zone_is_bought_once_if_there_is_none_yet():
    moved = {**DOCS, "parties": {**DOCS["parties"], "dns": "cloudflare"}}
    whole = assess(one=moved, two={**moved, "hosts": ["two.dao.example"]})
    assert [line.label for line in whole.shared.inputs] == ["hosted zone", "registry lock of dao.example"]
    assert whole.cost_after.value == pytest.approx(sum(one.cost_after.value for one in whole.workloads) + 0.5 + 25)


def test_a_store_that_is_used_enough_adds_no_minimum():
    large = {**FORUM, "data": {"gb": 400}, "size": {"cpu": 1, "memory_gib": 1, "disk_gib": 400}}
    assert [line.label for line in assess(one=large).shared.inputs] == ["registry lock of dao.example"]


def test_stale_prices_are_reported():
    fresh = assess(docs=DOCS)
    assert not fresh.of("docs").cost_after.rests_on_stale()
    assert any("lightsail" not in text and "never verified" in text for text in assess(
        one={**BOT, "cost": {}, "parts": [{"what": "lightsail", "plan": "2vcpu_4gb"}]}
    ).warnings)  # fmt: skip
