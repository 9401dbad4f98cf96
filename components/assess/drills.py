"""Homework: what lowers the risk of a workload without moving it, and keeps leaving its vendor possible."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .effort import Duty, Template
from .inventory import State, Work

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .inventory import Workload

#: How a second vendor is tried, for services that a vendor runs.
_SECOND: Mapping[Work, str] = {
    Work.MAIL: "the export is read back, and one message goes out through the second vendor",
    Work.RPC: "the second provider answers with the same block as the first",
    Work.STORAGE: "a content address answers from the second service with the same bytes",
    Work.GOVERNANCE: "a vote can be opened at the second place, with the exported list of voters",
    Work.TREASURY: "a transaction is proposed and signed through the second interface, on a test safe",
    Work.BLOG: "the export is read back as pages, pictures included",
    Work.WIKI: "the export is read back as pages, pictures and links included",
    Work.DOCS: "the export is read back as pages, and its links are checked",
    Work.FORUM: "the backup file restores into a throw-away copy, and a person logs in there",
}


def _export(workload: Workload) -> Template:
    work = workload.work
    return Template(
        "Export, and a second vendor", 3, 6,
        "a weekly export into a store of your own ({leave}); a second vendor set up and tried",
        _SECOND.get(work, "the export is read back, and the second vendor does once what the first does"),
        "none needed",
        duty=Duty.BACKUP,
    )  # fmt: skip


_REHEARSE = Template(
    "Rehearse leaving", 2, 4,
    "write down how to leave {vendor} within a day, and do it once on a copy",
    "the copy answers somewhere else; the hours it took are written down",
    "none needed",
)  # fmt: skip
_RESTORE = Template(
    "Copies and a restore drill", 3, 6,
    "{kept} in every store, encrypted; restore one into a throw-away place",
    "what was restored is complete, and its age is written down as the proved loss",
    "none needed",
    duty=Duty.BACKUP,
)  # fmt: skip
_RESTORE_DATABASE = Template(
    "Backups and a restore drill", 12, 12,
    "base backup and archive in every store, encrypted ({kept}); restore into a throw-away place",
    "row counts agree, and the age of the newest row is the proved loss",
    "none needed",
    duty=Duty.BACKUP,
)  # fmt: skip


def homework(workload: Workload) -> tuple[Template, ...]:
    """Return the drills of a workload that stays where it is; none for one that signs."""
    if workload.state is State.KEYS:
        return ()
    if workload.state is State.EXTERNAL:
        return (_export(workload),)
    if workload.state is State.DATABASE:
        return (_RESTORE_DATABASE, _REHEARSE)
    if workload.data and workload.data.gb and workload.state is not State.REBUILDABLE:
        return (_RESTORE, _REHEARSE)
    return (_REHEARSE,)
