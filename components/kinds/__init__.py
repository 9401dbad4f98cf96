"""The table of kinds: the KIND of each folder's module `kind`. A project adds its own to the registry."""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING, Any

from ..kind import State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..kind import Kind


def kinds() -> Mapping[str, Kind[Any]]:
    """Return the kinds of this package by name, those first with which least is lost."""
    names = [found.name for found in pkgutil.iter_modules(__path__) if found.ispkg]
    found: list[Kind[Any]] = [importlib.import_module(f".{name}.kind", __package__).KIND for name in names]
    return {kind.name: kind for kind in sorted(found, key=lambda kind: ([*State].index(kind.state), kind.name))}
