"""A story on a running sandbox: its edits, commands, claims and measurements."""

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

from components.web import http as front

from .akash import inventory as akash
from .aws import inventory as aws
from .client import Visitor
from .state import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from .drive import Pulumi, Run
    from .state import State

#: Route 53 gives aliases to CloudFront 60 s; a story sets its DNS server to the stack's `ttl` instead.
ALIAS_TTL = 10
#: The longest wait for something that happens by itself, in seconds.
PATIENCE = 150
#: The mode that the stack file of every stage begins with.
_MODE = "centralized"


#: The state of a stack that was not deployed, or was removed; otherwise the state is the workload's mode.
NOTHING = "nothing"


class ClaimFailed(AssertionError):  # noqa: N818 the name is what happened
    """A claim of the story did not hold."""


@dataclass(frozen=True)
class Stage:
    """A stack file of the demo: its only workload and host, the visitor's URL, and its text.

    The file's workload has a line `mode: centralized`, which chapters edit.
    """

    workload: str
    host: str
    path: str
    text: Callable[[], str]

    @property
    def url(self) -> str:
        """What the visitor from outside asks for."""
        return front.url(self.host, self.path)


@dataclass
class Story:
    """The demo's state: the stack, what stands of it, the visitor, and the measurements.

    `before` is what the account had without the stack. `figures` has every field of `demo.json` so far.
    """

    state: State
    pulumi: Pulumi
    console: Console
    stage: Stage
    figures: dict[str, Any]
    began: float = field(default_factory=time.monotonic)
    settled: float = 0.0
    visitor: Visitor | None = None
    standing: str = NOTHING
    before: set[str] = field(default_factory=set)

    def chapter(self, title: str) -> None:
        """Announce what comes next, with the time since the start."""
        self.console.print(f"\n[bold]{self._clock()}  {title}[/bold]")

    def show(self, text: str) -> None:
        """Print what was observed."""
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
            raise ClaimFailed("the visitor has not started yet")
        return self.visitor

    def watch(self) -> None:
        """Send a visitor to the stage, once a second, and wait for the first good answer."""
        self.leave()
        self.visitor = Visitor(self.stage.url, self.state)
        self.visitor.start()
        self.until("the first answer", lambda: bool(self.seen.samples) and self.seen.samples[-1].ok)

    def leave(self) -> None:
        """Stop the visitor."""
        if self.visitor:
            self.visitor.stop()

    @property
    def outputs(self) -> dict[str, Any]:
        """What the stack exports of its workload."""
        found: dict[str, Any] = self.pulumi.outputs()["workloads"][self.stage.workload]
        return found

    def stand(self, where: str) -> None:
        """Bring the stack to the beginning state of a chapter, NOTHING or a mode, without claims."""
        if self.standing == where:
            return
        self.leave()
        if self.standing != NOTHING:
            self._destroy()
        if where != NOTHING:
            self.show(f"first, what this begins with: {self.stage.host}, mode: {where}")
            if where != _MODE:
                self.edit(f"mode: {_MODE}", f"mode: {where}")
            self.pulumi.up()
            self.watch()
        self.standing = where

    def put_away(self) -> None:
        """Destroy the stack, and verify that nothing is left of it."""
        self.leave()
        self._destroy()
        left = sorted(set(aws.objects()) - self.before)
        deployments, escrow = akash.open_deployments(), round(akash.escrow(), 2)
        self.figures["aws_objects_at_end"] = len(left)
        self.figures["open_deployments_at_end"] = len(deployments)
        self.figures["escrow_locked_usd_at_end"] = escrow
        self.claim(not left, f"nothing is left in AWS or in DNS {left or ''}")
        self.claim(not deployments, "no deployment is open")
        self.claim(escrow == 0, f"the escrow came back: ${akash.wallet():.2f} of $100.00 are left")

    def _destroy(self) -> None:
        self.pulumi.destroy()
        self.pulumi.config_file.write_text(self.stage.text(), encoding="utf-8")
        self.standing = NOTHING

    def edit(self, old: str, new: str) -> None:
        """Change one line of the stack file and show it as a diff."""
        path = self.pulumi.config_file
        before = path.read_text(encoding="utf-8")
        if before.count(old) != 1:
            raise ClaimFailed(f"{path}: {old!r} occurs {before.count(old)} times, and must occur once")
        after = before.replace(old, new)
        path.write_text(after, encoding="utf-8")
        for line in list(difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm=""))[3:]:
            self.show(f"[{'red' if line.startswith('-') else 'green'}]{escape(line)}[/]")

    def unmoor(self, *words: str) -> None:
        """Run a command of `unmoor` on the stack file, and show its output."""
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
        """Preview, showing changes and outputs."""
        run = self.pulumi.preview("--diff")
        self.figures["preview_s"] = round(max(run.seconds, self.figures.get("preview_s", 0)), 2)
        for name, operation in sorted(run.changes().items()):
            self.show(f"{_SIGNS.get(operation, operation):<3} {name}")
        outputs = re.search(r"^ *--outputs:--.*?(?=^Resources:)", run.output, re.DOTALL | re.MULTILINE)
        for line in (outputs.group(0).rstrip().splitlines() if outputs else [])[1:]:
            self.show(f"[cyan]{escape(line.rstrip())}[/cyan]")
        return run

    def up(self, *arguments: str) -> Run:
        """Update, then update again and verify that nothing changes."""
        run = self.pulumi.up(*arguments)
        self.settled = time.monotonic()
        self.show(f"{' '.join(('up', *arguments))} took {run.seconds:.1f} s: {counted(run)}")
        again = self.pulumi.up()
        changed = again.changes()
        self.figures["second_up_changes"] += len(changed)
        self.claim(not changed, f"a second up changes nothing{'' if not changed else f': {changed}'}")
        return run

    def flip(self, old: str, new: str) -> Run:
        """Change a line and deploy it, while the visitor counts."""
        self.edit(old, new)
        self.preview()
        since = time.time()
        run = self.up()
        # The last visitor of the flip is one whose resolver kept the old answer for the whole TTL; an update that
        # removes a site has waited for that visitor itself.
        if not any(operation == "delete" and name.endswith("-drain") for operation, name in run.steps()):
            time.sleep(max(0.0, self.settled + ALIAS_TTL + 1 - time.monotonic()))
        failed = self.seen.failed(since, time.time())
        self.figures["planned_flips"] += 1
        self.figures["planned_flip_failed_requests"] += len(failed)
        asked = len([s for s in self.seen.samples if s.time >= since])
        self.claim(
            not failed,
            f"{asked} requests during the flip, {len(failed)} failed {escape(str(failed[:1])) if failed else ''}",
        )
        return run

    def until(self, what: str, condition: Any) -> float:
        """Wait until something is observed; return the seconds that took."""
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
#: The prefixes of addresses of the sandbox's CloudFront, of its load balancers, and of its leases.
AWS, BALANCER, AKASH = "192.0.2.", "198.51.100.", "203.0.113."


def counted(run: Run) -> str:
    """Name how many resources a run created, updated and deleted."""
    by: dict[str, int] = {}
    for operation in run.changes().values():
        by[operation] = by.get(operation, 0) + 1
    return ", ".join(f"{number} {operation}" for operation, number in sorted(by.items())) or "no changes"
