"""The wheel as users install it: bare, with its extras, without an activated environment and with an empty HOME."""

from __future__ import annotations

import email
import re
import subprocess
import sys
import tomllib
import zipfile
from typing import TYPE_CHECKING

import pytest

from components import __version__
from components.__main__ import COMMANDS, EXTRAS
from components.steps import INTERPRETER, command_line
from sandbox.state import REPOSITORY
from tests import wheel

from .plugin_client import connected

if TYPE_CHECKING:
    from pathlib import Path

STACK = """config:
  unmoor:zone: dao.example
  unmoor:stores: {aws: {vendor: aws, bucket: dao-aws, public_url: "https://s3.example/dao"}}
  unmoor:workloads:
    docs: {kind: static, mode: active-standby, host: docs.dao.example, backup: {stores: [aws]}, options: {site: site}}
"""
GOOD = """
from unmoor.targets.akash.deployment import Deployment

app = Deployment("app", name="app.dev", sdl={}, service="web", avoid=["akash1host"])
price: str = app.usd_month.apply(lambda usd: f"{usd:.2f}").__class__.__name__
"""
BAD = """
from unmoor.targets.akash.deployment import Deployment

app = Deployment("app", name="app.dev", sdl={}, servce="web")
app.addres
Deployment("b", name=7, sdl={}, service="web")
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wheel.build(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def bare(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an environment with the library alone."""
    folder = wheel.environment(tmp_path_factory.mktemp("bare") / "venv")
    wheel.locked(folder, built)
    return folder


@pytest.fixture(scope="module")
def full(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an environment that can deploy."""
    folder = wheel.environment(tmp_path_factory.mktemp("full") / "venv")
    wheel.locked(folder, built, "[pulumi]")
    return folder


def run(folder: Path, *words: str, cwd: Path, given: str = "") -> subprocess.CompletedProcess[str]:
    """Run a program of an environment that is not active, for a user who has nothing."""
    home = cwd / "home"
    home.mkdir(exist_ok=True)
    variables = {"PATH": "/usr/bin:/bin", "HOME": str(home)}
    program = [folder / "bin" / words[0], *words[1:]]
    return subprocess.run(program, cwd=cwd, env=variables, input=given, capture_output=True, text=True, check=False)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "stacks").mkdir()
    (tmp_path / "site").mkdir()
    (tmp_path / "site/index.html").write_text("docs")
    (tmp_path / "stacks/Pulumi.prod.yaml").write_text(STACK)
    (tmp_path / "Pulumi.yaml").write_text("name: dao\nruntime: python\n")
    return tmp_path


# What is in it


def test_the_wheel_has_the_library_and_its_data_and_nothing_of_a_checkout(built: Path) -> None:
    names = set(zipfile.ZipFile(built).namelist())
    needed = {
        "py.typed",
        "begin/templates/up.yml",
        "provider/schema.json",
        "stacks/Pulumi.example.yaml",
        "stacks/schema.json",
        "sdl/docs.yaml",
    }
    assert {f"unmoor/{name}" for name in needed} <= names
    assert {name.split("/")[0] for name in names} == {"unmoor", f"unmoor-{__version__}.dist-info"}
    assert [name for name in names if "provider/bin" in name or "classes.py" in name] == []


def test_the_metadata_states_ranges_extras_and_a_page_without_dead_links(built: Path) -> None:
    archive = zipfile.ZipFile(built)
    metadata = email.message_from_bytes(archive.read(f"unmoor-{__version__}.dist-info/METADATA"))
    required = metadata.get_all("Requires-Dist") or []
    assert {"pulumi-aws<8,>=7; extra == 'pulumi'", "pulumi-command<2,>=1; extra == 'pulumi'"} <= set(required)
    assert "pulumi<4,>=3.240; extra == 'pulumi'" in required
    assert [each for each in required if each.startswith("pulumi") and "extra" not in each] == []
    extras = set(metadata.get_all("Provides-Extra") or [])
    assert set(EXTRAS.values()) <= extras
    manual = (REPOSITORY / "docs" / "library.md").read_text()
    assert [extra for extra in extras if f"`unmoor[{extra}]`" not in manual] == []
    links = re.findall(r"\]\(([^)]*)\)", metadata.get_payload())
    assert [link for link in links if not link.startswith("https://")] == []


def test_the_version_stands_in_both_places() -> None:
    assert tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"] == __version__


# Bare


def test_the_bare_library_plans_a_stack_with_its_own_documents_and_prices(bare: Path, project: Path) -> None:
    done = run(bare, "unmoor", "plan", "--stack", "prod", cwd=project)
    assert done.returncode == 0, done.stderr
    assert "docs-akash" in done.stdout
    assert "lease with an IPv4 address" in done.stdout
    assert run(bare, "python", "-c", "import pulumi", cwd=project).returncode == 1


@pytest.mark.parametrize("word", COMMANDS)
def test_every_command_of_the_bare_library_has_its_help(bare: Path, project: Path, word: str) -> None:
    done = run(bare, "unmoor", word, "--help", cwd=project)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("words", "extra"),
    [(("discover", "aws"), "pulumi"), (("restore", "docs", "out", "--stack", "prod"), "pulumi")],
)
def test_what_an_extra_brings_is_named_where_it_is_missing(
    bare: Path, project: Path, words: tuple[str, ...], extra: str
) -> None:
    done = run(bare, "unmoor", *words, cwd=project)
    assert (done.returncode, f"pip install 'unmoor[{extra}]'" in done.stderr) == (1, True), done.stderr
    assert "Traceback" not in done.stderr


# With Pulumi


def test_the_plugin_is_a_script_that_serves_the_schema_without_an_activated_environment(
    full: Path, tmp_path: Path
) -> None:
    process = subprocess.Popen(
        [full / "bin" / "pulumi-resource-unmoor"], cwd=tmp_path, env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, process_group=0,
    )  # fmt: skip
    with connected(process) as plugin:
        assert plugin.schema()["version"] == __version__
        assert "sdl" in plugin.schema()["resources"]["unmoor:akash:Deployment"]["inputProperties"]


@pytest.mark.parametrize("step", ["claim", "keep", "publish", "probe", "drain"])
def test_the_recorded_command_line_runs_each_step_in_an_environment_that_is_not_active(
    full: Path, project: Path, step: str
) -> None:
    variables = {"PATH": "/usr/bin:/bin", "HOME": str(project), "PULUMI_RUNTIME_VIRTUALENV": str(full)}
    done = subprocess.run(
        [*INTERPRETER, command_line(step)], cwd=project, env=variables, input="[]", capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr.startswith(f"step {step}: standard input")) == (1, True), done.stderr


@pytest.mark.timeout(300)
def test_a_users_type_checker_sees_the_types(full: Path, tmp_path: Path) -> None:
    (tmp_path / "good.py").write_text(GOOD)
    (tmp_path / "bad.py").write_text(BAD)
    words = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--python-executable",
        full / "bin" / "python",
        "good.py",
        "bad.py",
    ]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    errors = re.findall(r"^(\w+)\.py:\d+: error: .*\[([\w-]+)\]$", done.stdout, re.MULTILINE)
    assert errors == [("bad", "call-arg"), ("bad", "attr-defined"), ("bad", "arg-type")], done.stdout
