"""What a document costs a month, the price ceiling for a budget, and the most that a ceiling lets providers charge.

The formula is the default price script of Akash providers (helm-charts `price_script_generic.sh`); each may differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from typing import TYPE_CHECKING, Any

from . import quantity
from .groups import groups
from .resources import LEASED_IP, placements

if TYPE_CHECKING:
    from collections.abc import Iterator

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
#: The class `default` is any disk that a provider has, so it is counted at the highest price.
_CHARGED_AS = {"default": "beta3"}
_CENT, _MILLIONTH = Decimal("0.01"), Decimal("0.000001")


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


def usd_month(data: dict[str, Any], made: list[dict[str, Any]] | None = None) -> Price:
    """Return the formula's monthly price of a whole document; `made` are its groups where they are known."""
    amounts: dict[str, Decimal] = {}
    for _, unit in _units(data, made):
        for name, amount in _amounts(unit):
            amounts[name] = amounts.get(name, Decimal(0)) + amount
    return Price(tuple(Part(name, amounts[name], amounts[name] * RATES[name]) for name in RATES if amounts.get(name)))


def ceiling_uact(usd: float | Decimal | str) -> Decimal:
    """Return the uact per block that a monthly budget in USD allows, rounded down to a millionth."""
    exact = Decimal(str(usd)) * UACT_PER_USD / BLOCKS_PER_MONTH
    return exact.quantize(_MILLIONTH, ROUND_DOWN)


def ceiling_usd_month(data: dict[str, Any], made: list[dict[str, Any]] | None = None) -> Decimal:
    """Return the most that a document's own ceilings allow in a month, in USD (1 ACT counts as 1 USD)."""
    total = sum((Decimal(unit["price"]["amount"]) * unit["count"] for _, unit in _units(data, made)), Decimal(0))
    return (total * BLOCKS_PER_MONTH / UACT_PER_USD).quantize(_CENT)


def ceilings(data: dict[str, Any], usd: float | Decimal | str) -> dict[tuple[str, str], Decimal]:
    """Distribute a monthly budget by the formula's weights: uact per block and replica, by placement and profile."""
    weights = [
        (placement, unit["count"], sum((amount * RATES[name] for name, amount in _amounts(unit)), Decimal(0)))
        for placement, unit in _units(data)
    ]
    whole, total = ceiling_uact(usd), sum((weight for *_, weight in weights), Decimal(0))
    return {
        (placement, profile): (whole * weight / total / count).quantize(_MILLIONTH, ROUND_DOWN)
        for (placement, count, weight), profile in zip(weights, _profiles(data), strict=True)
    }


def _units(data: dict[str, Any], made: list[dict[str, Any]] | None = None) -> Iterator[tuple[str, dict[str, Any]]]:
    for group in groups(data, "go") if made is None else made:
        for unit in group["resources"]:
            yield group["name"], unit


def _profiles(data: dict[str, Any]) -> Iterator[str]:
    for _, placed in placements(data):
        yield from dict.fromkeys(profile for _, profile, *_ in placed)


def _amounts(unit: dict[str, Any]) -> Iterator[tuple[str, Decimal]]:
    resource, count = unit["resource"], unit["count"]
    yield "cpu", Decimal(resource["cpu"]["units"]["val"]) / 1000 * count
    yield "memory", _gib(resource["memory"]) * count
    for volume in resource["storage"]:
        attributes = {each["key"]: each["value"] for each in volume.get("attributes", ())}
        kind = attributes["class"] if attributes.get("persistent") == "true" else "ephemeral"
        yield _CHARGED_AS.get(kind, kind), _gib(volume) * count
    yield "gpu", Decimal(resource["gpu"]["units"]["val"]) * count
    # As in the script, endpoints and addresses count once for a compute profile, for any number of replicas.
    yield "endpoint", Decimal(len(resource["endpoints"]))
    leased = {each["sequence_number"] for each in resource["endpoints"] if each.get("kind") == LEASED_IP}
    yield "ip", Decimal(len(leased))


def _gib(holder: dict[str, Any]) -> Decimal:
    return Decimal(holder["size"]["val"]) / quantity.GIB
