"""Judges a run: every acknowledged row is present exactly once, in order, and one site at a time wrote."""

from __future__ import annotations

from collections import Counter
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from .client import Ack


def violations(acks: Sequence[Ack], rows: Sequence[tuple[int, int, str]], lost: Collection[int] = ()) -> list[str]:
    """Compare what was acknowledged with what is there; `lost`: numbers that a lossy order gave up.

    `rows`: id, number and site, by id. A row without an acknowledgement may be there: its answer was lost.
    """
    present = [number for _, number, _ in rows]
    found = [f"row {number} is there twice" for number, times in Counter(present).items() if times > 1]
    missing = {ack.number for ack in acks} - set(present) - set(lost)
    found += [f"row {number} was acknowledged and is gone" for number in sorted(missing)]
    found += [f"row {b} has a lower number than {a} before it" for a, b in pairwise(present) if b <= a]
    where = {number: site for _, number, site in rows}
    found += [
        f"row {ack.number} was acknowledged by {ack.site} and is of {where[ack.number]}"
        for ack in acks
        if where.get(ack.number, ack.site) != ack.site
    ]
    return found


def writers(acks: Sequence[Ack]) -> list[str]:
    """Return the sites in the order in which they wrote."""
    return [site for site, _ in groupby(ack.site for ack in acks)]
