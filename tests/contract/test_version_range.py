"""The library with its dependencies at both ends of the declared ranges: a graph is made, the plugin answers."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from components.provider import schema
from components.targets.akash.inputs import TOKEN
from sandbox.state import REPOSITORY
from tests import wheel

from .deployment_calls import inputs
from .plugin_client import connected

if TYPE_CHECKING:
    from pathlib import Path

#: The tests install two environments, and run the tests of a folder in each.
pytestmark = pytest.mark.timeout(900)

#: What the graph tests are run with; of no concern to the ranges.
RUNNER = ("pytest", "pytest-timeout", "hypothesis")


@pytest.fixture(scope="module", params=["lowest-direct", "highest"])
def environment(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("range")
    made = wheel.environment(folder / "venv")
    wheel.resolved(made, wheel.build(folder), request.param)
    wheel.install(made, *RUNNER)
    return made


def test_a_graph_of_every_action_is_made(environment: Path) -> None:
    words = [environment / "bin" / "python", "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    tests = "tests/graph/test_actions.py"
    done = subprocess.run([*words, tests], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:]


def test_the_plugin_checks_and_previews_a_deployment(environment: Path, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [environment / "bin" / "pulumi-resource-unmoor"], cwd=tmp_path, env={"PATH": "/usr/bin:/bin"},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, process_group=0,
    )  # fmt: skip
    with connected(process) as plugin:
        assert set(plugin.preview(TOKEN, "site", inputs())) >= set(schema.resource(TOKEN)["required"])
        assert set(plugin.refused(TOKEN, {"name": "A"})) >= {"sdl", "service"}


def test_every_module_of_the_library_can_be_imported(environment: Path, tmp_path: Path) -> None:
    code = (
        "import importlib, pkgutil, unmoor\n"
        "names = [each.name for each in pkgutil.walk_packages(unmoor.__path__, 'unmoor.')]\n"
        "for name in names:\n"
        "    name.endswith('__main__') or importlib.import_module(name)\n"
        "assert len(names) > 100, names\n"
    )
    words = [environment / "bin" / "python", "-P", "-c", code]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
