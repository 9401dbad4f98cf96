"""What the annotations of the model can demand of a value, beyond its type."""

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
    """A text's regular expression, and the words for it."""

    regex: str
    choose: str


@dataclass(frozen=True)
class Length:
    """A text's smallest number of characters."""

    low: int


@dataclass(frozen=True)
class Nullable:
    """An empty value (null) is allowed and means the same as leaving the field out."""


@dataclass(frozen=True)
class OneOrMany:
    """A single item may stand for a list of one."""


@dataclass(frozen=True)
class Filled:
    """A list must not be empty."""
