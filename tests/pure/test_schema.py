"""The schema for editors and the page for readers of stack files come from the models."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from components.commands.schema import page, schema
from tests.settings import settings

ROOT = Path(__file__).parents[2]
jsonschema = pytest.importorskip("jsonschema")


def test_the_schema_next_to_the_stack_files_is_the_models() -> None:
    """If this fails: `make reference`."""
    assert json.loads((ROOT / "stacks/schema.json").read_text()) == json.loads(json.dumps(schema()))


def test_the_manual_page_is_the_models() -> None:
    """If this fails: `make reference`."""
    assert (ROOT / "docs/stack-file.md").read_text() == page()


@pytest.mark.parametrize("path", sorted((ROOT / "stacks").glob("Pulumi.*.yaml")), ids=lambda p: p.name)
def test_every_stack_file_of_ours_fits_the_schema(path: Path) -> None:
    jsonschema.validate(yaml.safe_load(path.read_text()), schema())


def test_the_schema_refuses_what_the_models_refuse() -> None:
    made = {f"unmoor:{key}": value for key, value in settings().items()}
    jsonschema.validate({"config": made | {"aws:region": "x"}}, schema())
    for change in ({"unmoor:zoen": "x"}, {"unmoor:ttl": 600}, {"unmoor:workloads": {}}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({"config": made | change}, schema())
