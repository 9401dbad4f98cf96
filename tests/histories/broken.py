"""Variants of the protocol with one part broken. The checker has to find a violation in the histories of each."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from components.stores import tenure

from . import process, stores, world
from .database import Site, position_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

_step, _decided, _may_claim = tenure.step, tenure._decided, tenure._may_claim


@dataclass(frozen=True)
class Broken:
    """One variant: what is broken, the patch that breaks it, and the settings of the histories that show it."""

    what: str
    breaks: Callable[[pytest.MonkeyPatch], object]
    kind: str = "writer"
    ignored: tuple[str, ...] = ()
    clock: str = "monotonic"
    strict: bool = True
    careless: bool = False

    def __str__(self) -> str:
        return self.what


def _no_wait(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(tenure, "_quiet", lambda me, mind, now: now - mind.since >= me.times.ttl_s / 3)


def _late_stop(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(tenure.Times, "stop_s", property(lambda times: times.ttl_s * 2))


def _lost_is_done(patch: pytest.MonkeyPatch) -> None:
    def step(me: Any, mind: Any, event: Any) -> Any:
        if isinstance(event, tenure.Wrote) and event.outcome is tenure.Outcome.LOST:
            event = replace(event, outcome=tenure.Outcome.TOOK)
        return _step(me, mind, event)

    patch.setattr(tenure, "step", step)


def _refused_is_done(patch: pytest.MonkeyPatch) -> None:
    def step(me: Any, mind: Any, event: Any) -> Any:
        if isinstance(event, tenure.Wrote):
            event = replace(event, outcome=tenure.Outcome.TOOK)
        return _step(me, mind, event)

    patch.setattr(tenure, "step", step)


def _not_archived(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Site, "archived", lambda site, now: position_of(list(site.archive.logs.get(site.epoch, ()))))


def _not_replayed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Site, "_reached", lambda site, position: True)
    _promotes_without_replaying(patch)


def _promotes_without_replaying(patch: pytest.MonkeyPatch) -> None:
    def promote(site: Site, epoch: int) -> None:
        site.primary, site.epoch, site.frozen = True, epoch, True

    patch.setattr(Site, "promote", promote)


def _sessions_stay_open(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Site, "writable", lambda site, now: site.primary and now < site.until)


def _counts_from_the_answer(patch: pytest.MonkeyPatch) -> None:
    feed = process.Process.feed

    def fed(of: process.Process, event: Any) -> None:
        feed(of, replace(event, sent=of.now()) if isinstance(event, tenure.Wrote) else event)

    patch.setattr(process.Process, "feed", fed)


def _stale_copy_resumes(patch: pytest.MonkeyPatch) -> None:
    def decided(me: Any, mind: Any, seen: Any) -> Any:
        if seen.record is not None and seen.copy.primary:
            seen = replace(seen, copy=replace(seen.copy, epoch=seen.record.epoch, replayed=True))
        return _decided(me, mind, seen)

    patch.setattr(tenure, "_decided", decided)


def _claims_without_order(patch: pytest.MonkeyPatch) -> None:
    def may_claim(me: Any, mind: Any, seen: Any, record: Any) -> bool:
        return tenure._quiet(me, mind, seen.now) or _may_claim(me, mind, seen, record)

    patch.setattr(tenure, "_may_claim", may_claim)


def _writes_in_a_mere_claim(patch: pytest.MonkeyPatch) -> None:
    promote = Site.promote

    def promoted(site: Site, epoch: int) -> None:
        promote(site, epoch)
        site.permit(math.inf)

    patch.setattr(Site, "promote", promoted)


def _no_memory_of_epochs(patch: pytest.MonkeyPatch) -> None:
    claim = tenure._claim

    def same_epoch(me: Any, mind: Any, record: Any, copy: Any) -> Any:
        return replace(claim(me, mind, record, copy), epoch=record.epoch)

    patch.setattr(tenure, "_claim", same_epoch)


def _nothing(_: pytest.MonkeyPatch) -> None:
    pass


def _unchecked(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(world, "checked", lambda records: False)


BROKEN = (
    Broken("If-Match is left out", _nothing, ignored=("IfMatch",)),
    Broken("If-Match is left out (singleton)", _nothing, "singleton", ignored=("IfMatch",)),
    Broken("If-None-Match is left out", _nothing, "singleton", ignored=("IfNoneMatch",)),
    Broken("a store that ignores conditions is not refused", _unchecked, careless=True),
    Broken("the wait is a third of the time-to-live", _no_wait),
    Broken("the wait is a third of the time-to-live (singleton)", _no_wait, "singleton"),
    Broken("the holder stops after twice the time-to-live", _late_stop, "singleton"),
    Broken("the wall clock is used", _nothing, clock="wall"),
    Broken("the wall clock is used (singleton)", _nothing, "singleton", clock="wall"),
    Broken("a lost answer counts as done", _lost_is_done),
    Broken("a lost answer counts as done (singleton)", _lost_is_done, "singleton"),
    Broken("a refused write counts as done", _refused_is_done),
    Broken("the last writes are not archived", _not_archived),
    Broken("the new site has not replayed all", _not_replayed),
    Broken("promotion does not replay the archive", _promotes_without_replaying),
    Broken("open sessions continue after the copy is frozen", _sessions_stay_open),
    Broken("a stale copy resumes", _stale_copy_resumes),
    Broken("a silent holder is replaced without an order", _claims_without_order),
    Broken("a mere claim writes", _writes_in_a_mere_claim),
    Broken("a claim keeps the epoch", _no_memory_of_epochs),
    Broken("time counts from the answer", _counts_from_the_answer),
    Broken("time counts from the answer (singleton)", _counts_from_the_answer, "singleton"),
    Broken("the fence is relaxed", _nothing, strict=False),
)


def careless(records: Any, ignored: tuple[str, ...]) -> None:
    """Make the store of a record ignore the conditions `ignored`."""
    if ignored:
        records._client = stores.Careless(records._client, ignored)
