"""The supervisor with worlds that are ten lines long: its promises hold for any worlds.

It cannot prove that the real worlds end in time; the engine tier does.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.state import REPOSITORY, State

STUB = """
import os, subprocess, sys, time
from sandbox.state import here
name, ports = sys.argv[2], sys.argv[3:]
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
with (here().root / "pids").open("a") as file:
    file.write(f"{os.getpid()} {child.pid}\\n")
print("proxy:", os.environ.get("HTTPS_PROXY"), "profile:", os.environ.get("AWS_PROFILE"), flush=True)
for port in ports:
    here().publish_port(port, 4000 + len(port))
here().ca_bundle.touch()
if (here().root.parent / f"{name}-falls").exists():
    sys.exit("the sky is falling")
time.sleep(600)
"""
RUN = """
import sys
from pathlib import Path
from sandbox import supervisor, __main__ as command
from sandbox.engine import resolve
resolve.engine = lambda: Path("/engine")
resolve.tool = lambda tool: Path("/tools")
for name in ("AWS", "NET", "AKASH", "ACME"):
    world = getattr(supervisor, name)
    setattr(supervisor, name, supervisor.World(world.name, f"stub_{world.name}", world.ports))
try:
    command.main(prog_name="sandbox")
except supervisor.UnmoorError as error:
    sys.exit(str(error))
