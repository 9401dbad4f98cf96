"""The steps of a move for each sort of work, in order, with hours that grow with their drivers.

In every move data and secrets are in their new place before a name changes, and the old vendor is left last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .effort import Duty, Step, Template
from .inventory import Work

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .inventory import Workload

_BLOCKS_OF_THE_SEED = 1135  # the documentation site that the seed of 24 to 60 hours was estimated for
_HOURS_PER_PLUGIN = (0.5, 1.5)
_BACK = "set the mode back and `pulumi up`: the old site is still there"
_SMOKE = "log in, post, upload, mail, search"


def _blocks(workload: Workload) -> tuple[float, float, str]:
    pages = f" on {workload.drivers.pages} pages" if workload.drivers.pages else ""
    imported = workload.drivers.imported
    if imported is not None:
        return imported.low_hours, imported.high_hours, f"{imported.places} places that the import left{pages}"
    share = workload.drivers.custom_blocks / _BLOCKS_OF_THE_SEED
    driver = f"{workload.drivers.custom_blocks} blocks of a vendor's markup{pages}"
    return round(24 * share, 1), round(60 * share, 1), driver


def _plugins(workload: Workload) -> tuple[float, float, str]:
    count = workload.drivers.plugins
    low, high = _HOURS_PER_PLUGIN
    return count * low, count * high, f"{count} plugin{'s' * (count != 1)}"


def _copying(workload: Workload) -> tuple[float, float, str]:
    """Return an hour of watching for each 100 GB of a copy, at most eight."""
    gb = workload.data.gb if workload.data else 0.0
    return 0.0, round(min(gb / 100, 8.0), 1), f"{gb:g} GB of data" if gb else ""


def _copying_by_hand(workload: Workload) -> tuple[float, float, str]:
    """Return twice the hours of watching: a dump, and what came since."""
    low, high, driver = _copying(workload)
    return low, 2 * high, driver


def _credentials(low: float, high: float) -> Template:
    return Template(
        "Credentials", low, high,
        "make new credentials for each site, scoped and with an end date: {secrets}; "
        "the old ones are revoked when the old vendor is left",
        "the new site works with the new credentials alone; the document that describes it holds none",
        duty=Duty.CREDENTIALS,
    )  # fmt: skip


def _balance(low: float, high: float) -> Template:
    return Template(
        "Load balancing", low, high,
        "a failover set with a health check for each site takes the place of {balancer}",
        "break the first site on purpose: the name leads to the second within the detection time and the TTL",
        "the check of the first site passes again, and the name leads back by itself",
        duty=Duty.BALANCE,
    )  # fmt: skip


def _dns(low: float, high: float) -> Template:
    return Template(
        "DNS forwarding", low, high,
        "lower the TTL of {hosts} to 60 s two days before; bring the records and the old addresses' redirects over",
        "every record of the old zone is in the new one; each old address leads to its new place",
        "raise the TTL again: nothing else has changed",
        duty=Duty.DNS,
    )  # fmt: skip


_SINGLE = Template(
    "Load balancing: none", 0.2, 0.4,
    "one copy at a time acts, held by a lock in a store; there is nothing to balance",
    "a second copy that is started on purpose waits for the lock",
    "stop the second copy",
    duty=Duty.BALANCE,
)  # fmt: skip
_CONVERT = Template(
    "Convert the content", 0, 0,
    "convert the vendor's own blocks by script, the rest by hand; keep a map of redirects",
    "a link check over the old site's addresses: none is lost",
    more=_blocks,
)  # fmt: skip
_CUT = Template(
    "Cut over", 1, 2,
    "set the mode in the stack file; vote; `pulumi up`",
    "probe both sites by their own names, then poll the public one through the flip: no request fails",
    _BACK,
)  # fmt: skip
_CARE = Template(
    "Watch, then rehearse leaving", 1, 2,
    "keep the old side running for 72 hours; then break it on purpose once",
    "the outage that a client sees stays under the bound",
    "none needed",
)  # fmt: skip
#: The last step: leaving a vendor that is at no site of the plan.
LEAVE = Template(
    "Leave {vendor}", 2, 4,
    "after 14 days without a request there: take a last export ({leave}), revoke its credentials, end the contract",
    "the old address answers with a redirect or not at all, and no record of the zone leads to {vendor}",
    "none: until this step the old site can be pointed at again",
    duty=Duty.OTHER,
)  # fmt: skip
#: The steps of a change of mode, for a workload that stands by its stack file already.
FLIP = (
    Template(
        "Change the mode", 0.4, 1,
        "`unmoor runbook` has the chapter: set the mode, review, approve, `pulumi up`",
        "`unmoor status` shows the release at every site, by each site's own name",
        "set the mode back and `pulumi up`",
    ),
    Template(
        "Watch", 0.2, 0.5,
        "poll the public name through the change",
        "no request fails",
        "set the mode back and `pulumi up`",
    ),
)  # fmt: skip


def _static(low: float, high: float) -> tuple[Template, ...]:
    """Return the steps of a site that keeps nothing; the seed's hours include cut-over and rehearsal."""
    low, high = low - 2, high - 4
    return (
        Template(
            "Build, and keep copies", low * 0.4, high * 0.4,
            "one build, named by the hash of its content, put into every store",
            "`unmoor restore` brings the same hash back from each store",
            duty=Duty.BACKUP,
        ),
        _credentials(low * 0.1, high * 0.1),
        Template(
            "Stand up the sites", low * 0.3, high * 0.3,
            "one site on each target of the plan; certificates before DNS",
            "the probe validates chain, name, status and content hash from outside",
        ),
        _balance(low * 0.1, high * 0.1),
        _dns(low * 0.1, high * 0.1),
        _CUT,
        _CARE,
    )  # fmt: skip


