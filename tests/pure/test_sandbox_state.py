"""The state folder: what one world writes, another reads, whole or not at all."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest

from sandbox import state
from sandbox.environment import find_servers
from sandbox.state import State

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def sandbox(tmp_path: Path) -> State:
    return State(tmp_path)


def test_an_empty_folder_has_nothing(sandbox: State) -> None:
    assert (
        sandbox.ports(), sandbox.routes(), sandbox.hosts(), sandbox.faults(),
        sandbox.port("dns"), sandbox.route("203.0.113.1", 80), sandbox.host("a.example"), sandbox.fault("aws-down"),
    ) == ({}, {}, {}, {}, None, None, None, None)  # fmt: skip


def test_a_port_is_read_back(sandbox: State) -> None:
    sandbox.publish_port("dns", 5353)
    assert (sandbox.port("dns"), sandbox.ports()) == (5353, {"dns": 5353})


def test_a_withdrawn_route_leads_nowhere(sandbox: State) -> None:
    sandbox.publish_route("203.0.113.1", 80, 4711)
    published = (sandbox.route("203.0.113.1", 80), sandbox.routes(), sandbox.route("203.0.113.1", 443))
    sandbox.withdraw_route("203.0.113.1", 80)
    there = ("127.0.0.1", 4711)
    assert (published, sandbox.route("203.0.113.1", 80)) == ((there, {("203.0.113.1", 80): there}, None), None)


def test_a_name_is_found_with_its_dot_and_in_any_case(sandbox: State) -> None:
    sandbox.publish_host("Gateway.Example.", "198.51.100.7")
    assert (sandbox.host("gateway.example"), sandbox.host("GATEWAY.example.")) == ("198.51.100.7", "198.51.100.7")


@pytest.mark.parametrize("name", ["../env", "a/b", "", ".", "..", "a\0b", "x" * 300, ".hidden"])
def test_a_name_that_cannot_be_a_file_is_not_there(sandbox: State, name: str) -> None:
    sandbox.prepare()
    state.write(sandbox.root / "env", "secret")
    assert (sandbox.host(name), sandbox.port(name), sandbox.fault(name)) == (None, None, None)


def test_a_fault_may_be_an_empty_file(sandbox: State) -> None:
    sandbox.prepare()
    (sandbox.root / "faults" / "aws-down").touch()
    assert (sandbox.fault("aws-down"), sandbox.faults()) == ({}, {"aws-down": {}})


def test_a_fault_keeps_its_parameters_until_it_ends(sandbox: State) -> None:
    sandbox.start_fault("api-429", {"times": 3})
    assert (
        sandbox.fault("api-429"), sandbox.end_fault("api-429"), sandbox.fault("api-429"), sandbox.end_fault("api-429"),
    ) == ({"times": 3}, True, None, False)  # fmt: skip


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    file, texts, seen = tmp_path / "file", {"a" * 100_000, "b" * 100_000}, set()
    state.write(file, "a" * 100_000)
    writer = threading.Thread(target=lambda: [state.write(file, letter * 100_000) for letter in "ab" * 100])
    writer.start()
    while writer.is_alive():
        seen.add(state.read(file))
    writer.join()
    assert (seen <= texts, list(tmp_path.iterdir())) == (True, [file])


def test_the_folder_is_the_one_the_environment_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNMOOR_SANDBOX", str(tmp_path))
    named = state.here()
    monkeypatch.delenv("UNMOOR_SANDBOX")
    assert (named, state.here()) == (State(tmp_path), State(state.REPOSITORY / ".sandbox"))


def test_servers_of_the_distribution_are_found_after_all_that_is_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/mine:/usr/sbin")
    find_servers()
    find_servers()
    assert os.environ["PATH"] == "/mine:/usr/sbin:/usr/local/sbin:/sbin"
