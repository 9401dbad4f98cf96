"""What a workload costs a month, today and once its plan is carried out: stated beats measured beats estimated."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..config.models import Mode
from ..errors import ConfigError
from .figure import USD_MONTH, Basis, Figure, given, total
from .history import vendor
from .inventory import State

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .inventory import Dao, Inventory, Workload
    from .situation import Course
    from .tariff import Coster


def costs_today(coster: Coster, name: str, workload: Workload) -> Figure:
    """Return what a workload costs today; the best known figure, the others beside it."""
    path = f"workloads.{name}"
    cost = workload.cost
    for basis, entry in ((Basis.STATED, cost.stated), (Basis.MEASURED, cost.measured)):
        if entry:
            source = f"inventory {path}.cost.{basis}: {entry.source}" + (f", {entry.as_of}" if entry.as_of else "")
            return given(f"today ({basis})", entry.usd_month, USD_MONTH, source, basis)
    figure = coster.estimate(workload, path)
    return replace(figure, label=f"today ({figure.basis})")


def beside(coster: Coster, name: str, workload: Workload) -> tuple[Figure, ...]:
    """Return what is also known about today's cost, and was beaten by something better known."""
    cost = workload.cost
    found = []
    if cost.stated and cost.measured:
        source = f"inventory workloads.{name}.cost.measured: {cost.measured.source}"
        found.append(given("measured", cost.measured.usd_month, USD_MONTH, source, Basis.MEASURED))
    if (cost.stated or cost.measured) and workload.parts:
        try:
            found.append(coster.estimate(workload, f"workloads.{name}"))
        except ConfigError as error:
            found.append(Figure("no estimate", 0, USD_MONTH, source="; ".join(map(str, error.faults))))
    return tuple(found)


#: What a health check must ask to be believed; each is an option that Route 53 charges for.
CHECK_OPTIONS = ("HTTPS", "string match", "10 s interval")
#: What each store keeps: how many full copies, and the changes of how many days.
KEPT: Mapping[State, tuple[int, int]] = {
    State.NONE: (2, 0),
    State.CACHE: (2, 0),
    State.SINGLETON: (1, 30),
    State.DATABASE: (2, 30),
    State.REBUILDABLE: (1, 0),
}


def _storage_class(workload: Workload) -> str:
    return "beta3" if workload.state in {State.DATABASE, State.SINGLETON, State.REBUILDABLE} else "ephemeral"


@dataclass(frozen=True, slots=True)
class _Lease:
    """A size in the words of the tariffs."""

    cpu: float
    memory_gib: float
    disk_gib: float
    storage: str
    ips: int


def on_network(coster: Coster, target: str, name: str, workload: Workload, label: str) -> Figure:
    """Price a workload's size on a decentralised network, with an address of its own."""
    size = workload.size
    if size is None:
        return total(label, ())
    lease = _Lease(size.cpu, size.memory_gib, size.disk_gib, _storage_class(workload), 1 if workload.hosts else 0)
    price = coster.charges(target, lease, label, f"workloads.{name}.size")
    if target == "flux":
        least = coster.price("up to the least that is charged", "flux/minimum_month", 1, "month")
        if price.value < least.value:
            missing = replace(
                least, value=round(least.value - price.value, 6), formula=f"{least.value:g} - {price.value:g}"
            )
            return replace(total(label, (*price.inputs, missing)), source=price.source)
    return price


def costs_after(coster: Coster, name: str, workload: Workload, course: Course, dao: Dao) -> Figure:
    """Return what it costs once the plan is carried out: both sides, checks, addresses, copies and traffic."""
    now = costs_today(coster, name, workload)
    if not course.moves:
        return now
    lines = [now] if course.mode is Mode.ACTIVE_STANDBY else _staying(coster, name, workload)
    lines += [on_network(coster, target, name, workload, f"{name} on {target}") for target in course.decentralized]
    lines += _checks(coster, workload, course)
    lines += _copies(coster, workload, course, dao)
    return total("after the plan", lines)


def _staying(coster: Coster, name: str, workload: Workload) -> list[Figure]:
    staying = coster.estimate(workload, f"workloads.{name}", staying=True)
    return [staying] if staying.inputs else []


def _checks(coster: Coster, workload: Workload, course: Course) -> Iterator[Figure]:
    """Price a health check for each site, as soon as there is a choice to make."""
    sites = [*(workload.parties["compute"][:1] if course.mode is Mode.ACTIVE_STANDBY else ()), *course.decentralized]
    for site in sites if len(sites) > 1 else ():
        aws = vendor(site, {}).company == "aws"
        kind, option = (
            ("aws_endpoint", "optional_feature_aws") if aws else ("non_aws_endpoint", "optional_feature_non_aws")
        )
        yield total(
            f"health check of the site on {site}",
            (
                coster.price("check", f"aws/route53_health_check_month/{kind}", 1, "check"),
                coster.price(
                    ", ".join(CHECK_OPTIONS), f"aws/route53_health_check_month/{option}", len(CHECK_OPTIONS), "option"
                ),
            ),
        )


def _copies(coster: Coster, workload: Workload, course: Course, dao: Dao) -> Iterator[Figure]:
    """Price the copies of the data in every store, and the traffic that makes and proves them."""
    data = workload.data
    if not data or not data.gb:
        return
    change = data.daily_change_gb if data.daily_change_gb is not None else data.gb / 100
    fulls, days = KEPT[workload.state]
    kept = data.gb * fulls + change * days
    for store in dao.tools.stores:
        what = {"aws": ("aws/s3_standard_gb_month", 1.0, "GB"), "storj": ("storj/standard_tb", 1000.0, "TB")}.get(store)
        if what:
            label = f"copies in {store}: {fulls} full and {days} days of changes, {kept:g} GB"
            yield coster.price(label, what[0], kept / what[1], what[2])
    if "storj" in dao.tools.stores:
        yield coster.price("a restore drill a month out of storj", "storj/egress_tb", data.gb / 1000, "TB")
    if course.mode is Mode.ACTIVE_STANDBY and vendor(workload.parties["compute"][0], {}).company == "aws":
        sent = data.gb + change * days
        yield coster.price(
            "traffic out of AWS: a full copy a month and the changes, no free allowance left",
            "aws/egress_gb_first_10tb",
            sent,
            "GB",
        )


def shared(coster: Coster, inventory: Inventory, courses: Mapping[str, Course]) -> Figure:
    """Return what the move adds once, for all workloads: the zone, and a store's minimum invoice."""
    lines = []
    moving = [name for name, course in courses.items() if course.moves]
    workloads = inventory.workloads
    if moving and not any("route53" in one.parties.get("dns", ()) for one in workloads.values()):
        lines.append(coster.price("hosted zone", "aws/route53_zone_month", 1, "month"))
    if "storj" in inventory.dao.tools.stores and any(workloads[name].data for name in moving):
        used = sum(
            line.value
            for name in moving
            for line in _copies(coster, workloads[name], courses[name], inventory.dao)
            if "storj" in line.label
        )
        minimum = coster.price("minimum invoice of storj", "storj/minimum_invoice", 1, "month")
        if used < minimum.value:
            lines.append(
                Figure(
                    "what storj's minimum invoice adds",
                    round(minimum.value - used, 6),
                    USD_MONTH,
                    f"{minimum.value:g} - {used:.2f} used by all workloads",
                    (minimum,),
                )
            )
    return total("shared by all", lines)
