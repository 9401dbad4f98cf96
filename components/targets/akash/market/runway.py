"""How long leases are paid for: from their escrow, their price, and the account's balance. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from .observed import RUNNING, usd_month

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .observed import Standing

#: The length in days of a month in prices.
DAYS_PER_MONTH = Decimal("30.437")


def days(standing: Iterable[Standing], balance_usd: Decimal) -> dict[str, float]:
    """Return the days for which leases are paid, by deployment number; none for those without price or escrow.

    Leases that are topped up share the account's balance, and all of them end when it is spent. The others have their
    own escrow, and end with it. An escrow is known up to its provider's last withdrawal (at most a day ago).
    """
    known = [
        (each, escrow, rate) for each in standing if (escrow := each.escrow_usd) is not None and (rate := _day(each))
    ]
    shared = [(escrow, rate) for each, escrow, rate in known if each.topped_up]
    pool = balance_usd + sum((escrow for escrow, _ in shared), Decimal())
    together = pool / sum((rate for _, rate in shared), Decimal()) if shared else Decimal()
    return {
        each.deployment.id: round(float(together if each.topped_up else escrow / rate), 1)
        for each, escrow, rate in known
    }


def _day(each: Standing) -> Decimal:
    """Return what a lease costs a day, in USD; 0 if it does not run."""
    if each.lease is None or each.lease.state not in RUNNING:
        return Decimal()
    return usd_month(each.lease.price) / DAYS_PER_MONTH
