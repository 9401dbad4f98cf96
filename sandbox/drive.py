"""Pulumi as an operator uses it, driven by a program: one stack against a running sandbox."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import yaml

from components.stores import checkpoint

from .state import REPOSITORY, State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

#: The engine's names of steps that change nothing.
QUIET = frozenset({"same", "read", "refresh"})


@dataclass(frozen=True)
class Run:
    """One command of the engine: what it printed, its events in order, and how long it took."""

    output: str
    events: tuple[dict[str, Any], ...]
    seconds: float

    def steps(self) -> list[tuple[str, str]]:
        """Return (operation, resource name) in the order in which steps finished."""
        return [(m["op"], name(m["urn"])) for m in self._metadata("resOutputsEvent")]

    def started(self) -> list[tuple[str, str]]:
        """Return (operation, resource name) in the order in which steps began."""
        return [(m["op"], name(m["urn"])) for m in self._metadata("resourcePreEvent")]

    def changes(self) -> dict[str, str]:
        """Return what a preview or an update would change or has changed: resource name → operation."""
        kind = "resOutputsEvent" if self._metadata("resOutputsEvent") else "resourcePreEvent"
        return {name(m["urn"]): m["op"] for m in self._metadata(kind) if m["op"] not in QUIET}

    def _metadata(self, kind: str) -> list[dict[str, Any]]:
        return [event[kind]["metadata"] for event in self.events if kind in event]


class EngineFailed(RuntimeError):  # noqa: N818 the name is what happened
    """A command of the engine ended with an error; contains its output, and carries its run so far."""

    def __init__(self, message: str, run: Run) -> None:
        super().__init__(message)
        self.run = run


def name(urn: str) -> str:
    """Return the resource's name in its URN."""
    return urn.rsplit("::", 1)[1]


@dataclass
class Pulumi:
    """Drives one stack. `environment` is that of the sandbox (`S/env`)."""

    state: State
    environment: Mapping[str, str]
    stack: str
    config_file: Path
    project: Path = REPOSITORY
    on_line: Callable[[str], None] | None = None
    children: list[subprocess.Popen[str]] = field(default_factory=list)

    def init(self) -> None:
        """Make the stack, once."""
        self._call(["stack", "init", self.stack, "--no-select"], config=False)

    def preview(self, *arguments: str) -> Run:
        """Show what an update would do."""
        return self._run(["preview", *arguments])

    def up(self, *arguments: str) -> Run:
        """Run an update."""
        return self._run(["up", "--yes", "--skip-preview", *arguments])

    def refresh(self) -> Run:
        """Run a refresh."""
        return self._run(["refresh", "--yes", "--skip-preview"])

    def destroy(self) -> Run:
        """Remove everything the stack made."""
        return self._run(["destroy", "--yes", "--skip-preview"])

    def cancel(self) -> None:
        """Release the lock of a killed run, and mend what the kill left of the state."""
        project = yaml.safe_load((self.project / "Pulumi.yaml").read_text(encoding="utf-8"))["name"]
        checkpoint.mend(self.state.root / "state", project, self.stack)
        self._call(["cancel", "--yes"], config=False)

    def forget(self, urn: str) -> None:
        """Remove a resource from the state, as if a run had been killed before it was written there."""
        self._call(["state", "delete", urn, "--yes", "--force"], config=False)

    def outputs(self) -> dict[str, Any]:
        """Return the stack's outputs."""
        parsed: dict[str, Any] = json.loads(self._call(["stack", "output", "--json"], config=False).output)
        return parsed

    def export(self) -> str:
        """Return the stack's state as text, secrets as they are kept."""
        return self._call(["stack", "export"], config=False).output

    def restore(self, file: Path) -> None:
        """Import a state that was exported to a file."""
        self._call(["stack", "import", "--file", str(file)], config=False)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Begin a command and return at once, for a caller that will kill it."""
        return self._popen(["pulumi", *arguments, *self._flags(config=True)])

    def _flags(self, *, config: bool) -> list[str]:
        return ["--stack", self.stack, *(["--config-file", str(self.config_file)] if config else [])]

    def _run(self, command: list[str]) -> Run:
        log = self.state.root / f"events-{self.stack}.jsonl"
        log.unlink(missing_ok=True)
        try:
            run = self._call([*command, "--event-log", str(log)])
        except EngineFailed as failed:
            failed.run = replace(failed.run, events=tuple(_events(log)))
            raise
        return replace(run, events=tuple(_events(log)))

    def _call(self, command: list[str], *, config: bool = True) -> Run:
        flags = self._flags(config=config) if command[:2] != ["stack", "init"] else []
        began = time.monotonic()
        child = self._popen(["pulumi", *command, *flags])
        lines = []
        assert child.stdout is not None  # noqa: S101 a pipe was asked for
        try:
            for line in child.stdout:
                lines.append(line)
                if self.on_line:
                    self.on_line(line.rstrip("\n"))
        except KeyboardInterrupt:
            # It is in a group of its own, so the terminal did not signal it; its plugins and their steps end with it.
            child.send_signal(signal.SIGINT)
            child.communicate()
            raise
        child.stdout.close()
        code = child.wait()
        self.children.remove(child)
        run = Run("".join(lines), (), time.monotonic() - began)
        if code:
            raise EngineFailed(f"`pulumi {' '.join(command)}` ended with {code}:\n{run.output}", run)
        return run

    def _popen(self, command: list[str]) -> subprocess.Popen[str]:
        child = subprocess.Popen(
            [*command, "--non-interactive", "--color", "never"],
            cwd=self.project,
            env={**os.environ, **self.environment, "PULUMI_DEBUG_COMMANDS": "true"},  # for --event-log
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.children.append(child)
        return child


def _events(log: Path) -> Iterator[dict[str, Any]]:
    if log.exists():
        for line in log.read_text(encoding="utf-8").splitlines():
            yield json.loads(line)
