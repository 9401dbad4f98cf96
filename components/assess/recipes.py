"""What each sort of work takes: the steps of its move, with hours that grow with their drivers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .effort import Step, Template
from .inventory import Work

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .inventory import Workload

_BLOCKS_OF_THE_SEED = 1135  # the documentation site that the seed of 24 to 60 hours was estimated for
_HOURS_PER_PLUGIN = (0.5, 1.5)


def _blocks(workload: Workload) -> tuple[float, float, str]:
    share = workload.drivers.custom_blocks / _BLOCKS_OF_THE_SEED
    pages = f" on {workload.drivers.pages} pages" if workload.drivers.pages else ""
    return (
        round(24 * share, 1),
        round(60 * share, 1),
        f"{workload.drivers.custom_blocks} blocks of a vendor's markup{pages}",
    )


def _plugins(workload: Workload) -> tuple[float, float, str]:
    count = workload.drivers.plugins
    low, high = _HOURS_PER_PLUGIN
    return count * low, count * high, f"{count} plugin{'s' * (count != 1)}"


def _copying(workload: Workload) -> tuple[float, float, str]:
    """Watching a copy takes an hour of hands for each 100 GB, at most eight."""
    gb = workload.data.gb if workload.data else 0.0
    return 0.0, round(min(gb / 100, 8.0), 1), f"{gb:g} GB of data" if gb else ""


def _copying_by_hand(workload: Workload) -> tuple[float, float, str]:
    """A dump and what came since takes twice as much."""
    low, high, driver = _copying(workload)
    return low, 2 * high, driver


_CONVERT = Template(
    "Convert the content",
    0,
    0,
    "convert the vendor's own blocks by script, the rest by hand; keep a map of redirects",
    "a link check over the old site's addresses: none is lost",
    more=_blocks,
)
_CUT = Template(
    "Cut over",
    1,
    2,
    "lower the TTL two days before; set the mode in the stack file; vote; `pulumi up`",
    "probe both sites by their direct names, then poll the public one through the flip: no request fails",
    "set the mode back and `pulumi up`: the old site is still there",
)
_CARE = Template(
    "Watch, then rehearse leaving",
    1,
    2,
    "keep the old side hot for 72 hours; then break it on purpose once",
    "the outage a client sees stays under the bound",
    "none needed",
)


def _static(low: float, high: float) -> tuple[Template, ...]:
    """Return the steps of a site that keeps nothing; the seed's hours include cut-over and rehearsal."""
    return (
        Template(
            "Build as static files",
            low * 0.4,
            high * 0.4,
            "one build, by content hash, published into every store",
            "`unmoor restore` brings the same hash back from each store",
        ),
        Template(
            "Stand up the standby",
            low * 0.4 - 1,
            high * 0.4 - 2,
            "rent a lease with an address; certificate before DNS",
            "the probe validates chain, name, status and content hash from outside",
        ),
        _CUT,
        _CARE,
    )


