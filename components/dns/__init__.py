"""The table of authorities: a folder that has an AUTHORITY is one, with the PROGRAMS that it brings."""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..authority import Authority
    from ..steps import Program


#: The authority of a stack file that names none. Folders that are added do not change it.
DEFAULT = "route53"


def authorities() -> Mapping[str, Authority]:
    """Return the authorities of this package by name, the default one first."""
    found = sorted((folder.AUTHORITY for folder in _folders()), key=lambda authority: authority.name != DEFAULT)
    return {authority.name: authority for authority in found}


def programs() -> Mapping[str, Program]:
    """Return the programs that authorities run during a deployment, by name."""
    return {name: program for folder in _folders() for name, program in folder.PROGRAMS.items()}


def _folders() -> list[Any]:
    names = [found.name for found in pkgutil.iter_modules(__path__) if found.ispkg]
    folders = [importlib.import_module(f".{name}", __package__) for name in names]
    return [folder for folder in folders if hasattr(folder, "AUTHORITY")]
