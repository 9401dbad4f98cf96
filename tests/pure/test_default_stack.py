"""A command is about the stack that is named, else the one that there is, else the one that is asked for."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from components.__main__ import cli as whole
from components.commands.which import stack_option
from components.project import stack_file


@click.command()
@stack_option()
def show(stack: str) -> None:
    """Print the stack."""
    click.echo(stack)


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "Pulumi.yaml").write_text("name: unmoor\n")
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks" / "Pulumi.example.yaml").write_text("config: {}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PULUMI_STACK", raising=False)
    return tmp_path


def run(*arguments: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(show, arguments)
    return done.exit_code, done.stdout.strip(), done.stderr.strip()


def stack(project: Path, *names: str) -> None:
    for name in names:
        (project / "stacks" / f"Pulumi.{name}.yaml").write_text("config: {}\n")


def test_the_only_stack_is_the_default_and_is_named(project: Path):
    stack(project, "sandbox")
    assert run() == (0, "sandbox", "stack sandbox")


def test_a_stack_that_is_named_wins(project: Path, monkeypatch: pytest.MonkeyPatch):
    stack(project, "sandbox")
    monkeypatch.setenv("PULUMI_STACK", "other")
    assert run()[:2] == (0, "other")
    assert run("--stack", "prod")[:2] == (0, "prod")


@pytest.mark.parametrize("named", ["dao/prod", "dao/unmoor/prod"])
def test_a_stack_may_be_named_as_pulumi_does_with_its_organisation(
    project: Path, monkeypatch: pytest.MonkeyPatch, named: str
):
    assert run("--stack", named)[:2] == (0, "prod")
    assert stack_file(named) == Path("stacks/Pulumi.prod.yaml")
    monkeypatch.setenv("PULUMI_STACK", named)
    assert run()[:2] == (0, "prod")


def test_a_path_to_a_stack_file_stays_one(project: Path):
    assert run("--stack", "stacks/Pulumi.prod.yaml")[:2] == (0, "stacks/Pulumi.prod.yaml")


def test_of_several_one_must_be_chosen(project: Path):
    stack(project, "prod", "sandbox")
    code, _, error = run()
    assert code == 2
    assert "several stacks are here; choose one with --stack: prod, sandbox" in error


def test_without_a_stack_file_the_template_is_named():
    code, _, error = run()
    assert code == 2
    assert "`unmoor init` writes one" in error


@pytest.mark.parametrize("command", ["plan", "status", "restore", "runbook", "approve", "flip"])
def test_every_command_about_a_stack_has_the_default(command: str):
    done = CliRunner().invoke(whole, [command, "--help"])
    assert done.exit_code == 0
    assert "else the only stack file" in " ".join(done.output.split())
