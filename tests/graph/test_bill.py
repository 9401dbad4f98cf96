"""The stack's outputs, the plan and the runbook name one price, in every mode."""

from __future__ import annotations

import pytest

from components.config import models as config
from components.project import builtin
from components.runbook.case import case
from components.runbook.markdown import write
from tests.graph.monitor import run
from tests.settings import settings, site_folder

STATES = [
    ("centralized", "centralized"),
    ("active-standby", "centralized"),
    ("active-standby", "decentralized"),
    ("decentralized", "centralized"),
]


@pytest.mark.parametrize("ingress", ["dedicated", "shared"])
@pytest.mark.parametrize("state", STATES)
def test_outputs_plan_and_runbook_agree_to_the_cent(tmp_path, state, ingress):
    site_folder(tmp_path)
    made = settings(*state, options={"site": "site", "ingress": ingress})
    graph = run(made, tmp_path)
    (plan,) = graph.topology.workloads
    assert graph.outputs["workloads"]["docs"]["usd_month"] == plan.usd_month > 0
    stack, _ = config.read(made)
    assert stack
    text = write(case("prod", stack, "docs", builtin(), tmp_path))
    assert f"It costs {plan.usd_month:.2f} USD a month." in text