#: What each sort of work takes. Steps and hours of the first column of the manual's table.
TEMPLATES: Mapping[Work, tuple[Template, ...]] = {
    Work.STATUS: (
        Template(
            "Stand it up elsewhere",
            3,
            3,
            "a lease on neither side it reports on, its SQLite streamed to a store",
            "it reports a site that was broken on purpose",
        ),
        Template(
            "Point the name", 1, 1, "a record with its own health check", "the old page redirects", "point it back"
        ),
    ),
    Work.DOCS: (_CONVERT, *_static(8, 12)),
    Work.FRONTEND: _static(8, 12),
    Work.DASHBOARD: _static(12, 20),
    Work.API: _static(12, 20),
    Work.OTHER: _static(12, 20),
    Work.BOT: (
        Template(
            "Package with a lock",
            3,
            5,
            "one image, its token scoped, a lock with a time to live in a store",
            "start a second copy on purpose: it waits",
        ),
        Template(
            "Move it",
            1,
            3,
            "stop the old one, wait out the lock, start the new one",
            "one message, not two",
            "start the old one again once the lock has run out",
        ),
    ),
    Work.INDEXER: (
        *_static(12, 20),
        Template(
            "Dump and index the gap",
            4,
            8,
            "a dump every day; a restore, then the blocks since",
            "the standby's height is the chain's",
            more=_copying_by_hand,
        ),
    ),
    Work.FORUM: (
        Template(
            "Image with plugins",
            8,
            8,
            "the official web-only image, the plugins built in, pinned by digest",
            "it starts on an empty database and answers a page and a query",
            more=_plugins,
        ),
        Template(
            "Backup and restore drill",
            12,
            12,
            "base backup and archive into two stores, encrypted; restore into a throw-away place",
            "row counts agree, and the age of the newest row is the proved loss",
        ),
        Template(
            "Uploads into a store",
            6,
            10,
            "uploads into an S3 store, replicated to a second",
            "a page with pictures shows them from each store",
            "the old files stay where they were",
            more=_copying,
        ),
        Template(
            "Standby",
            12,
            16,
            "database that replays the archive, the application read-only beside it",
            "the standby's lag stays under two minutes for a day",
        ),
        Template(
            "Rehearse the switch",
            6,
            6,
            "freeze, replay, promote on a copy; time every step",
            "log in, post, upload, mail, search",
        ),
        Template(
            "Switch, once voted",
            4,
            4,
            "read-only, last archive, take the lock, promote, DNS at once",
            "log in, post, upload, mail, search",
            "fail back: the same procedure the other way; before the first write it is DNS alone",
        ),
        Template(
            "After-care",
            6,
            6,
            "old side rebuilt as standby; new base backup; secrets rotated; mail switched on",
            "the restore drill passes from the new side",
            "none needed",
        ),
    ),
    Work.DATABASE_APP: (
        Template(
            "Image", 6, 8, "the application pinned by digest, its database beside it", "it starts on an empty database"
        ),
        Template(
            "Backup and restore drill",
            12,
            12,
            "base backup and archive into two stores; restore into a throw-away place",
            "row counts agree",
            more=_copying,
        ),
        Template("Standby", 12, 16, "database that replays the archive", "lag under two minutes for a day"),
        Template(
            "Rehearse, then switch",
            8,
            10,
            "freeze, replay, promote; on a copy first",
            "the application's own smoke test",
            "fail back: the same procedure the other way",
        ),
    ),
}

#: For what stays: leaving must still be possible.
EXPORT = Template(
    "Export and second vendor",
    3,
    6,
    "a weekly export into a store of one's own; a second vendor set up and tried",
    "the export is read back, and one message goes out through the second vendor",
)
GATEWAY = Template(
    "Gateway in front",
    12,
    20,
    "a proxy with a cache and a rate limit on leases, backends at several companies",
    "a backend is stopped on purpose and no request fails",
    "point the name at the node again",
)

#: Once for the whole DAO, before the first move and after the last.
ONCE: tuple[Step, ...] = (
    Step(
        "Inventory and owners",
        8,
        16,
        "fill in `inventory.yaml`, name an owner for each line",
        "`unmoor assess` finds no fault",
        "none needed",
    ),
    Step(
        "Credentials, grants, OIDC",
        8,
        12,
        "roles that expire, an escrow grant with a limit, no key in CI",
        "a stolen key could spend the grant and no more",
        "revoke the grant",
    ),
    Step(
        "DNS as code, second authority",
        8,
        16,
        "the zone in code, TTL lowered, a second authority with a static answer",
        "both authorities answer alike",
        "the old name servers stay at the registrar for a week",
    ),
    Step(
        "Runbook review, first game day",
        8,
        12,
        "walk every runbook with those who sign; break one side on purpose",
        "measured times are in the runbook",
        "none needed",
    ),
)
