"""From a stack file, or the settings that Pulumi read from one, to a topology: every fault at once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ..config import models as config
from ..errors import ConfigError
from .planner import plan

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ..kind import Kind
    from .topology import Topology


def topology(settings: Mapping[str, Any], kinds: Mapping[str, Kind], root: Path) -> Topology:
    """Plan the given settings; relative paths start at `root`.

    Raises ConfigError or PlanError with every fault that can be found.
    """
    stack, found = config.read(settings)
    if stack is None:
        raise ConfigError("the stack configuration is not valid", found)
    return plan(stack, kinds, root)


def from_file(path: Path, kinds: Mapping[str, Kind]) -> Topology:
    """Plan a stack file on disk, without Pulumi; relative paths start at the project, above `stacks/`."""
    return topology(config.load_file(path), kinds, path.resolve().parent.parent)


def from_pulumi(values: Mapping[str, str], kinds: Mapping[str, Kind], root: Path) -> Topology:
    """Plan the settings that Pulumi hands to a program: text by full key, objects as JSON."""
    prefix = f"{config.PROJECT}:"
    settings = {key.removeprefix(prefix): _value(text) for key, text in values.items() if key.startswith(prefix)}
    return topology(settings, kinds, root)


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
