"""What a workload costs a month: today, after homework without a move, and after its plan."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..errors import ConfigError
from ..prices import book as prices
from .figure import USD_MONTH, Basis, Figure, given, total
from .history import vendor
from .inventory import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from .inventory import Dao, Inventory, Size, Workload
    from .planned import Place
    from .situation import Course
    from .tariff import Coster


def costs_today(coster: Coster, name: str, workload: Workload, course: Course | None = None) -> Figure:
    """Return today's cost of a workload: the plan's bill if it stands by one, else the best known figure."""
    if course is not None and course.standing is not None:
        lines = [coster.line(line) for line in course.standing.bill]
        return total("today (by its plan)", [*lines, *_staying(coster, name, workload)])
    known = _known(coster, name, workload)
    if not known:
        reason = workload.cost.unknown or "nothing is known"
        return given("today (unknown)", 0, USD_MONTH, f"inventory workloads.{name}.cost: {reason}", Basis.UNKNOWN)
    best = known[0]
    return replace(best, label=f"today ({best.basis})")


def also_known(coster: Coster, name: str, workload: Workload) -> tuple[Figure, ...]:
    """Return further figures for today's cost, which count less than the one that is used."""
    found = _known(coster, name, workload)[1:]
    if (workload.cost.stated or workload.cost.measured) and workload.parts:
        try:
            coster.estimate(workload, f"workloads.{name}")
        except ConfigError as error:
            found.append(Figure("no estimate", 0, USD_MONTH, source="; ".join(map(str, error.faults))))
    return tuple(found)


def _known(coster: Coster, name: str, workload: Workload) -> list[Figure]:
    """Return every figure for today's cost, best known first: stated, measured, estimated, assumed."""
    path = f"workloads.{name}"
    cost = workload.cost
    found = []
    for basis, entry in ((Basis.STATED, cost.stated), (Basis.MEASURED, cost.measured)):
        if entry:
            source = f"inventory {path}.cost.{basis}: {entry.source}" + (f", {entry.as_of}" if entry.as_of else "")
            really = Basis.ASSUMED if entry.assumed else basis
            found.append(given(str(really), entry.usd_month, USD_MONTH, source, really))
    if workload.parts:
        try:
            found.append(coster.estimate(workload, path))
        except ConfigError:
            if not found:
                raise
    order = list(Basis)
    return sorted(found, key=lambda figure: order.index(figure.basis))


#: What each store keeps: the number of full copies, and of days of changes.
KEPT: Mapping[State, tuple[int, int]] = {
    State.NONE: (2, 0),
    State.CACHE: (2, 0),
    State.SINGLETON: (1, 30),
    State.DATABASE: (2, 30),
    State.REBUILDABLE: (1, 0),
    State.EXTERNAL: (2, 0),
}


def kept(workload: Workload) -> str:
    """Return what each store keeps of a workload's data, as its bill counts it."""
    fulls, days = KEPT.get(workload.state, (1, 0))
    copies = "one full copy a month" if fulls == 1 else f"{fulls} full copies, one a month"
    return f"{copies}, and the changes of {days} days" if days else copies


def _storage_class(workload: Workload) -> str:
    return "beta3" if workload.state in {State.DATABASE, State.SINGLETON, State.REBUILDABLE} else "ephemeral"


@dataclass(frozen=True, slots=True)
class _Lease:
    """A size in the terms of the tariffs."""

    cpu: float
    memory_gib: float
    disk_gib: float
    storage: str
    ips: int


def on_network(coster: Coster, target: str, name: str, workload: Workload, label: str) -> Figure:
    """Price a workload's size on a decentralised network, with an address of its own."""
    size = workload.needs
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


def costs_stay(coster: Coster, name: str, workload: Workload, dao: Dao, course: Course | None = None) -> Figure:
    """Return the cost of staying after homework: today's bill, copies in every store, a drill a month.

    A workload that stands by a plan keeps its copies by that plan already.
    """
    now = costs_today(coster, name, workload, course)
    drills = [] if course is not None and course.standing is not None else homework(coster, workload, dao)
    return total("stay, with homework", [now, *drills]) if drills else now


def homework(coster: Coster, workload: Workload, dao: Dao) -> list[Figure]:
    """Price the copies and drills of a workload that stays; data that is rebuilt from the chain needs none."""
    if workload.state in {State.KEYS, State.REBUILDABLE}:
        return []
    return [*_copies(coster, workload, dao.tools.stores, leaves_aws=_company(workload.parties["compute"][0]) == "aws")]


def _company(party: str) -> str:
    return vendor(party, {}).company