"""

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path / "S")


@pytest.fixture
def start(tmp_path: Path, state: State) -> Iterator[Start]:
    modules = tmp_path / "modules"
    modules.mkdir()
    for name, ports in (("aws", "aws storj"), ("net", "dns proxy"), ("akash", "console"), ("acme", "acme")):
        words = ["-", "-", name, *ports.split()]
        (modules / f"stub_{name}.py").write_text(f"import sys; sys.argv[1:] = {words[1:]!r}\n{STUB}")
    began: list[subprocess.Popen[str]] = []

    def begin(*words: str, **more: str) -> subprocess.Popen[str]:
        env = (
            os.environ | {"UNMOOR_SANDBOX": str(state.root), "PYTHONPATH": f"{modules}{os.pathsep}{REPOSITORY}"} | more
        )
        child = subprocess.Popen(
            [sys.executable, "-c", RUN, *words],
            env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            start_new_session=True,
        )  # fmt: skip
        began.append(child)
        return child

    yield begin
    for child in began:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGTERM)
        child.communicate(timeout=60)
    assert alive(state) == []


def alive(state: State) -> list[int]:
    """Return the processes of the worlds, and of what they started, that still run after at most a second."""
    file = state.root.parent / "all-pids"
    text = (file.read_text() if file.exists() else "") + (
        (state.root / "pids").read_text() if (state.root / "pids").exists() else ""
    )
    pids = [int(word) for word in text.split()]
    until = time.monotonic() + 10
    while time.monotonic() < until and any(_runs(pid) for pid in pids):
        time.sleep(0.05)
    return [pid for pid in pids if _runs(pid)]


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not (stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z")


def ready(child: subprocess.Popen[str]) -> str:
    assert child.stdout
    return child.stdout.readline()


def test_ready_is_one_line_to_source(start: Start, state: State) -> None:
    child = start("up")
    assert (ready(child), state.ports(), state.summary_file.exists()) == (
        f". {state.env_file}\n",
        {"aws": 4003, "storj": 4005, "dns": 4003, "proxy": 4005, "console": 4007, "acme": 4004},
        True,
    )


def test_the_file_to_source_agrees_with_the_json(start: Start) -> None:
    child = start("up")
    line = ready(child)
    text = start("env", "--json").communicate(timeout=60)[0]
    shell = subprocess.run(["sh", "-c", f"{line.strip()} && env"], capture_output=True, text=True, check=True).stdout
    sourced = dict(each.split("=", 1) for each in shell.splitlines() if "=" in each)
    given = json.loads(text)
    assert {name: sourced.get(name) for name in given} == given


def test_a_world_does_not_go_through_the_proxy_but_the_containers_of_akash_do(start: Start, state: State) -> None:
    ready(start("up", HTTPS_PROXY="http://elsewhere:1", AWS_PROFILE="mine"))
    said = [state.log(name).read_text() for name in ("aws", "net", "akash")]
    assert said == [
        "proxy: None profile: default\n", "proxy: None profile: default\n",
        "proxy: http://127.0.0.1:4005 profile: default\n",
    ]  # fmt: skip


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_on_a_signal_it_leaves_no_process_behind(start: Start, state: State, number: signal.Signals) -> None:
    child = start("up")
    ready(child)
    child.send_signal(number)
    assert (child.wait(60), alive(state), state.ports(), state.env_file.exists()) == (0, [], {}, False)


def test_killed_it_leaves_no_process_behind(start: Start, state: State) -> None:
    child = start("up")
    ready(child)
    child.kill()
    assert (child.wait(60), alive(state)) == (-signal.SIGKILL, [])


def test_a_world_that_falls_takes_the_sandbox_down_with_one_sentence(start: Start, state: State) -> None:
    (state.root.parent / "akash-falls").touch()
    child = start("up")
    said = child.communicate(timeout=60)[1]
    assert (child.returncode, said, alive(state)) == (
        1, f"the world akash ended by itself (1: the sky is falling); see {state.log('akash')}\n", [],
    )  # fmt: skip


def test_a_second_sandbox_in_the_same_folder_is_refused(start: Start, state: State) -> None:
    ready(start("up"))
    second = start("up")
    said = second.communicate(timeout=60)[1]
    assert (second.returncode, said) == (
        1, f"a sandbox is already running in {state.root}; `python -m sandbox stop` ends it\n",
    )  # fmt: skip


def test_a_new_sandbox_starts_empty(start: Start, state: State) -> None:
    first = start("up")
    ready(first)
    state.start_fault("aws-down")
    state.publish_route("203.0.113.1", 80, 4711)
    (state.root.parent / "all-pids").write_text((state.root / "pids").read_text())
    first.kill()
    first.wait(60)
    alive(state)
    ready(start("up"))
    assert (state.faults(), state.routes()) == ({}, {})


def test_a_folder_of_another_user_is_not_touched(start: Start, state: State) -> None:
    state.root.mkdir()
    (state.root / "thesis.txt").write_text("a thesis")
    child = start("up")
    said = child.communicate(timeout=60)[1]
    assert (child.returncode, said, (state.root / "thesis.txt").read_text()) == (
        1, f"{state.root} is not a sandbox's folder and not empty; give UNMOOR_SANDBOX one of its own\n", "a thesis",
    )  # fmt: skip


def test_a_fault_is_shown_until_it_ends(start: Start, state: State) -> None:
    ready(start("up"))
    start("break", "api-429", '{"times": 3}').communicate(timeout=60)
    shown = json.loads(start("status", "--json").communicate(timeout=60)[0])["faults"]
    start("mend", "api-429").communicate(timeout=60)
    assert (shown, state.faults()) == ({"api-429": {"times": 3}}, {})


def test_stop_ends_it_from_another_terminal(start: Start, state: State) -> None:
    child = start("up")
    ready(child)
    other = start("stop")
    said = other.communicate(timeout=60)
    assert (other.returncode, said, child.wait(60), alive(state)) == (0, ("", ""), 0, [])


@pytest.mark.parametrize("words", [("env",), ("status",), ("break", "no-bids"), ("mend", "no-bids"), ("stop",)])
def test_without_a_sandbox_it_shows_how_to_start_one(start: Start, state: State, words: tuple[str, ...]) -> None:
    child = start(*words)
    said = child.communicate(timeout=60)[1]
    assert (child.returncode, said) == (1, f"no sandbox is running in {state.root}; `make sandbox` starts one\n")


def test_a_fault_that_does_not_exist_is_refused_with_the_choice(start: Start) -> None:
    child = start("break", "aws-dwon")
    said = child.communicate(timeout=60)[1]
    assert (child.returncode, "aws-dwon: no such fault; choose from aws-down," in said) == (2, True)
