"""The example of kind `postgres` in `stacks/`."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from components.config import models as config
from components.errors import ConfigError, PlanError
from components.plan.stack import topology
from components.project import builtin
from tests.pure.test_service import DIGEST

ROOT = Path(__file__).parents[2]


def test_the_example_is_refused_until_its_images_are_pinned_and_then_plans() -> None:
    path = ROOT / "stacks" / "postgres.example.yaml"
    given = config.settings_of(config.load_document(path), str(path))
    with pytest.raises((ConfigError, PlanError)) as caught:
        topology(given, builtin(), None)
    assert {each.path for each in caught.value.faults} == {
        "workloads.forum.options.image",
        "workloads.forum.options.database.image",
    }
    text = path.read_text().replace("0" * 64, DIGEST)
    assert topology(config.settings_of(yaml.safe_load(text), "x"), builtin(), None).workloads[0].usd_month > 0
