"""What a document costs a month, what a budget means in its price ceiling, and what its ceiling lets be charged.

The formula is the default price script of Akash hosts (helm-charts `price_script_generic.sh`); each may differ.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from typing import Any

from . import quantity
from .manifest import volumes

#: Blocks of 6.117 s in a month of 30.437 days, as that script counts.
BLOCKS_PER_MONTH = 429_909
UACT_PER_USD = 1_000_000

#: USD a month for one of each unit.
RATES = {
    "cpu": Decimal("1.60"),
    "memory": Decimal("0.80"),
    "ephemeral": Decimal("0.02"),
    "beta1": Decimal("0.01"),
    "beta2": Decimal("0.03"),
    "beta3": Decimal("0.04"),
    "endpoint": Decimal("0.05"),
    "ip": Decimal("5.00"),
    "gpu": Decimal(100),
}
#: What other classes of storage are charged as: `default` is what a host has, and `ram` is memory.
_CHARGED_AS = {"default": "beta2", "ram": "memory"}
_CENT = Decimal("0.01")


@dataclass(frozen=True)
class Part:
    """One line of a monthly price: what, how much of it (in cores, GiB or pieces), and USD a month."""

    name: str
    amount: Decimal
    usd: Decimal


@dataclass(frozen=True)
class Price:
    """A monthly price in USD, and the parts that add up to it."""

    parts: tuple[Part, ...]

    @property
    def usd(self) -> Decimal:
        """The sum, to a hundredth of a cent."""
        return sum((part.usd for part in self.parts), Decimal(0)).quantize(Decimal("0.0001"))

    def __float__(self) -> float:
        return float(self.usd)


def usd_month(data: dict[str, Any]) -> Price:
    """Give what the formula asks a month for a whole document."""
    amounts: dict[str, Decimal] = {}
    for service, deployed, _ in placed(data):
        for name, amount in _amounts(data, service, deployed):
            amounts[name] = amounts.get(name, Decimal(0)) + amount
    ips = {to["ip"] for to in _targets(data) if to.get("ip")}
    if ips:
        amounts["ip"] = Decimal(len(ips))
    return Price(tuple(Part(name, amounts[name], amounts[name] * RATES[name]) for name in RATES if amounts.get(name)))


def ceiling_uact(usd: float | Decimal | str) -> Decimal:
    """Give the uact a block that a monthly budget in USD allows, rounded down to a millionth."""
    exact = Decimal(str(usd)) * UACT_PER_USD / BLOCKS_PER_MONTH
    return exact.quantize(Decimal("0.000001"), ROUND_DOWN)


def ceiling_usd_month(data: dict[str, Any]) -> Decimal:
    """Give the most that a document's own ceilings let be charged in a month, in USD (1 ACT counts as 1 USD)."""
    total = Decimal(0)
    for _, deployed, placement in placed(data):
        price = data["profiles"]["placement"][placement]["pricing"][deployed["profile"]]
        total += Decimal(quantity.text(price["amount"])) * int(deployed["count"])
    return (total * BLOCKS_PER_MONTH / UACT_PER_USD).quantize(_CENT)


def ceilings(data: dict[str, Any], usd: float | Decimal | str) -> dict[tuple[str, str], Decimal]:
    """Share a monthly budget out: the uact a block and replica, by placement and compute profile, as the formula weighs."""
    weights: dict[tuple[str, str], Decimal] = {}
    counts: dict[tuple[str, str], int] = {}
    for service, deployed, placement in placed(data):
        key = (placement, deployed["profile"])
        cost = sum((amount * RATES[name] for name, amount in _amounts(data, service, deployed)), Decimal(0))
        cost += RATES["ip"] * len({to["ip"] for to in _targets(data, service) if to.get("ip")})
        weights[key] = weights.get(key, Decimal(0)) + cost
        counts[key] = counts.get(key, 0) + int(deployed["count"])
    whole, total = ceiling_uact(usd), sum(weights.values(), Decimal(0))
    return {
        key: (whole * weight / total / counts[key]).quantize(Decimal("0.000001"), ROUND_DOWN)
        for key, weight in weights.items()
    }


def placed(data: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Give each service with its deployed profile and count, and its placement."""
    for service, placements in sorted(data["deployment"].items()):
        for placement, deployed in placements.items():
            yield service, deployed, placement


def _targets(data: dict[str, Any], only: str | None = None) -> Iterator[dict[str, Any]]:
    for name, service in data["services"].items():
        if only in {None, name}:
            for expose in service.get("expose") or ():
                yield from expose.get("to") or ()


def _amounts(data: dict[str, Any], service: str, deployed: dict[str, Any]) -> Iterator[tuple[str, Decimal]]:
    resources = data["profiles"]["compute"][deployed["profile"]]["resources"]
    count = int(deployed["count"])
    yield "cpu", _decimal(quantity.millicpu(resources["cpu"]["units"])) / 1000 * count
    yield "memory", _gib(resources["memory"]["size"]) * count
    for volume in volumes(resources):
        attributes = volume.get("attributes") or {}
        kind = attributes.get("class") or "ephemeral"
        yield _CHARGED_AS.get(kind, kind), _gib(volume["size"]) * count
    yield "gpu", Decimal(int((resources.get("gpu") or {}).get("units") or 0)) * count
    yield "endpoint", Decimal(sum(1 for to in _targets(data, service) if to.get("global")))


def _decimal(amount: Any) -> Decimal:
    return Decimal(amount.numerator) / Decimal(amount.denominator)


def _gib(size: str) -> Decimal:
    return _decimal(quantity.size(size)) / quantity.GIB
