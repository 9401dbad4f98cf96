"""The story of one docs site, live on the sandbox: every claim is checked, every figure is measured."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from components.web import http as front

from .akash import inventory as akash
from .aws import inventory as aws
from .aws import zone
from .client import Visitor
from .drive import EngineFailed, Pulumi
from .net import vendor
from .state import REPOSITORY, State, here
from .story import AKASH, ALIAS_TTL, AWS, ClaimFailed, Story, counted

if TYPE_CHECKING:
    from collections.abc import Iterator

STACK = "sandbox"
WORKLOAD = "docs"
HOST = "docs.dao.example"
#: Seconds between two visits while the host changes hands, and how many visits count at least.
ADOPTION_PERIOD_S, ADOPTION_VISITS = 1 / 6, 200


def tell(story: Story) -> None:
    """Tell the story from centralized to nothing left."""
    story.figures |= {"second_up_changes": 0, "planned_flips": 0, "planned_flip_failed_requests": 0}
    _begin(story)
    _stand_by(story)
    _lose_aws(story)
    _leave_the_vendor(story)
    _move(story)
    _publish(story)
    _lose_the_lease(story)
    _end(story)


def _begin(story: Story) -> None:
    story.chapter(f"the docs site is live at a vendor: {HOST} is a CNAME to {vendor.SITE}")
    vendor.move_in(story.state, HOST)
    zone.lead(HOST, "CNAME", vendor.SITE, ttl=ALIAS_TTL)
    story.visitor = Visitor(front.url(HOST), story.state, ADOPTION_PERIOD_S)
    story.visitor.start()
    story.until("the vendor's answer", lambda: bool(story.seen.samples) and story.served_by(vendor.ADDRESS))
    story.figures["_aws_before"] = aws.objects()
    story.pulumi.init()
    try:
        story.pulumi.preview()
    except EngineFailed as refused:
        output = " ".join(refused.run.output.split())
        story.claim(f"stands at {HOST}" in output, "what is not ours is not overwritten: the preview is refused")
    else:
        raise ClaimFailed("the live host was not refused")
    _adopt(story)


def _adopt(story: Story) -> None:
    story.chapter("centralized: the docs site on AWS alone, adopted while it is read")
    story.unmoor("adopt", WORKLOAD)
    story.up()
    story.until("an answer from AWS", lambda: story.served_by(AWS))
    story.until("enough visits", lambda: len(story.seen.samples) >= ADOPTION_VISITS)
    story.seen.stop()
    failed = story.seen.failed(0, time.time())
    story.figures |= {"adoption_requests": len(story.seen.samples), "adoption_failed_requests": len(failed)}
    story.claim(not failed, f"{len(story.seen.samples)} validated requests during the adoption, {len(failed)} failed")
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


def _leave_the_vendor(story: Story) -> None:
    story.chapter("the old vendor is not needed any more")
    story.unmoor("adopt", WORKLOAD, "--forget")
    run = story.pulumi.up()
    changed = {f"{HOST}-adopt", f"{HOST}-leave", f"{HOST}-caa", f"{HOST}/primary"}
    story.claim(set(run.changes()) == changed, "the host stays, and what stood there is forgotten")
    story.claim(story.served_by(AWS), "visitors are served from AWS")


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
    story.show(f"up --refresh took {run.seconds:.1f} s: {counted(run)}")
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
            story.show(f"aliases are answered for {ALIAS_TTL} s here; Route 53 answers those to CloudFront for 60 s")
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
