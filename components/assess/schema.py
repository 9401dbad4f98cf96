"""The JSON schema of `inventory.yaml`, written from its models, so that editors complete it."""

from __future__ import annotations

from typing import Any

from .inventory import Inventory


def schema() -> dict[str, Any]:
    """Return the schema that stands in stacks/inventory.schema.json."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "unmoor inventory",
        **Inventory.model_json_schema(),
    }
