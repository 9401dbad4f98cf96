"""Secrets of a service: what an update demands of the shell, what a release notices, and what a plan shows of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from click.testing import CliRunner

from components import operator_key
from components.__main__ import cli
from components.commands.rotate import resources
from components.deploy import credentials
from components.errors import ConfigError
from components.kinds.service.options import ServiceOptions
from components.project import builtin
from components.targets.akash.sdl import document as sdl
from tests.pure.test_service import OPTIONS, document, faults, planned, stack

#: What any service with secrets has on Akash.
GIVEN = {"secrets": {"DATABASE_URL": "API_DATABASE_URL", "TOKEN": "API_TOKEN"}, "command": ["api"]}
UNSET = "the environment variable {0} is not set; export it, or `pulumi config set --secret unmoor-secret:{0}`"
VALUE = "correct-horse-battery-staple"
SECRETS = GIVEN["secrets"]


def missing(**options: Any) -> dict[str, str]:
    found = credentials.missing(planned("centralized", **GIVEN, **options), builtin())
    return {fault.path: fault.message for fault in found if ".options." in fault.path}


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for variable in SECRETS.values():
        monkeypatch.delenv(variable, raising=False)
    return monkeypatch


def test_every_secret_that_is_not_set_is_a_fault_at_its_path(shell) -> None:
    assert missing() == {
        "workloads.api.options.secrets.DATABASE_URL": UNSET.format("API_DATABASE_URL"),
        "workloads.api.options.secrets.TOKEN": UNSET.format("API_TOKEN"),
    }


def test_planning_demands_no_secret(shell) -> None:
    assert planned("centralized", **GIVEN).workloads[0].release.id


def test_the_value_of_a_secret_in_the_stack_file_is_found_in_any_text_and_not_repeated(shell) -> None:
    for variable in SECRETS.values():
        shell.setenv(variable, VALUE)
    found = missing(env={"URL": f"https://x/{VALUE}?y"}, args=["--plain", VALUE])
    assert set(found) == {"workloads.api.options.env.URL", "workloads.api.options.args[1]"}
    assert "take it out" in found["workloads.api.options.env.URL"]
    assert VALUE not in str(found)


@pytest.mark.parametrize(
    ("value", "words"),
    [("x" * 16_385, "more than 16,384 bytes"), ("\udcff", "is not UTF-8"), ("", "is not set")],
)
def test_a_value_that_cannot_be_delivered_is_refused(shell, value, words) -> None:
    shell.setenv("API_TOKEN", value) if value.isascii() else shell.setitem(credentials.os.environ, "API_TOKEN", value)
    shell.setenv("API_DATABASE_URL", VALUE)
    assert words in missing()["workloads.api.options.secrets.TOKEN"]
    with pytest.raises(ConfigError, match="API_TOKEN"):
        credentials.secret("API_TOKEN")


def test_all_values_together_have_a_limit(shell) -> None:
    options = {f"S{n}": f"API_S{n}" for n in range(3)}
    for variable in options.values():
        shell.setenv(variable, "x" * 12_000)
    found = credentials.missing(planned("centralized", command=["api"], secrets=options), builtin())
    assert [fault.path for fault in found if "together" in fault.message] == ["workloads.api.options.secrets"]


def test_every_variable_of_a_secret_is_one_that_a_workflow_has_to_hand_on() -> None:
    assert set(SECRETS.values()) <= set(credentials.variables(planned("centralized", **GIVEN), builtin()))


def identity(**options: Any) -> str:
    return ServiceOptions.model_validate({**OPTIONS, **options}).identity()


def test_a_release_hashes_the_names_of_secrets_and_never_a_value(shell) -> None:
    before = identity(secrets=SECRETS)
    shell.setenv("API_TOKEN", VALUE)
    assert identity(secrets=SECRETS) == before
    others = [identity(), identity(secrets={"TOKEN": "API_TOKEN"}), identity(secrets={"TOKEN": "OTHER"})]
    assert len({before, *others}) == 4


def test_the_bill_and_the_losses_name_the_secrets() -> None:
    plan = planned("centralized", **GIVEN).workloads[0]
    (line,) = [line for line in plan.bill if "secrets" in line.what]
    assert (line.what, line.usd_month) == ("secrets, 2", pytest.approx(0.8))
    assert any("Secrets Manager keeps its secrets" in loss for loss in plan.losses)


def test_the_document_has_names_and_a_hash_and_shows_the_port_to_the_application_alone(shell) -> None:
    for variable in SECRETS.values():
        shell.setenv(variable, VALUE)
    made = document(**GIVEN, args=["--x", "$(HOME)"])
    assert sdl.check(sdl.Document(made)).errors == ()
    assert VALUE not in str(made)
    web, app = made["services"]["web"], made["services"]["app"]
    assert web["env"][0] == "OPERATOR=" + "ab" * 32
    (inside,) = [each for each in web["expose"] if each["port"] == 8181]
    assert inside["to"] == [{"service": "app"}]
    assert (app["command"], app["args"][1:]) == (["sh", "-c"], ["take", "DATABASE_URL TOKEN", "api", "--x", "$$(HOME)"])
    assert "UNMOOR_SECRETS=web:8181" in app["env"]


def test_without_secrets_a_document_is_as_it_was() -> None:
    made = document()
    assert [each["port"] for each in made["services"]["web"]["expose"]] == [80, 443]
    assert not [line for line in made["services"]["web"]["env"] if "OPERATOR" in line or "SECRETS" in line]


def test_on_akash_a_command_and_a_shell_are_needed() -> None:
    found = faults(secrets=SECRETS, shell=False)
    assert "docker image inspect" in found["options.command"]
    assert "use an image that has them" in found["options.shell"]


def test_a_certificate_is_the_same_for_a_lease_and_another_for_any_other_key_or_lease(shell) -> None:
    shell.setenv(operator_key.VARIABLE, "a" * 32)
    first = operator_key.certificate("dao/prod/api-akash.prod")
    assert operator_key.certificate("dao/prod/api-akash.prod").certificate == first.certificate
    other = operator_key.certificate("dao/staging/api-akash.staging")
    shell.setenv(operator_key.VARIABLE, "b" * 32)
    assert (
        len({first.fingerprint, other.fingerprint, operator_key.certificate("dao/prod/api-akash.prod").fingerprint})
        == 3
    )


def test_an_update_with_a_lease_demands_the_operators_key_and_one_without_does_not(shell) -> None:
    shell.setenv(operator_key.VARIABLE, "short")
    wanted = f"akash needs the environment variable {operator_key.VARIABLE} with 32 characters or more; export it"
    for mode, asked in (("active-standby", True), ("centralized", False)):
        found = [fault.message for fault in credentials.missing(planned(mode, **GIVEN), builtin())]
        assert (wanted in found) is asked


def test_a_rotation_repeats_the_steps_that_hand_over_these_secrets() -> None:
    (plan,) = planned(**GIVEN).workloads
    assert resources(plan, builtin(), ["TOKEN"]) == ["api-aws-TOKEN-value", "api-akash-secrets"]
    assert len(resources(plan, builtin(), [])) == 3
    with pytest.raises(click.BadParameter, match="no secret NOPE; choose from DATABASE_URL, TOKEN"):
        resources(plan, builtin(), ["NOPE"])
    with pytest.raises(ConfigError, match="has no secrets"):
        resources(planned().workloads[0], builtin(), [])


@pytest.fixture
def project(tmp_path: Path, shell) -> Path:
    """Return a project, and a `pulumi` that writes down how it was called."""
    (tmp_path / "stacks").mkdir()
    (tmp_path / "Pulumi.yaml").write_text("name: dao\n")
    settings = {f"unmoor:{key}": value for key, value in stack(**GIVEN).items()}
    (tmp_path / "stacks" / "Pulumi.prod.yaml").write_text(yaml.safe_dump({"config": settings}))
    (tmp_path / "bin").mkdir()
    pulumi = tmp_path / "bin" / "pulumi"
    pulumi.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > called\nexit 7\n')
    pulumi.chmod(0o755)
    shell.chdir(tmp_path)
    shell.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    return tmp_path


def test_rotate_runs_an_update_and_ends_as_that_does(project: Path, shell) -> None:
    for variable in SECRETS.values():
        shell.setenv(variable, VALUE)
    done = CliRunner().invoke(cli, ["rotate", "api", "TOKEN", "--stack", "prod"])
    steps = ["--replace=**::api-aws-TOKEN-value", "--replace=**::api-akash-secrets"]
    assert (project / "called").read_text().split() == ["up", "--stack", "prod", *steps]
    assert done.exit_code == 7


def test_rotate_begins_nothing_while_a_value_is_missing(project: Path) -> None:
    done = CliRunner().invoke(cli, ["rotate", "api", "--stack", "prod"])
    assert "API_TOKEN is not set" in str(done.exception)
    assert not (project / "called").exists()
