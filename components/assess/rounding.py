"""How estimates are rounded: to the two digits that they deserve, in every text."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

#: From which size on a number shows how many digits behind the point.
_DIGITS = ((10, 0), (1, 1), (0, 2))


def number(value: float) -> str:
    """Write a number with at most two digits that matter behind the point."""
    digits = next(digits for least, digits in _DIGITS if abs(value) >= least)
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def rough(value: float) -> float:
    """Round an estimate to the two digits that it deserves."""
    if not value:
        return 0.0
    places = 1 - math.floor(math.log10(abs(value)))
    return round(value, places)


def between(span: Sequence[float]) -> str:
    """Write a range of estimates: `0.6 to 6.2`, or one number where both ends are the same."""
    low, high = (number(rough(end)) for end in span)
    return low if low == high else f"{low} to {high}"
