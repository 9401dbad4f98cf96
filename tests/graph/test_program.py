"""What the program of a project does before it registers anything: credentials and late faults, in updates alone."""

from __future__ import annotations

import gc
from types import SimpleNamespace

import pulumi
import pytest

from components import program
from components.deploy import credentials, standing, workload
from components.doctor import run as doctor
from components.errors import ConfigError
from components.plan import stack
from components.review import state


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch):
    """Return a program all of whose parts only write down that they were called."""
    called: list[str] = []

    def part(module, name: str, answer=None) -> None:
        monkeypatch.setattr(module, name, lambda *_, **__: called.append(name) or answer)

    part(stack, "from_pulumi", SimpleNamespace())
    part(credentials, "demand")
    part(state, "demand", {})
    part(state, "outputs", {})
    part(workload, "deploy", {"workloads": {}})
    monkeypatch.setattr(standing, "demand", lambda *_: called.append("hosts"))
    part(standing, "left", {"docs-aws": "E1"})
    monkeypatch.setattr(doctor, "demand", lambda *_: called.append("look"))
    monkeypatch.setattr(pulumi, "export", lambda name, _: called.append(f"export {name}"))
    monkeypatch.setattr(gc, "disable", lambda: None)
    monkeypatch.setattr(gc, "freeze", lambda: None)
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: False)
    return called


def test_an_update_looks_before_it_registers_anything(world: list[str]) -> None:
    program.run()
    assert world == [
        "from_pulumi",
        "demand",
        "look",
        "outputs",
        "demand",
        "hosts",
        "left",
        "deploy",
        "export workloads",
    ]


def test_a_preview_needs_no_secret_and_asks_only_what_stands_at_the_hosts(
    world: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: True)
    program.run()
    # The one demand is that of approvals.
    assert world == ["from_pulumi", "outputs", "demand", "hosts", "left", "deploy", "export workloads"]


def test_what_would_fail_late_ends_an_update_with_a_sentence_before_anything_is_registered(
    world: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise ConfigError("the update would fail late")

    monkeypatch.setattr(doctor, "demand", stop)
    with pytest.raises(pulumi.RunError, match="the update would fail late"):
        program.run()
    assert "deploy" not in world
