"""A running sandbox and the real engine, for tests; everything that they start ends with them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psutil
import pytest
import yaml

from components.errors import UnmoorError
from sandbox.drive import Pulumi
from sandbox.engine import resolve
from sandbox.state import REPOSITORY, VARIABLE, State

from . import docs_stack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

#: Seconds for which resolvers of this sandbox keep an alias; Route 53 has 60.
ALIAS_TTL_S = 10
#: How long a sandbox may take to end, in seconds; not what a test claims, only when it stops waiting.
END_S = 60


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox: its state folder, and the variables by which programs reach it."""

    state: State
    environment: dict[str, str]

    def processes(self) -> list[psutil.Process]:
        """Return every process that was started by or against this sandbox, by the variable that all of them have."""
        return [each for each in psutil.process_iter() if _variables(each).get(VARIABLE) == str(self.state.root)]


@pytest.fixture(scope="session")
def tools() -> None:
    """Get the engine and Caddy; skip what needs them if they cannot be had."""
    try:
        resolve.engine()
        resolve.tool(resolve.CADDY)
    except UnmoorError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def sandbox(tools: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """Run a sandbox in a folder of its own for a module of tests; its output goes to the test's."""
    with running(tmp_path_factory.mktemp("sandbox") / "S") as ours:
        yield ours


@contextmanager
def running(root: Path) -> Iterator[Sandbox]:
    """Run a sandbox in a folder, and end all of its processes."""
    state = State(root)
    variables = os.environ | {VARIABLE: str(state.root), "UNMOOR_SANDBOX_ALIAS_TTL": str(ALIAS_TTL_S)}
    command = [sys.executable, "-m", "sandbox"]
    child = subprocess.Popen(
        [*command, "up"], cwd=REPOSITORY, env=variables, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
        process_group=0,
    )  # fmt: skip
    try:
        assert child.stdout
        assert child.stdout.readline() == f". {state.env_file}\n"
        shown = subprocess.run(
            [*command, "env", "--json"], cwd=REPOSITORY, env=variables, capture_output=True, check=True
        )
        ours = Sandbox(state, json.loads(shown.stdout))
        yield ours
    finally:
        child.send_signal(signal.SIGTERM)
        try:
            child.communicate(timeout=END_S)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            raise
    _, alive = psutil.wait_procs(ours.processes(), timeout=10)
    assert [" ".join(each.cmdline()) for each in alive] == []


@pytest.fixture
def pulumi(sandbox: Sandbox, tmp_path: Path) -> Iterator[Callable[..., Pulumi]]:
    """Yield `pulumi(settings, program=None, stack="sandbox")`: a new stack with these settings, ready for `up()`.

    `program` is the text of a program of its own; without it, it is the program of this repository, whose stack must
    be named `sandbox`: only that one has its salt committed, and a new one would be written into `stacks/`.
    """
    made: list[Pulumi] = []

    def make(settings: dict[str, Any], program: str | None = None, stack: str = "sandbox") -> Pulumi:
        project = REPOSITORY if program is None else _project(tmp_path / "program", program)
        file = tmp_path / f"Pulumi.{stack}.yaml"
        committed = yaml.safe_load((REPOSITORY / "stacks" / "Pulumi.sandbox.yaml").read_text())
        file.write_text(yaml.safe_dump({"encryptionsalt": committed["encryptionsalt"], "config": settings}))
        runner = Pulumi(sandbox.state, sandbox.environment, stack, file, project)
        made.append(runner)
        runner.init()
        return runner

    yield make
    for runner in made:
        for child in runner.children:
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)
            child.communicate()


@pytest.fixture(scope="module")
def docs(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[docs_stack.Docs]:
    """Yield the docs workload on a stack of its own, not up yet; a module's tests run in order and share it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(sandbox.state.root))  # for the inventories
        made = docs_stack.make(tmp_path_factory.mktemp("docs"), sandbox.state, sandbox.environment)
        yield made
        made.end()


def _project(folder: Path, program: str) -> Path:
    folder.mkdir(exist_ok=True)
    project = {
        "name": "tiny",
        "runtime": {"name": "python", "options": {"toolchain": "pip", "virtualenv": "venv"}},
        "requiredPulumiVersion": f">={resolve.ENGINE}",
    }
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump(project))
    (folder / "__main__.py").write_text(program)
    if not (folder / "venv").exists():
        (folder / "venv").symlink_to(sys.prefix)
    return folder


def _variables(process: psutil.Process) -> dict[str, str]:
    try:
        return dict(process.environ())
    except psutil.Error:
        return {}
