"""Secrets of a service: what an update demands of the shell, what a release notices, and what a plan tells of them."""

from __future__ import annotations

from typing import Any

import pytest

from components.deploy import credentials
from components.errors import ConfigError
from components.kinds.service.options import ServiceOptions
from components.project import builtin
from tests.pure.test_service import OPTIONS, planned

#: What any service with secrets has on Akash.
GIVEN = {"secrets": {"DATABASE_URL": "API_DATABASE_URL", "TOKEN": "API_TOKEN"}, "command": ["api"]}
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
        "workloads.api.options.secrets.DATABASE_URL": "the environment variable API_DATABASE_URL is not set; export it",
        "workloads.api.options.secrets.TOKEN": "the environment variable API_TOKEN is not set; export it",
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
