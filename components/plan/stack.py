"""From a stack file, or the settings that Pulumi read from one, to a topology: every fault at once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ..config import held
from ..config import models as config
from ..errors import ConfigError, Fault, NotBuiltError
from ..release import NOT_BUILT
from . import neighbours
from .planner import options, plan

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from ..config.models import StackConfig
    from ..registry import Registry
    from ..release import Release
    from ..topology import Topology


def releases(
    stack: StackConfig, registry: Registry, root: Path | None, *, built: bool = True
) -> tuple[dict[str, Release], list[Fault]]:
    """Return what each workload serves, and every fault of the disk.

    Relative paths in options start at `root`. Without a root nothing is read, and what the options do not name is
    NOT_BUILT. With `built` false a release that is not built yet is NOT_BUILT too. Equal options are read once.
    """
    made: dict[str, Release] = {}
    found: list[Fault] = []
    read: dict[tuple[str, str], Release | list[Fault]] = {}
    for name, workload in stack.workloads.items():
        kind = registry.kinds.get(workload.kind)
        chosen = options(workload, kind, name)[0] if kind else None
        if kind is None or chosen is None:
            continue
        key = (kind.name, chosen.model_dump_json())
        if key not in read:
            read[key] = _release(kind, chosen, root, built=built)
        release = read[key]
        if isinstance(release, list):
            found += [Fault(f"workloads.{name}.options.{fault.path}".rstrip("."), fault.message) for fault in release]
        else:
            made[name] = release
    return made, found


def _release(kind: Any, chosen: Any, root: Path | None, *, built: bool) -> Release | list[Fault]:
    declared: Release | None = kind.declared(chosen)
    if declared or root is None:
        return declared or NOT_BUILT
    try:
        release: Release = kind.release(chosen, root)
    except NotBuiltError as error:
        return list(error.faults) if built else NOT_BUILT
    except ConfigError as error:
        return list(error.faults)
    return release


def topology(
    settings: Mapping[str, Any],
    registry: Registry,
    root: Path | None,
    *,
    built: bool = True,
    others: Mapping[str, Any] | None = None,
    neighbouring: Mapping[str, StackConfig] | None = None,
) -> Topology:
    """Plan the given settings, without the `unmoor:` prefix; `others` are those of other plug-ins.

    `neighbouring` are the other stacks of the project, which may share no name with this one.

    Raises ConfigError or PlanError with every fault that can be found. See `releases` for `root` and `built`.
    """
    stack, found = config.read(settings)
    if stack is None:
        raise ConfigError("the stack configuration is not valid", found)
    made, known = releases(stack, registry, root, built=built)
    known = [*known, *held.faults(others or ()), *neighbours.faults(stack, neighbouring or {}, registry)]
    return plan(stack, registry, made, known, others)


def project_of(path: Path) -> Path:
    """Return the folder of the project that a stack file belongs to: the one above `stacks/`."""
    return path.resolve().parent.parent


def from_file(path: Path, registry: Registry, *, built: bool = True) -> Topology:
    """Plan a stack file on disk, without Pulumi; relative paths start at the project, above `stacks/`."""
    document = config.load_document(path)
    ours = config.settings_of(document, str(path))
    root = project_of(path)
    neighbouring = neighbours.read(path.parent, path.stem.removeprefix("Pulumi."))
    others = config.settings_of_others(document["config"])
    return topology(ours, registry, root, built=built, others=others, neighbouring=neighbouring)


def from_pulumi(
    values: Mapping[str, str], registry: Registry, root: Path, secret: Iterable[str] = (), stack: str | None = None
) -> Topology:
    """Plan what Pulumi hands to a program: text by full key, objects as JSON; `secret` names the keys of secrets.

    Other values stay text, in which the models find a number or a truth value, because the engine writes the label
    "2026" as it writes a number. With the name of the `stack` it is compared with the other stack files of the project.
    """
    prefix = f"{config.PROJECT}:"
    settings = {key.removeprefix(prefix): _value(text) for key, text in values.items() if key.startswith(prefix)}
    neighbouring = neighbours.read(root / "stacks", stack) if stack else {}
    return topology(
        settings, registry, root, others=config.settings_of_others(values, secret), neighbouring=neighbouring
    )


def _value(text: str) -> Any:
    try:
        return json.loads(text) if text[:1] in {"{", "["} else text
    except ValueError:
        return text
