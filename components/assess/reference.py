"""The manual's page of the inventory, generated from its models, its parts, and the tables of works and vendors."""

from __future__ import annotations

import inspect
import json
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel

from ..text.table import table
from . import history, inventory, parts
from .inventory import USUAL_SIZE, USUAL_STATE, State, Work
from .layers import LAYERS
from .planned import kinds_of
from .recommend import TOO_MUCH_GIB

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_INTRO = """\
<!-- Written by `unmoor inventory reference`; edit the models. -->
# The inventory

`stacks/inventory.yaml` is what a DAO runs today, wherever it runs. `unmoor inventory init` writes a first one by a few
questions, and `unmoor discover` adds what an AWS account and a DNS zone show. `unmoor assess` reports every fault in it
at once. Editors complete it by `stacks/inventory.schema.json`.

The least that a workload needs is its title, what it keeps, how much it matters, who runs it and what it costs:

```yaml
dao: {name: Example DAO}
as_of: 2026-11-20
workloads:
  docs:
    title: Documentation
    work: docs
    state: none
    importance: moderate
    hosts: [docs.dao.example]
    cost: {stated: {usd_month: 65, source: invoice 2026-10}}
    parties: {registrar: namecheap, dns: cloudflare, compute: gitbook}
  votes:
    title: Voting
    work: governance
    state: external
    importance: high
    cost: {unknown: the treasurer knows}
    parties: {compute: snapshot}
```

Names of secrets may stand here, values never do. Decimals have a point, dates are written 2026-11-20.
"""

#: What each state means.
STATES: Mapping[State, str] = {
    State.NONE: "nothing: it is built anew from its source",
    State.CACHE: "only what is computed again",
    State.SINGLETON: "a little data, and two copies must never act at once",
    State.DATABASE: "a database that one site alone may write",
    State.REBUILDABLE: "much data that comes back from a chain or another source, in hours or days",
    State.KEYS: "keys that sign; it never gets a standby",
    State.EXTERNAL: "a vendor runs it as its own service, so there is nothing to move",
}
_SECTIONS: tuple[tuple[type[BaseModel], str, str], ...] = (
    (inventory.Inventory, "The file", "top level"),
    (inventory.Dao, "The DAO", "`dao`"),
    (inventory.Signers, "Signers", "`dao.signers`, `workloads.NAME.signers`"),
    (inventory.Tools, "Tools", "`dao.tools`"),
    (inventory.Workload, "A workload", "`workloads.NAME`"),
    (inventory.Size, "Size", "`workloads.NAME.size`"),
    (inventory.Data, "Data", "`workloads.NAME.data`"),
    (inventory.Secret, "A secret", "`workloads.NAME.secrets[]`"),
    (inventory.Cost, "Cost", "`workloads.NAME.cost`"),
    (inventory.Sum, "A sum", "`workloads.NAME.cost.stated`, `…measured`"),
    (inventory.Drivers, "Drivers", "`workloads.NAME.drivers`"),
    (inventory.Imported, "What an import left", "`workloads.NAME.drivers.imported`"),
    (inventory.Wish, "A wish", "`workloads.NAME.plan`"),
    (inventory.VendorEntry, "A vendor", "`vendors.NAME`"),
)


def page() -> str:
    """Return the page as Markdown."""
    return "\n".join([_INTRO, *_models(), *_works(), *_states(), *_layers(), *_parts(), *_vendors()]).rstrip() + "\n"


def _models() -> Iterator[str]:
    for model, title, where in _SECTIONS:
        yield f"## {title}\n\n{where}: {inspect.getdoc(model) or ''}\n"
        yield from _table(("setting", "needed", "default", "what it is"), _fields(model))


def _fields(model: type[BaseModel], without: Iterable[str] = ()) -> Iterator[tuple[str, ...]]:
    for name, field in model.model_fields.items():
        if name in without:
            continue
        default = "" if field.is_required() else _default(field.get_default(call_default_factory=True))
        needed = "yes" if field.is_required() else ""
        yield f"`{field.alias or name}`", needed, default, field.description or ""


def _default(value: Any) -> str:
    if value in (None, "", (), {}) or isinstance(value, BaseModel):
        return ""
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"


def _works() -> Iterator[str]:
    yield "## `work`: what it does\n"
    yield "The size is assumed where `size` is left out. A workload moves only by a kind that this tool has.\n"
    rows = []
    for work in Work:
        size = USUAL_SIZE.get(work)
        usual = f"{size.cpu:g} threads, {size.memory_gib:g} GiB, {size.disk_gib:g} GiB of disk" if size else ""
        kinds = kinds_of(work, USUAL_STATE.get(work, State.NONE))
        rows.append((f"`{work}`", f"`{USUAL_STATE.get(work, State.NONE)}`", usual, ", ".join(f"`{k}`" for k in kinds)))
    yield from _table(("work", "usual state", "usual size", "kind that would move it"), rows)


def _states() -> Iterator[str]:
    yield "## `state`: what would be lost with its machine\n"
    yield f"Nothing that signs, that a vendor runs, or that holds over {TOO_MUCH_GIB:,} GiB is moved.\n"
    yield from _table(("state", "what it keeps"), ((f"`{state}`", text) for state, text in STATES.items()))


def _layers() -> Iterator[str]:
    yield "## `parties`: who it depends on\n"
    yield "Several names in a layer are alternatives. `compute` is required; name the others that you know.\n"
    yield from _table(("layer", "without it"), ((f"`{key}`", one.means) for key, one in LAYERS.items() if not one.ours))


def _parts() -> Iterator[str]:
    yield "## `parts`: what is on the bill\n"
    common = ("count", "stays", "note")
    yield from _table(("setting of every part", "default", "what it is"), (
        (name, default, text) for name, _, default, text in _fields(parts.Part)
    ))  # fmt: skip
    union, _ = get_args(parts.AnyPart)
    rows = []
    for model in get_args(union):
        (what,) = get_args(model.model_fields["what"].annotation)
        settings = [
            f"{name}{' (needed)' if needed else ''}" for name, needed, _, _ in _fields(model, (*common, "what"))
        ]
        rows.append((f"`{what}`", inspect.getdoc(model) or "", ", ".join(settings)))
    yield from _table(("`what`", "meaning", "its settings"), rows)


def _vendors() -> Iterator[str]:
    yield "## Vendors that are known\n"
    yield (
        "Any other name is fine: averages are assumed for it, and the report names it. A name that is nearly one of "
        "these is a fault, since a slip would split one company in two. Correct it under `vendors`.\n"
    )
    yield from _table(
        ("name", "company", "ease of replacing it, of 10", "what can be taken along"),
        (
            (f"`{key}`", one.company, f"{one.substitutability:g}", one.leave)
            for key in sorted(history.known_vendors())
            if (one := history.vendor(key, {})).key == key
        ),
    )
    others = ", ".join(
        f"`{key}` ({history.vendor(key, {}).key})"
        for key in sorted(history.known_vendors())
        if history.vendor(key, {}).key != key
    )
    yield f"Other spellings: {others}.\n"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    yield from table(list(head), [[" ".join(cell.split()) for cell in row] for row in rows])
    yield ""
