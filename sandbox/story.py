"""A story on a running sandbox: what it edits, runs and claims, and what it measures."""

from __future__ import annotations

import difflib
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from .state import REPOSITORY

if TYPE_CHECKING:
    from rich.console import Console

    from .client import Visitor
    from .drive import Pulumi, Run
    from .state import State

#: Route 53 gives aliases to CloudFront 60 s; a story asks its DNS server for the stack's `ttl` instead.
ALIAS_TTL = 10
#: Longest wait for something that happens by itself, in seconds.
PATIENCE = 150


class ClaimFailed(AssertionError):  # noqa: N818 the name is what happened
    """Something the story claims did not happen."""


@dataclass
class Story:
    """The demo's state: the stack, the visitor, and what was measured."""

    state: State
    pulumi: Pulumi
    console: Console
    began: float = field(default_factory=time.monotonic)
    settled: float = 0.0
    visitor: Visitor | None = None
    figures: dict[str, Any] = field(default_factory=dict)

    def chapter(self, title: str) -> None:
        """Announce what comes next, with the time since the start."""
        self.console.print(f"\n[bold]{self._clock()}  {title}[/bold]")

    def show(self, text: str) -> None:
        """Show what was seen."""
        self.console.print(f"        {text}", highlight=False, soft_wrap=True)

    def claim(self, true: bool, text: str) -> None:  # noqa: FBT001 a claim is true or false
        """Check a claim of the story; a false one ends the demo."""
        if not true:
            raise ClaimFailed(text)
        self.show(f"[green]✓[/green] {text}")

    def _clock(self) -> str:
        seconds = int(time.monotonic() - self.began)
        return f"[{seconds // 60}:{seconds % 60:02}]"

    @property
    def seen(self) -> Visitor:
        """The outside visitor, once there is something to visit."""
        if self.visitor is None:
            raise ClaimFailed("no visitor yet")
        return self.visitor

    def edit(self, old: str, new: str) -> None:
        """Change one line of the stack file and show it as a diff."""
        path = self.pulumi.config_file
        before = path.read_text(encoding="utf-8")
        if before.count(old) != 1:
            raise ClaimFailed(f"{path}: {old!r} stands there {before.count(old)} times")
        after = before.replace(old, new)
        path.write_text(after, encoding="utf-8")
        for line in list(difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm=""))[3:]:
            self.show(f"[{'red' if line.startswith('-') else 'green'}]{line}[/]")

    def unmoor(self, *words: str) -> None:
        """Run a command of `unmoor` on the stack file, and show what it prints."""
        command = [sys.executable, "-m", "components", *words, "--stack", str(self.pulumi.config_file)]
        environment = {**os.environ, **self.pulumi.environment}
        done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
        self.show(f"[bold]$ unmoor {escape(' '.join(words))}[/bold]")
        for line in done.stdout.splitlines():
            colour = {"+": "green", "-": "red"}.get(line[:1], "default")
            self.show(f"[{colour}]{escape(line)}[/]")
        if done.returncode:
            raise ClaimFailed(f"unmoor {' '.join(words)} ended with {done.returncode}: {done.stderr}")

    def preview(self) -> Run:
        """Preview, showing what changes and the outputs."""
        run = self.pulumi.preview("--diff")
        self.figures["preview_s"] = round(max(run.seconds, self.figures.get("preview_s", 0)), 2)
        for name, operation in sorted(run.changes().items()):
            self.show(f"{_SIGNS.get(operation, operation):<3} {name}")
        outputs = re.search(r"^ *--outputs:--.*?(?=^Resources:)", run.output, re.DOTALL | re.MULTILINE)
        for line in (outputs.group(0).rstrip().splitlines() if outputs else [])[1:]:
            self.show(f"[cyan]{escape(line.rstrip())}[/cyan]")
        return run

    def up(self, *arguments: str) -> Run:
        """Update, then update again and see that nothing changes."""
        run = self.pulumi.up(*arguments)
        self.settled = time.monotonic()
        self.show(f"up took {run.seconds:.1f} s: {counted(run)}")
        again = self.pulumi.up()
        changed = again.changes()
        self.figures["second_up_changes"] = self.figures.get("second_up_changes", 0) + len(changed)
        self.claim(not changed, f"a second up changes nothing{'' if not changed else f': {changed}'}")
        return run

    def flip(self, old: str, new: str) -> Run:
        """Change a line and make it so, while the visitor counts."""
        self.edit(old, new)
        self.preview()
        since = time.time()
        run = self.up()
        # The last visitor of the flip is one whose resolver kept the old answer for as long as it may; an update that
        # removes a site has waited for that visitor itself.
        if not any(operation == "delete" and name.endswith("-drain") for operation, name in run.steps()):
            time.sleep(max(0.0, self.settled + ALIAS_TTL + 1 - time.monotonic()))
        failed = self.seen.failed(since, time.time())
        self.figures["planned_flips"] = self.figures.get("planned_flips", 0) + 1
        self.figures["planned_flip_failed_requests"] = self.figures.get("planned_flip_failed_requests", 0) + len(failed)
        asked = len([s for s in self.seen.samples if s.time >= since])
        self.claim(
            not failed,
            f"{asked} requests during the flip, {len(failed)} failed {escape(str(failed[:1])) if failed else ''}",
        )
        return run

    def until(self, what: str, condition: Any) -> float:
        """Wait until something is seen; return the seconds it took."""
        began = time.monotonic()
        while not condition():
            if time.monotonic() - began > PATIENCE:
                raise ClaimFailed(f"{what}: not seen within {PATIENCE} s")
            time.sleep(0.2)
        return time.monotonic() - began

    def served_by(self, prefix: str) -> bool:
        """Return whether the newest answer came from an address with this prefix, and was good."""
        last = self.seen.samples[-1]
        return last.ok and str(last.address).startswith(prefix)


_SIGNS = {
    "create": "+",
    "update": "~",
    "delete": "-",
    "replace": "+-",
    "create-replacement": "++",
    "delete-replaced": "--",
}
#: How addresses of the sandbox's CloudFront begin, and those of its leases.
AWS, AKASH = "192.0.2.", "203.0.113."


def counted(run: Run) -> str:
    """Name how many resources a run created, updated and deleted."""
    by: dict[str, int] = {}
    for operation in run.changes().values():
        by[operation] = by.get(operation, 0) + 1
    return ", ".join(f"{number} {operation}" for operation, number in sorted(by.items())) or "no changes"
