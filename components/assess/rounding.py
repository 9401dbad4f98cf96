"""Rounding of estimates, to their two significant digits, in every text."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

#: The size from which a number has this many decimals.
_DIGITS = ((10, 0), (1, 1), (0, 2))


def number(value: float) -> str:
    """Return a number with at most two significant digits after the point."""
    digits = next(digits for least, digits in _DIGITS if abs(value) >= least)
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def rough(value: float) -> float:
    """Round an estimate to its two significant digits."""
    if not value:
        return 0.0
    places = 1 - math.floor(math.log10(abs(value)))
    return round(value, places)


def between(span: Sequence[float]) -> str:
    """Return a range of estimates: `0.6 to 6.2`, or one number if both ends are the same."""
    low, high = (number(rough(end)) for end in span)
    return low if low == high else f"{low} to {high}"
