"""Decide when a public name leads to its standby, and when back to its primary. Pure.

Three failures of the primary in a row lead the name to a standby that is up, without delay. The way back takes twenty
successes in a row, and at least a minute since the last switch, so that an unstable site moves visitors at most once a
minute. While nothing is known, or both are down, the primary answers.

A name that both members answer is led away from one, and back to both, by the same rules.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from ...limits import KEEPER_PROBE_S

#: Seconds between two probes of a member. With a TTL of 5 s a name has to follow its standby in 10 s, also where the
#: primary lets connections hang.
PROBE_S = 0.75
#: Failures in a row until a member is down, successes in a row until it is up again, and the least seconds between a
#: switch and the way back.
DOWN, UP, HOLD_S = 3, 20, 60.0
#: The most seconds from the last answer of a member until it is down. The next probe begins an interval later and ends
#: at its time limit; the others follow it side by side, one interval apart.
SILENT_S = math.ceil(DOWN * PROBE_S + KEEPER_PROBE_S)
#: Where a name leads: to a member by its index, or to both.
PRIMARY, STANDBY, BOTH = 0, 1, 2


@dataclass(frozen=True)
class Health:
    """The health of one member: `up` is None while it is unknown; `row` counts successes, or failures as negatives."""

    up: bool | None = None
    row: int = 0

    def after(self, *, ok: bool) -> Health:
        """Return the health after one more probe. While it is unknown, one success is enough."""
        row = max(self.row, 0) + 1 if ok else min(self.row, 0) - 1
        if ok and (self.up is None or row >= UP):
            return Health(up=True, row=row)
        return Health(up=False if row <= -DOWN else self.up, row=row)


@dataclass(frozen=True)
class Standing:
    """Where a name leads, and its `home`: where it leads while its members are up.

    `switched_at` is the time of the last switch in seconds of the caller's clock, None before the first.
    """

    leads: int = PRIMARY
    switched_at: float | None = None
    home: int = PRIMARY

    def next(self, primary: Health, standby: Health, now: float) -> Standing:
        """Return the standing after a probe at `now` (seconds)."""
        well = primary.up and (self.home == PRIMARY or standby.up)
        if primary.up is False and standby.up:
            want = STANDBY
        elif self.home == BOTH and standby.up is False and primary.up:
            want = PRIMARY
        elif well or (primary.up is False and standby.up is False):
            want = self.home
        else:
            want = self.leads
        held = want == self.home and self.switched_at is not None and now - self.switched_at < HOLD_S
        return self if want == self.leads or held else replace(self, leads=want, switched_at=now)
