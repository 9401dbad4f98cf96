"""A person's orders about a writer: a record for a new workload, and a move to another site.

An order is a part of the record. The sites read it there and do the rest, so an operator's process may be killed at any
moment and run again.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..errors import StepError
from ..stores.protocol import Outcome
from ..stores.record import Order, Record, State
from ..text.escape import outside

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..stores.drive import Keeper

#: The holder renews while an order is written, so one of the two is refused and the order is tried again.
_TRIES = 10


@dataclass(frozen=True)
class Stage:
    """The stage of an order: `done`, or `failed` with the reason as `text`, or in progress."""

    text: str
    done: bool = False
    failed: bool = False


def create(records: Keeper, workload: str, holder: str) -> None:
    """Write the record of a new workload, whose first writer is `holder`. Raises StepError if there is a record."""
    first = Record(workload, holder, 0, State.CLAIMED, order=Order(uuid.uuid4().hex, holder))
    outcome, why = records.write(first, None)
    found = records.read()[0] if outcome is not Outcome.TOOK else first
    if found is None:
        raise StepError(f"the record of {workload} cannot be written: {why}; try again")
    if found.order is None or first.order is None or found.order.id != first.order.id:
        raise StepError(
            f"{workload} has a writer already, {outside(found.holder)} in epoch {found.epoch}; order a move instead"
        )


def order(records: Keeper, to: str, *, lossy: bool = False) -> str:
    """Order that a site becomes the writer, and return the order's id.

    An order in progress for the same site continues. Raises StepError if another one is in progress, or nothing is to
    do.
    """
    mine, why = uuid.uuid4().hex, ""
    for _ in range(_TRIES):
        record, etag = records.read()
        if record is None:
            raise StepError("there is no record of a writer; create it for a new workload, else restore it")
        if record.order and record.order.id == mine:
            return mine
        wanted = _ordered(record, to, mine, lossy=lossy)
        if record.order and wanted.order == record.order:
            return record.order.id
        outcome, why = records.write(wanted, etag)
        if outcome is Outcome.TOOK and wanted.order:
            return wanted.order.id
    raise StepError(f"the order could not be written in {_TRIES} tries: {why or 'the record changed each time'}")


def _ordered(record: Record, to: str, new: str, *, lossy: bool) -> Record:
    """Return the record with an order for `to`. Raises StepError if it cannot have one.

    An order that accepts loss replaces one whose site has claimed the epoch and does not write: withdrawing would leave
    no writer. It may name the holder: a holder whose copy was lost with its volume writes again only by such an order,
    and a holder that writes is not disturbed.
    """
    under_way = record.order
    if under_way and under_way.to != to and lossy and record.state is State.CLAIMED:
        under_way = None
    if under_way and under_way.to != to:
        raise StepError(f"a move to {outside(under_way.to)} is under way; wait for it, or withdraw it")
    if under_way is None and record.holder == to and record.state is State.WRITING and not lossy:
        raise StepError(f"{to} is the writer already, in epoch {record.epoch}")
    wanted = under_way or Order(new, to, lossy=lossy)
    return replace(record, serial=record.serial + 1, order=replace(wanted, lossy=wanted.lossy or lossy), note="")


def withdraw(records: Keeper, order_id: str) -> bool:
    """Withdraw an order.

    Return False if it is over, or its site has claimed the epoch already. The holder then writes on.
    """
    for _ in range(_TRIES):
        record, etag = records.read()
        if record is None or record.order is None or record.order.id != order_id or record.state is State.CLAIMED:
            return False
        if records.write(replace(record, serial=record.serial + 1, order=None), etag)[0] is Outcome.TOOK:
            return True
    raise StepError("the order could not be withdrawn: the record changed each time; try again")


def stage(record: Record | None, order_id: str, to: str) -> Stage:  # noqa: PLR0911 a table of cases
    """Return the stage of an order, from the record."""
    if record is None:
        return Stage("the record is gone; restore it before anything else", failed=True)
    under_way = record.order if record.order and record.order.id == order_id else None
    if under_way is None:
        if record.holder == to and record.state is not State.CLAIMED:
            return Stage(f"{to} writes, in epoch {record.epoch}", done=True)
        return Stage(outside(record.note) or f"the order is withdrawn; {outside(record.holder)} writes on", failed=True)
    if record.holder == to and record.state is State.CLAIMED:
        return Stage(f"{to} has claimed epoch {record.epoch} and promotes its copy")
    if record.state is State.FROZEN:
        return Stage(f"{record.holder} has stopped, {to} replays up to {record.position or 'the end of the archive'}")
    if under_way.ready:
        return Stage(f"{to} follows; {record.holder} stops and archives its last writes")
    return Stage(f"waiting for {to} to answer" + (f", or for {record.holder} to be silent" if under_way.lossy else ""))


def follow(records: Keeper, order_id: str, to: str, within_s: float, report: Callable[[str], None]) -> Record:
    """Watch an order until the site writes, and return the record.

    After `within_s` seconds it withdraws the order, if that is still possible, and raises StepError with the reason. A
    store that does not answer for a while is reported, and asked again.
    """
    end, last = time.monotonic() + within_s, ""
    while True:
        record, now = _seen(records, order_id, to)
        if record is not None and now.done:
            return record
        if now.failed:
            raise StepError(f"the writer has not moved to {to}: {now.text}")
        if now.text != last:
            report(last := now.text)
        if time.monotonic() > end:
            if withdraw(records, order_id):
                raise StepError(
                    f"the writer has not moved to {to} in {within_s:g} s ({now.text}); the order is withdrawn"
                )
            end = time.monotonic() + within_s
        time.sleep(min(0.5, within_s / 10))


def _seen(records: Keeper, order_id: str, to: str) -> tuple[Record | None, Stage]:
    try:
        record = records.read()[0]
    except StepError as error:
        return None, Stage(str(error))
    return record, stage(record, order_id, to)
