"""Amounts as SDL writes them, and the integers that the network stores."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any

_CPU = re.compile(r"([0-9]+(?:\.[0-9]+)?)(m?)")
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)([a-zA-Z]+)")
_SUFFIXES = {"k": 1000, "M": 1000**2, "G": 1000**3, "T": 1000**4, "P": 1000**5, "E": 1000**6}
_SUFFIXES |= {f"{letter.upper()}i": 1024**power for power, letter in enumerate("kmgtpe", 1)}
_EXACT = {amount: suffix for suffix, amount in _SUFFIXES.items()}
_POWERS = {letter: power for power, letter in enumerate("kmgtpe", 1)}

GIB = 1024**3


def millicpu(units: Any) -> Fraction | None:
    """Return the exact thousandths of a processor in `units` (`500m`, `0.5`, 1); None if it is no such amount."""
    return _millicpu(units if isinstance(units, str) else text(units))


@lru_cache
def _millicpu(written: str) -> Fraction | None:
    found = _CPU.fullmatch(written)
    return Fraction(found[1]) * (1 if found[2] else 1000) if found else None


@lru_cache
def size(written: str) -> Fraction | None:
    """Return the exact bytes in `512Mi` or `1.5G`; None if it is no size with a suffix.

    It is read as Console does, which accepts `1gi` and `15Gb` too (chain-sdk ts/src/sdl/sizes.ts): the first letter is
    the power, and the base is 1024 only where a single i follows. The Go tools accept the exact suffixes only.
    """
    found = _SIZE.fullmatch(written)
    unit = found and _unit(found[2])
    return Fraction(found[1]) * unit if found and unit else None


def _unit(suffix: str) -> int | None:
    if suffix in _SUFFIXES:
        return _SUFFIXES[suffix]
    power = _POWERS.get(suffix[0].lower())
    return power and (1024 if suffix[1:].lower() == "i" else 1000) ** power


def exact(written: str) -> str:
    """Return a size with the suffix that every tool reads, if it has one: `1gi` is 1Gi, and `15Gb` is 15G."""
    found = _SIZE.fullmatch(written)
    unit = found and _unit(found[2])
    return f"{found[1]}{_EXACT[unit]}" if found and unit else written


def whole(amount: Fraction | int | None) -> int:
    """Round up, as the official tools do; None is 0."""
    return -int(-(amount or 0) // 1)


def thousandths(units: Any) -> int:
    """Return the whole thousandths of a processor of an amount that a check has accepted."""
    return _thousandths(units if isinstance(units, str) else text(units))


@lru_cache
def _thousandths(written: str) -> int:
    return whole(_millicpu(written))


@lru_cache
def count(written: str) -> int:
    """Return the whole bytes of a size that a check has accepted."""
    return whole(size(written))


def text(value: Any) -> str:
    """Return a scalar as JavaScript's String() writes it: the network's tools keep attributes and amounts as text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if value.is_integer() and abs(value) < 1e21:
            return str(int(value))
        if value == value and abs(value) != float("inf"):  # noqa: PLR0124 only NaN differs from itself
            return format(Decimal(repr(value)), "f")
    return str(value)
