"""Other stacks of a project, and the names that two of them would both use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ..config import models as config
from ..config import yaml_text
from ..errors import ConfigError, Fault
from . import slots

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from ..config.models import StackConfig
    from ..registry import Registry

#: The stack file that is a template, and belongs to no stack.
TEMPLATE = "example"


class Used(NamedTuple):
    """A name that a stack uses outside its state, where its file has it, and what tells two stacks apart."""

    name: str
    path: str
    mend: str


def read(folder: Path, own: str) -> dict[str, StackConfig]:
    """Read the other stack files of a folder; see `parse`."""
    paths = sorted(folder.glob("Pulumi.*.yaml"))
    return parse({path.stem.removeprefix("Pulumi."): _text(path) for path in paths}, own)


def _text(path: Path) -> str:
    try:
        return yaml_text.file_text(path, yaml_text.STACK)
    except (ConfigError, OSError):
        return ""


def parse(texts: Mapping[str, str], own: str) -> dict[str, StackConfig]:
    """Return the stacks that texts of stack files hold, by name, but stack `own`; a template is compared with none.

    Files with faults are left out: they are their own stack's.
    """
    found: dict[str, StackConfig] = {}
    for name, text in texts.items():
        if TEMPLATE in {own, name} or name == own:
            continue
        try:
            stack, _ = config.read(config.parse(text, name))
        except ConfigError:
            continue
        if stack is not None:
            found[name] = stack
    return found


def faults(stack: StackConfig, others: Mapping[str, StackConfig], registry: Registry) -> list[Fault]:
    """Name what a stack and another one of the project would both use; pure."""
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
    """Return whether a stack without a name would use names that another one of the project has: it needs a name."""
    stack, _ = config.read(settings)
    return stack is not None and any("`unmoor:label`" in fault.message for fault in faults(stack, others, registry))


def used(stack: StackConfig, registry: Registry) -> Iterator[Used]:
    """Yield the names that a stack uses in zones and stores."""
    named = "give one of both `unmoor:label`, which its site hosts and keys carry"
    for name, workload in stack.workloads.items():
        path = f"workloads.{name}"
        for where, host in [("host", workload.host), *_numbered(workload.redirect_from)]:
            if host:
                yield Used(host, f"{path}.{where}", "choose another host for one of both")
        placement = slots.filled(workload.placement, registry)
        for slot in slots.everywhere(placement):
            yield Used(slots.site_host(stack, name, placement, slot), path, named)
        for store in workload.backup.stores if workload.backup else ():
            if settings := stack.stores.get(store):
                place = f"{settings.endpoint or settings.vendor} bucket {settings.bucket}"
                yield Used(f"{slots.identity(stack, name)}/ in {place}", f"{path}.backup.stores", named)


def _numbered(hosts: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(f"redirect_from[{index}]", host) for index, host in enumerate(hosts)]


def _apart(one: StackConfig, other: StackConfig, name: str) -> bool:
    """Return whether hosts lie in two zones of one name, which only their ids distinguish."""
    ids = (one.dns.zone_id, other.dns.zone_id)
    return "/" not in name and None not in ids and ids[0] != ids[1]
