"""All rules, by name, in the order in which they are written down."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .rule import Rule

RULES: dict[str, Rule] = {}
