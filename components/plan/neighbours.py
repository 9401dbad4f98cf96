"""Other stacks of a project, and the names that two of them would both use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ..config import models as config
from ..config import yaml_text
from ..errors import ConfigError, Fault
from ..topology import identity
from . import common, hosts, servers, slots
from .planner import options

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from ..config.models import StackConfig
    from ..registry import Registry

#: The stack file that is a template and belongs to no stack.
TEMPLATE = "example"
#: What keeps two stacks apart in names that contain the stack's own.
_LABEL = "give one of both `unmoor:label`, which its site hosts and keys carry"


class Used(NamedTuple):
    """A name that a stack uses outside its state, its path in the file, and what keeps two stacks apart."""

    name: str
    path: str
    mend: str


def read(folder: Path, own: str) -> dict[str, StackConfig]:
    """Read the stack files of a folder with which stack `own` is compared."""
    paths = {path.stem.removeprefix("Pulumi."): path for path in sorted(folder.glob("Pulumi.*.yaml"))}
    return parse({name: _text(paths[name]) for name in compared(paths, own)})


def compared(names: Iterable[str], own: str) -> list[str]:
    """Return the stacks, of these names, with which stack `own` is compared; a template is compared with none."""
    return [name for name in names if name != own and TEMPLATE not in {own, name}]


def _text(path: Path) -> str:
    try:
        return yaml_text.file_text(path, yaml_text.STACK)
    except (ConfigError, OSError):
        return ""


def parse(texts: Mapping[str, str]) -> dict[str, StackConfig]:
    """Return the stacks in the texts of stack files, by name.

    Files with faults are left out, because their own stack reports them.
    """
    found: dict[str, StackConfig] = {}
    for name, text in texts.items():
        try:
            stack, _ = config.read(config.parse(text, name))
        except ConfigError:
            continue
        if stack is not None:
            found[name] = stack
    return found


def faults(stack: StackConfig, others: Mapping[str, StackConfig], registry: Registry) -> list[Fault]:
    """Return faults for names that a stack and another one of the project would both use. Pure."""
    own = list(used(stack, registry))
    found = []
    for name, other in others.items():
        theirs = {each.name: each.path for each in used(other, registry)}
        found += [
            Fault(each.path, f"{each.name} is used by stack {name} too ({theirs[each.name]}); {each.mend}")
            for each in own
            if each.name in theirs and not _apart(stack, other, each.name)
        ]
    return found


def alike(settings: Mapping[str, Any], others: Mapping[str, StackConfig], registry: Registry) -> bool:
    """Return whether a stack without a label would use names that another stack of the project has."""
    stack, _ = config.read(settings)
    return stack is not None and any(fault.message.endswith(_LABEL) for fault in faults(stack, others, registry))


def used(stack: StackConfig, registry: Registry) -> Iterator[Used]:
    """Yield the names that a stack uses in zones and stores."""
    if stack.dns.servers is not None:
        yield Used(f"the zone {stack.zone}, by own name servers,", "dns.servers", "let one stack alone answer for it")
    for name, workload in stack.workloads.items():
        path = "dns.servers" if servers.are(stack, name) else f"workloads.{name}"
        for where, host in hosts.public(workload):
            yield Used(host, f"{path}.{where}", "choose another host for one of both")
        placement = slots.filled(workload.placement, registry)
        for slot in slots.everywhere(placement):
            yield Used(slots.site_host(stack, name, placement, slot), path, _LABEL)
            yield from _in_common(stack, name, slots.target(placement, slot), registry)
        for store in workload.backup.stores if workload.backup else ():
            if settings := stack.stores.get(store):
                place = f"{settings.endpoint or settings.vendor} bucket {settings.bucket}"
                yield Used(f"{identity(name, stack.label)}/ in {place}", f"{path}.backup.stores", _LABEL)


def _in_common(stack: StackConfig, name: str, target: str, registry: Registry) -> Iterator[Used]:
    """Yield the site hosts of what a workload shares with others of its stack at a target."""
    workload = stack.workloads[name]
    kind = registry.written.get(workload.kind)
    chosen = options(workload, kind, name)[0] if kind else None
    on = registry.implementations(workload.kind) if kind else {}
    for each in on[target].shares(chosen) if chosen and target in on else ():
        theirs = common.workload(each, target).placement
        yield Used(slots.site_host(stack, each, theirs, slots.CENTRAL), f"workloads.{name}.options", _LABEL)


def _apart(one: StackConfig, other: StackConfig, name: str) -> bool:
    """Return whether hosts lie in two zones of one name, which only their ids distinguish."""
    ids = (one.dns.zone_id, other.dns.zone_id)
    return "/" not in name and None not in ids and ids[0] != ids[1]
