"""Check a run: every acknowledged row is stored exactly once, in order, and one site at a time wrote."""

from __future__ import annotations

from collections import Counter
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from .rows import Ack


def violations(acks: Sequence[Ack], rows: Sequence[tuple[int, int, str]], lost: Collection[int] = ()) -> list[str]:
    """Return the violations of the acknowledged rows by the stored ones. `lost`: numbers that a lossy order gave up.

    `rows`: id, number and site, by id. A stored row without an acknowledgement is valid: its answer was lost.
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


def given_up(
    acks: Sequence[Ack], rows: Sequence[tuple[int, int, str]], site: str, before: Collection[int] = ()
) -> list[Ack]:
    """Return the rows that a lossy promotion away from a site gave up, oldest first. `before`: numbers lost earlier.

    They are the last rows of that site, without a gap. Raises AssertionError if other rows are lost.
    """
    present = {number for _, number, _ in rows}
    lost = [ack for ack in acks if ack.number not in present and ack.number not in before]
    if lost:
        behind = [ack for ack in acks if ack.site == site and ack.number >= lost[0].number]
        if lost != behind:
            raise AssertionError(f"not the last ones of {site}: {sorted({*lost} ^ {*behind})[:5]}")
    return lost


def writers(acks: Sequence[Ack]) -> list[str]:
    """Return the sites in the order in which they wrote."""
    return [site for site, _ in groupby(ack.site for ack in acks)]
