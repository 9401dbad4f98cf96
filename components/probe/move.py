"""Move a database's writer to the site where the plan has it, and ask what it serves there."""

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

#: Seconds between two looks at a new record.
_PAUSE_S = 1.0
#: A standby that needs longer to reach where the writer was, in seconds, is waited for again: writes are frozen while
#: it replays the rest.
_CLOSE_S = 30.0


def take(given: Mapping[str, Any], report: Callable[[str], None]) -> dict[str, Any]:
    """Have the writer of `settings` at the site that `wanted` names, then run `probe`, and note what stands.

    A new database begins there. One whose writer is elsewhere is moved, where restores are proved and the site follows;
    it loses nothing, and a step that fails before the new epoch leaves the old site writing. One whose site was removed
    and is here again goes on from what the stores keep. May be killed and run again. Raises ConfigError for what
    forbids the move, StepError where it has not come to its end.
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
    """Wait until a standby is close behind the writer. Raises StepError where it is not in time; nothing has moved."""
    store = proofs.opened(settings, settings.witness.store)
    end, wanted, since, told = clock() + within_s, "", 0.0, False
    while True:
        writer, standby = (moves.reported(settings, store, site) for site in (holder, to))
        if writer is None or not writer.position:
            return  # it reports nothing to compare with; the move itself waits for all of it
        if not wanted:
            wanted, since = writer.position, clock()
        if standby and standby.position and lsn(standby.position) >= lsn(wanted):
            if clock() - since <= _CLOSE_S:
                return
            wanted = ""
            continue
        if clock() > end:
            raise StepError(f"{to} is still far behind {holder} after {within_s:.0f} s; see what it replays: its log")
        if not told:
            report(f"waiting until {to} has replayed what {holder} has written")
            told = True
        sleep(_PAUSE_S)


def _recall(
    settings: Settings,
    site: str,
    within_s: float,
    report: Callable[[str], None],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Have the holder write again if its copy went with its machine, and was restored: such a copy only follows.

    Raises StepError where its last writes are not in the archive: then a person decides.
    """
    keeper, store = agent.records(settings), proofs.opened(settings, settings.witness.store)
    begun, follows, first = clock(), None, None
    while clock() - begun < within_s:
        record, state = keeper.read()[0], moves.reported(settings, store, site)
        first = first or record
        if record is None or first is None or record.holder != site or record.order:
            return
        if (record.by, record.beat, record.state) != (first.by, first.beat, first.state):
            return  # its agent holds the record
        role = state.role if state and time.time() - state.at <= moves.FRESH_S else ""
        if role == "primary" and record.state is State.WRITING:
            return
        if role == "standby" and record.state is State.FROZEN and record.position is not None:
            report(f"{site} goes on from what the archive keeps: it ended there")
            moves.move(settings, site, accept_loss=False, within_s=within_s, report=report)
            return
        follows = (clock() if follows is None else follows) if role == "standby" else None
        if follows is not None and clock() - follows > settings.witness.ttl_s:
            name = settings.workload.rpartition("/")[2]
            why = f"{site} ended without archiving its last writes, and has what the archive keeps"
            raise StepError(f"{why}; `unmoor promote {name} --to {site}` has it write on from there")
        sleep(_PAUSE_S)


def _writes(settings: Settings, site: str, within_s: float, report: Callable[[str], None]) -> int:
    """Wait until a site writes; return its epoch. Raises StepError where it does not in time."""
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
