"""The AWS account is closed while Route 53 answers for the zone: count the lost requests and names."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ..client import NotReached, Resolver, get
from ..drive import EngineFailed
from ..faults import CLOSED
from .chapter import DOCS, STANDBY, Chapter

if TYPE_CHECKING:
    from ..story import Story

#: Visits that have to fail before the losses are counted.
VISITS = 20
SITE = f"{DOCS.workload}-akash.dao.example"


def play(story: Story) -> None:
    """Close the account of a stack in active-standby, and count the lost requests and names."""
    lease = Resolver(story.state).addresses(SITE)[0]
    release = story.outputs["release"]
    since = time.time()
    story.state.start_fault(CLOSED)
    try:
        story.until("visits that fail", lambda: len(story.seen.failed(since, time.time())) >= VISITS)
        served = [one for one in story.seen.samples if one.time >= since and one.ok]
        failed = story.seen.failed(since, time.time())
        lost = [name for name in (DOCS.host, SITE) if not _resolves(story, name)]
        story.figures |= {
            "account_closed_requests": len(served) + len(failed),
            "account_closed_lost_requests": len(failed),
            "account_closed_lost_names": len(lost),
        }
        counted = f"{len(failed)} of {len(served) + len(failed)} requests failed"
        story.claim(lost == [DOCS.host, SITE], f"every name is lost, that of the standby too: {counted}")
        page = get(story.stage.url, story.state, address=lease)
        story.claim(page.version == release, f"the standby serves at {lease}, and no name leads there")
        folder = story.state.root / "restored"
        story.unmoor("restore", DOCS.workload, str(folder), "--version", release)
        story.claim((folder / "index.html").is_file(), "the content comes back from the store of the other vendor")
        try:
            story.pulumi.up()
        except EngineFailed as failed_update:
            line = next(iter(failed_update.run.output.strip().splitlines()), "")
            story.claim(bool(line), "an update fails, and leaves what serves")
        story.claim(get(story.stage.url, story.state, address=lease).version == release, "the standby serves on")
        story.show("what goes on without the account is the chapter own-names")
    finally:
        story.state.end_fault(CLOSED)
    story.until("an answer with the account back", lambda: story.seen.samples[-1].ok)
    story.up()


def _resolves(story: Story, name: str) -> bool:
    try:
        return bool(Resolver(story.state).addresses(name))
    except NotReached:
        return False


CHAPTER = Chapter(
    "lose-account", "the AWS account is closed with the zone in it: every name is lost", play, STANDBY, STANDBY,
    figures=("account_closed_requests", "account_closed_lost_requests", "account_closed_lost_names"),
)  # fmt: skip
