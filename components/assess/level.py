"""NIST SP 800-30's five levels and its matrix (Table I-2): likelihood and impact in, risk out."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Level(StrEnum):
    """One of the five levels of NIST SP 800-30."""

    VERY_LOW = "very-low"
    LOW = "low"
    MODERATE = "moderate"
    HIGH = "high"
    VERY_HIGH = "very-high"

    @property
    def rank(self) -> int:
        """0 for very low to 4 for very high."""
        return _ORDER.index(self)

    def raised(self, steps: int = 1) -> Level:
        """Return the level `steps` higher (or lower), within the scale."""
        return _ORDER[min(max(self.rank + steps, 0), len(_ORDER) - 1)]


_ORDER = tuple(Level)
_VL, _L, _M, _H, _VH = _ORDER

#: Table I-2: a row for each likelihood, a column for each impact.
MATRIX: Mapping[Level, tuple[Level, ...]] = {
    _VH: (_VL, _L, _M, _H, _VH),
    _H: (_VL, _L, _M, _H, _VH),
    _M: (_VL, _L, _M, _M, _H),
    _L: (_VL, _L, _L, _L, _M),
    _VL: (_VL, _VL, _VL, _L, _L),
}

#: Likelihood by points. The levels are NIST's; the points and these bounds are ours.
LIKELIHOOD = ((15, _VL), (30, _L), (50, _M), (75, _H))


def likelihood(points: float) -> Level:
    """Return the level of a number of points."""
    return next((level for bound, level in LIKELIHOOD if points < bound), _VH)


def risk(likely: Level, impact: Level) -> Level:
    """Return the risk from the matrix."""
    return MATRIX[likely][impact.rank]


class Grade(StrEnum):
    """The three grades that a vote needs."""

    LOW = "Low"
    MEDIUM = "Medium"
    HIGH = "High"


GRADES: Mapping[Level, Grade] = {
    _VL: Grade.LOW,
    _L: Grade.LOW,
    _M: Grade.MEDIUM,
    _H: Grade.HIGH,
    _VH: Grade.HIGH,
}


#: A rating this near to a bound, in points, is shown with the grade beyond the bound.
NEAR = 3.0


def nearly(points: float, impact: Level) -> tuple[float, Grade] | None:
    """Return the nearest bound that decides the grade, with the grade beyond it; None if none is near."""
    here = GRADES[risk(likelihood(points), impact)]
    for bound, _ in sorted(LIKELIHOOD, key=lambda row: abs(row[0] - points)):
        if abs(bound - points) > NEAR:
            return None
        other = GRADES[risk(likelihood(bound if points < bound else bound - 0.001), impact)]
        if other is not here:
            return bound, other
    return None
