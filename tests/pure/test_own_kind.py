"""A kind that a project adds in its project.py is known to every command."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from components.__main__ import cli
from components.errors import ConfigError
from components.kinds import kinds
from components.probe import client
from tests.settings import settings

ROOT = Path(__file__).parents[2]
PROJECT = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from components.project import builtin
from tests.application import APPLICATION
REGISTRY = builtin().with_(kinds=[APPLICATION])
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project with a kind of its own, committed, with its workload in active-standby."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Pulumi.yaml").write_text("name: unmoor\n")
    (tmp_path / "project.py").write_text(PROJECT)
    (tmp_path / "stacks").mkdir()
    write(tmp_path, "centralized")
    for words in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run(["git", "-c", "user.name=x", "-c", "user.email=x@dao.example", *words], check=True)
    return tmp_path


def write(folder: Path, mode: str, **options: str) -> None:
    made = settings(mode)
    own = {"kind": "application", "mode": mode, "host": "app.dao.example", "options": options}
    made |= {"workloads": {"app": own}, "stores": {}}
    text = yaml.safe_dump({"config": {f"unmoor:{key}": value for key, value in made.items()}})
    (folder / "stacks/Pulumi.prod.yaml").write_text(text)


def run(*words: str):
    result = CliRunner().invoke(cli, list(words), standalone_mode=False)
    if result.exception:
        raise result.exception
    return result


def test_plan_prints_its_sites_actions_and_price(project: Path) -> None:
    text = run("plan", "--stack", "prod").output
    assert "app  application, centralized" in text
    assert "prepare  app" in text
    assert "3.00  a machine" in text


def test_review_compares_it_with_a_commit(project: Path) -> None:
    write(project, "active-standby")
    assert "app centralized → active-standby" in run("review", "--base", "main", "prod").output


def test_flip_writes_its_mode(project: Path) -> None:
    run("flip", "app", "active-standby", "--stack", "prod")
    assert "active-standby" in (project / "stacks/Pulumi.prod.yaml").read_text()


@pytest.mark.parametrize("mode", ["centralized", "active-standby", "decentralized"])
def test_runbook_writes_chapters_for_it_and_none_about_what_it_does_not_have(project: Path, mode: str) -> None:
    write(project, mode)
    text = run("runbook", "app", "--stack", "prod").output
    assert "# Runbook of app, stack prod" in text
    assert "unmoor restore" not in text
    assert "app-keep" not in text


def test_status_asks_its_sites(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "visit", lambda url, address: client.Page(0, "", None, f"{url} at {address}"))
    result = run("status", "--stack", "prod")
    assert result.return_value == 1
    assert "https://app.dao.example/healthz at app-aws.dao.example" in result.output


def test_schema_knows_its_options(project: Path) -> None:
    schema = json.loads(run("schema").output)
    assert schema["$defs"]["Workload"]["properties"]["kind"]["enum"] == sorted(
        ["application", *(name for name, kind in kinds().items() if kind.written)]
    )
    assert "image" in schema["$defs"]["Options"]["properties"]
    assert "## Options of kind `application`" in run("schema", "--markdown").output


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("REGISTRY = 1", "has no REGISTRY"),
        ("import nothing_of_this_name", "cannot be imported: ModuleNotFoundError"),
        ("def (", "cannot be imported: SyntaxError"),
    ],
)
def test_a_project_file_that_is_broken_is_a_sentence(project: Path, text: str, says: str) -> None:
    (project / "project.py").write_text(text)
    with pytest.raises(ConfigError, match=says):
        run("plan", "--stack", "prod")


@pytest.mark.parametrize("end", ["sys.exit(0)", "sys.exit('no')", "raise ValueError('no')"])
def test_a_project_file_that_ends_the_program_is_a_sentence(project: Path, end: str) -> None:
    (project / "project.py").write_text(f"import sys\n{end}\n")
    with pytest.raises(ConfigError, match=r"project\.py: cannot be imported: (SystemExit|ValueError): (0|no)$"):
        run("plan", "--stack", "prod")
