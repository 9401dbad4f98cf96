"""The recorded command line of a step, through the stand-in for pulumi-command, in each layout a project may have."""

from __future__ import annotations

import hashlib
import subprocess
from typing import TYPE_CHECKING

import pytest

from components.deploy import command
from components.steps import INTERPRETER, STEPS, command_line
from sandbox.command.resource import TOKEN
from sandbox.state import REPOSITORY

from .plugin_client import EngineError, running

if TYPE_CHECKING:
    from pathlib import Path

#: What the shell is given, as states have it. Another text runs every step of every stack once more.
RECORDED = "bcc94604"


def launcher(path: Path, name: str) -> None:
    """Write an executable that tells its name, where it runs and what it was given."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'#!/bin/sh\necho "{name}: $* < $(cat)"\n')
    path.chmod(0o755)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project with a blank in its path, and a `python3` on PATH."""
    folder = tmp_path / "a project"
    folder.mkdir()
    (folder / "Pulumi.yaml").touch()
    launcher(tmp_path / "path" / "python3", "PATH")
    return folder


def take(project: Path, where: str = ".", line: str = "unmoor step drain --wait", **environment: str) -> str:
    """Run a command line as pulumi-command does, in a folder of the project, and return what it prints."""
    path = f"{project.parent / 'path'}:/usr/bin:/bin"
    done = subprocess.run(
        [*INTERPRETER, line], cwd=project / where, env={"PATH": path, **environment}, input="{}",
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout.strip() if done.returncode == 0 else f"{done.returncode}: {done.stderr.strip()}"


def test_a_checkout_starts_steps_by_its_own_launcher(project: Path) -> None:
    launcher(project / "unmoor", "checkout")
    launcher(project / ".venv/bin/python", "environment")
    assert take(project) == "checkout: step drain --wait < {}"


@pytest.mark.parametrize("option", ["venv", "venv/", "ABSOLUTE"])
def test_the_environment_of_the_project_file_is_used_though_it_is_not_active(project: Path, option: str) -> None:
    launcher(project / "venv/bin/python", "environment")
    launcher(project / ".venv/bin/python", "another")
    named = str(project / "venv") if option == "ABSOLUTE" else option
    assert take(project, PULUMI_RUNTIME_VIRTUALENV=named) == "environment: -P -m unmoor step drain --wait < {}"


def test_without_that_option_it_is_the_usual_environment_else_the_python_on_path(project: Path) -> None:
    assert take(project) == "PATH: -P -m unmoor step drain --wait < {}"
    launcher(project / ".venv/bin/python", "usual")
    assert take(project) == "usual: -P -m unmoor step drain --wait < {}"


def test_a_program_in_a_folder_of_the_project_finds_it_too(project: Path) -> None:
    (project / "infra/deep").mkdir(parents=True)
    launcher(project / "venv/bin/python", "environment")
    said = take(project, "infra/deep", PULUMI_RUNTIME_VIRTUALENV="venv")
    assert said == "environment: -P -m unmoor step drain --wait < {}"


def test_a_moved_project_runs_the_same_text(project: Path) -> None:
    launcher(project / "venv/bin/python", "environment")
    moved = project.rename(project.parent / "moved")
    assert take(moved, PULUMI_RUNTIME_VIRTUALENV="venv").startswith("environment: ")


def test_an_environment_that_is_not_there_is_a_sentence_and_no_other_python_is_tried(project: Path) -> None:
    assert take(project, PULUMI_RUNTIME_VIRTUALENV="venv") == (
        "127: unmoor: the virtual environment that Pulumi.yaml names is not there; run 'pulumi install'"
    )


def test_outside_of_a_project_the_python_on_path_is_used(project: Path) -> None:
    (project / "Pulumi.yaml").unlink()
    assert take(project) == "PATH: -P -m unmoor step drain --wait < {}"


def test_a_folder_with_the_name_of_the_launcher_is_none(project: Path) -> None:
    (project / "unmoor").mkdir()
    assert take(project).startswith("PATH: ")


def test_the_text_is_the_recorded_one() -> None:
    text = "\0".join((*INTERPRETER, *sorted(map(command_line, ("publish", "probe", "drain")))))
    assert hashlib.sha256(text.encode()).hexdigest()[:8] == RECORDED


@pytest.mark.parametrize("step", STEPS)
def test_every_step_starts_through_the_plugin_from_this_checkout(step: str) -> None:
    """Given no object, each refuses in a sentence of its own: so it was found and ran."""
    with running("sandbox.command") as plugin, pytest.raises(EngineError) as failed:
        plugin.create(TOKEN, "it", {"create": command_line(step), "interpreter": list(INTERPRETER), "stdin": "[]"})
    assert f'running "unmoor step {step}"' in str(failed.value)
    assert f"step {step}: standard input is not one JSON object" in str(failed.value)
    assert (REPOSITORY / "Pulumi.yaml").exists()


def test_what_deploys_records_exactly_this(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[dict[str, object]] = []
    monkeypatch.setattr(command.pulumi.Output, "json_dumps", lambda value, **_: value)  # it would need an event loop
    monkeypatch.setattr(command.command.local, "Command", lambda _name, **inputs: made.append(inputs))
    command.run("a", "probe", {}, None)  # type: ignore[arg-type]
    command.run_on_delete("b", "drain", {}, [], None)  # type: ignore[arg-type]
    assert [each["interpreter"] for each in made] == [list(INTERPRETER)] * 2
    assert (made[0]["create"], made[0]["update"], made[1]["delete"]) == (
        "unmoor step probe", "unmoor step probe", "unmoor step drain --wait",
    )  # fmt: skip
