"""Which bid to take, and why the others are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .observed import dollars, usd_month

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from .observed import Bid, Observed
    from .request import Request

#: Reasons to refuse a bid; the first that applies counts. Each has its words and its test. Reported from last to first.
REFUSALS: tuple[tuple[str, Callable[[Request, Observed, Bid], bool]], ...] = (
    ("no longer open", lambda _, __, bid: bid.state != "open"),
    ("not priced in uact", lambda _, __, bid: bid.denom != "uact"),
    ("from a provider to avoid", lambda want, _, bid: bid.provider in want.avoid),
    ("from the provider of a deployment to be apart from", lambda _, seen, bid: bid.provider in seen.neighbours),
    ("from the provider of a deployment without a known name", lambda _, seen, bid: bid.provider in seen.strangers),
    ("from the organization of a provider to avoid", lambda _, seen, bid: bid.organization in seen.organizations),
    ("from a provider where another deployment has its names", lambda _, seen, bid: bid.provider in seen.taken),
    ("from a provider that did not answer", lambda _, seen, bid: bid.provider in seen.since.shunned),
    ("over the ceiling of {ceiling} (lowest {lowest})", lambda want, _, bid: bid.price > want.ceiling),
)


def refusal(want: Request, seen: Observed, bid: Bid) -> str:
    """Return why a bid is refused; empty if it is acceptable."""
    return next((words for words, holds in REFUSALS if holds(want, seen, bid)), "")


def cheapest(want: Request, seen: Observed) -> Bid | None:
    """Return the cheapest acceptable bid, in another region than the providers to avoid if there is one.

    The choice between equal bids is deterministic.
    """
    good = [bid for bid in seen.bids if not refusal(want, seen, bid)]
    return min(good, key=lambda bid: (bid.region in seen.regions, bid.price, bid.provider), default=None)


def none_will_do(want: Request, seen: Observed, deployment: str) -> str:
    """Return one sentence on why no bid was taken: each rule with the number of bids it refused, in order."""
    if not seen.bids:
        return f"akash: no provider bid on deployment {deployment}, with a ceiling of {dollars(want.ceiling)}"
    refused: dict[str, list[Decimal]] = {words: [] for words, _ in reversed(REFUSALS)}
    for bid in seen.bids:
        refused[refusal(want, seen, bid)].append(bid.price)
    counted = [f"{len(prices)} {_filled(words, want, min(prices))}" for words, prices in refused.items() if prices]
    bids = "1 bid" if len(seen.bids) == 1 else f"{len(seen.bids)} bids"
    return f"akash: none of {bids} on deployment {deployment} will do: {', '.join(counted)}"


def _filled(words: str, want: Request, lowest: Decimal) -> str:
    return words.format(ceiling=dollars(want.ceiling), lowest=f"${usd_month(lowest):.2f}")
