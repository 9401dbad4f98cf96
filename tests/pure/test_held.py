"""Values of Pulumi's secret configuration: handed to the steps of one update over a socket, and refused unencrypted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from components.config import held
from components.deploy import credentials
from components.errors import ConfigError, PlanError, StepError
from components.plan.stack import from_file, from_pulumi
from components.project import builtin
from tests.pure.test_service import planned, stack

GIVEN = {"secrets": {"TOKEN": "API_TOKEN"}, "command": ["api"]}
VALUE = "correct-horse-battery-staple"
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.delenv("API_TOKEN", raising=False)
    (tmp_path / "Pulumi.yaml").write_text("name: dao\n")
    monkeypatch.chdir(tmp_path)


def test_only_what_pulumi_encrypts_and_has_the_prefix_is_a_value() -> None:
    found = {"unmoor-secret:API_TOKEN": VALUE, "unmoor-secret:OTHER": "x", "aws:region": "us-east-1"}
    assert held.of(found, ["unmoor-secret:API_TOKEN", "aws:region"]) == {"API_TOKEN": VALUE}


def test_a_step_of_the_stack_gets_the_value_in_another_process_and_one_of_another_stack_does_not() -> None:
    held.offer("dao/prod", {"API_TOKEN": VALUE})
    code = "import sys; from components.deploy import credentials as c; print(c.secret('API_TOKEN', sys.argv[1]))"

    def step(name: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        words = [sys.executable, "-c", code, name]
        return subprocess.run(words, env=environment, capture_output=True, text=True, check=False)

    assert step("dao/prod").stdout.strip() == VALUE
    other = step("dao/staging")
    assert (other.returncode, "API_TOKEN is not set" in other.stderr) == (1, True)


def test_the_environment_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    held.offer("dao/first", {"API_TOKEN": VALUE})
    monkeypatch.setenv("API_TOKEN", "of the shell")
    assert credentials.secret("API_TOKEN", "dao/first") == "of the shell"
    assert VALUE in held.all_values("dao/first")


def test_a_socket_that_a_killed_update_left_is_replaced_and_no_program_means_no_value() -> None:
    held.offer("dao/again", {"API_TOKEN": "old"})
    held.offer("dao/again", {"API_TOKEN": VALUE})
    assert held.ask("dao/again") == {"API_TOKEN": VALUE}
    assert held.ask("dao/none") == {}


def test_a_folder_too_deep_for_a_socket_is_refused_with_what_to_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    monkeypatch.setenv("TMPDIR", str(deep))
    monkeypatch.setattr("tempfile.tempdir", None)
    assert held.ask("dao/prod") == {}
    with pytest.raises(StepError, match="set TMPDIR to a short path"):
        held.offer("dao/prod", {"API_TOKEN": VALUE})


def test_nothing_is_asked_in_a_folder_that_others_can_write(tmp_path: Path) -> None:
    folder = tmp_path / f"unmoor-{os.getuid()}"
    folder.mkdir()
    folder.chmod(0o777)
    for act in (lambda: held.ask("dao/prod"), lambda: held.offer("dao/prod", {"API_TOKEN": VALUE})):
        with pytest.raises(StepError, match="open to other users"):
            act()


def test_a_value_that_the_configuration_has_is_not_missing_and_is_looked_for_in_the_stack_file() -> None:
    made = planned("centralized", **GIVEN, env={"URL": f"https://x/{VALUE}"})
    shown = {fault.path: fault.message for fault in credentials.missing(made, builtin(), {"API_TOKEN": VALUE})}
    assert "workloads.api.options.secrets.TOKEN" not in shown
    assert "holds the value of the secret in API_TOKEN" in shown["workloads.api.options.env.URL"]
    assert VALUE not in str(shown)
    sealed = credentials.secrets_missing(made, builtin(), sealed={"API_TOKEN"})
    assert sealed == []


def test_a_value_in_clear_is_refused_by_its_key_in_the_file_and_in_the_program(tmp_path: Path) -> None:
    settings = {f"unmoor:{key}": value for key, value in stack("centralized", **GIVEN).items()}
    folder = tmp_path / "stacks"
    folder.mkdir()
    file = folder / "Pulumi.prod.yaml"
    key = "unmoor-secret:API_TOKEN"
    file.write_text(yaml.safe_dump({"config": settings | {key: VALUE}}))
    with pytest.raises((ConfigError, PlanError)) as caught:
        from_file(file, builtin())
    (fault,) = caught.value.faults
    assert (fault.path, "is not encrypted" in fault.message, f"--secret {key}" in fault.message) == (key, True, True)
    assert VALUE not in str(caught.value)
    file.write_text(yaml.safe_dump({"config": settings | {key: {"secure": "v1:abc"}}}))
    assert from_file(file, builtin()).workloads
    given = {name: value if isinstance(value, str) else json.dumps(value) for name, value in settings.items()}
    with pytest.raises((ConfigError, PlanError), match="is not encrypted"):
        from_pulumi(given | {key: VALUE}, builtin(), tmp_path)
    assert from_pulumi(given | {key: VALUE}, builtin(), tmp_path, [key]).workloads
