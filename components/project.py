"""Where a project is, and what belongs to it: its stack files and its own registry."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

from .authority import ReadsZone
from .dns import authorities
from .errors import ConfigError
from .kinds import kinds
from .registry import Registry
from .targets import TARGETS

#: The file in which a project defines its registry, and the registry's name there.
FILE, NAME = "project.py", "REGISTRY"


def builtin() -> Registry:
    """Return the kinds, targets and authorities of this library; extend it by `with_`."""
    return Registry(kinds(), TARGETS, authorities())


def root(start: Path | None = None) -> Path:
    """Return the project's folder: the nearest one upwards from `start` that holds Pulumi.yaml, else `start` itself."""
    here = (start or Path.cwd()).resolve()
    return next((folder for folder in (here, *here.parents) if (folder / "Pulumi.yaml").exists()), here)


def bare(stack: str) -> str:
    """Return a stack's name without the organisation and project that Pulumi takes before it; a path stays."""
    return stack if stack.endswith((".yaml", ".yml")) else stack.rpartition("/")[2]


def stack_file(stack: str) -> Path:
    """Return the stack file for a stack's name in the project, or the path itself where one is given."""
    name = bare(stack)
    if name.endswith((".yaml", ".yml")):
        return Path(name)
    path = root() / "stacks" / f"Pulumi.{name}.yaml"
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def stack_name(path: Path) -> str:
    """Return the name of the stack that a stack file belongs to."""
    return path.stem.removeprefix("Pulumi.")


def registry(folder: Path | None = None) -> Registry:
    """Return REGISTRY of the project's project.py, or the built-in registry where there is no such file.

    Raises ConfigError when project.py cannot be imported or names no registry.
    """
    path = (folder or root()) / FILE
    if not path.exists():
        return builtin()
    found = getattr(_module(path), NAME, None)
    if not isinstance(found, Registry):
        raise ConfigError(f"{path}: has no {NAME}; write `{NAME} = builtin().with_(…)`, see docs/kinds.md")
    return found


def zone_readers() -> list[ReadsZone | None]:
    """Return the project's authorities, with None in place of each that does not show every record of a zone.

    Raises ConfigError as `registry` does.
    """
    return [each if isinstance(each, ReadsZone) else None for each in registry().authorities.values()]


def _module(path: Path) -> Any:
    """Import a project's file, with its folder on the path so that it can import its neighbours."""
    name = f"unmoor_project_{abs(hash(path))}"
    if name in sys.modules:
        return sys.modules[name]
    if str(path.parent) not in sys.path:
        sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ConfigError(f"{path}: is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise ConfigError(f"{path}: cannot be imported: {type(error).__name__}: {error}") from error
    return module
