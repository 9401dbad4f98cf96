"""Move a database's writer to the site where the plan has it, and ask what it serves there."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ..errors import StepError
from ..kinds.postgres import gate
from ..kinds.postgres.wanted import Wanted
from ..postgres import agent, moves
from ..postgres.settings import Settings
from ..stores.record import State
from . import probe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: Seconds between two looks at a new record.
_PAUSE_S = 1.0


def take(given: Mapping[str, Any], report: Callable[[str], None]) -> dict[str, Any]:
    """Have the writer of `settings` at the site that `wanted` names, then run `probe`, and note what stands.

    A new database begins there. One whose writer is elsewhere is moved, where restores are proved and the site follows;
    it loses nothing, and a step that fails before the new epoch leaves the old site writing. May be killed and run
    again. Raises ConfigError for what forbids the move, StepError where it has not come to its end.
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
            for text in moves.slow(known):
                report(text)
        moves.move(settings, wanted.writer, accept_loss=False, within_s=given["within_s"], report=report)
    epoch = _writes(settings, wanted.writer, given["within_s"], report)
    shown = probe.take(given["probe"], report)
    gate.note(settings, wanted)
    return {"writer": wanted.writer, "epoch": epoch, "version": shown["version"]}


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
