"""`unmoor schema`: the JSON schema of a stack file, written from the models, so that editors complete it."""

from __future__ import annotations

import json
from typing import Any

import click

from ..config import PROJECT, StackConfig
from ..kinds import KINDS


def schema() -> dict[str, Any]:
    """Return the schema of a whole stack file; settings of other plug-ins are let through."""
    ours = StackConfig.model_json_schema()
    definitions = ours.pop("$defs")
    for kind in KINDS.values():
        options = kind.options.model_json_schema()
        definitions |= options.pop("$defs", {})
        definitions[options["title"]] = options
    definitions["Workload"]["allOf"] = [
        {
            "if": {"properties": {"kind": {"const": kind.name}}},
            "then": {"properties": {"options": {"$ref": f"#/$defs/{kind.options.__name__}"}}},
        }
        for kind in KINDS.values()
    ]
    definitions["Workload"]["properties"]["kind"]["enum"] = sorted(KINDS)
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


@click.command()
def cli() -> None:
    """Print the JSON schema of stack files (kept in stacks/schema.json)."""
    click.echo(json.dumps(schema(), indent=2, sort_keys=True))
