"""No credential is kept, shown or passed on: looked for wherever a run through the real engine leaves anything.

It cannot prove that the official plugins keep theirs as well as the sandbox's stand-ins do.
"""

from __future__ import annotations

import base64
import os
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from sandbox.state import VARIABLE, State

from .docs_stack import Docs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

pytestmark = pytest.mark.timeout(600)

#: What the environment of `pulumi` gets; the key is the only one that the sandbox's Akash takes.
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AKIA3DISTINCTIVE00A1",
    "AWS_SECRET_ACCESS_KEY": "aws/secret+distinctive/7f3a9c1e5b2d8460aa11",
    "STORJ_ACCESS_KEY": "jx-store-access-distinctive-51c7",
    "STORJ_SECRET_KEY": "jx-store-secret-distinctive-90be",
    "AKASH_CONSOLE_API_KEY": "sandbox-key",
    "PULUMI_CONFIG_PASSPHRASE": "sandbox",
}
REFUSED_KEY = "no-such-console-key-distinctive-3e1d"
#: The passphrase of a sandbox is a word of every path; and the files to source are there to hold them.
LOOKED_FOR = [value for name, value in CREDENTIALS.items() if name != "PULUMI_CONFIG_PASSPHRASE"] + [REFUSED_KEY]
TO_SOURCE = ("env", "env.json")


@dataclass
class Watch:
    """Looks at the sandbox's processes again and again: at every command line, and at the variables of containers."""

    state: State
    lines: set[str] = field(default_factory=set)
    containers: set[str] = field(default_factory=set)
    _stop: threading.Event = field(default_factory=threading.Event)

    def look(self) -> None:
        while not self._stop.wait(0.05):
            for process in psutil.process_iter():
                self._one(process)

    def _one(self, process: psutil.Process) -> None:
        try:
            variables, contained = (
                process.environ(),
                process.cwd().startswith(str(self.state.root / "akash" / "leases")),
            )
            if contained or variables.get(VARIABLE) == str(self.state.root):
                self.lines.add(" ".join(process.cmdline()))
            if contained:
                self.containers.add(str(variables))
        except psutil.Error:
            return

    def end(self) -> None:
        self._stop.set()


@dataclass(frozen=True)
class Traces:
    """Everything that a whole run has left or shown."""

    shown: str
    exported: str
    watch: Watch
    #: The release that the container's document names: a later one reaches it without a new document.
    first: str


@pytest.fixture(scope="module")
def traces(docs: Docs) -> Traces:
    """Put a site up on both sides, have another budget refused for a wrong key, and publish new content."""
    watch = Watch(docs.state)
    thread = threading.Thread(target=watch.look)
    thread.start()
    docs.pulumi.environment = {**docs.pulumi.environment, **CREDENTIALS}
    shown = [docs.up(mode="active-standby").output]
    first = docs.version()
    docs.page("the second page")
    docs.pulumi.environment = {**docs.pulumi.environment, "AKASH_CONSOLE_API_KEY": REFUSED_KEY}
    options = docs.workload["options"]
    shown.append(docs.fails(options=options | {"budget_usd_month": 13}).output)
    docs.write(options=options)
    docs.pulumi.environment = {**docs.pulumi.environment, **CREDENTIALS}
    shown += [docs.pulumi.preview("--diff").output, docs.pulumi.up("--logtostderr", "-v=3").output]
    watch.end()
    thread.join()
    return Traces("\n".join(shown), docs.pulumi.export(), watch, first)


def found(text: str) -> list[str]:
    """Return which credentials stand in a text, as they are or as base64."""
    spelt = {value: (value, base64.b64encode(value.encode()).decode().rstrip("=")) for value in LOOKED_FOR}
    return [value for value, ways in spelt.items() if any(way in text for way in ways)]


def files(*folders: Path, without: Iterable[str] = ()) -> Iterator[tuple[Path, str]]:
    for folder in folders:
        for root, _, names in os.walk(folder):
            for name in names:
                path = Path(root, name)
                if name not in without and path.is_file() and not path.is_symlink():
                    yield path, path.read_bytes().decode("latin-1")


def test_a_credential_would_be_found() -> None:
    assert [found(f"x{value}x") for value in LOOKED_FOR] == [[value] for value in LOOKED_FOR]


def test_no_credential_is_shown_not_even_one_that_is_refused(traces: Traces) -> None:
    assert "the Console does not accept AKASH_CONSOLE_API_KEY" in traces.shown
    assert found(traces.shown) == []


def test_no_credential_stands_in_the_state(docs: Docs, traces: Traces) -> None:
    kept = dict(files(docs.state.root / "state"))
    assert len(kept) > 3  # the checkpoint, its backup, and the history
    assert "docs-akash" in traces.exported
    assert found(traces.exported) == []
    assert {path: credentials for path, text in kept.items() if (credentials := found(text))} == {}


def test_no_credential_stands_in_a_log_or_anywhere_else_in_the_sandbox(docs: Docs, traces: Traces) -> None:
    """Event logs, logs of the worlds, leases with their containers' logs, the engine's home, and the project."""
    kept = dict(files(docs.state.root, docs.pulumi.project, without=TO_SOURCE))
    assert {f"events-{docs.pulumi.stack}.jsonl", "world.json", "akash.log"} <= {path.name for path in kept}
    assert {path: credentials for path, text in kept.items() if (credentials := found(text))} == {}


def test_no_credential_is_an_argument_of_a_process(traces: Traces) -> None:
    lines = traces.watch.lines
    assert [
        word for word in ("pulumi up", "step keep", "step publish") if not any(word in line for line in lines)
    ] == []
    assert [line for line in lines if found(line)] == []


def test_no_credential_reaches_a_container(docs: Docs, traces: Traces) -> None:
    assert traces.watch.containers
    assert any(traces.first in variables for variables in traces.watch.containers)
    assert [variables for variables in traces.watch.containers if found(variables)] == []
