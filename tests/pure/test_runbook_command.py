"""`unmoor runbook` writes, lists and carries out; what stops can be gone on with."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import psutil
import pytest
import yaml
from click.testing import CliRunner

from components.__main__ import main
from components.commands import runbook as command
from components.runbook.chapter import Check, Outcome, Step
from tests.settings import settings, site_folder

if TYPE_CHECKING:
    from collections.abc import Callable


#: The repository.
ROOT = Path(__file__).resolve().parents[2]


SIGNED = Step("signed", "Signed", "why", Check("do", ("done",)), Check("verify", ("seen",)), 1, approval="a signer")


@pytest.fixture
def project(tmp_path: Path, monkeypatch) -> Path:
    site_folder(tmp_path)
    (tmp_path / "stacks").mkdir()
    written = {"config": {f"unmoor:{key}": value for key, value in settings().items()}}
    (tmp_path / "stacks" / "Pulumi.prod.yaml").write_text(yaml.safe_dump(written, sort_keys=False))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command.signal, "signal", lambda *_: None)
    return tmp_path


@pytest.fixture
def staged(monkeypatch) -> Callable[..., list[str]]:
    """Let chapters be carried out by a stage: every command prints what it should, except those that a test names."""
    typed: list[str] = []

    def make(*bad: str) -> list[str]:
        def run(line: str, limit_s: float, show: Any = None) -> Outcome:
            typed.append(line)
            if show:
                show("a line")
            wrong = any(part in line for part in bad)
            return Outcome(1, "no\n") if wrong else Outcome(expected[line].fails, "\n".join(expected[line].shows))

        monkeypatch.setattr(command.shell, "run", run)
        monkeypatch.setattr(command.time, "sleep", lambda _: None)
        return typed

    expected: dict[str, Check] = {}
    real = command._chapter

    def chapter(*words: Any) -> Any:
        found, kept = real(*words)
        expected.update({check.command: check for step in found.steps for check in (step.do, step.verify)})
        return replace(found, steps=tuple(replace(s, verify=replace(s.verify, within_s=0)) for s in found.steps)), kept

    monkeypatch.setattr(command, "_chapter", chapter)
    return make


@dataclass(frozen=True)
class Done:
    """What a run of the command came to."""

    exit_code: int
    stdout: str
    stderr: str


def run(*words: str, workload: str = "docs") -> Done:
    """Run the command as the program does, its errors turned into sentences and an exit code."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with redirect_stdout(out), redirect_stderr(err):
        try:
            main(["runbook", workload, "--stack", "prod", *words])
        except SystemExit as left:
            code = int(left.code or 0)
    return Done(code, out.getvalue(), err.getvalue())


def test_the_whole_runbook_is_printed(project: Path) -> None:
    done = run()
    assert (done.exit_code, done.stdout.startswith("---\nshell: sh\n")) == (0, True)


def test_one_chapter_is_printed(project: Path) -> None:
    assert '<a id="fund">' in run("--chapter", "fund").stdout


def test_chapters_are_listed(project: Path) -> None:
    whole, one, machine = run("--list"), run("--list", "-c", "deploy"), run("--list", "--json")
    assert "deploy                 0.85 h  Deploy\n" in whole.stdout
    assert one.stdout.splitlines()[1:] == [
        "    preview              See what it will do",
        "    update               Make it so",
        "    seen                 See what visitors see",
    ]
    assert json.loads(machine.stdout)["chapters"][0]["name"] == "before"


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["--yes"], "go with --execute"),
        (["--execute"], "name what to execute"),
        (["--execute", "-c", "fund", "-c", "check", "--from", "x"], "name one --chapter"),
        (["--execute", "-c", "fund", "--yes"], "--approved-by NAME"),
        (["-c", "swop"], "no chapter swop for docs, which is centralized; choose from before, "),
        (["-c", "chek"], "did you mean check?"),
        (["--execute", "-c", "fund", "--from", "x"], "no step x in chapter fund; choose from runway"),
    ],
)
def test_wrong_usage_shows_what_to_choose(project: Path, words: list[str], shown: str) -> None:
    done = run(*words)
    assert (done.exit_code, shown in " ".join(done.stderr.split())) == (2, True), done.stderr


def test_a_workload_that_is_not_there_is_wrong_usage(project: Path) -> None:
    done = run(workload="dosc")
    assert (done.exit_code, "choose from docs" in done.stderr) == (2, True)


def test_a_stack_file_with_faults_is_reported(project: Path) -> None:
    path = project / "stacks" / "Pulumi.prod.yaml"
    path.write_text(path.read_text().replace("mode: centralized", "mode: central"))
    assert "'central' is not a mode" in run().stderr


def test_a_chapter_is_carried_out_and_reported(project: Path, staged) -> None:
    typed = staged()
    done = run("--execute", "-c", "fund", "-c", "check", "--json")
    found = json.loads(done.stdout)
    assert (done.exit_code, found["ok"], found["resume"], len(typed)) == (0, True, None, 2 + 6)
    assert [chapter["name"] for chapter in found["chapters"]] == ["fund", "check"]
    (kept,) = (project / ".runbook").iterdir()
    taken = [json.loads(line) for line in kept.read_text().splitlines()]
    steps = [step["step"] for chapter in found["chapters"] for step in chapter["steps"]]
    assert (kept.name, [row["step"] for row in taken]) == ("times.jsonl", steps)
    assert all(row["planned_min"] > 0 for row in taken)
    assert "planned" in done.stderr
    assert "      | a line" in done.stderr


