"""The story of one docs site, live on the sandbox: every claim is checked, every figure is measured."""

from __future__ import annotations

import difflib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from components.web import http as front

from .akash import inventory as akash
from .aws import inventory as aws
from .client import Visitor
from .drive import EngineFailed, Pulumi, Run
from .state import REPOSITORY, State, here

if TYPE_CHECKING:
    from collections.abc import Iterator

STACK = "sandbox"
WORKLOAD = "docs"
HOST = "docs.dao.example"
#: Route 53 gives aliases to CloudFront 60 s; the demo asks its DNS server for the stack's `ttl` instead, and says so.
ALIAS_TTL = 10
#: Longest wait for something that happens by itself, in seconds.
PATIENCE = 150


class ClaimFailed(AssertionError):  # noqa: N818 the name says what happened
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
        """Say what comes next, with the time since the start."""
        self.console.print(f"\n[bold]{self._clock()}  {title}[/bold]")

    def say(self, text: str) -> None:
        """Say what was seen."""
        self.console.print(f"        {text}", highlight=False, soft_wrap=True)

    def claim(self, true: bool, text: str) -> None:  # noqa: FBT001 a claim is true or false
        """Check a claim of the story; a false one ends the demo."""
        if not true:
            raise ClaimFailed(text)
        self.say(f"[green]✓[/green] {text}")

    def _clock(self) -> str:
        seconds = int(time.monotonic() - self.began)
        return f"[{seconds // 60}:{seconds % 60:02}]"

    @property
    def seen(self) -> Visitor:
        """The outside visitor, once there is something to visit."""
        if self.visitor is None:
            raise ClaimFailed("nobody visits yet")
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
            self.say(f"[{'red' if line.startswith('-') else 'green'}]{line}[/]")

    def preview(self) -> Run:
        """Preview, showing what changes and what the outputs say."""
        run = self.pulumi.preview("--diff")
        self.figures["preview_s"] = round(max(run.seconds, self.figures.get("preview_s", 0)), 2)
        for name, operation in sorted(run.changes().items()):
            self.say(f"{_SIGNS.get(operation, operation):<3} {name}")
        outputs = re.search(r"^ *--outputs:--.*?(?=^Resources:)", run.output, re.DOTALL | re.MULTILINE)
        for line in (outputs.group(0).rstrip().splitlines() if outputs else [])[1:]:
            self.say(f"[cyan]{escape(line.rstrip())}[/cyan]")
        return run

    def up(self, *arguments: str) -> Run:
        """Update, then update again and see that nothing changes."""
        run = self.pulumi.up(*arguments)
        self.settled = time.monotonic()
        self.say(f"up took {run.seconds:.1f} s: {_count(run)}")
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
        """Tell whether the newest answer came from an address with this prefix, and was good."""
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
AWS, AKASH = "192.0.2.", "203.0.113."


def _count(run: Run) -> str:
    counted: dict[str, int] = {}
    for operation in run.changes().values():
        counted[operation] = counted.get(operation, 0) + 1
    return ", ".join(f"{number} {operation}" for operation, number in sorted(counted.items())) or "no changes"


def tell(story: Story) -> None:
    """Tell the story from centralized to nothing left."""
    story.figures |= {"second_up_changes": 0, "planned_flips": 0, "planned_flip_failed_requests": 0}
    _begin(story)
    _stand_by(story)
    _lose_aws(story)
    _move(story)
    _publish(story)
    _lose_the_lease(story)
    _end(story)


def _begin(story: Story) -> None:
    story.chapter("centralized: the docs site on AWS alone")
    before = aws.objects()
    story.figures["_aws_before"] = before
    story.pulumi.init()
    story.up()
    story.visitor = Visitor(front.url(HOST, front.HEALTH_PATH), story.state)
    story.visitor.start()
    story.until("the first answer", lambda: bool(story.seen.samples) and story.seen.samples[-1].ok)
    release = story.pulumi.outputs()["workloads"][WORKLOAD]["release"]
    story.claim(story.seen.samples[-1].version == release, f"{front.url(HOST)} serves release {release[:12]} from AWS")


