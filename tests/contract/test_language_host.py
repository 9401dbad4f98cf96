"""The language host against the protocol as the SDK's stubs have it, with a program runner of ten lines.

It cannot prove that the engine accepts it; the engine tier does.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import language_pb2 as lang
from pulumi.runtime.proto import language_pb2_grpc as lang_grpc

from sandbox.engine import language_host
from sandbox.engine.resolve import EXEC
from sandbox.state import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

LAUNCHER = REPOSITORY / "sandbox" / "bin" / "pulumi-language-python"
RUNNER = """
import json, os, pathlib, subprocess, sys, time
here = pathlib.Path(os.environ["SAID"])
(here / "arguments").write_text(json.dumps(sys.argv[1:]))
(here / "config").write_text(os.environ["PULUMI_CONFIG"] + os.environ["PULUMI_CONFIG_SECRET_KEYS"])
print("the program speaks"); print("and complains", file=sys.stderr)
code = os.environ.get("CODE", "0")
if code == "sleep":
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    (here / "new").write_text(f"{os.getpid()} {child.pid}"); (here / "new").rename(here / "pids")
    time.sleep(600)
sys.exit(int(code)) if code != "kill" else os.kill(os.getpid(), 9)
"""


@dataclass
class Host:
    """A running language host and a channel to it."""

    process: subprocess.Popen[str]
    channel: grpc.Channel

    @property
    def stub(self) -> Any:
        """The calls that the engine makes."""
        return lang_grpc.LanguageRuntimeStub(self.channel)


Start = Callable[..., Host]


@pytest.fixture
def program(tmp_path: Path) -> lang.ProgramInfo:
    (tmp_path / "venv").symlink_to(sys.prefix)
    info = lang.ProgramInfo(root_directory=str(tmp_path), program_directory=str(tmp_path), entry_point=".")
    info.options.update({"toolchain": "pip", "virtualenv": "venv"})
    return info


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    runner = tmp_path / "bin" / EXEC
    runner.parent.mkdir()
    runner.write_text(RUNNER)
    runner.chmod(0o755)
    hosts: list[Host] = []

    def begin(**more: str) -> Host:
        path = f"{runner.parent}{os.pathsep}{os.environ['PATH']}"
        process = subprocess.Popen(
            [LAUNCHER, "127.0.0.1:1"],
            env=os.environ | {"PATH": path, "SAID": str(tmp_path)} | more,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, process_group=0,
        )  # fmt: skip
        assert process.stdout
        hosts.append(Host(process, grpc.insecure_channel(f"127.0.0.1:{int(process.stdout.readline())}")))
        return hosts[-1]

    yield begin
    for host in hosts:
        host.channel.close()
        if host.process.poll() is None:
            os.killpg(host.process.pid, signal.SIGTERM)
        host.process.communicate(timeout=60)


def request(program: lang.ProgramInfo, **more: Any) -> lang.RunRequest:
    return lang.RunRequest(
        info=program, pwd=program.root_directory, program=".", project="tiny", stack="dev", monitor_address="m:1",
        organization="organization", parallel=8, config={"tiny:a": "1"}, configSecretKeys=["tiny:b"], **more,
    )  # fmt: skip


def pids(folder: Path) -> list[int]:
    until = time.monotonic() + 60
    while not (folder / "pids").exists() and time.monotonic() < until:
        time.sleep(0.05)
    return [int(word) for word in (folder / "pids").read_text().split()]


def gone(numbers: list[int]) -> bool:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        if not any(_runs(number) for number in numbers):
            return True
        time.sleep(0.05)
    return False


def _runs(number: int) -> bool:
    output = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(number)], capture_output=True, text=True, check=False
    ).stdout
    return bool(output.strip()) and not output.strip().startswith("Z")


def test_a_program_gets_what_the_engine_sent(start: Start, program: lang.ProgramInfo, tmp_path: Path) -> None:
    host = start()
    host.stub.Handshake(lang.LanguageHandshakeRequest(engine_address="e:2"))
    answer = host.stub.Run(request(program, dryRun=True, args=["more"]))
    told = json.loads((tmp_path / "arguments").read_text())
    assert (answer, told, (tmp_path / "config").read_text()) == (
        lang.RunResponse(),
        ["--monitor", "m:1", "--engine", "e:2", "--project", "tiny", "--stack", "dev", "--pwd", str(tmp_path),
         "--dry_run", "true", "--parallel", "8", "--organization", "organization",
         "--root_directory", str(tmp_path), str(tmp_path), "more"],
        '{"tiny:a": "1"}["tiny:b"]',
    )  # fmt: skip


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        ("0", lang.RunResponse()),
        ("32", lang.RunResponse(bail=True)),
        ("3", lang.RunResponse(error="the program exited with code 3")),
        ("kill", lang.RunResponse(error="the program was ended by signal 9")),
    ],
)
def test_how_a_program_ends_is_what_the_engine_hears(
    start: Start, program: lang.ProgramInfo, code: str, answer: lang.RunResponse
) -> None:
    assert start(CODE=code).stub.Run(request(program)) == answer


def test_what_a_program_prints_streams_through(start: Start, program: lang.ProgramInfo) -> None:
    host = start()
    host.stub.Run(request(program))
    host.process.send_signal(signal.SIGTERM)
    assert host.process.communicate(timeout=60) == ("the program speaks\n", "and complains\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_on_a_signal_it_ends_quietly(start: Start, number: signal.Signals) -> None:
    host = start()
    host.process.send_signal(number)
    assert (host.process.communicate(timeout=60), host.process.returncode) == (("", ""), 0)


def test_on_a_signal_it_ends_the_program_too(start: Start, program: lang.ProgramInfo, tmp_path: Path) -> None:
    host = start(CODE="sleep")
    running = host.stub.Run.future(request(program))
    started = pids(tmp_path)
    host.process.send_signal(signal.SIGINT)
    assert (running.exception(60) is not None or running.result().bail, gone(started)) == (True, True)


def test_cancel_ends_the_program_and_what_it_started(start: Start, program: lang.ProgramInfo, tmp_path: Path) -> None:
    host = start(CODE="sleep")
    running = host.stub.Run.future(request(program))
    started = pids(tmp_path)
    host.stub.Cancel(empty_pb2.Empty())
    assert (running.result(60), gone(started)) == (lang.RunResponse(bail=True), True)


def test_an_engine_that_was_killed_leaves_no_host_behind(tmp_path: Path) -> None:
    engine = "import subprocess, sys; p = subprocess.Popen([sys.argv[1], 'e:1'], stdout=subprocess.PIPE, text=True); "
    words = [sys.executable, "-c", engine + "p.stdout.readline(); print(p.pid)", str(LAUNCHER)]
    host = int(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
    assert gone([host])


def test_no_virtual_environment_is_one_sentence(start: Start, program: lang.ProgramInfo) -> None:
    program.options.update({"virtualenv": "elsewhere"})
    with pytest.raises(grpc.RpcError) as caught:
        start().stub.Run(request(program))
    assert caught.value.details() == (
        "the virtual environment elsewhere of the program is not there; run `make setup`"
    )  # fmt: skip


def test_no_runner_is_one_sentence(start: Start, program: lang.ProgramInfo) -> None:
    answer = start(PATH="/usr/bin:/bin").stub.Run(request(program))
    assert answer.error == f"{EXEC} is not on PATH; it belongs next to `pulumi`: run `make setup`"


def test_the_plugins_of_what_is_installed_are_asked_for(start: Start, program: lang.ProgramInfo) -> None:
    stub = start().stub
    packages = stub.GetRequiredPackages(lang.GetRequiredPackagesRequest(info=program)).packages
    assert {(each.name, each.kind, each.version) for each in packages} == {
        (name, "resource", f"v{metadata.version(f'pulumi-{name}')}") for name in ("aws", "command")
    }
    plugins = stub.GetRequiredPlugins(lang.GetRequiredPluginsRequest(info=program))
    assert plugins == lang.GetRequiredPluginsResponse()


def test_a_package_that_begins_with_pulumi_is_taken_for_one_with_a_plugin(tmp_path: Path) -> None:
    site = tmp_path / "lib/python3.11/site-packages"
    for name in (
        "pulumi-3.1.dist-info",
        "pulumi_odd-1.2.3.dist-info",
        "pulumi_policy-1.0.dist-info",
        "pulumi_no-1.dist-info",
    ):
        (site / name).mkdir(parents=True)
    for module, told in {
        "pulumi_no": {"resource": False},
        "own": {"resource": True, "name": "mine", "version": "7.1.0"},
    }.items():
        (site / module).mkdir()
        (site / module / "pulumi-plugin.json").write_text(json.dumps(told))
    (site / "own-7.dist-info").mkdir()
    assert list(language_host.required(tmp_path / "bin/python")) == [("mine", "7.1.0"), ("odd", "1.2.3")]


PYTHON = """#!/bin/sh
echo "$0 $*" | sed "s#$SAID##g" >> "$SAID/asked"
[ "$2" != venv ] || { mkdir -p "$3/bin" && cp "$0" "$3/bin/python"; }
"""


@pytest.mark.parametrize("empty", [True, False], ids=["empty", "missing"])
def test_a_missing_environment_is_made_from_the_requirements(
    start: Start, program: lang.ProgramInfo, tmp_path: Path, empty: bool
) -> None:
    program.options.update({"virtualenv": ".venv"})
    (tmp_path / "requirements.txt").touch()
    (tmp_path / "bin/python3").write_text(PYTHON)
    (tmp_path / "bin/python3").chmod(0o755)
    if empty:
        (tmp_path / ".venv").mkdir()
    stub = start().stub
    request = lang.InstallDependenciesRequest(directory=str(tmp_path), info=program)
    assert [each.stdout.decode().split()[0] for each in stub.InstallDependencies(request)] == [
        "Creating", "Updating", "Installing",
    ]  # fmt: skip
    assert (tmp_path / "asked").read_text().splitlines() == [
        "/bin/python3 -m venv /.venv",
        "/.venv/bin/python -m pip install --upgrade pip setuptools wheel",
        "/.venv/bin/python -m pip install -r requirements.txt",
    ]
    assert list(stub.InstallDependencies(request)) == []


def test_an_environment_that_is_half_made_is_left_as_it_is(
    start: Start, program: lang.ProgramInfo, tmp_path: Path
) -> None:
    program.options.update({"virtualenv": ".venv"})
    (tmp_path / ".venv/lib").mkdir(parents=True)
    request = lang.InstallDependenciesRequest(directory=str(tmp_path), info=program)
    assert list(start().stub.InstallDependencies(request)) == []


def test_it_reports_the_interpreter_and_what_is_installed(start: Start, program: lang.ProgramInfo) -> None:
    stub = start().stub
    about = stub.About(lang.AboutRequest(info=program))
    listed = stub.GetProgramDependencies(lang.GetProgramDependenciesRequest(info=program)).dependencies
    versions = {each.name: each.version for each in listed}
    assert (about.version, versions["pulumi"], versions["grpcio"]) == (
        ".".join(map(str, sys.version_info[:3])),
        metadata.version("pulumi"),
        metadata.version("grpcio"),
    )
