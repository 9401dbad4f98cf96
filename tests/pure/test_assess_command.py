"""`unmoor assess` and `unmoor explain` as they are run, and what they load."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from .assess_samples import ROOT


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "components", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_command_line_prints_tables_json_and_files(tmp_path: Path):
    plain = run("assess", "--date", "2026-11-22", "--out", str(tmp_path))
    assert (plain.returncode, "\x1b" in plain.stdout) == (0, False)
    assert "active-standby on AWS and Akash" in plain.stdout
    assert (tmp_path / "report.html").exists()
    machine = run("assess", "--date", "2026-11-22", "--json")
    assert json.loads(machine.stdout)["dao"] == "Example DAO"


def test_assessing_loads_neither_pulumi_nor_clients_nor_templates():
    script = (
        "import sys; from components.__main__ import cli; "
        "cli.main(['assess', '--date', '2026-11-22', '--json'], standalone_mode=False); "
        "heavy = {'pulumi', 'boto3', 'httpx', 'rich', 'jinja2', 'ruamel', 'dns'}; "
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stderr.strip().splitlines()[-1] == "[]"


def test_wrong_names_are_sentences():
    wrong = run("explain", "dosc", "cost")
    assert (wrong.returncode, "did you mean docs?" in wrong.stderr) == (2, True)
    missing = run("assess", "--inventory", "nowhere.yaml")
    assert (missing.returncode, missing.stderr.startswith("nowhere.yaml: no such inventory")) == (1, True)
    stack = run("assess", "--stack", "nowhere")
    assert (stack.returncode, "no such stack file" in stack.stderr) == (1, True)


def test_a_stack_file_is_assessed_against_the_inventory(tmp_path: Path):
    good = run("assess", "--stack", "example", "--date", "2026-11-22", "--json")
    assert good.returncode == 0, good.stderr
    assert json.loads(good.stdout)["plan"] == "stack example"
    bad = tmp_path / "Pulumi.bad.yaml"
    bad.write_text("config: {unmoor:zone: 1}")
    wrong = run("assess", "--stack", str(bad))
    assert (wrong.returncode, "is not valid" in wrong.stderr) == (1, True)


def test_explaining_goes_through_the_command_line():
    assert "Rehearse leaving" in run("explain", "bots", "migration", "--date", "2026-11-22").stdout
    assert "today, all workloads" in run("explain", "all", "cost", "--date", "2026-11-22").stdout
