"""What the annotations of the model can require of a value beyond its type."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Between:
    """A number's smallest and largest value."""

    low: float
    high: float | None = None
    rule: str = "not-allowed"


@dataclass(frozen=True)
class Above:
    """A number must be greater than this."""

    low: float


@dataclass(frozen=True)
class Pattern:
    """A text's regular expression, with a description of it."""

    regex: str
    choose: str


@dataclass(frozen=True)
class Length:
    """A text's smallest number of characters."""

    low: int


@dataclass(frozen=True)
class Nullable:
    """A field may be null, which means the same as leaving it out."""


@dataclass(frozen=True)
class OneOrMany:
    """A single item may stand for a list of one."""


@dataclass(frozen=True)
class Filled:
    """A list must not be empty."""
