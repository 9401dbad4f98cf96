"""The workflows that `unmoor init` writes, and this repository's own, as actionlint reads them, with ShellCheck."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from components.begin import files
from components.errors import UnmoorError
from sandbox.engine import resolve
from sandbox.state import REPOSITORY

#: Stacks whose workflows differ: with and without a build and secrets.
FACTS = {
    "whole": files.Facts("dao", "prod", "eu-west-1", "npm ci && npm run build", ("AKASH_CONSOLE_API_KEY", "STORJ_KEY")),
    "bare": files.Facts("dao", "next", "us-east-1", "", ()),
    "checkout": files.Facts("unmoor", "prod", "us-east-1", "make docs", (), checkout=True),
}


@pytest.fixture(scope="module")
def actionlint() -> Path:
    try:
        return resolve.tool(resolve.ACTIONLINT) / "actionlint"
    except UnmoorError as error:
        pytest.skip(str(error))


def findings(actionlint: Path, folder: Path) -> str:
    words = [actionlint, "-no-color", f"-shellcheck={Path(sys.executable).parent / 'shellcheck'}", "-pyflakes="]
    paths = sorted((folder / ".github" / "workflows").glob("*.yml"))
    assert paths
    done = subprocess.run([*words, *paths], cwd=folder, capture_output=True, text=True, check=False)
    assert bool(done.returncode) == bool(done.stdout), done.stderr
    return done.stdout


@pytest.mark.parametrize("name", FACTS)
def test_the_workflows_that_init_writes_have_no_fault(actionlint: Path, tmp_path: Path, name: str) -> None:
    written, _ = files.write(tmp_path, files.workflows(FACTS[name]).items())
    assert len(written) == len(files.WORKFLOWS)
    assert findings(actionlint, tmp_path) == ""


def test_our_own_workflows_have_no_fault(actionlint: Path) -> None:
    assert findings(actionlint, REPOSITORY) == ""


@pytest.mark.parametrize(
    ("old", "new"),
    [("vars.AWS_PREVIEW_ROLE }}", "vras.AWS_PREVIEW_ROLE }}"), ("runs-on:", "run-on:"), ("- uses:", "- use:")],
)
def test_a_slip_in_a_workflow_is_found(actionlint: Path, tmp_path: Path, old: str, new: str) -> None:
    made = files.workflows(FACTS["whole"])
    files.write(tmp_path, {path: text.replace(old, new) for path, text in made.items()}.items())
    assert findings(actionlint, tmp_path) != ""