def costs_after(coster: Coster, name: str, workload: Workload, course: Course, dao: Dao) -> Figure:
    """Return the cost after the plan: every site, checks, copies, traffic, and what stays."""
    if course.planned is not None:
        lines = [coster.line(line) for line in course.planned.bill]
    elif not course.moves:
        return costs_today(coster, name, workload)
    else:
        sites = course.plan(dao).sites
        lines = [line for site in sites for line in _site(coster, name, workload, course, site)]
        bills = course.kind.bills if course.kind else {}
        if any(bills.get(site.target) is None for site in sites):
            on_aws = any(site.company == "aws" for site in sites)
            lines += _copies(coster, workload, dao.tools.stores, leaves_aws=on_aws and len(sites) > 1)
    return total("after the plan", [*lines, *_staying(coster, name, workload)])


def _staying(coster: Coster, name: str, workload: Workload) -> list[Figure]:
    staying = coster.estimate(workload, f"workloads.{name}", staying=True)
    return [staying] if staying.inputs else []


def _site(coster: Coster, name: str, workload: Workload, course: Course, site: Place) -> list[Figure]:
    """Price one site and its health check: by the bill of the kind that builds it, else by its size."""
    bill = course.kind.bills.get(site.target) if course.kind else None
    if bill is not None:
        lines = [coster.line(line) for line in bill]
    elif site.rented:
        lines = [on_network(coster, site.target, name, workload, f"{name} on {site.target}")]
    else:
        lines = [_at_company(coster, name, workload, site)]
    if workload.hosts:
        lines.append(_check(coster, name, site))
    return lines


def _at_company(coster: Coster, name: str, workload: Workload, site: Place) -> Figure:
    """Price the site at a company: today's own bill if it is there already, else its size at AWS."""
    now = costs_today(coster, name, workload)
    if _company(workload.parties["compute"][0]) == site.company and now.basis is not Basis.UNKNOWN:
        kept = [line for line in now.inputs if line.label != "what stays"]
        leaving = _staying(coster, name, workload)
        less = sum(line.value for line in leaving)
        if less:
            return Figure(f"{name} on {site.target}, as today", round(now.value - less, 6), USD_MONTH,
                          "today - what stays", (now, *leaving))  # fmt: skip
        return replace(now, label=f"{name} on {site.target}, as today", inputs=tuple(kept) or now.inputs)
    size = workload.needs
    if size is None:
        return total(f"{name} on {site.target}", ())
    hours = prices.HOURS_PER_MONTH
    return total(
        f"{name} on {site.target}",
        (
            coster.price("vCPU", "aws/fargate_hour/arm_vcpu", hours * size.cpu, "vCPU h"),
            coster.price("memory", "aws/fargate_hour/arm_gb", hours * size.memory_gib, "GB h"),
            coster.price("disk", "aws/ebs_gp3_gb_month", size.disk_gib, "GB"),
            coster.price("balancer", "aws/alb_hour", hours if workload.hosts else 0, "h"),
            coster.price("traffic", "aws/egress_gb_first_10tb", size.egress_gb_month, "GB"),
        ),
    )


def _check_label(name: str, site: Place) -> str:
    return f"{name}-{site.target}: health check"


def _check(coster: Coster, name: str, site: Place) -> Figure:
    """Price the health check of a site, as a plan makes it."""
    price = prices.health_check(aws_endpoint=site.target == "aws", within=coster.book)
    where = "AWS endpoint" if site.target == "aws" else "endpoint outside AWS"
    return total(
        f"{_check_label(name, site)} ({where}, {', '.join(price.options)})",
        (
            coster.price("check", price.check.path, 1, "check"),
            coster.price(", ".join(price.options), price.option.path, len(price.options), "option"),
        ),
    )


def _copies(coster: Coster, workload: Workload, stores: Iterable[str], *, leaves_aws: bool) -> Iterator[Figure]:
    """Price the copies of the data in every store, and the traffic that makes and proves them."""
    data = workload.data
    if not data or not data.gb:
        return
    change = data.daily_change_gb if data.daily_change_gb is not None else data.gb / 100
    fulls, days = KEPT[workload.state]
    held = data.gb * fulls + change * days
    for store in stores:
        what = {"aws": ("aws/s3_standard_gb_month", 1.0, "GB"), "storj": ("storj/standard_tb", 1000.0, "TB")}.get(store)
        if what:
            label = f"copies in {store}: {fulls} full and {days} days of changes, {held:g} GB"
            yield coster.price(label, what[0], held / what[1], what[2])
    if "storj" in stores:
        yield coster.price("a restore drill a month out of storj", "storj/egress_tb", data.gb / 1000, "TB")
    if leaves_aws:
        yield coster.price(
            "traffic out of AWS: a full copy a month and the changes, no free allowance left",
            "aws/egress_gb_first_10tb",
            data.gb + change * days,
            "GB",
        )


