"""The rules on the price ceiling of a document without other faults."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .rule import Finding, Rules, View

if TYPE_CHECKING:
    from collections.abc import Iterator

rules = Rules()

#: Providers compete, so a ceiling of more than this many times the formula price is a mistake.
TIMES = 3


@rules.warning(
    "ceiling-over-budget",
    "The price ceiling keeps to the budget; without one, to three times the formula price.",
    "Lower the amounts: uact a block = USD a month x 1,000,000 / 429,909.",
    sound=True,
)
def _ceiling_over_budget(view: View) -> Iterator[Finding]:
    ceiling, formula, budget = view.ceiling_usd, view.formula_usd, view.budget_usd_month
    if budget is not None and float(ceiling) > budget:
        message = f"the ceiling lets ${ceiling:,} a month be charged, over the budget of ${budget:,.2f}"
        yield Finding(("profiles", "placement"), message)
    elif budget is None and ceiling > formula * TIMES:
        message = f"the ceiling lets ${ceiling:,} a month be charged; the formula price is ${formula:,.2f}"
        yield Finding(("profiles", "placement"), message)


@rules.warning(
    "ceiling-too-low",
    "The price ceiling reaches the formula price.",
    "Raise the amounts, or ask for less: providers decline what is below their price.",
    sound=True,
)
def _ceiling_too_low(view: View) -> Iterator[Finding]:
    ceiling, formula = view.ceiling_usd, view.formula_usd
    if ceiling < round(formula, 2):
        message = f"the ceiling allows ${ceiling:,} a month and the formula price is ${formula:,.2f}: expect no bids"
        yield Finding(("profiles", "placement"), message)
