"""The main story: a docs site leaves its vendor, flips through the modes, loses AWS and a lease, and is destroyed."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from components.web import http as front

from ..akash import inventory as akash
from ..aws import zone
from ..client import Visitor
from ..drive import EngineFailed
from ..net import vendor
from ..state import REPOSITORY
from ..story import AKASH, ALIAS_TTL, AWS, ClaimFailed
from .chapter import CENTRALIZED, DECENTRALIZED, DOCS, NOTHING, STANDBY, Chapter

if TYPE_CHECKING:
    from ..story import Story

WORKLOAD, HOST = DOCS.workload, DOCS.host
#: Seconds between two visits during the adoption, and the least number of visits.
ADOPTION_PERIOD_S, ADOPTION_VISITS = 1 / 6, 200
#: The line that lets the standby serve.
ACTIVE = "active: decentralized"


def adopt(story: Story) -> None:
    """Adopt a host that is live at a vendor, while it is visited six times a second."""
    story.show(f"{HOST} is a CNAME to {vendor.SITE}")
    vendor.move_in(story.state, HOST)
    zone.lead(HOST, "CNAME", vendor.SITE, ttl=ALIAS_TTL)
    story.visitor = Visitor(front.url(HOST), story.state, ADOPTION_PERIOD_S)
    story.visitor.start()
    story.until("the vendor's answer", lambda: bool(story.seen.samples) and story.served_by(vendor.ADDRESS))
    try:
        story.pulumi.preview()
    except EngineFailed as refused:
        output = " ".join(refused.run.output.split())
        story.claim(f"stands at {HOST}" in output, "what is not ours is not overwritten: the preview is refused")
    else:
        raise ClaimFailed(f"the preview did not refuse {HOST}, which is live at a vendor")
    story.unmoor("adopt", WORKLOAD)
    story.up()
    story.until("an answer from AWS", lambda: story.served_by(AWS))
    story.until("enough visits", lambda: len(story.seen.samples) >= ADOPTION_VISITS)
    story.seen.stop()
    failed = story.seen.failed(0, time.time())
    story.figures |= {"adoption_requests": len(story.seen.samples), "adoption_failed_requests": len(failed)}
    story.claim(not failed, f"{len(story.seen.samples)} validated requests during the adoption, {len(failed)} failed")
    story.watch()
    release = story.outputs["release"]
    story.claim(story.seen.samples[-1].version == release, f"{front.url(HOST)} serves release {release[:12]} from AWS")
    story.chapter("the old vendor is not needed any more")
    story.unmoor("adopt", WORKLOAD, "--forget")
    run = story.pulumi.up()
    changed = {f"{HOST}-adopt", f"{HOST}-leave"}
    story.claim(set(run.changes()) == changed, "the host stays, and what stood there is forgotten")
    story.claim(story.served_by(AWS), "visitors are served from AWS")


def stand_by(story: Story) -> None:
    """Add a standby on Akash by one line."""
    run = story.flip("mode: centralized", "mode: active-standby")
    story.claim(set(run.changes().values()) <= {"create", "update"}, "nothing was replaced or removed")


def lose_aws(story: Story, at: str = AWS) -> None:
    """Break AWS, and end the fault. `at` is the prefix of the address of the site at AWS."""
    since = time.time()
    story.state.start_fault("aws-down")
    try:
        story.until("an answer from Akash", lambda: story.served_by(AKASH))
        failed = story.seen.failed(since, time.time())
        good = next(s.time for s in story.seen.samples if s.time > since and s.ok and str(s.address).startswith(AKASH))
        story.figures["failover_s"] = round(good - since, 1)
        story.claim(
            good > since, f"visitors are served from Akash after {good - since:.1f} s, {len(failed)} requests failed"
        )
        story.chapter("AWS is back")
        since = time.time()
    finally:
        story.state.end_fault("aws-down")
    story.figures["failback_s"] = round(story.until("an answer from AWS", lambda: story.served_by(at)), 1)
    failed = story.seen.failed(since, time.time())
    story.claim(
        not failed, f"traffic went back by itself after {story.figures['failback_s']} s, {len(failed)} requests failed"
    )


def flip(story: Story) -> None:
    """Move to Akash by one line."""
    run = story.flip("mode: active-standby", "mode: decentralized")
    story.claim(story.served_by(AKASH), "visitors are served from Akash")
    removed = [name for operation, name in run.steps() if operation == "delete"]
    story.claim(removed.index(f"{HOST}/standby") < removed.index("docs-aws-drain"), "the record went first")
    story.claim(
        removed.index("docs-aws-drain") < removed.index("docs-aws-distribution"),
        "the AWS half was removed last, after old answers had expired",
    )


def swap(story: Story) -> None:
    """Swap the roles of the two sites, and swap them back."""
    run = story.flip("mode: active-standby", f"mode: active-standby\n      {ACTIVE}")
    story.claim(set(run.changes().values()) == {"update"}, "the roles were swapped in place")
    story.claim(story.served_by(AKASH), "visitors are served from Akash")
    story.flip(f"mode: active-standby\n      {ACTIVE}", "mode: active-standby")
    story.claim(story.served_by(AWS), "and from AWS again")


def publish(story: Story) -> None:
    """Publish a changed page."""
    folder = story.state.root / "content"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(REPOSITORY / "site", folder)
    with (folder / "index.html").open("a", encoding="utf-8") as page:
        page.write("<!-- new content -->\n")
    before = story.seen.samples[-1].version
    story.edit("site: site", f"site: {folder}")
    since = time.time()
    story.up()
    release = story.outputs["release"]
    story.until("the new release", lambda: story.seen.samples[-1].version == release)
    failed = story.seen.failed(since, time.time())
    story.figures["content_update_failed_requests"] = len(failed)
    seen = [sample.version for sample in story.seen.samples if sample.time >= since and sample.ok]
    story.claim(not failed, f"{len(seen)} requests during the update, {len(failed)} failed {escape(str(failed[:1]))}")
    story.claim(
        seen == sorted(seen, key=[before, release].index), f"visitors saw {str(before)[:12]}, and then {release[:12]}"
    )


def lose_lease(story: Story) -> None:
    """Make the Akash provider of the lease disappear, and repair that with one command."""
    owner = _leases()[0]["id"]["provider"]
    story.state.start_fault(f"provider-gone-{owner}")
    try:
        story.until("visitors notice", lambda: not story.seen.samples[-1].ok)
        story.until("the network closes the lease", lambda: _leases()[0]["state"] != "active")
        since = time.time()
        story.up("--refresh")
        story.until("an answer from another provider", lambda: story.served_by(AKASH))
        good = next(s.time for s in story.seen.samples if s.time > since and s.ok)
        story.figures["lost_lease_recovery_s"] = round(good - since, 1)
        (lease,) = _leases()
        story.claim(
            lease["id"]["provider"] != owner,
            f"served from another provider {good - since:.1f} s after `up --refresh` began",
        )
    finally:
        story.state.end_fault(f"provider-gone-{owner}")


def _leases() -> list[dict[str, Any]]:
    """Return the newest lease of every open deployment."""
    return [deployment["leases"][-1] for deployment in akash.open_deployments() if deployment["leases"]]


FLIP_FIGURES = ("planned_flips", "planned_flip_failed_requests", "second_up_changes", "preview_s")
CHAPTERS = (
    Chapter(
        "adopt", "a site that is live at a vendor is taken over by AWS while it is read", adopt, NOTHING, CENTRALIZED,
        figures=("adoption_requests", "adoption_failed_requests", "second_up_changes"),
    ),
    Chapter(
        "standby", "one line, mode: active-standby: Akash stands by", stand_by, CENTRALIZED, STANDBY,
        figures=FLIP_FIGURES,
    ),
    Chapter(
        "lose-aws", "AWS is gone: names move to the standby by themselves, and back", lose_aws, STANDBY, STANDBY,
        figures=("failover_s", "failback_s"),
    ),
    Chapter(
        "flip", "one line, mode: decentralized: the site moves, the AWS half goes", flip, STANDBY, DECENTRALIZED,
        figures=FLIP_FIGURES,
    ),
    Chapter(
        "publish", "new content, while the one site on Akash serves everybody", publish, DECENTRALIZED, DECENTRALIZED,
        figures=("content_update_failed_requests", "second_up_changes"),
    ),
    Chapter(
        "lose-lease", "the Akash provider that holds the lease disappears", lose_lease, DECENTRALIZED, DECENTRALIZED,
        figures=("lost_lease_recovery_s", "second_up_changes"),
    ),
    Chapter(
        "put-away", "destroy leaves nothing in AWS, in DNS and on Akash, and the escrow comes back",
        lambda story: story.put_away(), DECENTRALIZED, NOTHING,
        figures=("aws_objects_at_end", "open_deployments_at_end", "escrow_locked_usd_at_end"),
    ),
)  # fmt: skip
SWAP = Chapter(
    "swap", "one line, active: decentralized: the sites change roles in place, and back", swap, STANDBY, STANDBY,
    figures=FLIP_FIGURES,
)  # fmt: skip
