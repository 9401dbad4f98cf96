"""A third party's forum on PostgreSQL at two sites: messages keep coming while the writer moves."""

from __future__ import annotations

import re
import time
from collections.abc import Collection
from functools import partial
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Any, Protocol

from ..story import ClaimFailed
from .chapter import NOTHING, Chapter, Stage, committed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..pair.forum import Forum, Poster
    from ..pair.rows import Ack, Client
    from ..pair.world import World

#: The most seconds until both sites are well again, on a loaded machine.
_WELL_S = 300
#: The least number of messages a second while the forum accepts them.
_POSTS_PER_S = 5
#: Settings of the pair, in seconds: smaller than the defaults, so that the demo does not wait for 30 s each time.
TTL_S, ARCHIVE_TIMEOUT_S = 10.0, 10


#: The numbers of the messages and of the rows that a promotion gave up.
_Lost = tuple[Collection[int], Collection[int]]


class Telling(Protocol):
    """The part of a story that this chapter uses."""

    figures: dict[str, Any]

    def chapter(self, title: str) -> None:
        """Print the title of the next part."""

    def show(self, text: str) -> None:
        """Print an observation."""

    def claim(self, true: bool, text: str) -> None:  # noqa: FBT001 a claim is true or false
        """Print a claim that is true, else fail."""


def get() -> None:
    """Download the forum's software and the second make of store. Raises NotMade if that fails."""
    from ..engine import resolve
    from ..pair import forum

    forum.software()
    resolve.tool(resolve.VERSITYGW)


def play(story: Telling) -> None:
    """Move the writer of a forum to Akash and back, and promote a site once after the loss of the other."""
    from ..pair import world
    from ..pair.forum import Forum, Poster

    with world.opened(ttl_s=TTL_S, archive_timeout_s=ARCHIVE_TIMEOUT_S) as made:
        forum = Forum(made)
        poster, rows = Poster(forum), None
        try:
            made.begin()
            forum.install("aws")
            forum.start()
            poster.start("aws")
            rows = made.client()
            _play(story, made, forum, poster, rows)
        except world.NotSeen as error:
            raise ClaimFailed(str(error)) from error
        finally:
            poster.close()
            if rows is not None:
                rows.close()
            forum.close()


def _play(story: Telling, made: World, forum: Forum, poster: Poster, rows: Client) -> None:
    from ..pair import world

    begun = time.monotonic()
    world.until(lambda: len(poster.acks) >= 50 and len(rows.acks) >= 50, "messages and rows")
    story.show("the forum is Spirit; its database writes at aws, and akash replays what two stores have")
    refused = made.ran("switch", "forum", "--to", "akash")
    story.claim(refused.returncode == 1, "the writer does not move before a restore from each store is proved")
    for line in _command(made, "drill", "forum"):
        story.show(line)
    frozen = []
    for to in ("akash", "aws"):
        story.chapter(f"planned: the writer moves to {to}")
        frozen.append(_switch(story, made, poster, rows, to))
    story.figures["forum_frozen_s"] = round(max(frozen), 1)
    acks = list(poster.acks)
    story.figures["forum_lost_posts"] = len({ack.number for ack in acks} - {number for _, number, _ in forum.posts()})
    _judged(story, forum, poster, rows)
    story.chapter("unplanned: the site that writes is gone")
    lost = _promote(story, made, forum, poster, rows)
    poster.close()
    rows.close()
    rates = [len(acks) / (acks[-1].at - begun) for acks in (poster.acks, rows.acks)]
    story.figures["forum_posts_per_s"], story.figures["forum_rows_per_s"] = (round(rate, 1) for rate in rates)
    _judged(story, forum, poster, rows, lost)
    pace = 1 / median(b.at - a.at for a, b in pairwise(poster.acks))
    story.show(f"{len(poster.acks)} messages in all; with the pauses {rates[0]:.1f} a second, and {rates[1]:.1f} rows")
    story.claim(pace >= _POSTS_PER_S, f"while the forum takes messages, {pace:.0f} come in a second")


def _command(made: World, *words: str) -> Iterator[str]:
    """Run a command of `unmoor`, and yield what it printed; ClaimFailed if it fails."""
    done = made.ran(*words)
    if done.returncode:
        raise ClaimFailed(f"unmoor {' '.join(words)} ended with {done.returncode}: {done.stdout}")
    yield f"$ unmoor {' '.join(words)}"
    yield from (line for line in done.stdout.splitlines() if " LOG:  " not in line)  # PostgreSQL's own log


