"""Other hosts that lead to a workload's own, through a flip."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..client import NotReached, get
from ..story import AKASH, AWS
from .chapter import CHANGED, DOCS, STANDBY, Chapter
from .docs import ACTIVE, FLIP_FIGURES

if TYPE_CHECKING:
    from ..story import Story

OTHERS = ("www.dao.example", "dao.example")


def play(story: Story) -> None:
    """Add two hosts to a workload with two sites, and flip it."""
    line = f"host: {DOCS.host}"
    story.edit(line, f"{line}\n      redirect_from: [{', '.join(OTHERS)}]")
    story.up()
    story.until("both hosts lead to the site from AWS", lambda: _led(story, AWS))
    story.claim(_led(story, AWS), f"{' and '.join(OTHERS)} answer 301 to {DOCS.host}, with certificates of their own")
    story.flip("mode: active-standby", f"mode: active-standby\n      {ACTIVE}")
    story.until("both hosts lead to the site from Akash", lambda: _led(story, AKASH))
    story.claim(_led(story, AKASH), "the flip took both along: they are answered from Akash")
    story.figures["redirected_hosts"] = len(OTHERS)


def _led(story: Story, place: str) -> bool:
    """Return whether each of the other hosts is answered at a place, and leads to the same path of the site."""
    try:
        pages = [get(f"https://{host}/guide/?a=b", story.state) for host in OTHERS]
    except NotReached:
        return False
    wanted = (301, f"https://{DOCS.host}/guide/?a=b")
    return all(
        page.address.startswith(place) and (page.status, page.headers.get("location")) == wanted for page in pages
    )


CHAPTER = Chapter(
    "redirects", "www and the bare domain lead to the site, through a flip", play, STANDBY, CHANGED,
    figures=("redirected_hosts", *FLIP_FIGURES),
)  # fmt: skip
