"""Who could bid on a document, asked before anything is paid, and which demand excludes which providers."""

from __future__ import annotations

import copy
import os
from math import ceil
from typing import TYPE_CHECKING, Any

from ...errors import ConfigError, MarketError
from ...limits import SCREENING_S as _WITHIN_S
from ...provider.wire import holds_unknown
from ...text.escape import outside
from . import KEY_VARIABLE
from .market.observed import dollars
from .sdl import manifest as manifests
from .sdl import price
from .sdl.rules.orders import seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ...provider.resource import Context
    from .market.reconcile import Clock
    from .market.request import Request
    from .rails.rail import Rail


def body(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document as `POST /v1/bid-screening` takes it (Console `bid-screening.schema.ts`): whole amounts."""
    (group,) = manifests.groups(document)
    needs = group["requirements"]
    signed = needs.get("signed_by") or {}
    window = (document.get("reclamation") or {}).get("min_window")
    return {
        "requirements": {
            "signedBy": {"allOf": signed.get("all_of") or [], "anyOf": signed.get("any_of") or []},
            "attributes": needs.get("attributes") or [],
        },
        "resources": [
            {**unit, "price": {**unit["price"], "amount": str(ceil(float(unit["price"]["amount"])))}}
            for unit in group["resources"]
        ],
        "timezone": "UTC",
        **({"reclamationWindow": seconds(window)} if window else {}),
    }


def without(asked: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the same question with each demand removed in turn, and the demand in words."""

    def less(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        made = copy.deepcopy(asked)
        change(made)
        return made

    if "reclamationWindow" in asked:
        yield f"notice of {asked['reclamationWindow']} s", less(lambda each: each.pop("reclamationWindow"))
    signed = asked["requirements"]["signedBy"]
    if signed["allOf"] or signed["anyOf"]:
        yield "an auditor's signature", less(lambda each: each["requirements"].pop("signedBy"))
    for index, attribute in enumerate(asked["requirements"]["attributes"]):
        fewer = less(lambda _: None)
        del fewer["requirements"]["attributes"][index]
        yield f"the attribute {attribute['key']}={attribute['value']}", fewer
    units = asked["resources"]
    if any(_addresses(unit) for unit in units):
        yield "a leased address", less(_without_addresses)
    if any(_persistent(volume) for unit in units for volume in unit["resource"]["storage"]):
        yield "a persistent volume", less(_without_volumes)


def _addresses(unit: dict[str, Any]) -> list[Any]:
    return [each for each in unit["resource"].get("endpoints") or [] if each.get("kind") in ("LEASED_IP", 2)]


def _persistent(volume: dict[str, Any]) -> bool:
    return any(each["key"] == "persistent" and each["value"] == "true" for each in volume.get("attributes") or [])


def _without_addresses(asked: dict[str, Any]) -> None:
    for unit in asked["resources"]:
        kept = [each for each in unit["resource"].get("endpoints") or [] if each not in _addresses(unit)]
        unit["resource"]["endpoints"] = kept


def _without_volumes(asked: dict[str, Any]) -> None:
    for unit in asked["resources"]:
        storage = unit["resource"]["storage"]
        unit["resource"]["storage"] = [each for each in storage if not _persistent(each)]


def why_nobody_bids(rail: Rail, want: Request) -> str:
    """Return how many providers each demand of a document excludes; empty if the market cannot be asked."""
    ask = getattr(rail, "screen", None)
    if ask is None:
        return ""
    try:
        asked = body(want.data)
        able = owners(ask(asked, _WITHIN_S))
        if able:
            return f"{len(able)} providers could take it; with a ceiling of {dollars(want.ceiling)} none of them bids."
        gains = [(words, owners(ask(less, _WITHIN_S))) for words, less in without(asked)]
    except (MarketError, KeyError, ValueError):
        return ""
    gained = [f"without {words} {len(found)} could bid" for words, found in gains if found]
    return f"No provider can take it as it is: {'; '.join(gained) or 'each demand alone excludes all of them'}."


def owners(providers: list[dict[str, Any]]) -> set[str]:
    """Return the providers of an answer, each once."""
    return {outside(each.get("owner"), 80) for each in providers}


def screened(
    inputs: dict[str, Any], ctx: Context, rail: Callable[[Clock], Rail], clock: Callable[[Context], Clock]
) -> None:
    """Show in a preview who could bid, or that this is not known; only where a key is set."""
    if not os.environ.get(KEY_VARIABLE) or inputs.get("screening") is False or holds_unknown(inputs["sdl"]):
        return
    try:
        with rail(clock(ctx)) as market:
            ask = getattr(market, "screen", None)
            if ask is None:
                return
            found = ask(body(inputs["sdl"]), _WITHIN_S)
    except (MarketError, ConfigError, KeyError, ValueError, TypeError):
        ctx.log("info", "candidates: not known")
        return
    regions = sorted({outside(each.get("location") or "unknown", 40) for each in found})
    where = f" in {', '.join(regions)}" if regions else ""
    asked, most = price.usd_month(inputs["sdl"]), price.ceiling_usd_month(inputs["sdl"])
    money = f"by the providers' list it costs ${float(asked):.2f} a month, and at most ${most:.2f}"
    ctx.log("info", f"candidates: {len(owners(found))} providers could bid{where}; {money}")
