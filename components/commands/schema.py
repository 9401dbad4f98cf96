"""`unmoor schema`: the JSON schema of a stack file, written from the models, so that editors complete it."""

from __future__ import annotations

import json
from typing import Any

import click
from pydantic import BaseModel

from ..config.models import PROJECT, Acme, Backup, Delegation, Dns, Placement, Split, StackConfig, Store, Workload
from ..config.servers import Servers
from ..config.signers import Signers
from ..config.standing import StandingRecord
from ..project import registry
from ..text.table import table


def schema() -> dict[str, Any]:
    """Return the schema of a whole stack file; it accepts settings of other plug-ins."""
    ours = StackConfig.model_json_schema()
    definitions = ours.pop("$defs")
    kinds = registry().written
    for kind in kinds.values():
        options = kind.options.model_json_schema()
        definitions |= options.pop("$defs", {})
        definitions[options["title"]] = options
    definitions["Workload"]["allOf"] = [
        {
            "if": {"properties": {"kind": {"const": kind.name}}},
            "then": {"properties": {"options": {"$ref": f"#/$defs/{kind.options.__name__}"}}},
        }
        for kind in kinds.values()
    ]
    definitions["Workload"]["properties"]["kind"]["enum"] = sorted(kinds)
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "unmoor stack file",
        "type": "object",
        "properties": {
            "config": {
                "type": "object",
                "properties": {f"{PROJECT}:{key}": value for key, value in ours["properties"].items()},
                "required": [f"{PROJECT}:{key}" for key in ours["required"]],
                "patternProperties": {f"^(?!{PROJECT}:).*$": {}},
                "additionalProperties": False,
            },
        },
        "required": ["config"],
        "$defs": definitions,
    }


#: The models of a stack file in the order of a reader, and the place of each.
_SECTIONS = (
    (StackConfig, "The stack", "`unmoor:SETTING`"),
    (Store, "A store", "`unmoor:stores.NAME`"),
    (Workload, "A workload", "`unmoor:workloads.NAME`"),
    (StandingRecord, "What stands at the host", "`unmoor:workloads.NAME.adopt[]`"),
    (Placement, "Placement", "`unmoor:workloads.NAME.placement`"),
    (Split, "Shares of look-ups", "`unmoor:workloads.NAME.split`"),
    (Backup, "Backup", "`unmoor:workloads.NAME.backup`"),
    (Dns, "Who answers for the zone", "`unmoor:dns`"),
    (Servers, "Name servers of the stack's own", "`unmoor:dns.servers`"),
    (Delegation, "What stands at the parent", "`unmoor:dns.delegation`"),
    (Acme, "The issuer of certificates", "`unmoor:acme`"),
    (Signers, "Who approves plans", "`unmoor:signers`"),
)

_INTRO = """\
<!-- Written by `unmoor schema --markdown`; edit the models. -->
# The stack file

`stacks/Pulumi.NAME.yaml` is what people review: every decision about a stack is in it, and nothing else is.
Settings of ours begin with `unmoor:`; others, like `aws:region`, belong to Pulumi's plug-ins.
`./unmoor plan --stack NAME` checks a file offline and prints every fault at once. Editors complete
it by `stacks/schema.json`.

Names of secrets may stand here, values never do.
"""


def page() -> str:
    """Return the manual's page of settings, written from the models."""
    parts = [_INTRO]
    for model, title, where in _SECTIONS:
        parts.append(f"## {title}\n\n{where}\n\n{_table(model)}\n")
    for kind in registry().written.values():
        parts.append(f"## Options of kind `{kind.name}`\n\n`unmoor:workloads.NAME.options`\n\n{_table(kind.options)}\n")
        parts += [
            f"### `{name}`\n\n`unmoor:workloads.NAME.options.{name}`\n\n{_table(model)}\n"
            for name, model in _inside(kind.options)
        ]
    return "\n".join(parts)


def _inside(options: type[BaseModel]) -> list[tuple[str, type[BaseModel]]]:
    """Return the options that are models, by name, and those inside them."""
    found = []
    for name, field in options.model_fields.items():
        kinds = [field.annotation, *getattr(field.annotation, "__args__", ())]
        for each in kinds:
            if isinstance(each, type) and issubclass(each, BaseModel):
                found += [(name, each), *((f"{name}.{more}", inner) for more, inner in _inside(each))]
    return found


def _table(model: type[BaseModel]) -> str:
    rows = []
    for name, field in model.model_fields.items():
        default = (
            ""
            if field.is_required() or field.default is None
            else f"`{_shown(field.get_default(call_default_factory=True))}`"
        )
        rows.append((f"`{name}`", "yes" if field.is_required() else "", default, field.description or ""))
    return "\n".join(table(("setting", "needed", "default", ""), rows))


def _shown(value: Any) -> str:
    if isinstance(value, BaseModel):
        return "see below"
    return json.dumps(value)


@click.command()
@click.option("--markdown", is_flag=True, help="Print the manual's page instead.")
@click.option(
    "--inventory", is_flag=True, help="Print the schema of the inventory (kept in stacks/inventory.schema.json)."
)
def cli(markdown: bool, inventory: bool) -> None:
    """Print the JSON schema of stack files (kept in stacks/schema.json)."""
    if inventory:
        from ..assess.schema import schema as of_inventory

        click.echo(json.dumps(of_inventory(), indent=2, sort_keys=True))
        return
    click.echo(page() if markdown else json.dumps(schema(), indent=2, sort_keys=True), nl=not markdown)
