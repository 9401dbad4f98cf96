"""Decide whether the writer may be where a plan puts it: before an update, and again right before it moves."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from ...config.models import Mode
from ...errors import Fault, UnmoorError
from ...limits import DATABASE_STATE_BYTES
from ...needs import not_ready, ready, unseen
from ...postgres import agent, moves, proofs
from ...text.escape import outside
from .wanted import Wanted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...needs import Finding
    from ...postgres.settings import Settings
    from ...stores.record import Record

#: The object next to the record in which a stack notes what it built last.
_NOTE = "stack.json"


@dataclass(frozen=True)
class Seen:
    """The current state: the record, the stack's last note, and whether a store of the archive holds a database."""

    record: Record | None
    before: Wanted | None
    archived: bool = False


def seen(settings: Settings) -> Seen:
    """Read the current state. Raises StepError if it cannot be known."""
    record = agent.records(settings).read()[0]
    content = proofs.opened(settings, settings.witness.store).read(f"{settings.prefix}/{_NOTE}", DATABASE_STATE_BYTES)
    before = None
    if content is not None:
        try:
            before = Wanted.read(json.loads(content))
        except (KeyError, TypeError, ValueError, RecursionError):
            before = None
    archived = record is None and any(
        proofs.opened(settings, store).find(f"{settings.prefix}/archive/") for store in settings.archive
    )
    return Seen(record, before, archived)


def note(settings: Settings, wanted: Wanted) -> None:
    """Note what the stack has built. Raises StepError if the store does not accept it."""
    store = proofs.opened(settings, settings.witness.store)
    store.write(f"{settings.prefix}/{_NOTE}", json.dumps(asdict(wanted)).encode())


def forbidden(wanted: Wanted, of: Seen) -> list[Fault]:
    """Return why a plan's mode and writer cannot follow the current state; paths are relative to the workload."""
    record, before = of.record, of.before
    if record is None and of.archived:
        why = "the record of the writer is gone, and the archive holds a database: two sites could begin to write"
        return [Fault("options.database.witness", f"{why}; restore the record, or `unmoor switch NAME --first SITE`")]
    if record is None:
        return []
    found = []
    if before and before.major != wanted.major:
        why = f"the database is of PostgreSQL {before.major}, and its files cannot be read by {wanted.major}"
        found.append(
            Fault("options.database.major", f"{why}; write {before.major}, or move a dump into a new database")
        )
    if record.holder not in wanted.sites:
        found.append(Fault("mode", f"{outside(record.holder)} writes, and {wanted.mode} has no such site; {_WAY}"))
    elif record.holder != wanted.writer and (
        wanted.mode != Mode.ACTIVE_STANDBY or (before and before.mode != Mode.ACTIVE_STANDBY)
    ):
        why = f"{outside(record.holder)} writes, and the writer moves only between the sites of active-standby"
        found.append(Fault("active", f"{why}; {_WAY}"))
    return found


_WAY = (
    "run `pulumi up` with `mode: active-standby` and the writer where it is, then with `active` changed, then with the "
    "mode you want"
)


def changes(wanted: Wanted, of: Seen) -> bool:
    """Return whether a plan changes the writer, the mode or the sites, which demands proofs of restores."""
    if of.record is None:
        return False
    if of.record.holder != wanted.writer or of.before is None:
        return of.record.holder != wanted.writer
    return (of.before.mode, set(of.before.sites)) != (wanted.mode, set(wanted.sites))


def unproved(settings: Settings, now: float) -> list[Fault]:
    """Return a fault for each store without a recent proof of a restore. `now`: seconds since 1970."""
    kept, unread = proofs.kept(settings)
    found = proofs.refused(kept.values(), settings.archive, now, settings.proof_max_age_days)
    return [Fault(f"options.database.{each.path}", each.message) for each in found] + [
        Fault("options.database.archive", each) for each in unread
    ]


def refused(settings: Settings, wanted: Wanted, now: float) -> list[Fault]:
    """Return every reason not to build a plan. Raises StepError if the current state cannot be known."""
    of = seen(settings)
    return forbidden(wanted, of) or (unproved(settings, now) if changes(wanted, of) else [])


def look(settings: Settings, wanted: Wanted) -> Iterator[Finding]:
    """Check the writer and the proofs before an update; show each proof with its age."""
    name = settings.workload.rpartition("/")[2]
    mend = f"see docs/postgres.md; `unmoor drill {name}` proves restores"
    try:
        found = refused(settings, wanted, time.time())
    except UnmoorError as error:
        yield not_ready(
            f"the writer of {name} is not known: {error}", "check that the store of the record answers, and its keys"
        )
        return
    for each in found:
        yield not_ready(f"workloads.{name}.{each}", mend)
    try:
        yield from (ready(line.strip()) for line in ages(settings, time.time()))
    except UnmoorError as error:
        yield unseen(f"proofs of {name} cannot be read: {error}")


def ages(settings: Settings, now: float) -> list[str]:
    """Return a line about the newest proof of each store."""
    kept, _ = proofs.kept(settings)
    return [moves.proof_line(store, kept.get(store), now) for store in settings.archive]
