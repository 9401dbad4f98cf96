"""A program in YAML, run by the real engine and the official YAML language host, deploys through our plugin.

It cannot prove other languages; for those the generators read the same schema (tests/oracle/test_schema_codegen.py).
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from components.errors import UnmoorError
from sandbox.drive import EngineFailed, Pulumi
from sandbox.engine import resolve
from sandbox.state import REPOSITORY

from ..contract.akash_world import sdl

if TYPE_CHECKING:
    from .conftest import Sandbox

pytestmark = pytest.mark.timeout(600)


def program(**properties: Any) -> dict[str, Any]:
    """Return the project: its program stands in `Pulumi.yaml`."""
    return {
        "name": "yaml",
        "runtime": "yaml",
        "plugins": {"providers": [{"name": "unmoor", "path": str(REPOSITORY / "components" / "provider" / "bin")}]},
        "resources": {"app": {"type": "unmoor:akash:Deployment", "properties": properties}},
        "outputs": {
            "dseq": "${app.dseq}",
            "usdMonth": "${app.usdMonth}",
            "hostUri": "${app.hostUri}",
            "first": "${app.uris[0]}",
            "state": "${app.state}",
        },
    }


@pytest.fixture(scope="module")
def project(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Pulumi:
    try:
        host = resolve.tool(resolve.YAML_HOST)
    except UnmoorError as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("yaml")
    environment = {**sandbox.environment}
    environment["PATH"] = f"{host}{os.pathsep}{environment['PATH']}"
    file = folder / "Pulumi.yaml-test.yaml"
    committed = yaml.safe_load((REPOSITORY / "stacks" / "Pulumi.sandbox.yaml").read_text())
    file.write_text(yaml.safe_dump({"encryptionsalt": committed["encryptionsalt"]}))
    runner = Pulumi(sandbox.state, environment, "yaml-test", file, folder)
    write(runner, document())
    runner.init()
    return runner


def document(**more: Any) -> dict[str, Any]:
    return {"name": "yaml.test", "sdl": yaml.safe_load(sdl()), "service": "web", **more}


def write(runner: Pulumi, properties: dict[str, Any]) -> None:
    (runner.project / "Pulumi.yaml").write_text(yaml.safe_dump(program(**properties)))


def test_a_property_that_the_schema_does_not_have_is_refused_before_anything_happens(project: Pulumi) -> None:
    write(project, document(servce="web"))
    with pytest.raises(EngineFailed, match="servce") as failed:
        project.preview()
    assert "avoid" in str(failed.value), "it names the properties that there are"


def test_a_deployment_is_made_and_its_outputs_are_read(project: Pulumi) -> None:
    write(project, document())
    assert project.preview().changes() == {"yaml-yaml-test": "create", "default": "create", "app": "create"}
    project.up()
    outputs = project.outputs()
    assert (outputs["state"], outputs["usdMonth"] > 0) == ("active", True)
    assert outputs["hostUri"].startswith("https://")
    assert project.up("--expect-no-changes").changes() == {}


def test_a_change_shows_as_that_of_one_variable(project: Pulumi) -> None:
    before = project.outputs()
    changed = document()
    changed["sdl"]["services"]["web"]["env"] = ["WHO=others"]
    write(project, changed)
    shown = project.preview("--diff").output
    assert [line.strip() for line in shown.splitlines() if "=>" in line and "WHO" in line] == [
        '~ [0]: "WHO=nobody" => "WHO=others"'
    ]
    project.up()
    assert project.outputs()["dseq"] == before["dseq"]


def test_an_import_shows_what_to_do_instead(project: Pulumi) -> None:
    dseq = project.outputs()["dseq"]
    with pytest.raises(EngineFailed) as failed:
        project._call(["import", "unmoor:akash:Deployment", "copy", dseq, "--yes", "--skip-preview"])
    assert f"deployment {dseq} cannot be imported" in str(failed.value)


def test_it_is_closed_again(project: Pulumi) -> None:
    project.destroy()
    assert json.loads(project.export())["deployment"].get("resources", []) == []
