"""The state of the release before goes through this one: nothing that serves is replaced or removed.

`tests/fixtures/upgrade` has a stack file, and the resources that the release before registered for it, in the shape of
`pulumi stack export`: URNs, ids, inputs, and the outputs that only a cloud knows. The container's own text and the code
of functions belong to a content release, and are cut. This program runs on those ids and outputs, and each resource is
compared as its plug-in compares it. Cannot prove what the plug-ins of the clouds do beyond the rules that are here.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.commands.step import PROGRAMS
from components.config import models as config
from components.plan.canonical import plan_hash
from components.targets.akash.resource import difference
from sandbox.aws.plugin.compare import differences
from sandbox.aws.plugin.types import TYPES
from tests.graph import monitor
from tests.settings import site_folder

FIXTURE = Path(__file__).parents[1] / "fixtures" / "upgrade"
#: What makes pulumi-command run a resource anew in place of updating it (its schema, `triggers`).
_TRIGGERS = "triggers"
_COMMAND, _DEPLOYMENT = "command:local:Command", "unmoor:akash:Deployment"


@cache
def before() -> dict[str, Any]:
    """Return the resources of the release before, by URN."""
    state = json.loads((FIXTURE / "state.json").read_text())
    return {each["urn"]: each for each in state["deployment"]["resources"]}


@pytest.fixture(scope="module")
def now(tmp_path_factory: pytest.TempPathFactory) -> monitor.Graph:
    """Return what this program registers for the same stack file, with the ids and outputs of the state."""
    root = tmp_path_factory.mktemp("project")
    site_folder(root)
    known = {each["urn"].rsplit("::", 1)[1]: each for each in before().values() if each["custom"]}
    real = monitor.Cloud.new_resource

    def kept(cloud: monitor.Cloud, args: Any) -> tuple[str, dict[str, Any]]:
        there = known.get(args.name)
        if there is None or there["type"] != args.typ:
            return real(cloud, args)
        return there["id"], {**args.inputs, **there["outputs"]}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(monitor.Cloud, "new_resource", kept)
        return monitor.run(settings(), root)


def settings() -> dict[str, Any]:
    return config.settings_of(yaml.safe_load((FIXTURE / "Pulumi.prod.yaml").read_text()), "the file of that release")


def replaced(old: dict[str, Any], new: monitor.Registered) -> list[str]:
    """Return the inputs for whose change a plug-in would replace a resource."""
    was, inputs = old["inputs"], new.inputs
    if new.type == _COMMAND:
        return [_TRIGGERS] if was.get(_TRIGGERS) != inputs.get(_TRIGGERS) else []
    if new.type == _DEPLOYMENT:
        found = difference(was, {**was, **old["outputs"]}, inputs)
        return [path for path, change in found.items() if change.value.endswith("_REPLACE")]
    if new.type in TYPES:
        changed = {path.split(".")[0].split("[")[0] for path in dict(differences(was, inputs))}
        return sorted(changed & {*TYPES[new.type].replaces})
    assert new.type == "unmoor:akash:Account", new.type
    return []


def test_every_resource_is_still_there_under_its_name(now: monitor.Graph) -> None:
    assert set(before()) - now.urns == set()


#: Health checks look for the site's mark from now on, which is another type of check. Each is made before the old one
#: goes, once the site was probed for the mark.
REPLACED = {"docs-aws-health": ["type"], "docs-akash-health": ["type"]}


def test_nothing_is_replaced_but_what_judges_the_sites(now: monitor.Graph) -> None:
    olds = {urn: old for urn, old in before().items() if old["custom"]}
    assert len(olds) > 40, "a whole stack"
    found = {urn.rsplit("::", 1)[1]: replaced(old, now.resources[urn]) for urn, old in olds.items()}
    assert {name: paths for name, paths in found.items() if paths} == REPLACED
    for name in REPLACED:
        probe = now.named(name.replace("health", "probe")).urn
        assert probe in now.behind(now.named(name).urn), "it is probed before"


def test_the_comparison_sees_a_replacement(now: monitor.Graph) -> None:
    """It would find each of these, were they in this release."""
    for name, changed in {
        "docs-aws-certificate": {"domainName": "other.dao.example"},
        "docs.dao.example/primary": {"name": "other.dao.example"},
        "docs-aws-drain": {_TRIGGERS: ["another"]},
        "docs-akash": {"name": "other"},
    }.items():
        new = now.named(name)
        other = monitor.Registered(**{**vars(new), "inputs": {**new.inputs, **changed}})
        assert replaced(before()[new.urn], other), name


def test_nothing_changes_its_place_below_another(now: monitor.Graph) -> None:
    """A new parent without an alias is another URN; the engine would delete the old one."""
    assert {
        urn for urn, old in before().items() if old.get("parent", "") not in {"", now.resources[urn].parent}
    } == set()


def test_what_a_state_runs_on_removal_still_runs(now: monitor.Graph) -> None:
    """The text in the state is what the engine starts, with the program of that day."""
    commands = [old["inputs"] for old in before().values() if old["type"] == _COMMAND]
    lines = {inputs["delete"] for inputs in commands if inputs.get("delete")}
    assert {line.split()[2] for line in lines} == {"drain", "leave", "adopt"}
    assert {line.split()[2] for line in lines} <= set(PROGRAMS)
    assert {tuple(line.split()[:2]) for line in lines} == {("unmoor", "step")}
    for name in ("docs.dao.example-adopt", "docs.dao.example-leave"):
        (old,) = [each for each in before().values() if each["urn"].endswith(f"::{name}")]
        assert set(json.loads(old["inputs"]["stdin"])) <= set(json.loads(now.named(name).inputs["stdin"]))


def test_signers_need_not_agree_again(now: monitor.Graph) -> None:
    assert now.topology is not None
    assert plan_hash(now.topology) == json.loads((FIXTURE / "state.json").read_text())["hash"]
