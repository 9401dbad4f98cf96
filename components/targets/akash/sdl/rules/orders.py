"""The rules on prices, placements and notice: what parser and chain require of an order."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from .. import quantity
from .rule import By, Finding, Path, Rules, View

if TYPE_CHECKING:
    from collections.abc import Iterator

rules = Rules()

PRICE = 10_000_000
COUNT, GROUPS = 50, 20
#: chain-sdk go/node/types/attributes/v1/attribute.go: names of a placement's attributes and of those made of a GPU.
ATTRIBUTE = re.compile(r"[a-zA-Z][\w/.\-]{1,126}[\w*]?", re.ASCII)
_UNITS = {"s": 1, "m": 60, "h": 3600}
WINDOW = (3600, 720 * 3600)


def seconds(window: str) -> int:
    """Return the seconds of a window such as `24h`."""
    return int(window[:-1][:20]) * _UNITS[window[-1]]


def _prices(view: View) -> Iterator[tuple[Path, dict[str, Any]]]:
    for where, infra in view.placement.items():
        for profile, price in (infra.get("pricing") or {}).items():
            yield ("profiles", "placement", where, "pricing", profile), price


@rules.error("price-zero", By.PARSER, "A price ceiling is more than nothing.", "Write the most that you would pay.")
def _price_zero(view: View) -> Iterator[Finding]:
    for path, price in _prices(view):
        if "amount" in price and not Decimal(quantity.text(price["amount"])):
            yield Finding((*path, "amount"), "a ceiling of nothing gets no bid; write what you would pay a block")


@rules.error("price-limit", By.CHAIN, "A price ceiling is at most 10,000,000 a block.", "Lower it.")
def _price_limit(view: View) -> Iterator[Finding]:
    for path, price in _prices(view):
        if "amount" in price and Decimal(quantity.text(price["amount"])) > PRICE:
            yield Finding((*path, "amount"), f"is more than {PRICE:,} a block")


@rules.error(
    "denom-mixed",
    By.CHAIN,
    "All prices of a document are in one denomination.",
    "Write uact everywhere. Console does that itself, the chain refuses the order.",
)
def _denom_mixed(view: View) -> Iterator[Finding]:
    # chain-sdk go/node/deployment/v1beta4/group_validation.go: over all groups of a deployment.
    used = [(each.infra.get("pricing") or {}).get(each.profile) or {} for each in view.placed]
    denoms = {price["denom"] for price in used if "denom" in price}
    if len(denoms) > 1:
        yield Finding(("profiles", "placement"), f"prices mix {' and '.join(sorted(denoms))}; write uact everywhere")


@rules.error(
    "attribute-name",
    By.CHAIN,
    "An attribute's name is 2 to 128 of a-z, A-Z, 0-9, _ / . and -, beginning with a letter.",
    "Correct it.",
)
def _attribute_name(view: View) -> Iterator[Finding]:
    for where, infra in view.placement.items():
        for key in infra.get("attributes") or {}:
            if not ATTRIBUTE.fullmatch(key):
                yield Finding(("profiles", "placement", where, "attributes", key), "is not a name for an attribute")


@rules.error("reclamation-window", By.CHAIN, "`min_window` is 1 h to 720 h.", "Choose a time between, such as 24h.")
def _reclamation_window(view: View) -> Iterator[Finding]:
    written = (view.data.get("reclamation") or {}).get("min_window")
    if written and not WINDOW[0] <= seconds(written) <= WINDOW[1]:
        yield Finding(("reclamation", "min_window"), f"{written[:40]} is outside 1h to 720h")


@rules.error("group-name", By.CHAIN, "A placement has a name.", "Name it.")
def _group_name(view: View) -> Iterator[Finding]:
    if "" in view.placement:
        yield Finding(("profiles", "placement", ""), "a placement needs a name")


@rules.warning(
    "many-replicas",
    "A service has at most 50 replicas, a document at most 20 placements.",
    "Ask for less: the limits are declared, and may be enforced any day.",
)
def _many_replicas(view: View) -> Iterator[Finding]:
    for each in view.placed:
        if (each.deployed.get("count") or 0) > COUNT:
            yield Finding((*each.path, "count"), f"more than {COUNT} replicas")
    if len({each.placement for each in view.placed}) > GROUPS:
        yield Finding(("deployment",), f"more than {GROUPS} placements")