def _service(low: float, high: float) -> tuple[Template, ...]:
    """Return the steps of a service without a database of its own."""
    low, high = low - 2, high - 4
    return (
        Template(
            "Image, and keep what it writes", low * 0.4, high * 0.4,
            "one image, pinned by digest; files and caches that matter go to a store ({kept})",
            "it starts from the image and the store alone",
            duty=Duty.BACKUP,
        ),
        _credentials(low * 0.1, high * 0.1),
        Template(
            "Stand up the sites", low * 0.3, high * 0.3,
            "one site on each target of the plan; certificates before DNS",
            "a query that needs its back end is answered at each site's own name",
        ),
        _balance(low * 0.1, high * 0.1),
        _dns(low * 0.1, high * 0.1),
        _CUT,
        _CARE,
    )  # fmt: skip


#: The steps of each sort of work. The hours of a work add up to the first column of the manual's table.
TEMPLATES: Mapping[Work, tuple[Template, ...]] = {
    Work.STATUS: (
        Template(
            "Stand it up elsewhere", 2, 2,
            "a lease on neither side that it reports on, its SQLite copied to a store ({kept})",
            "it reports a site that was broken on purpose; a restored copy shows the same history",
            duty=Duty.BACKUP,
        ),
        _credentials(0.5, 0.5),
        Template(
            "Load balancing: none", 0.5, 0.5,
            "one copy watches; a second would alarm twice",
            "stop it on purpose: the alarm about the alarm arrives",
            "start it again",
            duty=Duty.BALANCE,
        ),
        Template(
            "DNS forwarding", 1, 1,
            "lower the TTL of {hosts} two days before, then point it at the new site",
            "the new page answers, and the old address leads to it",
            "point it back",
            duty=Duty.DNS,
        ),
    ),
    Work.DOCS: (_CONVERT, *_static(8, 12)),
    Work.FRONTEND: _static(8, 12),
    Work.BLOG: (_CONVERT, *_static(8, 12)),
    Work.DASHBOARD: _service(12, 20),
    Work.API: _service(12, 20),
    Work.OTHER: _service(12, 20),
    Work.BOT: (
        Template(
            "Package with a lock", 2, 3.6,
            "one image, its tokens scoped, a lock with a time to live in a store; what it keeps is copied ({kept})",
            "start a second copy on purpose: it waits; a restored copy goes on where the first stopped",
            duty=Duty.BACKUP,
        ),
        _credentials(0.6, 0.8),
        _SINGLE,
        Template(
            "DNS forwarding", 0.2, 0.2,
            "a bot calls out; where a name or a webhook leads to it, change that ({hosts})",
            "a test message arrives at the new place",
            "set the webhook back",
            duty=Duty.DNS,
        ),
        Template(
            "Move it", 1, 3,
            "stop the old one, wait until the lock has run out, start the new one",
            "one message, not two",
            "start the old one again once the lock has run out",
        ),
    ),
    Work.INDEXER: (
        Template(
            "Image", 3, 5,
            "API and indexer pinned by digest, the database in the same major version",
            "it starts on an empty database and indexes the first blocks",
        ),
        Template(
            "Dump and restore", 4, 8,
            "{kept}, as the bill has it, into every store; restored into the new database",
            "row counts agree, and a dump restores from each store",
            duty=Duty.BACKUP, more=_copying_by_hand,
        ),
        _credentials(1, 2),
        Template(
            "Index the gap", 1, 2,
            "the blocks since the dump, before any name changes",
            "the new site's height is the chain's",
        ),
        _balance(1, 2),
        _dns(1, 2),
        _CUT,
        Template(
            "Watch, then rehearse leaving", 4, 5,
            "keep the old side running for 72 hours; then break it on purpose once",
            "the outage that a client sees stays under the bound, and the height keeps up",
            "none needed",
        ),
    ),
    Work.FORUM: (
        Template(
            "Image with plugins", 8, 8,
            "the official web-only image, the plugins built in, pinned by digest",
            "it starts on an empty database and answers a page and a query",
            more=_plugins,
        ),
        Template(
            "Backup and restore drill", 12, 12,
            "base backup and archive into every store, encrypted ({kept}); restore into a throw-away place",
            "row counts agree, and the age of the newest row is the proved loss",
            duty=Duty.BACKUP,
        ),
        Template(
            "Uploads into a store", 6, 10,
            "uploads into an S3 store, replicated to a second",
            "a page with pictures shows them from each store",
            "the old files stay where they were",
            more=_copying,
        ),
        _credentials(2, 2),
        Template(
            "Standby", 8, 11,
            "a database that replays the archive, the application read-only with it",
            "the standby's lag stays under two minutes for a day",
        ),
        _balance(2, 3),
        Template(
            "Rehearse the switch", 6, 6,
            "freeze, replay, promote on a copy; time every step",
            _SMOKE,
        ),
        _dns(1, 1),
        Template(
            "Switch, once voted", 3, 3,
            "read-only, last archive, take the lock, promote, DNS at once",
            _SMOKE,
            "fail back: the same procedure the other way; before the first write it is DNS alone",
        ),
        Template(
            "After-care", 6, 6,
            "old side rebuilt as standby; new base backup; secrets rotated; mail switched on",
            "the restore drill passes from the new side",
            "none needed",
        ),
    ),
    Work.DATABASE_APP: (
        Template(
            "Image", 6, 8,
            "the application pinned by digest, its database in the same major version",
            "it starts on an empty database",
        ),
        Template(
            "Backup and restore drill", 12, 12,
            "base backup and archive into every store, encrypted ({kept}); restore into a throw-away place",
            "row counts agree, and the age of the newest row is the proved loss",
            duty=Duty.BACKUP, more=_copying,
        ),
        _credentials(1, 2),
        Template(
            "Standby", 8, 11,
            "a database that replays the archive",
            "the standby's lag stays under two minutes for a day",
        ),
        _balance(2, 2),
        _dns(1, 1),
        Template(
            "Rehearse and switch", 8, 8,
            "freeze, replay, promote; on a copy first",
            "the application's own smoke test",
            "fail back: the same procedure the other way",
        ),
    ),
}  # fmt: skip

