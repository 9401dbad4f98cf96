"""The table of authorities: each folder here is one, and its AUTHORITY speaks for it."""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..authority import Authority


def authorities() -> Mapping[str, Authority]:
    """Return the authorities of this package by name."""
    found = (
        importlib.import_module(f".{folder.name}", __package__).AUTHORITY for folder in pkgutil.iter_modules(__path__)
    )
    return {authority.name: authority for authority in found}
