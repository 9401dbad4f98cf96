"""Every program of the manual's pages for programmers, as printed, from the wheel, against the sandbox.

The environment of the shell is bare: an empty HOME, no environment active, and on PATH the engine and the system alone.
`pip install` is done by uv with the versions of the lock file, because `unmoor` would come from an index.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from components.errors import UnmoorError
from sandbox.client import get
from sandbox.engine import resolve
from sandbox.state import REPOSITORY
from tests import documented, wheel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .conftest import Sandbox

pytestmark = pytest.mark.timeout(600)

#: Pages all of whose fences are programs.
PAGES = ("library.md", "kinds.md")
SECTIONS = {
    f"{page}: {section.title}": section
    for page in PAGES
    for section in documented.sections((REPOSITORY / "docs" / page).read_text())
}
#: What the README promises to a folder with a built site, in at most four commands.
README = next(
    section
    for section in documented.sections((REPOSITORY / "README.md").read_text())
    if section.title == "From nothing to the first update"
)
#: What every section begins with: an environment, Pulumi.yaml and an example document.
SETUP = SECTIONS["library.md: Set up a project"]
#: What a shell that can reach a cloud has, besides PATH and HOME.
NEEDED = ("AWS_", "AKASH_", "PULUMI_", "UNMOOR_", "HTTP", "http", "NO_PROXY", "no_proxy", "SSL_", "CURL_", "REQUESTS_")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wheel.build(tmp_path_factory.mktemp("wheel"))


@pytest.fixture
def shell(sandbox: Sandbox, tmp_path: Path) -> dict[str, str]:
    """Return a user's shell: nothing but what the page tells to set up, and the ways to the sandbox."""
    try:
        folders = [str(resolve.engine()), str(resolve.tool(resolve.YAML_HOST)), "/usr/bin", "/bin"]
    except UnmoorError as error:
        pytest.skip(str(error))
    (tmp_path / "home").mkdir()
    reached = {name: value for name, value in sandbox.environment.items() if name.startswith(NEEDED)}
    backend = f"file://{tmp_path / 'state'}"  # one for each section: all of them have a stack `dev` of a project `dao`
    (tmp_path / "state").mkdir()
    return {
        **reached, "PATH": os.pathsep.join(folders), "HOME": str(tmp_path / "home"), "PULUMI_BACKEND_URL": backend,
    }  # fmt: skip


@pytest.fixture
def installs(built: Path) -> Callable[[str, Path], bool]:
    """Run what makes an environment and fills it with the wheel of this checkout; return whether a line was that."""

    def take(line: str, folder: Path) -> bool:
        for each in line.split(" && "):
            words = shlex.split(each)
            if words[:3] == ["python3", "-m", "venv"]:
                wheel.environment(folder / words[3])
            elif len(words) > 2 and words[0].endswith("/bin/pip") and words[1] == "install":
                extras = re.fullmatch(r"unmoor(\[\w+\])?", words[2])
                assert extras, line
                wheel.locked(folder / words[0].removesuffix("/bin/pip"), built, extras[1] or "")
            else:
                return False
        return True

    return take


def test_four_commands_lead_from_nothing_to_the_first_update_as_printed(
    shell: dict[str, str], installs: Callable[[str, Path], bool], sandbox: Sandbox, tmp_path: Path
) -> None:
    """As printed, but that no person is there to answer `pulumi up`."""
    assert len(README.commands) <= 4
    assert README.commands[-1].line == "pulumi up"
    project = tmp_path / "dao"
    (project / "site").mkdir(parents=True)
    (project / "site" / "index.html").write_text("<!doctype html><title>The manual</title>")
    documented.run(replace(README, commands=README.commands[:-1]), project, shell, installs)

    def pulumi(*words: str) -> str:
        done = subprocess.run(
            ["pulumi", *words], cwd=project, env=shell, capture_output=True, text=True, check=False
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    made = {step["newState"]["type"] for step in json.loads(pulumi("preview", "--json"))["steps"]}
    assert {"aws:cloudfront/distribution:Distribution", "aws:route53/record:Record"} <= made
    pulumi("up", "--yes", "--skip-preview")
    assert b"The manual" in get("https://docs.dao.example/", sandbox.state).body
    pulumi("destroy", "--yes", "--skip-preview")


@pytest.mark.parametrize("title", SECTIONS)
def test_every_program_of_the_page_runs_as_printed(
    title: str, shell: dict[str, str], installs: Callable[[str, Path], bool], tmp_path: Path
) -> None:
    project, section = tmp_path / "project", SECTIONS[title]
    project.mkdir()
    commands = SETUP.commands if section is SETUP else (*SETUP.commands, *section.commands)
    whole = documented.Section(title, {**SETUP.files, **section.files}, commands)
    documented.run(whole, project, shell, installs)
    for fragment in section.fragments:
        subprocess.run([project / ".venv/bin/python", "-P", "-c", documented.imports(fragment)], env=shell, check=True)