def test_a_step_that_needs_a_person_stops_without_one(project: Path, staged) -> None:
    staged()
    done = run("--execute", "-c", "deploy")
    assert done.exit_code == 1
    assert done.stderr.splitlines()[-1] == (
        "go on with: ./unmoor runbook docs --stack prod --execute --chapter deploy --from update"
    )


def test_going_on_takes_what_was_begun_although_the_plan_is_another_by_now(project: Path, staged) -> None:
    staged("pulumi up")
    flip = ("--execute", "-c", "active-standby", "--yes", "--approved-by", "Ada")
    assert run(*flip).exit_code == 1
    path = project / "stacks" / "Pulumi.prod.yaml"
    path.write_text(path.read_text().replace("mode: centralized", "mode: active-standby"))
    typed = staged()
    typed.clear()
    done = run(*flip, "--from", "update", "--json")
    steps = json.loads(done.stdout)["chapters"][0]["steps"]
    assert [(step["step"], step["state"]) for step in steps[-3:]] == [
        ("preview", "skipped"), ("update", "done"), ("seen", "done"),
    ]  # fmt: skip
    assert (steps[-2]["approved_by"], typed[0]) == ("Ada", "pulumi up --yes --skip-preview --stack prod")


def test_nothing_comes_after_a_chapter_that_failed(project: Path, staged) -> None:
    typed = staged("balances")
    assert (run("--execute", "-c", "fund", "-c", "check").exit_code, len(typed)) == (1, 1)


def test_an_interrupt_shows_where_to_continue(project: Path, staged, monkeypatch) -> None:
    staged()

    def interrupted(*_: Any) -> Outcome:
        raise KeyboardInterrupt

    monkeypatch.setattr(command.shell, "run", interrupted)
    done = run("--execute", "-c", "fund")
    resume = "go on with: ./unmoor runbook docs --stack prod --execute --chapter fund --from runway"
    assert (done.exit_code, resume in done.stderr) == (130, True)


@pytest.mark.parametrize(
    ("approved_by", "typed", "agreed"),
    [(None, "Ada\n", "Ada"), (None, "\n", ""), ("Ada", "y\n", "Ada"), ("Ada", "n\n", "")],
)
def test_a_person_at_a_terminal_is_asked(monkeypatch, approved_by, typed, agreed) -> None:
    found: list[str] = []

    @click.command()
    def ask() -> None:
        monkeypatch.setattr(command.sys.stdin, "isatty", lambda: True, raising=False)
        found.append(command._approver(False, approved_by)(SIGNED))

    CliRunner().invoke(ask, input=typed)
    assert found == [agreed]


def ended(pid: int) -> bool:
    """Wait until a process is gone; one that nobody reaps has ended too."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.05)
    return False


def test_ctrl_c_ends_what_runs_and_leaves_the_journal(tmp_path: Path) -> None:
    """The command itself, as a process: a signal reaches what it started, and the chapter can be gone on with."""
    site_folder(tmp_path)
    (tmp_path / "stacks").mkdir()
    written = {"config": {f"unmoor:{key}": value for key, value in settings().items()}}
    (tmp_path / "stacks" / "Pulumi.prod.yaml").write_text(yaml.safe_dump(written))
    (tmp_path / "pulumi").write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nexec sleep 600\n")
    (tmp_path / "pulumi").chmod(0o755)
    child = subprocess.Popen(
        [sys.executable, "-m", "components", "runbook", "docs", "--stack", "prod", "--execute", "-c", "interrupted",
         "--yes", "--approved-by", "Ada"],
        cwd=tmp_path, env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, process_group=0,
    )  # fmt: skip
    try:
        until = time.monotonic() + 60
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text().strip():
            assert time.monotonic() < until
            time.sleep(0.05)
        child.send_signal(signal.SIGINT)
        _, shown = child.communicate(timeout=60)
    finally:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
    assert ended(int((tmp_path / "pid").read_text()))
    assert (child.returncode, "--chapter interrupted --from unlock" in shown) == (130, True), shown
    assert [path.name for path in (tmp_path / ".runbook").iterdir()] == ["prod.docs.interrupted.json"]


def test_the_runbooks_hash_is_that_of_plan_and_review(tmp_path, monkeypatch) -> None:
    """Settings of other plug-ins decide where things are built, so the hash covers them everywhere."""
    from components.commands.runbook import _case
    from components.plan.canonical import plan_hash
    from components.plan.stack import from_file
    from components.project import builtin
    from tests.settings import settings, site_folder

    site_folder(tmp_path)
    (tmp_path / "Pulumi.yaml").write_text("name: unmoor\n")
    file = tmp_path / "stacks" / "Pulumi.prod.yaml"
    file.parent.mkdir()
    ours = {f"unmoor:{key}": value for key, value in settings().items()}
    file.write_text(json.dumps({"config": {"aws:region": "eu-central-1", **ours}}))
    monkeypatch.chdir(tmp_path)
    assert _case("docs", "prod").hash == plan_hash(from_file(file, builtin()))