#: Steps for a gateway in front of a node that users reach by a name; the node stays.
GATEWAY = Template(
    "Gateway in front of {hosts}", 12, 20,
    "a proxy with a cache and a rate limit on leases, backends at several companies",
    "a backend is stopped on purpose and no request fails",
    "point the name at the node again",
    duty=Duty.BALANCE,
)  # fmt: skip

#: Steps for the whole DAO, before the first move and after the last.
ONCE: tuple[Step, ...] = (
    Step(
        "Inventory and owners", 8, 16,
        "complete `inventory.yaml`, name an owner for each line",
        "`unmoor assess` finds no fault",
        "none needed",
    ),
    Step(
        "Registry lock", 1, 2,
        "ask the registrar for a registry lock, and name two administrators",
        "a change of name servers without the agreed call is refused",
        "ask the registrar to lift it",
        duty=Duty.DNS,
    ),
    Step(
        "Credentials, grants, OIDC", 8, 12,
        "roles that expire, an escrow grant with a limit, no key in CI",
        "a stolen key could spend the grant and no more",
        "revoke the grant",
        duty=Duty.CREDENTIALS,
    ),
    Step(
        "DNS as code", 8, 12,
        "all zones in code at the DNS authorities of the plan, TTL lowered",
        "the new authority answers every name as the old one does",
        "the old name servers stay ready at the registrar for a week",
        duty=Duty.DNS,
    ),
    Step(
        "Runbook review, first game day", 8, 12,
        "walk every runbook with those who sign; break one side on purpose",
        "measured times are in the runbook",
        "none needed",
    ),
)  # fmt: skip
