"""Check a history: never two writers, epochs that only rise, every acknowledged write once and in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from components.stores.record import Record, State

from .database import Entry

if TYPE_CHECKING:
    from collections.abc import Iterable


class Ack(NamedTuple):
    """A write that a site acknowledged, at a moment of virtual time (seconds)."""

    at: float
    site: str
    entry: Entry


class Change(NamedTuple):
    """A record that replaced the one before in the store, at a moment of virtual time (seconds)."""

    at: float
    before: Record | None
    after: Record


def writers(acks: Iterable[Ack]) -> list[str]:
    """Return writes of two sites in one epoch, and writes of an epoch after those of a later one."""
    found, newest, holders = [], 0, dict[int, str]()
    for ack in acks:
        holder = holders.setdefault(ack.entry.epoch, ack.site)
        if holder != ack.site:
            found.append(f"{ack.at:.1f} s: {ack.site} wrote in epoch {ack.entry.epoch}, which {holder} had")
        if ack.entry.epoch < newest:
            found.append(
                f"{ack.at:.1f} s: {ack.site} wrote in epoch {ack.entry.epoch}, after a write in epoch {newest}"
            )
        newest = max(newest, ack.entry.epoch)
    return found


def records(changes: Iterable[Change]) -> list[str]:
    """Return changes of the record that are not one step from the record before."""
    found = []
    last: Record | None = None
    for at, _, after in changes:
        if last and after.serial != last.serial + 1:
            found.append(f"{at:.1f} s: serial {after.serial} follows {last.serial}")
        if last and after.epoch != last.epoch + (after.state is State.CLAIMED and after.by != last.by):
            found.append(f"{at:.1f} s: epoch {after.epoch} of {after.by} follows epoch {last.epoch} of {last.by}")
        last = after
    return found


def log(
    final: list[Entry], acks: list[Ack], changes: list[Change], archived: dict[Entry, float]
) -> tuple[list[str], int]:
    """Compare the last writer's log with the acknowledged writes; return the violations, and how many were given up.

    Only an order that accepts loss may lose writes, and only those that were not archived when the epoch began.
    """
    found, lost = [], 0
    places: dict[Entry, list[int]] = {}
    for place, entry in enumerate(final):
        places.setdefault(entry, []).append(place)
    risky = [(change.at, change.after.epoch) for change in changes if _may_lose(change)]
    last = -1
    for ack in acks:
        where = places.get(ack.entry, [])
        if len(where) > 1:
            found.append(f"write {ack.entry.number} of epoch {ack.entry.epoch} is there {len(where)} times")
        elif where and where[0] < last:
            found.append(f"write {ack.entry.number} of epoch {ack.entry.epoch} stands before one acknowledged earlier")
        elif where:
            last = where[0]
        elif any(epoch > ack.entry.epoch and archived.get(ack.entry, at) >= at for at, epoch in risky):
            lost += 1
        else:
            found.append(f"write {ack.entry.number}, acknowledged by {ack.site} at {ack.at:.1f} s, is lost")
    return found, lost


def _may_lose(change: Change) -> bool:
    """Return whether a change claims an epoch by an order that accepts loss."""
    before, after = change.before, change.after
    if before is None or after.state is not State.CLAIMED or before.by == after.by or before.order is None:
        return False
    return before.order.lossy
