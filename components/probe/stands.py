"""Wait until a site with a database stands: its web server answers, and its agent follows or writes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ..errors import StepError, UnmoorError
from ..postgres import agent, moves, proofs
from ..postgres.settings import Settings
from ..web import http
from .client import Page, visit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: Seconds between two checks.
_PAUSE_S = 2.0
#: The roles of a site that can take part in a move.
_STANDING = ("standby", "primary")


def take(
    given: Mapping[str, Any],
    report: Callable[[str], None],
    look: Callable[[str, str | None], Page] = visit,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> dict[str, Any]:
    """Probe each address `at` with the certificate of `site_host`, and read the report of the agent of `site`.

    The status of the answer is ignored, because a standby answers no visitor. Without a record of a writer the agent
    has nothing to follow yet, and any report is enough. Raises StepError with the last fault after `timeout_s` seconds.
    """
    settings, site = Settings.model_validate(given["settings"]), given["site"]
    end, last = clock() + float(given["timeout_s"]), ""
    while fault := _away(given, look) or _idle(settings, site):
        if fault != last:
            report(f"waiting for {given['site_host']}: {fault}")
            last = fault
        if clock() + _PAUSE_S > end:
            raise StepError(f"{given['site_host']} does not stand after {given['timeout_s']:.0f} s: {fault}")
        sleep(_PAUSE_S)
    return {"site": site}


def _away(given: Mapping[str, Any], look: Callable[[str, str | None], Page]) -> str:
    """Return why browsers cannot reach the web server at one of the addresses; "" if they can."""
    url = http.url(given["site_host"], http.HEALTH_PATH, given["url"].partition(":")[0])
    faults = (look(url, address).fault for address in given["at"])
    return next((f"its web server: {fault}" for fault in faults if fault), "")


def _idle(settings: Settings, site: str) -> str:
    """Return why the agent of a site neither follows nor writes yet; "" if it does."""
    try:
        record = agent.records(settings).read()[0]
        state = moves.reported(settings, proofs.opened(settings, settings.witness.store), site)
    except UnmoorError as error:
        return str(error)
    if state is None or time.time() - state.at > moves.FRESH_S:
        return "its agent has not reported lately; see the log of its container, whose image must have the agent"
    if why := moves.silent(state, time.time()):
        return f"its agent {why}"
    if record is None or state.role in _STANDING:
        return ""
    return f"its database is {state.role}" + (f"; {state.fault}" if state.fault else "")
