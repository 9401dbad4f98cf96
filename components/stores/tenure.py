"""Decide what a site does about the record of a writer: (state, event) → (state, action). No clock, disk or network.

Every action leads to one event, so a run is: `Look` → `Looked` → action → event → … All times are seconds of the site's
own monotonic clock. Clocks of two sites are never compared, and the record holds no time.

Why there are never two writers: a site writes only in an epoch that it claimed by a conditional write, only after a
second write that made the record `writing`, and only until `stop_s` after it *sent* the last write that is known to
have landed. Another site claims in three cases: the record is `frozen`, which the holder writes after it has stopped;
it is `claimed`, when nothing has been written yet; or its holder's mark has not changed for `ttl_s`, counted from when
this site *saw* it. That sight is later than the sending, and `stop_s` is less than `ttl_s`.
"""

from __future__ import annotations

import math
from dataclasses import replace

from .protocol import (
    Action,
    Copy,
    Deed,
    Did,
    Do,
    End,
    Event,
    Look,
    Looked,
    Me,
    Mind,
    Outcome,
    Permit,
    Silent,
    Sleep,
    Started,
    Stopping,
    Times,
    Write,
    Wrote,
)
from .record import Order, Record, State

#: `Times` and `Copy` are what callers give.
__all__ = ["Copy", "Times", "recalled", "step"]


def step(me: Me, mind: Mind, event: Event) -> tuple[Mind, Action]:
    """Process an event, and return the next action."""
    mind, action = _step(me, mind, event)
    # The archive is complete only until writes are permitted again.
    return (replace(mind, archived=None) if isinstance(action, Permit) else mind), action


def _step(me: Me, mind: Mind, event: Event) -> tuple[Mind, Action]:  # noqa: PLR0911 a table of events
    match event:
        case Started():
            return mind, Look()
        case Stopping():
            return replace(mind, stopping=True), Look()
        case Silent():
            return mind, _silent(me, mind, event)
        case Wrote():
            mind = replace(mind, sent=event, beat=max(mind.beat, event.record.beat))
            if event.outcome is not Outcome.TOOK:
                return mind, Look()  # Refused may mean that a retried request met its own first try.
            mind = _landed(me, mind, event)
            return mind, _permit(me, mind) if _writes(me, event.record) else Look()
        case Did(deed=Deed.ARCHIVE):
            return replace(mind, archived=event.position, failed=not event.done), Look()
        case Did():
            return mind, Look() if event.done else Sleep(me.times.poll_s)
        case Looked():
            if event.record is not None and event.record.serial < mind.serial:
                return mind, _silent(me, mind, Silent(event.now, event.copy))  # an outdated answer
            mind = _noted(me, mind, event)
            return mind, _decided(me, mind, event)


def _landed(me: Me, mind: Mind, wrote: Wrote) -> Mind:
    """Count a write that is known to have landed, from when it was sent."""
    record = wrote.record
    mind = replace(mind, sent=None, serial=max(mind.serial, record.serial))
    if not _writes(me, record):
        return mind
    stays = mind if record.order else replace(mind, failed=False)
    return replace(stays, renewed=wrote.sent, until=wrote.sent + me.times.stop_s)


def _writes(me: Me, record: Record) -> bool:
    return record.by == me.instance and record.state is State.WRITING


def _noted(me: Me, mind: Mind, seen: Looked) -> Mind:
    """Note since when the holder has given no sign of life; resolve a write whose answer was lost."""
    record = seen.record
    if record is not None and mind.sent is not None and mind.sent.record == record:
        mind = _landed(me, mind, mind.sent)
    mind = (
        replace(mind, serial=record.serial, epoch=max(mind.epoch, record.epoch)) if record else replace(mind, serial=-1)
    )
    mark = (record.by, record.beat, record.state) if record else None
    if mark != mind.mark or math.isnan(mind.since):
        mind = replace(mind, mark=mark, since=seen.now)
    order = record.order if record else None
    if order and order.ready and order.id != mind.ready[0]:
        mind = replace(mind, ready=(order.id, seen.now))
    return mind


