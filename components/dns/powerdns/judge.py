"""When a public name leads to its standby, and when back to its primary. Pure.

A proven death is never held: three failures in a row, with the standby alive. The way back takes twenty successes, and
at least a minute since the last switch, so that a site that comes and goes moves visitors once a minute at most. While
nothing is known, or both are dead, the primary answers: the standby gets visitors by proof alone.

A name that both members answer is led away from one by the same proof, and back to both by the same rule.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

#: Failures in a row that prove a death, successes in a row that prove a return, seconds from a switch to the way back.
DOWN, UP, HOLD_S = 3, 20, 60.0
#: Where a name leads: a member by its place, or both.
PRIMARY, STANDBY, BOTH = 0, 1, 2


@dataclass(frozen=True)
class Health:
    """What is known of one member: `up` is None until it is known."""

    up: bool | None = None
    row: int = 0

    def after(self, *, ok: bool) -> Health:
        """Return what is known after one more probe; the first success of all is believed."""
        row = max(self.row, 0) + 1 if ok else min(self.row, 0) - 1
        if ok and (self.up is None or row >= UP):
            return Health(up=True, row=row)
        return Health(up=False if row <= -DOWN else self.up, row=row)


@dataclass(frozen=True)
class Standing:
    """Where a name leads, and where it leads while all is well. `switched_at` is in seconds, None before any switch."""

    leads: int = PRIMARY
    switched_at: float | None = None
    home: int = PRIMARY

    def next(self, primary: Health, standby: Health, now: float) -> Standing:
        """Return where the name should lead."""
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
