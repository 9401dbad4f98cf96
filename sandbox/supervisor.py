"""Start the simulated worlds, publish their addresses, and end them: nothing of a sandbox outlives its supervisor."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from components.errors import UnmoorError

from . import environment
from .engine import home, resolve
from .state import REPOSITORY, State, read, write

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: Seconds that a world may take until it listens, and to end after it was asked to.
START_S, END_S = 60.0, 15.0
POLL_S = 0.05


class SandboxError(UnmoorError):
    """The sandbox cannot start, or did not stay up."""


@dataclass(frozen=True)
class World:
    """One simulated world: its module, and the ports whose publishing means that it is ready."""

    name: str
    module: str
    ports: tuple[str, ...]


#: In the order of starting. The internet comes before Akash, whose containers get the proxy in their environment, and
#: before the certificate authority, which visits sites through it.
AWS = World("aws", "sandbox.aws", ("aws", "storj"))
NET = World("net", "sandbox.net", ("dns", "proxy"))
AKASH = World("akash", "sandbox.akash", ("console",))
ACME = World("acme", "sandbox.acme", ("acme",))
FARGATE = World("fargate", "sandbox.fargate", ())


@dataclass
class Supervisor:
    """One run of a sandbox in its state folder."""

    state: State
    children: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    ending: bool = False

    def run(self, stack: str | None = None) -> None:
        """Start the sandbox, report it on stdout, and stay until asked to end (SIGINT, SIGTERM, SIGHUP).

        `stack` is made and selected, so that bare `pulumi` commands are about it. Raises SandboxError if the sandbox is
        running already or a world does not start or ends; NotMade if the engine, Caddy or Pebble is not available.
        """
        with alone(self.state):
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, self._on_signal)
            try:
                folders = [resolve.engine(), *map(resolve.tool, resolve.TOOLS.values()), environment.INSTALLED]
                clean(self.state)
                self._start(folders, stack)
                print(f". {_short(self.state.env_file)}", flush=True)  # noqa: T201 the one line that is promised
                while True:
                    self._all_alive()
                    time.sleep(POLL_S)
            except _Over:
                pass
            finally:
                self._end()

    def _start(self, folders: list[Path], stack: str | None) -> None:
        self.state.prepare()
        home.furnish(self.state.root / "pulumi")
        (self.state.root / "state").mkdir()
        (self.state.root / "aws-config").write_text("[default]\nregion = us-east-1\n", encoding="utf-8")
        (self.state.root / "aws-credentials").touch()
        base = environment.for_worlds(self.state, folders)
        self._spawn(AWS, base)
        self._spawn(NET, base)
        chosen = self._select(stack, base) if stack else None
        self._await(NET)
        self._spawn(ACME, base)
        self._spawn(AKASH, base | environment.internet(self.state))
        self._spawn(FARGATE, base | environment.internet(self.state))
        self._await(AWS, AKASH, ACME)
        environment.publish(self.state, folders)
        if chosen and chosen.wait(START_S) != 0:
            raise SandboxError(f"the stack could not be made ({_last_line(self.state.log('stack'))})")
        summary = {
            "pid": os.getpid(),
            "ports": self.state.ports(),
            "worlds": {name: child.pid for name, child in self.children.items()},
        }
        write(self.state.summary_file, json.dumps(summary, indent=2) + "\n")

    def _spawn(self, world: World, variables: Mapping[str, str]) -> None:
        with self.state.log(world.name).open("ab") as log:
            self.children[world.name] = subprocess.Popen(
                [sys.executable, "-m", "sandbox.world", world.module],
                cwd=REPOSITORY,
                env={**variables, "PYTHONUNBUFFERED": "1"},
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                process_group=0,
            )

    def _select(self, stack: str, variables: Mapping[str, str]) -> subprocess.Popen[bytes]:
        with self.state.log("stack").open("ab") as log:
            return subprocess.Popen(
                ["pulumi", "stack", "init", stack, "--non-interactive"],
                cwd=REPOSITORY,
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _await(self, *worlds: World) -> None:
        until = time.monotonic() + START_S
        for name in (port for world in worlds for port in world.ports):
            while self.state.port(name) is None:
                self._all_alive()
                if time.monotonic() > until:
                    raise SandboxError(
                        f"nothing listens as {name} after {START_S:.0f} s; see {self.state.root / 'log'}"
                    )

    def _all_alive(self) -> None:
        for name, child in self.children.items():
            if (code := child.poll()) is not None:
                log = self.state.log(name)
                raise SandboxError(f"the world {name} ended by itself ({code}: {_last_line(log)}); see {_short(log)}")

    def _on_signal(self, _number: int, _frame: object) -> None:
        if not self.ending:
            self.ending = True
            raise _Over
        for child in self.children.values():  # asked twice: at once
            _signal(child, signal.SIGKILL)

    def _end(self) -> None:
        """End every world, the last started first; one that does not end in time is killed with its group."""
        self.ending = True
        for child in reversed(self.children.values()):
            _signal(child, signal.SIGTERM)
        until = time.monotonic() + END_S
        for child in self.children.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(max(0.0, until - time.monotonic()))
            _signal(child, signal.SIGKILL)
            child.wait()
        for gone in (self.state.env_file, self.state.root / "env.json", self.state.summary_file):
            gone.unlink(missing_ok=True)
        shutil.rmtree(self.state.root / "ports", ignore_errors=True)


class _Over(Exception):  # noqa: N818 not an error
    """The operator ended the sandbox."""


@contextlib.contextmanager
def alone(state: State) -> Iterator[None]:
    """Hold the sandbox's lock for as long as it runs. Raises SandboxError if another process holds it."""
    try:
        known = (state.root / ".lock").exists() or not state.root.exists() or not any(state.root.iterdir())
        if not known:
            raise SandboxError(
                f"{state.root} is not a sandbox's folder and not empty; give UNMOOR_SANDBOX one of its own"
            )
        state.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        state.root.chmod(0o700)  # logs and state are only for the user who runs it
        lock = (state.root / ".lock").open("w")
    except OSError as error:
        raise SandboxError(
            f"{state.root} cannot be written ({error.strerror}); set UNMOOR_SANDBOX to a folder that can"
        ) from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SandboxError(
                f"a sandbox is already running in {_short(state.root)}; `python -m sandbox stop` ends it"
            ) from None
        yield


def running(state: State) -> bool:
    """Return whether a supervisor holds the sandbox's lock."""
    try:
        with (state.root / ".lock").open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def stop(state: State) -> None:
    """End the running sandbox and wait until it is gone. Raises SandboxError if it does not end."""
    pid = json.loads(read(state.summary_file) or "{}").get("pid")
    if pid:
        os.kill(pid, signal.SIGTERM)
    until = time.monotonic() + 2 * END_S
    while running(state):
        if time.monotonic() > until:
            raise SandboxError(f"the sandbox (process {pid or 'unknown, still starting'}) does not end")
        time.sleep(POLL_S)


def clean(state: State) -> None:
    """Remove everything that an earlier run left: the simulated clouds start empty, and so does the stack."""
    for entry in state.root.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry.name != ".lock":
            entry.unlink()


def _signal(child: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, number)


def _short(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _last_line(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1].strip() if lines else "it printed nothing"
