"""The workflow posts one comment of its own, runs nothing of a pull request, and has no secret to lose."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from components.review.comment import MARKER

FOLDER = Path(__file__).parents[2] / ".github/workflows"
REVIEW = yaml.safe_load((FOLDER / "review.yml").read_text())
JOB = REVIEW["jobs"]["review"]
STEPS = {step.get("name"): step for step in JOB["steps"]}


def test_it_runs_for_forks_with_no_secret_and_little_power() -> None:
    assert set(REVIEW[True]) == {"pull_request_target", "workflow_call"}  # YAML 1.1 reads `on` as true
    assert REVIEW[True]["workflow_call"] is None, "who calls it hands over no secret"
    assert REVIEW["permissions"] == {}
    assert JOB["permissions"] == {"contents": "read", "pull-requests": "write"}
    assert "secrets." not in (FOLDER / "review.yml").read_text()
    assert "if" not in JOB


@pytest.mark.parametrize(("event", "code"), [("pull_request_target", 0), ("pull_request", 1), ("push", 1), ("", 1)])
def test_called_for_another_event_it_ends_before_anything_is_checked_out(event: str, code: int) -> None:
    """A called workflow has its caller's event; with `pull_request` it would check out the pull request's own files."""
    first, second = JOB["steps"][:2]
    assert (first, second["uses"].partition("@")[0]) == (STEPS["Event"], "actions/checkout")
    assert first["env"] == {"EVENT": "${{ github.event_name }}"}
    words = ["bash", "-eo", "pipefail", "-c", first["run"]]
    done = subprocess.run(words, env={"EVENT": event}, capture_output=True, text=True, check=False)
    assert (done.returncode, "on: pull_request_target" in done.stdout) == (code, bool(code))


def test_nothing_of_the_pull_request_is_checked_out_or_pasted_into_a_script() -> None:
    for step in JOB["steps"]:
        assert "ref" not in step.get("with", {})
        assert "${{" not in step.get("run", "")
        assert "git checkout" not in step.get("run", "")
    assert "--head" in STEPS["Review"]["run"]


def test_no_other_job_edits_the_last_comment() -> None:
    for file in FOLDER.glob("*.yml"):
        assert "--edit-last" not in file.read_text(), file


#: `gh api` for one list of comments in two pages, one JSON array a page as gh prints them; it keeps what it is given.
GH = """#!{python}
import json, sys
words = sys.argv[1:]
assert words[0] == "api", words
if "--method" in words:
    body = next(word for word in words if word.startswith("body=@"))[6:]
    method = words[words.index("--method") + 1]
    path = next(word for word in words if word.startswith("repos/"))
    with open("calls.jsonl", "a") as file:
        file.write(json.dumps([method, path, open(body).read()]) + chr(10))
else:
    for page in json.load(open("pages.json")):
        print(json.dumps(page))
"""


def comment(number: int, login: str, body: str) -> dict:
    return {"id": number, "user": {"login": login}, "body": body}


BOT, PERSON = "github-actions[bot]", "mallory"
OTHERS = [
    comment(1, PERSON, f"{MARKER}\nnot the bot's"),
    comment(2, BOT, "#### :tropical_drink: `preview` on unmoor/prod\n<details>"),
    comment(3, BOT, f"quoting {MARKER}"),
]


@pytest.mark.parametrize(
    ("pages", "call"),
    [
        ([OTHERS], ["POST", "repos/dao/infra/issues/7/comments"]),
        ([[]], ["POST", "repos/dao/infra/issues/7/comments"]),
        ([OTHERS, [comment(9, BOT, f"{MARKER}\nold")]], ["PATCH", "repos/dao/infra/issues/comments/9"]),
        (
            [[*OTHERS, comment(8, BOT, f"{MARKER}\nold")], [comment(9, BOT, f"{MARKER}\nolder")]],
            ["PATCH", "repos/dao/infra/issues/comments/8"],
        ),
    ],
)
@pytest.mark.skipif(shutil.which("jq") is None, reason="the runner has jq, this machine has not")
def test_it_edits_its_own_comment_and_never_anothers(tmp_path: Path, pages, call) -> None:
    program = tmp_path / "gh"
    program.write_text(GH.format(python=sys.executable))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    (tmp_path / "pages.json").write_text(json.dumps(pages))
    (tmp_path / "review.md").write_text(f"{MARKER}\nnew\n")
    variables = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "REPOSITORY": "dao/infra", "PULL": "7"}
    subprocess.run(["bash", "-eo", "pipefail", "-c", STEPS["Comment"]["run"]], cwd=tmp_path, env=variables, check=True)
    (made,) = [json.loads(line) for line in (tmp_path / "calls.jsonl").read_text().splitlines()]
    assert made == [*call, f"{MARKER}\nnew\n"]


def test_a_stranger_is_reviewed_by_our_program_and_the_verdict_comes_last(tmp_path: Path) -> None:
    """The step runs as it stands: a bare `origin`, a fork's commit that brings a program of its own."""
    root = Path(__file__).parents[2]
    stack = (root / "stacks/Pulumi.example.yaml").read_text()

    def git(*words: str, cwd: Path = tmp_path / "work") -> str:
        command = ["git", "-c", "user.name=x", "-c", "user.email=x@x", *words]
        return subprocess.run(command, cwd=cwd, check=True, capture_output=True, text=True).stdout.strip()

    (tmp_path / "work/stacks").mkdir(parents=True)
    git("init", "-q", "-b", "main")
    (tmp_path / "work/stacks/Pulumi.prod.yaml").write_text(stack)
    (tmp_path / "work/Pulumi.yaml").write_text("name: unmoor\n")
    unmoor = tmp_path / "work/unmoor"
    unmoor.write_text(f'#!/bin/sh\nPYTHONPATH={root} exec {sys.executable} -m components "$@"\n')
    unmoor.chmod(0o755)
    git("add", "-A")
    git("commit", "-qm", "main")
    base = git("rev-parse", "HEAD")
    git("checkout", "-qb", "pull")
    (tmp_path / "work/stacks/Pulumi.prod.yaml").write_text(stack.replace("mode: centralized", "mode: standby"))
    unmoor.write_text("#!/bin/sh\necho '**No change of what is built**'\n")
    git("commit", "-qam", "a program that likes itself")
    head = git("rev-parse", "HEAD")
    git("clone", "-q", "--bare", ".", str(tmp_path / "origin"))
    git("update-ref", "refs/pull/7/head", head, cwd=tmp_path / "origin")
    git("checkout", "-q", "main")
    git("branch", "-qD", "pull")
    git("remote", "add", "origin", str(tmp_path / "origin"))
    variables = {
        "PATH": os.environ["PATH"],
        "PULL": "7",
        "BASE": base,
        "HEAD": head,
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
    }
    script = STEPS["Review"]["run"]
    subprocess.run(["bash", "-eo", "pipefail", "-c", script], cwd=tmp_path / "work", env=variables, check=True)
    text = (tmp_path / "work/review.md").read_text()
    assert text.startswith(MARKER)
    assert "No change" not in text
    assert "'standby' is not a mode" in text
    assert (tmp_path / "output").read_text() == "code=1\n"
    assert list(STEPS)[-2:] == ["Comment", "Verdict"]
