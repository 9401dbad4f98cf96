"""All rules, by name, in the order of their definition."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import advice, drift, exposure, form, money, orders, references, resources

if TYPE_CHECKING:
    from .rule import Rule

_MODULES = (form, references, exposure, resources, orders, advice, money, drift)
RULES: dict[str, Rule] = {rule.name: rule for module in _MODULES for rule in module.rules.all}
