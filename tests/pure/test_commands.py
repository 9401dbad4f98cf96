"""The command line: what it prints, how it ends, and that planning loads neither Pulumi nor HTTP."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from components.__main__ import COMMANDS, cli, main
from components.errors import PlanError
from components.plan.canonical import canonical, plan_hash
from components.plan.stack import from_file, from_pulumi
from components.probe import client as visit
from components.project import builtin
from tests.settings import settings, site_folder

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project with one stack, `prod`, in active-standby."""
    (tmp_path / "Pulumi.yaml").write_text("name: unmoor\n")
    (tmp_path / "stacks").mkdir()
    site_folder(tmp_path)
    write(tmp_path, settings("active-standby"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(project: Path, made: dict) -> None:
    text = yaml.safe_dump({"config": {f"unmoor:{key}": value for key, value in made.items()}})
    (project / "stacks/Pulumi.prod.yaml").write_text(text)


def run(*words: str):
    return CliRunner().invoke(cli, list(words), standalone_mode=False, catch_exceptions=True)


def test_plan_shows_roles_failover_and_cost(project: Path) -> None:
    shown = run("plan", "--stack", "prod").output
    assert "primary  docs-aws" in shown
    assert "standby  docs-akash" in shown
    assert "seen by visitors within 90 s" in shown
    assert "USD a month" in shown


def test_plan_shows_what_is_the_stacks_once_and_last(project: Path) -> None:
    everything, one = run("plan", "--stack", "prod").output, run("plan", "--stack", "prod", "docs").output
    assert everything.startswith(one.rstrip())
    assert [line.split(":")[0] for line in everything.removeprefix(one.rstrip()).split("\n") if line] == [
        "the stack",
        "  actions",
        "    compare  akash account",
    ]


def test_plan_shows_a_registrar_in_one_line_that_a_terminal_does_not_obey(project: Path) -> None:
    delegation = {"registrar": "Gan\n  cost     \x1b[31mdi", "name_servers": ["ns1.dao.example"]}
    write(project, settings("active-standby") | {"dns": {"delegation": delegation}})
    shown = run("plan", "--stack", "prod").output
    assert "  central  Gan cost \\x1b[31mdi alone can still switch this off" in shown
    assert "\x1b[31m" not in shown


def test_plan_of_one_site_shows_that_there_is_no_failover(project: Path) -> None:
    write(project, settings("centralized"))
    assert "failover none: one site only" in run("plan", "--stack", "prod").output


def test_plan_finds_the_project_from_a_folder_below(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project / "site")
    assert run("plan", "--stack", "prod").exception is None


def test_plan_as_json_is_the_canonical_plan(project: Path) -> None:
    shown = json.loads(run("plan", "--stack", "stacks/Pulumi.prod.yaml", "--json", "docs").output)
    plan = from_file(project / "stacks/Pulumi.prod.yaml", builtin())
    found = shown["workloads"]["docs"]
    assert shown["hash"] == plan_hash(plan)
    assert {key: found[key] for key in canonical(plan.workloads[0], signed_only=False)} == json.loads(
        json.dumps(canonical(plan.workloads[0], signed_only=False))
    )
    assert [*found["actions"], *shown["actions"]] == [str(action) for action in plan.actions]
    assert [each.split(":")[0] for each in shown["actions"]] == ["compare  akash account"]
    assert found["usd_month"] == plan.workloads[0].usd_month


def test_a_workload_that_is_not_there_is_wrong_usage(project: Path) -> None:
    result = run("plan", "--stack", "prod", "dosc")
    assert "no workload dosc in prod; choose from docs" in str(result.exception.message)


def test_an_operators_mistake_ends_with_1_and_a_sentence(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(project, {**settings(), "zone": "Dao"})
    with pytest.raises(SystemExit) as ended:
        main(["plan", "--stack", "prod"])
    assert ended.value.code == 1
    shown = capsys.readouterr().err
    assert shown.startswith("the stack configuration is not valid:\n  - zone: 'Dao' is not a host name")
    assert "Traceback" not in shown


def test_wrong_usage_ends_with_2() -> None:
    for words in (["paln"], ["plan", "--stak", "prod"], ["explain", "docs"]):
        with pytest.raises(SystemExit) as ended:
            main(words)
        assert ended.value.code == 2


@pytest.mark.parametrize("words", ["init --stack new", "plan", "inventory init"])
def test_closed_standard_input_is_like_an_empty_one(project: Path, words: str) -> None:
    write(project, settings("centralized"))
    (project / "stacks/Pulumi.other.yaml").write_text("config: {}\n")
    ends = [
        subprocess.run(
            ["sh", "-c", f'exec "$0" -m components {words} {given}', sys.executable],
            env={"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        for given in ("<&-", "</dev/null")
    ]
    assert "Traceback" not in ends[0].stderr
    assert (ends[0].returncode, ends[0].stderr) == (ends[1].returncode, ends[1].stderr)


@pytest.mark.parametrize("words", ["doctor", "init", "plan"])
def test_a_folder_that_is_gone_is_a_sentence(tmp_path: Path, words: str) -> None:
    (tmp_path / "gone").mkdir()
    done = subprocess.run(
        ["sh", "-c", f'rmdir ../gone; exec "$0" -m components {words}', sys.executable],
        cwd=tmp_path / "gone",
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "the folder in which this runs is gone; go to another one\n")


def test_what_is_interrupted_promises_nothing(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("components.commands.plan.load", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(SystemExit) as ended:
        main(["plan", "--stack", "prod"])
    assert (ended.value.code, capsys.readouterr().err.strip()) == (130, "interrupted; run it again")


def test_every_word_loads_and_explains_itself() -> None:
    for word in COMMANDS:
        result = CliRunner().invoke(cli, [word, "--help"])
        assert result.exit_code == 0, word
        assert "Usage:" in result.output


def test_planning_loads_neither_pulumi_nor_http(project: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "components", "plan", "--stack", "prod"],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {line.rsplit("|", 1)[-1].strip().split(".")[0] for line in done.stderr.splitlines()}
    assert loaded.isdisjoint({"pulumi", "pulumi_aws", "grpc", "httpx", "boto3", "rich", "jinja2"})


def test_a_step_that_reads_no_options_loads_no_models() -> None:
    """A probe and a drain start in each update, and pydantic is slow to load."""
    code = "import sys, components.commands.step; print('pydantic' in sys.modules)"
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_what_pulumi_hands_over_is_planned_like_the_file(project: Path) -> None:
    made = settings("active-standby")
    values = {f"unmoor:{key}": value if isinstance(value, str) else json.dumps(value) for key, value in made.items()}
    others = {
        "aws:region": "us-east-1",
        "aws:allowedAccountIds": '["1234"]',
        "aws:skipMetadataApiCheck": "true",
    }
    file = project / "stacks/Pulumi.prod.yaml"
    document = yaml.safe_load(file.read_text())
    document["config"] |= {
        "aws:region": "us-east-1",
        "aws:allowedAccountIds": ["1234"],
        "aws:skipMetadataApiCheck": True,
        "aws:secretKey": {"secure": "v1:abc"},
    }
    file.write_text(yaml.safe_dump(document))
    planned = from_pulumi({**values, **others, "aws:secretKey": "hunter2"}, builtin(), project, ["aws:secretKey"])
    assert planned == from_file(file, builtin())
    assert planned.settings["aws:region"] == "us-east-1"
    assert "hunter2" not in str(planned)


@pytest.mark.parametrize("label", ["null", "2026", "true", "1e3"])
def test_a_label_is_the_same_text_in_a_file_and_in_an_update(project: Path, label: str) -> None:
    made = settings("active-standby") | {"label": label, "require_approval": False}
    document = {"config": {f"unmoor:{key}": value for key, value in made.items()}}
    (project / "stacks/Pulumi.prod.yaml").write_text(json.dumps(document))
    values = {f"unmoor:{key}": value if isinstance(value, str) else json.dumps(value) for key, value in made.items()}
    planned = from_pulumi(values, builtin(), project)
    assert planned == from_file(project / "stacks/Pulumi.prod.yaml", builtin())
    assert [workload.identity for workload in planned.workloads] == [f"docs.{label}"]


def test_a_site_folder_that_is_missing_is_a_fault_of_its_setting(project: Path) -> None:
    write(project, settings(options={"site": "built"}))
    with pytest.raises(PlanError) as caught:
        from_file(project / "stacks/Pulumi.prod.yaml", builtin())
    assert [fault.path for fault in caught.value.faults] == ["workloads.docs.options.site"]
    assert isinstance(run("status", "--stack", "prod").exception, PlanError)


def test_a_site_folder_that_cannot_be_looked_at_is_a_fault_of_its_setting_with_all_others(project: Path) -> None:
    write(project, settings(host="docs.other.example", options={"site": "a" * 256}))
    with pytest.raises(PlanError) as caught:
        from_file(project / "stacks/Pulumi.prod.yaml", builtin(), built=False)
    assert [fault.path for fault in caught.value.faults] == ["workloads.docs.options.site", "workloads.docs.host"]


def test_a_site_that_is_not_built_can_be_planned_and_it_is_printed(project: Path) -> None:
    write(project, settings(options={"site": "built"}))
    assert "release  not built yet; build it before `pulumi up`" in run("plan", "--stack", "prod").output


def seen(status: int = 200, body: str = "", trouble: str = "") -> visit.Page:
    return visit.Page(status, body, visit.Certificate("An Authority", ("docs.dao.example",), 41.0), trouble)


def test_status_ends_with_1_when_a_site_is_not_well(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    version = from_file(project / "stacks/Pulumi.prod.yaml", builtin()).workloads[0].release.id
    pages = {
        "docs-aws.dao.example": seen(body=f"{version}\n"),
        "docs-akash.dao.example": seen(status=0, trouble="no answer in time"),
    }
    pages[None] = pages["docs-aws.dao.example"]
    monkeypatch.setattr(visit, "visit", lambda url, address: pages[address])
    result = run("status", "--stack", "prod")
    assert result.return_value == 1
    assert "no answer in time" in result.output
    assert "certificate by An Authority for docs.dao.example, 41 days left" in result.output
    found = json.loads(run("status", "--stack", "prod", "--json").output)["docs"]
    assert [(one["site"], one["well"]) for one in found] == [
        ("docs-aws", True), ("docs-akash", False), ("docs.dao.example", True),
    ]  # fmt: skip


def test_status_alarms_where_visitors_are_led_to_another_release(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = from_file(project / "stacks/Pulumi.prod.yaml", builtin()).workloads[0].release.id
    pages = dict.fromkeys(("docs-aws.dao.example", "docs-akash.dao.example"), seen(body=f"{version}\n"))
    pages[None] = seen(body="f" * 64)
    monkeypatch.setattr(visit, "visit", lambda url, address: pages[address])
    result = run("status", "--stack", "prod")
    assert result.return_value == 1
    assert "visitors docs.dao.example" in result.output
    assert "it serves version ffffffffffff, not" in result.output
