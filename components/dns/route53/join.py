"""Create the standby's record of an adopted host again, after the host was given back and adopted once more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import adopt, adoption
from . import standing as current

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def take(given: Mapping[str, Any], report: Callable[[str], None], route53: Any = None) -> dict[str, Any]:
    """Create the record `standby` at `host`, if only the primary's exists.

    The engine does not know that the set was removed. `adopt` creates the primary's record and this the standby's, so
    that both are as in the state. Raises StepError if Route 53 refuses.
    """
    with adopt.asking(given["host"]):
        route53 = route53 or current.client()
        zone = given["zone"]["zone_id"]
        batch = adoption.joined(given, current.read(route53, zone, given["host"]))
        if batch:
            adopt.change(route53, zone, batch)
            report(f"{given['host']}: the standby has its place")
    return {"host": given["host"], "joined": bool(batch)}
