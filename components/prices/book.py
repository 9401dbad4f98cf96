"""The dated price book: what a unit of anything costs, where that was read, and how old it is."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ConfigError, Fault

if TYPE_CHECKING:
    from collections.abc import Mapping

HOURS_PER_MONTH = 730
SHIPPED = Path(__file__).parent / "pricebook.json"
#: The operator's own, refreshed book (`unmoor prices refresh`), next to the stack files; it wins over the shipped one.
OWN = Path("stacks") / "pricebook.json"


@dataclass(frozen=True)
class Source:
    """Where and when prices were read. Without a date they are not verified."""

    key: str
    title: str
    read: date | None
    stale_after_days: int

    def age_days(self, today: date) -> int | None:
        """Days since the source was read; None when it never was."""
        return None if self.read is None else max((today - self.read).days, 0)

    def stale(self, today: date) -> bool:
        """Return whether the source is unverified, or older than it may be."""
        age = self.age_days(today)
        return age is None or age > self.stale_after_days


@dataclass(frozen=True)
class Price:
    """One price in USD (or a factor, or an allowance); its path in the book contains the unit."""

    path: str
    usd: float
    source: Source
    note: str = ""


@dataclass(frozen=True)
class PriceBook:
    """Every known price by path, as in `aws/ec2_linux_ondemand_hour/t3.medium`."""

    origin: Path
    compiled: date
    region: str
    sources: Mapping[str, Source]
    prices: Mapping[str, Price]

    def price(self, path: str) -> Price:
        """Return the price at a path. Raises ConfigError, naming the nearest paths, when there is none."""
        if (found := self.prices.get(path)) is not None:
            return found
        raise ConfigError(f"the price book has no price {path!r}", [Fault(path, self.choose(path))])

    def choose(self, path: str) -> str:
        """Return the prices in the group of a path that is not in the book."""
        group, _, leaf = path.rpartition("/")
        others = self.siblings(path)
        return f"no price for {leaf!r}; choose from {', '.join(others)}" if others else f"no such group {group!r}"

    def siblings(self, path: str) -> list[str]:
        """Return the last parts of all paths in the group of a path, sorted."""
        group = path.rpartition("/")[0]
        return sorted(known.rpartition("/")[2] for known in self.prices if known.rpartition("/")[0] == group)


def parse(text: str, origin: Path) -> PriceBook:
    """Read a price book. Raises ConfigError when it is not one."""
    try:
        data = json.loads(text)
        sources = {
            key: Source(
                key, one["title"], date.fromisoformat(one["date"]) if one["date"] else None, one["stale_after_days"]
            )
            for key, one in data["sources"].items()
        }
        prices = {
            path: Price(path, float(usd), sources[key], note[0] if note else "")
            for path, (usd, key, *note) in data["prices"].items()
        }
        return PriceBook(origin, date.fromisoformat(data["compiled"]), data["region"], sources, prices)
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"{origin} is not a price book: {error}; `unmoor prices refresh` writes one") from None


def book() -> PriceBook:
    """Return the operator's own price book where there is one, else the one that is shipped."""
    return read(OWN if OWN.exists() else SHIPPED)


def read(origin: Path) -> PriceBook:
    """Read a price book from a file, once for each version of the file."""
    return _read(origin, origin.stat().st_mtime_ns)


@functools.lru_cache(maxsize=4)
def _read(origin: Path, _changed: int) -> PriceBook:
    return parse(origin.read_text(encoding="utf-8"), origin)


def aws(path: str) -> float:
    """Return USD for one unit of something at AWS, on demand: `aws("ec2_linux_ondemand_hour/t3.medium")`."""
    return book().price(f"aws/{path}").usd


def akash_usd_month(
    cpu_threads: float,
    memory_gib: float,
    storage_gib: Mapping[str, float],
    endpoints: int = 1,
    ips: int = 0,
) -> float:
    """Return USD a month of an Akash deployment by the providers' default list; storage by class, as `{"beta3": 50}`.

    A provider may ask for more or less; the accepted bid is the real price.
    """
    prices = book()
    return (
        cpu_threads * prices.price("akash/cpu_thread").usd
        + memory_gib * prices.price("akash/memory_gib").usd
        + sum(gib * prices.price(f"akash/storage_{kind}_gib").usd for kind, gib in storage_gib.items())
        + endpoints * prices.price("akash/endpoint").usd
        + ips * prices.price("akash/ip_lease").usd
    )


#: Options of a health check beyond the plain request, by its scheme; Route 53 bills each one separately.
HEALTH_CHECK_OPTIONS: Mapping[str, tuple[str, ...]] = {
    "http": ("fast interval", "string match"),
    "https": ("fast interval", "string match", "https"),
}


@dataclass(frozen=True)
class HealthCheck:
    """The price of one Route 53 health check: the check itself, and each of its options."""

    check: Price
    option: Price
    options: tuple[str, ...]

    @property
    def usd_month(self) -> float:
        """USD a month."""
        return self.check.usd + len(self.options) * self.option.usd


def health_check(*, aws_endpoint: bool, scheme: str = "https", within: PriceBook | None = None) -> HealthCheck:
    """Return the price of the health check that a plan makes for a site, by one book (default: the current one).

    `aws_endpoint`: the site is reached by a name at AWS, which Route 53 checks for less.
    """
    prices = within or book()
    check, option = ("aws_endpoint", "optional_feature_aws") if aws_endpoint else (
        "non_aws_endpoint", "optional_feature_non_aws",
    )  # fmt: skip
    group = "aws/route53_health_check_month"
    return HealthCheck(
        prices.price(f"{group}/{check}"), prices.price(f"{group}/{option}"), HEALTH_CHECK_OPTIONS[scheme]
    )