def rent(coster: Coster, name: str, workload: Workload, course: Course, dao: Dao) -> Figure:
    """Return the part of the bill after the move that is rent on networks, which the escrow pays."""
    rented = [site for site in course.plan(dao).sites if site.rented]
    if course.planned is not None:
        payees = {site.target for site in rented}
        lines = [coster.line(line) for line in course.planned.bill if line.payee in payees]
    else:
        lines = [
            line
            for site in rented
            for line in _site(coster, name, workload, course, site)
            if not line.label.startswith(_check_label(name, site))
        ]
    return total("rent of leases", lines)


def dearer(coster: Coster, size: Size | None, count: int) -> Figure:
    """Return how much more rent would cost if providers ask as much as Console's own estimate, for `count` leases."""
    if size is None or not count:
        return total("rent, if providers ask Console's estimate", ())
    amounts = (
        ("cpu_thread", "cpu", size.cpu),
        ("memory_gib", "memory_gb", size.memory_gib),
        ("storage_ephemeral_gib", "storage_gb", size.disk_gib),
    )
    more = sum(
        max(0.0, coster.book.price(f"akash_upper_bound/{high}").usd - coster.book.price(f"akash/{low}").usd) * amount
        for low, high, amount in amounts
    )
    source = f"price book akash_upper_bound: {coster.book.price('akash_upper_bound/cpu').source.title}"
    return given(
        "rent, if providers ask Console's estimate", round(more * count, 6), USD_MONTH, source, Basis.ESTIMATED
    )


def shared(coster: Coster, inventory: Inventory, courses: Mapping[str, Course]) -> Figure:
    """Return what the move adds once for all workloads: the zone, a registry lock, a store's minimum invoice."""
    workloads = inventory.workloads
    moving = [name for name, course in courses.items() if course.moves]
    lines = []
    tools = inventory.dao.tools
    if (
        moving
        and "route53" in tools.dns
        and not any("route53" in one.parties.get("dns", ()) for one in workloads.values())
    ):
        lines.append(coster.price("hosted zone", "aws/route53_zone_month", 1, "month"))
    lines += _lock(coster, inventory) if moving else ()
    kept = [name for name in moving if workloads[name].data]
    used = (
        (line.label, line.value)
        for name in kept
        if not (courses[name].kind and all(courses[name].kind.bills.values()))  # type: ignore[union-attr]
        for line in _copies(coster, workloads[name], tools.stores, leaves_aws=False)
    )
    lines += _minimum(coster, tools.stores, used, keeps=bool(kept))
    return total("shared by all", lines)


def shared_stay(coster: Coster, inventory: Inventory) -> Figure:
    """Return what homework adds once for all workloads: a registry lock, a store's minimum invoice."""
    stores = inventory.dao.tools.stores
    kept = [
        one for one in inventory.workloads.values() if one.data and one.state not in {State.KEYS, State.REBUILDABLE}
    ]
    used = ((line.label, line.value) for one in kept for line in _copies(coster, one, stores, leaves_aws=False))
    return total("shared by all", [*_lock(coster, inventory), *_minimum(coster, stores, used, keeps=bool(kept))])


def _lock(coster: Coster, inventory: Inventory) -> Iterator[Figure]:
    """Price the registry lock of every domain; it costs the same with and without a move."""
    if domains := registered(inventory):
        label = f"registry lock of {', '.join(domains)}"
        yield coster.price(label, "registry/lock_domain_month", len(domains), "domain")


def _minimum(
    coster: Coster, stores: Iterable[str], used: Iterable[tuple[str, float]], *, keeps: bool
) -> Iterator[Figure]:
    if "storj" not in stores or not keeps:
        return
    spent = sum(value for label, value in used if "storj" in label)
    minimum = coster.price("minimum invoice of storj", "storj/minimum_invoice", 1, "month")
    if spent < minimum.value:
        yield Figure(
            "what storj's minimum invoice adds",
            round(minimum.value - spent, 6),
            USD_MONTH,
            f"{minimum.value:g} - {spent:.2f} used by all workloads",
            (minimum,),
        )


def registered(inventory: Inventory) -> tuple[str, ...]:
    """Return the registered domains of all hosts: the last two labels, three below short endings such as `co.uk`."""
    found = []
    for host in sorted({host for one in inventory.workloads.values() for host in one.hosts}):
        labels = host.split(".")
        short = len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= 3
        found.append(".".join(labels[-3:] if short else labels[-2:]))
    return tuple(dict.fromkeys(found))
