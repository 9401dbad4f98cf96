"""The table of authorities: each folder with an AUTHORITY, and the PROGRAMS that it brings."""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..authority import Authority
    from ..steps import Program


def authorities() -> Mapping[str, Authority]:
    """Return the authorities of this package by name, beginning with the DEFAULT of stack files that name none."""
    found = sorted(_folders(), key=lambda folder: not getattr(folder, "DEFAULT", False))
    return {folder.AUTHORITY.name: folder.AUTHORITY for folder in found}


def programs() -> Mapping[str, Program]:
    """Return the programs that authorities run during a deployment, by name."""
    return {name: program for folder in _folders() for name, program in folder.PROGRAMS.items()}


def _folders() -> list[Any]:
    names = [found.name for found in pkgutil.iter_modules(__path__) if found.ispkg]
    folders = [importlib.import_module(f".{name}", __package__) for name in names]
    return [folder for folder in folders if hasattr(folder, "AUTHORITY")]
