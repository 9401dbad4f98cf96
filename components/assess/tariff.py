"""What things cost by the price book: a tariff for each sort of part, and a coster that applies it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError, Fault
from ..prices.book import HOURS_PER_MONTH
from .figure import USD_MONTH, Basis, Figure, given, total
from .parts import assumed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import date

    from ..prices.book import Price, PriceBook
    from .inventory import Workload
    from .parts import Part
    from .planned import BillLine


@dataclass(frozen=True, slots=True)
class Charge:
    """One line of a tariff: what is charged, its price in the book, and the quantity."""

    label: str
    path: str
    unit: str
    quantity: Callable[[Any], float]
    #: path of the free allowance in the book, if there is one, and what it counts in units
    free: tuple[str, float] | None = None


def _hours(_part: Any) -> float:
    return HOURS_PER_MONTH


#: The charges of each part. `{…}` stands for the part's own fields.
TARIFF: Mapping[str, tuple[Charge, ...]] = {
    "ec2": (
        Charge("machine", "aws/ec2_linux_ondemand_hour/{type}", "h", _hours),
        Charge("disk", "aws/ebs_gp3_gb_month", "GB", lambda p: p.disk_gib),
    ),
    "lightsail": (Charge("machine", "aws/lightsail_month/{plan}", "month", lambda _: 1),),
    "fargate": (
        Charge("vCPU", "aws/fargate_hour/{arch}_vcpu", "vCPU h", lambda p: HOURS_PER_MONTH * p.vcpu),
        Charge("memory", "aws/fargate_hour/{arch}_gb", "GB h", lambda p: HOURS_PER_MONTH * p.memory_gib),
    ),
    "rds": (
        Charge(
            "database, one zone",
            "aws/rds_postgres_single_az_hour/{type}",
            "h",
            lambda p: HOURS_PER_MONTH * (2 if p.multi_az else 1),
        ),
        Charge("disk, one zone", "aws/rds_gp3_gb_month", "GB", lambda p: 0 if p.multi_az else p.disk_gib),
        Charge("disk, two zones", "aws/rds_gp3_multi_az_gb_month", "GB", lambda p: p.disk_gib if p.multi_az else 0),
        Charge("backups", "aws/rds_backup_gb_month", "GB", lambda p: p.backup_gib),
    ),
    "elasticache": (Charge("node", "aws/elasticache_{engine}_hour/{type}", "h", _hours),),
    "s3": (
        Charge("objects", "aws/s3_standard_gb_month", "GB", lambda p: p.gb),
        Charge("writes", "aws/s3_put_1k", "thousand", lambda p: p.puts_k),
        Charge("reads", "aws/s3_get_1k", "thousand", lambda p: p.gets_k),
    ),
    "cloudfront-plan": (Charge("plan", "aws/cloudfront_flat_plan_month/{plan}", "month", lambda _: 1),),
    "cloudfront": (
        Charge(
            "traffic",
            "aws/cloudfront_egress_gb_us",
            "GB",
            lambda p: p.egress_gb,
            ("aws/cloudfront_free_tb_month", 1024),
        ),
        Charge("requests", "aws/cloudfront_https_10k", "10,000", lambda p: p.requests_10k),
    ),
    "alb": (
        Charge("balancer", "aws/alb_hour", "h", _hours),
        Charge("capacity", "aws/alb_lcu_hour", "LCU h", lambda p: HOURS_PER_MONTH * p.lcu),
    ),
    "nat": (Charge("gateway", "aws/nat_hour", "h", _hours), Charge("traffic", "aws/nat_gb", "GB", lambda p: p.gb)),
    "ipv4": (Charge("address", "aws/public_ipv4_hour", "h", _hours),),
    "zone": (
        Charge("zone", "aws/route53_zone_month", "month", lambda _: 1),
        Charge("queries", "aws/route53_query_million", "million", lambda p: p.queries_million),
    ),
    "egress": (Charge("traffic", "aws/egress_gb_first_10tb", "GB", lambda p: p.gb, ("aws/egress_free_gb_month", 1)),),
    "secret": (Charge("secret", "aws/secrets_manager_secret_month", "month", lambda _: 1),),
    "logs": (Charge("logs", "aws/cloudwatch_logs_gb", "GB", lambda p: p.gb),),
    "ses": (Charge("messages", "aws/ses_1k_messages", "thousand", lambda p: p.messages_k),),
    "storj": (
        Charge("objects", "storj/standard_tb", "TB", lambda p: p.gb / 1000),
        Charge("traffic", "storj/egress_tb", "TB", lambda p: p.egress_gb / 1000),
    ),
    "akash": (
        Charge("threads", "akash/cpu_thread", "thread", lambda p: p.cpu),
        Charge("memory", "akash/memory_gib", "GiB", lambda p: p.memory_gib),
        Charge("{storage} disk", "akash/storage_{storage}_gib", "GiB", lambda p: p.disk_gib),
        Charge("endpoint", "akash/endpoint", "endpoint", lambda _: 1),
        Charge("leased address", "akash/ip_lease", "address", lambda p: p.ips),
    ),
    "flux": (
        Charge("tenths of a core", "flux/cpu_tenth_core", "tenth", lambda p: _steps(p.cpu, 0.1)),
        Charge("hundreds of MB", "flux/ram_100mb", "100 MB", lambda p: _steps(p.memory_gib * 1024, 100)),
        Charge("disk", "flux/hdd_gb", "GB", lambda p: _steps(p.disk_gib, 1)),
    ),
}


def _steps(amount: float, step: float) -> int:
    """Return the whole steps that an amount needs, at least one."""
    return max(1, -int(-round(amount / step, 6) // 1))


class Coster:
    """Prices things by one price book, as of one day."""

    def __init__(self, book: PriceBook, on: date, usage: Mapping[str, float] | None = None) -> None:
        """Store the book, the day of the prices, and the account's use of each free allowance."""
        self.book = book
        self.on = on
        self.usage = usage or {}

    def price(self, label: str, path: str, quantity: float, unit: str) -> Figure:
        """Price a quantity of something in the book. Raises ConfigError if the book does not have it."""
        price = self.book.price(path)
        read = f"price book {path}: {price.source.title}, {self._age(price)}"
        leaf = Figure(
            f"price of one {unit}", price.usd, "USD", source=f"{read}; {price.note}" if price.note else read,
            stale=price.source.stale(self.on),
        )  # fmt: skip
        return Figure(label, quantity * price.usd, USD_MONTH, f"{quantity:g} x {price.usd:g} USD", (leaf,))

    def _age(self, price: Price) -> str:
        age = price.source.age_days(self.on)
        return "never verified" if age is None else f"{age} days old"

    def line(self, line: BillLine) -> Figure:
        """Return a line of a plan's bill as a figure, stale if its prices are."""
        group = line.source.replace(".", "/")
        named = [price for path, price in self.book.prices.items() if path == group or path.startswith(f"{group}/")]
        ages = {self._age(price) for price in named}
        return Figure(
            line.label, line.usd_month, USD_MONTH,
            source=f"price book {group}: the plan's bill" + (f", {' and '.join(sorted(ages))}" if ages else ""),
            stale=any(price.source.stale(self.on) for price in named),
        )  # fmt: skip

    def free(self, charge: Charge, quantity: float) -> float:
        """Return how much of an account's free allowance falls on a quantity: its share of the account's use."""
        if charge.free is None or not quantity:
            return 0.0
        allowance = self.book.price(charge.free[0]).usd * charge.free[1]
        return min(quantity, allowance * quantity / max(self.usage.get(charge.free[0], 0.0), quantity))

    def charges(self, what: str, thing: Any, label: str, stated: str, times: int = 1) -> Figure:
        """Price one thing by its tariff, as stated at a path of the inventory; zero lines are left out."""
        lines = []
        for charge in TARIFF[what]:
            quantity = charge.quantity(thing) * times
            free = self.free(charge, quantity)
            if quantity - free > 0:
                fields = {name: getattr(thing, name, "") for name in ("type", "plan", "arch", "engine", "storage")}
                line = self.price(
                    charge.label.format(**fields), charge.path.format(**fields), quantity - free, charge.unit
                )
                lines.append(
                    replace(line, formula=f"({quantity:g} - {free:g} free) {line.formula[line.formula.index('x') :]}")
                    if free
                    else line
                )
        return replace(total(label, lines), source=f"inventory {stated}")

    def part(self, part: Part, path: str) -> Figure:
        """Price one part of a workload at a path of the inventory."""
        what = part.what  # type: ignore[attr-defined]
        if what == "fixed":
            basis = Basis.ASSUMED if assumed(part.source) else Basis.STATED  # type: ignore[attr-defined]
            source = f"inventory {path}: {part.source}"  # type: ignore[attr-defined]
            return given(part.name, part.usd_month * part.count, USD_MONTH, source, basis)  # type: ignore[attr-defined]
        size = getattr(part, "type", "") or getattr(part, "plan", "")
        label = f"{part.count} x " * (part.count > 1) + " ".join(filter(None, (what, size)))
        return self.charges(what, part, label, path, part.count)

    def estimate(self, workload: Workload, path: str, *, staying: bool = False) -> Figure:
        """Price a workload's parts, all or those that stay. Raises ConfigError with every part that has no price."""
        found: list[Fault] = []
        lines = []
        for index, part in enumerate(workload.parts):
            if staying and not part.stays:
                continue
            try:
                lines.append(self.part(part, f"{path}.parts[{index}]"))
            except ConfigError as error:
                found += [Fault(f"{path}.parts[{index}].{_field(fault.path)}", fault.message) for fault in error.faults]
        if found:
            raise ConfigError("some parts have no price", found)
        return total("what stays" if staying else "estimated from its parts", lines)


def usage(workloads: Iterable[Workload]) -> dict[str, float]:
    """Return how much of each free allowance the parts of all workloads use; an account has each once."""
    found: dict[str, float] = {}
    for workload in workloads:
        for part in workload.parts:
            for charge in TARIFF.get(part.what, ()):
                if charge.free is not None:
                    found[charge.free[0]] = found.get(charge.free[0], 0.0) + charge.quantity(part) * part.count
    return found


def _field(path: str) -> str:
    return "plan" if "plan" in path or "lightsail" in path else "type"