def _silent(me: Me, mind: Mind, seen: Silent) -> Action:
    if seen.copy.writable and (mind.stopping or (me.strict and seen.now >= mind.until)):
        return Do(Deed.FREEZE)
    return End() if mind.stopping else Sleep(me.times.poll_s)


def _permit(me: Me, mind: Mind) -> Permit:
    return Permit(mind.until if me.strict else math.inf)


def _decided(me: Me, mind: Mind, seen: Looked) -> Action:  # noqa: PLR0911 a table of cases; the first match counts
    record, copy = seen.record, seen.copy
    mine = record is not None and record.by == me.instance
    if copy.writable and not (mine and record and record.state is State.WRITING):
        return Do(Deed.FREEZE)
    if record is None:
        return _absent(me, mind, seen)
    if mine:
        holding = {State.WRITING: _writing, State.FROZEN: _frozen, State.CLAIMED: _claimed}
        return holding[record.state](me, mind, seen, record)
    if mind.stopping:
        return End()
    # A claim alone has written nothing, so this copy may still be the newest.
    stale = copy.primary and record.state is not State.CLAIMED and copy.epoch < record.epoch
    # A writer that was lost before it archived anything leaves nothing to follow, so a person may order the old copy
    # back.
    back = copy.newest and recalled(me, record)
    if stale and not back:
        return Do(Deed.DEMOTE, record.epoch)
    if _may_claim(me, mind, seen, record):
        return Write(_claim(me, mind, record, copy), seen.etag)
    order = record.order
    if order and order.to == me.site and not order.ready and copy.following and record.state is State.WRITING:
        return Write(replace(record, serial=record.serial + 1, order=replace(order, ready=True)), seen.etag)
    return Sleep(me.times.hurry_s if _awaited(me, mind, seen.now, record) else _until_quiet(me, mind, seen.now))


def recalled(me: Me, record: Record) -> bool:
    """Return whether an operator orders this site to write and accepts loss, so that its old copy is enough."""
    return record.order is not None and record.order.to == me.site and record.order.lossy


def _awaited(me: Me, mind: Mind, now: float, record: Record) -> bool:
    """Return whether a move waits for this site: the holder stops or has stopped, and renewed the record recently."""
    ordered = record.order is not None and record.order.to == me.site and record.order.ready
    return ordered and not _quiet(me, mind, now)


def _until_quiet(me: Me, mind: Mind, now: float) -> float:
    """Sleep until the next look, but not beyond the moment at which the record becomes free."""
    left = mind.since + me.times.ttl_s - now
    return left if 0 < left < me.times.poll_s else me.times.poll_s


def _quiet(me: Me, mind: Mind, now: float) -> bool:
    return now - mind.since >= me.times.ttl_s


def _absent(me: Me, mind: Mind, seen: Looked) -> Action:
    """Create the record where any site may. Elsewhere a person does: a lost record does not mean a new workload.

    Absence is timed like any other state: a holder whose record was deleted has stopped after `ttl_s`.
    """
    if mind.stopping:
        return End()
    if not me.elects or not _quiet(me, mind, seen.now):
        return Sleep(_until_quiet(me, mind, seen.now))
    return Write(Record(me.workload, me.site, mind.epoch + 1, State.CLAIMED, me.instance, mind.beat + 1), None)