def _stand_by(story: Story) -> None:
    story.chapter("one line: mode: active-standby")
    run = story.flip("mode: centralized", "mode: active-standby")
    story.claim(set(run.changes().values()) <= {"create", "update"}, "nothing was replaced or removed")


def _lose_aws(story: Story) -> None:
    story.chapter("AWS is gone")
    since = time.time()
    story.state.start_fault("aws-down")
    story.until("an answer from Akash", lambda: story.served_by(AKASH))
    failed = story.seen.failed(since, time.time())
    good = next(s.time for s in story.seen.samples if s.time > since and s.ok and str(s.address).startswith(AKASH))
    story.figures["failover_s"] = round(good - since, 1)
    story.claim(
        good > since, f"visitors are served from Akash after {good - since:.1f} s, {len(failed)} requests failed"
    )
    story.chapter("AWS is back")
    since = time.time()
    story.state.end_fault("aws-down")
    story.figures["failback_s"] = round(story.until("an answer from AWS", lambda: story.served_by(AWS)), 1)
    failed = story.seen.failed(since, time.time())
    story.claim(
        not failed, f"traffic went back by itself after {story.figures['failback_s']} s, {len(failed)} requests failed"
    )


def _move(story: Story) -> None:
    story.chapter("one line: active: decentralized")
    run = story.flip("mode: active-standby", "mode: active-standby\n      active: decentralized")
    story.claim(set(run.changes().values()) == {"update"}, "the roles were swapped in place")
    story.claim(story.served_by(AKASH), "visitors are served from Akash")
    story.chapter("one line: mode: decentralized")
    run = story.flip("mode: active-standby", "mode: decentralized")
    removed = [name for operation, name in run.steps() if operation == "delete"]
    story.claim(removed.index("docs.dao.example/standby") < removed.index("docs-aws-drain"), "the record went first")
    story.claim(
        removed.index("docs-aws-drain") < removed.index("docs-aws-distribution"),
        "the AWS half was removed last, after old answers had expired",
    )


def _publish(story: Story) -> None:
    story.chapter("new content, while the one site on Akash serves everybody")
    folder = story.state.root / "content"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(REPOSITORY / "site", folder)
    with (folder / "index.html").open("a", encoding="utf-8") as page:
        page.write("<!-- new content -->\n")
    before = story.seen.samples[-1].version
    story.edit("site: site", f"site: {folder}")
    since = time.time()
    story.up()
    release = story.pulumi.outputs()["workloads"][WORKLOAD]["release"]
    story.until("the new release", lambda: story.seen.samples[-1].version == release)
    failed = story.seen.failed(since, time.time())
    story.figures["content_update_failed_requests"] = len(failed)
    seen = [sample.version for sample in story.seen.samples if sample.time >= since and sample.ok]
    story.claim(not failed, f"{len(seen)} requests during the update, {len(failed)} failed {escape(str(failed[:1]))}")
    story.claim(
        seen == sorted(seen, key=[before, release].index), f"visitors saw {str(before)[:12]}, and then {release[:12]}"
    )


def _lose_the_lease(story: Story) -> None:
    story.chapter("the Akash provider that holds the lease disappears")
    owner = _leases()[0]["id"]["provider"]
    story.state.start_fault(f"provider-gone-{owner}")
    story.until("visitors notice", lambda: not story.seen.samples[-1].ok)
    story.until("the network closes the lease", lambda: _leases()[0]["state"] != "active")
    since = time.time()
    run = story.pulumi.up("--refresh")
    story.say(f"up --refresh took {run.seconds:.1f} s: {_count(run)}")
    story.until("an answer from another provider", lambda: story.served_by(AKASH))
    good = next(s.time for s in story.seen.samples if s.time > since and s.ok)
    story.figures["lost_lease_recovery_s"] = round(good - since, 1)
    (lease,) = _leases()
    story.claim(
        lease["id"]["provider"] != owner,
        f"served from another provider {good - since:.1f} s after `up --refresh` began",
    )
    again = story.pulumi.up().changes()
    story.figures["second_up_changes"] += len(again)
    story.claim(not again, "a second up changes nothing")


