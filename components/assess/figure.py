"""A figure with its derivation: what it is, how it was computed, from what, and where that was read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Basis(StrEnum):
    """How well a figure is known, best first. An assumption never outranks an estimate."""

    STATED = "stated"
    MEASURED = "measured"
    ESTIMATED = "estimated"
    ASSUMED = "assumed"
    UNKNOWN = "unknown"


USD_MONTH = "USD/month"
HOURS = "h"
HOURS_YEAR = "h/year"


@dataclass(frozen=True, slots=True)
class Figure:
    """A value with its unit, the formula in words, its inputs, and for a leaf the source."""

    label: str
    value: float
    unit: str
    formula: str = ""
    inputs: tuple[Figure, ...] = ()
    source: str = ""
    basis: Basis = Basis.ESTIMATED
    #: the source is unverified or older than it may be
    stale: bool = False

    def leaves(self) -> Iterator[Figure]:
        """Yield every figure at the end of the derivation: what was stated, read or assumed."""
        if not self.inputs:
            yield self
        for one in self.inputs:
            yield from one.leaves()

    def rests_on_stale(self) -> bool:
        """Return whether any input is stale."""
        return self.stale or any(one.rests_on_stale() for one in self.inputs)

    def stale_lines(self) -> Iterator[tuple[str, float]]:
        """Yield each stale source with the part of this figure that rests on it directly."""
        for one in self.inputs:
            if one.stale and not one.inputs:
                yield one.source, self.value
            else:
                yield from one.stale_lines()
        if self.stale and not self.inputs:
            yield self.source, self.value


def total(label: str, inputs: Iterable[Figure], unit: str = USD_MONTH) -> Figure:
    """Return the sum of figures of one unit; it is as well known as its least known term."""
    parts = tuple(inputs)
    order = list(Basis)
    worst = max((part.basis for part in parts), key=order.index, default=Basis.ESTIMATED)
    value = round(sum(part.value for part in parts), 6)
    return Figure(
        label, value, unit, "" if len(parts) == 1 else "sum" if parts else "nothing adds to it", parts, basis=worst
    )


def given(label: str, value: float, unit: str, source: str, basis: Basis = Basis.STATED) -> Figure:
    """Return the leaf of a derivation: a number that was stated, or an assumption marked as one."""
    return Figure(label, value, unit, source=source, basis=basis)


@dataclass(frozen=True, slots=True)
class Span:
    """A range with its derivation, for what cannot be known exactly."""

    label: str
    low: Figure
    high: Figure

    @property
    def middle(self) -> float:
        """The arithmetic middle, for sorting and drawing only."""
        return (self.low.value + self.high.value) / 2


def span(label: str, parts: Iterable[Span], unit: str) -> Span:
    """Return the sum of ranges: low with low, high with high."""
    spans = tuple(parts)
    return Span(
        label,
        total(f"{label}, low", (one.low for one in spans), unit),
        total(f"{label}, high", (one.high for one in spans), unit),
    )