def _may_claim(me: Me, mind: Mind, seen: Looked, record: Record) -> bool:
    """Return whether this site may be the next writer; the store decides whether it is."""
    order, copy, now = record.order, seen.copy, seen.now
    ordered = order is not None and order.to == me.site
    given_up = now - mind.since >= me.times.ttl_s + me.times.hand_over_s
    free = order is None or given_up
    quiet = _quiet(me, mind, now)
    if me.elects:
        return (ordered or free) and (quiet or record.state is State.FROZEN)
    # This copy was written in this very epoch, so nothing is newer.
    own = record.holder == me.site and copy.primary and copy.epoch == record.epoch
    lossy = ordered and order is not None and order.lossy
    # What cannot be replayed may never arrive: the archive can be damaged, and its writer gone.
    replayed = copy.replayed or (lossy and given_up)
    match record.state:
        case State.WRITING:
            return quiet and (own or lossy)
        case State.FROZEN:
            complete = replayed if record.position is not None else lossy
            return (ordered and complete) or (own and free)
        case State.CLAIMED:
            # Another process of this site may be at work.
            return replayed and ((quiet or not record.by) if record.holder == me.site else ordered)


def _claim(me: Me, mind: Mind, record: Record, copy: Copy) -> Record:
    known = record.state is not State.WRITING and record.position is not None
    return replace(
        record,
        holder=me.site,
        by=me.instance,
        epoch=record.epoch + 1,
        state=State.CLAIMED,
        beat=max(mind.beat, record.beat) + 1,
        serial=record.serial + 1,
        position=record.position if known else copy.position,
        note="",
    )


def _beat(mind: Mind, record: Record, state: State, order: Order | None, note: str = "") -> Record:
    """Write this process's own record again."""
    beat = max(mind.beat, record.beat) + 1
    return replace(record, state=state, beat=beat, serial=record.serial + 1, order=order, note=note or record.note)


def _writing(me: Me, mind: Mind, seen: Looked, record: Record) -> Action:
    order, now = record.order, seen.now
    if order and order.to == me.site:
        return Write(_beat(mind, record, State.WRITING, None), seen.etag)
    if mind.stopping or (order and (order.lossy or (order.ready and not _drains(me, mind, seen)))):
        return _leaving(me, mind, seen, record)
    if now - mind.renewed >= me.times.renew_s or now >= mind.until:
        return Write(_beat(mind, record, State.WRITING, order), seen.etag)
    if not seen.copy.writable:
        return _permit(me, mind)
    return Sleep(min(me.times.poll_s, mind.renewed + me.times.renew_s - now))


def _drains(me: Me, mind: Mind, seen: Looked) -> bool:
    """Return whether to continue writing until the archive has most of the copy, so that writes are frozen for less."""
    return seen.copy.writable and seen.copy.backlog and seen.now - mind.ready[1] < me.times.hand_over_s


def _leaving(me: Me, mind: Mind, seen: Looked, record: Record) -> Action:
    """Stop, archive everything, and write where that ends; give up an order that would lose what cannot be archived."""
    order = record.order
    if seen.copy.writable:
        return Do(Deed.FREEZE)
    if mind.archived is None and not mind.failed:
        return Do(Deed.ARCHIVE)
    if mind.failed and not mind.stopping and not (order and order.lossy):
        note = f"{me.site} could not archive its last writes, and writes on"
        return Write(_beat(mind, record, State.WRITING, None, note), seen.etag)
    frozen = replace(_beat(mind, record, State.FROZEN, order), position=mind.archived)
    return Write(frozen, seen.etag)


def _frozen(me: Me, mind: Mind, seen: Looked, record: Record) -> Action:
    """Wait for the other site; write again if it does not claim."""
    if mind.stopping:
        return End()
    to, patience = record.order.to if record.order else me.site, me.times.hand_over_s
    if to != me.site and seen.now - mind.since < patience:
        return Sleep(me.times.poll_s)
    note = f"{to} did not take over in {patience:g} s; {me.site} writes on" if to != me.site else ""
    return Write(_beat(mind, record, State.WRITING, None, note), seen.etag)


def _claimed(me: Me, mind: Mind, seen: Looked, record: Record) -> Action:
    """Promote the copy, then write the record to match; no data is written before."""
    if mind.stopping:
        return End()
    copy, order = seen.copy, record.order
    if not copy.primary or copy.epoch != record.epoch:
        return Do(Deed.PROMOTE, record.epoch)
    return Write(_beat(mind, record, State.WRITING, None if order and order.to == me.site else order), seen.etag)