def _leases() -> list[dict[str, Any]]:
    """Return the newest lease of every open deployment."""
    return [deployment["leases"][-1] for deployment in akash.open_deployments() if deployment["leases"]]


def _end(story: Story) -> None:
    story.chapter("destroy")
    story.seen.stop()
    story.pulumi.destroy()
    left = sorted(set(aws.objects()) - set(story.figures.pop("_aws_before")))
    story.figures["aws_objects_at_end"] = len(left)
    story.figures["open_deployments_at_end"] = len(akash.open_deployments())
    story.claim(not left, f"nothing is left in AWS or in DNS {left or ''}")
    story.claim(not akash.open_deployments(), "no deployment is open")
    story.figures["escrow_locked_usd_at_end"] = round(akash.escrow(), 2)
    story.claim(akash.escrow() == 0, f"the escrow came back: ${akash.wallet():.2f} of $100.00 are left")


@contextmanager
def running(state: State) -> Iterator[dict[str, str]]:
    """Run a sandbox for as long as the demo lasts; give its environment."""
    environment = {**os.environ, "UNMOOR_SANDBOX": str(state.root), "UNMOOR_SANDBOX_ALIAS_TTL": str(ALIAS_TTL)}
    child = subprocess.Popen(
        [sys.executable, "-m", "sandbox", "up"],
        cwd=REPOSITORY,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        line = child.stdout.readline() if child.stdout else ""
        if not line:
            sys.exit(child.wait() or 1)
        given = subprocess.run(
            [sys.executable, "-m", "sandbox", "env", "--json"],
            cwd=REPOSITORY,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        yield json.loads(given.stdout)
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait(30)


def _table(console: Console, figures: dict[str, Any]) -> None:
    table = Table(title="what was measured")
    table.add_column("figure")
    table.add_column("value", justify="right")
    for name, value in figures.items():
        table.add_row(name, str(value))
    console.print(table)


def _told_to_end(number: int, _frame: object) -> None:
    """End as an error does, so that the sandbox ends too."""
    sys.exit(128 + number)


def main() -> int:
    """Run the demo; 0 when every claim held."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _told_to_end)
    console = Console()
    state = here()
    began = time.monotonic()
    try:
        with running(state) as environment:
            os.environ |= environment
            console.print(f"sandbox ready after {time.monotonic() - began:.1f} s")
            copy = state.root / f"Pulumi.{STACK}.yaml"
            source = REPOSITORY / "stacks" / f"Pulumi.{STACK}.yaml"
            copy.write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
            story = Story(state, Pulumi(state, environment, STACK, copy), console, began)
            story.say(f"aliases are answered for {ALIAS_TTL} s here; Route 53 answers those to CloudFront for 60 s")
            try:
                tell(story)
            finally:
                if story.visitor:
                    story.visitor.stop()
            story.figures["total_s"] = round(time.monotonic() - began, 1)
            (state.root / "demo.json").write_text(json.dumps(story.figures, indent=2) + "\n", encoding="utf-8")
            console.print()
            _table(console, story.figures)
            return 0
    except (ClaimFailed, EngineFailed) as error:
        console.print(f"\n[red]the story broke:[/red] {error}", highlight=False, markup=True)
        console.print(f"logs: {state.root / 'log'}")
        return 1
    except KeyboardInterrupt:
        console.print("\ninterrupted; the sandbox is gone, nothing is left")
        return 130


if __name__ == "__main__":
    sys.exit(main())
