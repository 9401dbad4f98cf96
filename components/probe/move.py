"""Move a database's writer to the site where the plan puts it, and probe the application there."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ..errors import StepError
from ..kinds.postgres import gate
from ..kinds.postgres.wanted import Wanted
from ..postgres import agent, moves, proofs
from ..postgres.server import lsn
from ..postgres.settings import Settings
from ..stores.record import State
from . import probe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: Seconds between two reads of a new record.
_PAUSE_S = 1.0
#: The most seconds in which a standby has to reach the writer's position before the move. Otherwise it waits again,
#: because writes are frozen while the standby replays the rest.
_CLOSE_S = 30.0


def take(given: Mapping[str, Any], report: Callable[[str], None]) -> dict[str, Any]:
    """Make the site of `wanted` the writer of `settings`, then run `probe`, and note what the stack has built.

    A new database begins there. A writer elsewhere is moved without loss, if restores are proved and the site follows;
    if a step fails before the new epoch, the old site writes again. A writer whose site was removed and created again
    continues from the archive. The step may be killed and run again. Raises ConfigError with what forbids the move,
    StepError if it does not complete in time.
    """
    settings, wanted = Settings.model_validate(given["settings"]), Wanted.read(given["wanted"])
    now, found = time.time(), gate.refused(settings, wanted, time.time())
    moves.demanded(f"the writer of {settings.workload} stays where it is", found)
    standing = gate.seen(settings).record
    if standing is None:
        moves.first(settings, wanted.writer)
        report(f"{wanted.writer} begins a new database")
    elif standing.holder != wanted.writer or standing.order:
        if standing.order is None:
            known = moves.known(settings)
            moves.demanded(
                f"the writer of {settings.workload} does not move", moves.planned(settings, known, wanted.writer, now)
            )
            for text in moves.slow(settings, known):
                report(text)
            _close(settings, standing.holder, wanted.writer, given["within_s"], report)
        moves.move(settings, wanted.writer, accept_loss=False, within_s=given["within_s"], report=report)
    else:
        _recall(settings, wanted.writer, given["within_s"], report)
    epoch = _writes(settings, wanted.writer, given["within_s"], report)
    shown = probe.take(given["probe"], report)
    gate.note(settings, wanted)
    return {"writer": wanted.writer, "epoch": epoch, "version": shown["version"]}


def _close(
    settings: Settings,
    holder: str,
    to: str,
    within_s: float,
    report: Callable[[str], None],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Wait until a standby is close behind the writer. Raises StepError if it is not in time, before any move."""
    store = proofs.opened(settings, settings.witness.store)
    end, wanted, since, reported = clock() + within_s, "", 0.0, False
    while True:
        writer, standby = (moves.reported(settings, store, site) for site in (holder, to))
        if writer is None or not writer.position:
            return  # there is no report to compare; the move itself waits for every write
        if not wanted:
            wanted, since = writer.position, clock()
        if standby and standby.position and lsn(standby.position) >= lsn(wanted):
            if clock() - since <= _CLOSE_S:
                return
            wanted = ""
            continue
        if clock() > end:
            raise StepError(f"{to} is still far behind {holder} after {within_s:.0f} s; see its log")
        if not reported:
            report(f"waiting until {to} has replayed what {holder} has written")
            reported = True
        sleep(_PAUSE_S)


def _recall(
    settings: Settings,
    site: str,
    within_s: float,
    report: Callable[[str], None],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Order the holder to write again if its machine was lost: its restored copy only follows without an order.

    Raises StepError if its last writes are not in the archive, because then an operator has to decide.
    """
    keeper, store = agent.records(settings), proofs.opened(settings, settings.witness.store)
    begun, follows, first = clock(), None, None
    while clock() - begun < within_s:
        record, state = keeper.read()[0], moves.reported(settings, store, site)
        first = first or record
        if record is None or first is None or record.holder != site or record.order:
            return
        if (record.by, record.beat, record.state) != (first.by, first.beat, first.state):
            return  # its agent renews the record already
        role = state.role if state and not moves.silent(state, time.time()) else ""
        if role == "primary" and record.state is State.WRITING:
            return
        if role == "standby" and record.state is State.FROZEN and record.position is not None:
            report(f"{site} continues from the archive, which has all of its writes")
            moves.move(settings, site, accept_loss=False, within_s=within_s, report=report)
            return
        follows = (clock() if follows is None else follows) if role == "standby" else None
        if follows is not None and clock() - follows > settings.witness.ttl_s:
            name = settings.workload.rpartition("/")[2]
            why = f"{site} ended without archiving its last writes, and now has only what the archive keeps"
            raise StepError(f"{why}; `unmoor promote {name} --to {site}` makes it write from there")
        sleep(_PAUSE_S)


def _writes(settings: Settings, site: str, within_s: float, report: Callable[[str], None]) -> int:
    """Wait until a site writes; return its epoch. Raises StepError if it does not write in time."""
    keeper, end, last = agent.records(settings), time.monotonic() + within_s, ""
    while True:
        try:
            record = keeper.read()[0]
            if record and record.holder == site and record.state is State.WRITING:
                return record.epoch
            why = "the record is gone" if record is None else f"the record is {record.state}, of {record.holder}"
        except StepError as error:
            why = str(error)
        if why != last:
            report(f"waiting until {site} writes: {why}")
            last = why
        if time.monotonic() > end:
            raise StepError(f"{site} does not write after {within_s:.0f} s: {why}; see the log of its agent")
        time.sleep(_PAUSE_S)