def _more(poster: Poster, rows: Client, to: str) -> None:
    """Wait until messages and rows are acknowledged by a site."""
    from ..pair import world

    def taken(acks: list[Ack]) -> int:
        return sum(ack.site == to for ack in acks)

    for acks in (poster.acks, rows.acks):
        enough = taken(acks) + 20
        world.until(partial(lambda acks, enough: taken(acks) >= enough, acks, enough), f"20 more at {to}", _WELL_S)


def _follows(made: World, site: str) -> None:
    """Wait until a site reports that it follows, as an operator does before a move."""
    from ..pair import world

    world.until(lambda: re.search(rf"{site} +standby", made.ran("status", "forum").stdout), "a standby", _WELL_S)


def _switch(story: Telling, made: World, poster: Poster, rows: Client, to: str) -> float:
    """Move the writer as planned; return the seconds without an acknowledged message."""
    from ..pair import world
    from ..pair.rows import gap

    _follows(made, to)
    since = time.monotonic()
    for line in _command(made, "switch", "forum", "--to", to):
        story.show(line)
    _more(poster, rows, to)
    frozen, rows_frozen = gap(poster.acks, since - 1), gap(rows.acks, since - 1)
    none = f"none was taken for {frozen:.1f} s, and no row for {rows_frozen:.1f} s"
    story.claim(made.writes(to), f"messages go to {to}; {none}")
    world.until(made.well, "both sites well", _WELL_S)
    return frozen


def _judged(story: Telling, forum: Forum, poster: Poster, rows: Client, lost: _Lost = ((), ())) -> None:
    """Claim that every acknowledged message and row is stored once and in order, except those that were given up."""
    from ..pair import check

    for name, acks, there, given_up in (
        ("message", list(poster.acks), forum.posts(), lost[0]),
        ("row", list(rows.acks), forum.world.rows(), lost[1]),
    ):
        found = check.violations(acks, there, given_up)
        kept = len(acks) - len(given_up)
        story.claim(not found, f"{kept} acknowledged {name}s are there once, in order, at one writer {found[:3] or ''}")


def _promote(story: Telling, made: World, forum: Forum, poster: Poster, rows: Client) -> _Lost:
    """Kill the writer's site, promote the other one, and start the first one again; return the lost numbers."""
    from ..pair import check, world

    _follows(made, "akash")
    made.kill("aws")
    forum.kill("aws")
    gone = time.monotonic()
    for line in _command(made, "promote", "forum", "--to", "akash", "--accept-loss", "--yes"):
        story.show(line)
    promoted = time.monotonic() - gone
    _more(poster, rows, "akash")
    messages = check.given_up(list(poster.acks), forum.posts(), "aws")
    lost = check.given_up(list(rows.acks), made.rows(), "aws")
    oldest = min((ack.at for ack in (*messages, *lost)), default=gone)
    story.figures |= {
        "forum_promoted_s": round(promoted, 1),
        "forum_unplanned_lost_posts": len(messages),
        "forum_unplanned_lost_s": round(gone - oldest, 1),
    }
    story.claim(
        made.writes("akash"),
        f"akash writes {promoted:.1f} s after aws was lost; {len(messages)} messages and {len(lost)} rows of the last "
        f"{gone - oldest:.1f} s are lost, which aws had not archived",
    )
    made.start("aws")
    forum.start("aws")
    world.until(made.well, "aws as a standby", _WELL_S)
    story.claim(made.follows("aws"), "aws came back, and follows akash")
    return {ack.number for ack in messages}, {ack.number for ack in lost}


CHAPTER = Chapter(
    "forum", "a forum's database moves to Akash and back while messages come, and is promoted without its old site",
    play, NOTHING, NOTHING, Stage("forum", "forum.dao.example", "/", committed),
    figures=(
        "forum_lost_posts", "forum_frozen_s", "forum_posts_per_s", "forum_rows_per_s",
        "forum_promoted_s", "forum_unplanned_lost_posts", "forum_unplanned_lost_s",
    ),
    needs=("pgbackrest", "/usr/lib/postgresql/15/bin/pg_amcheck"),
    get=get,
)  # fmt: skip
