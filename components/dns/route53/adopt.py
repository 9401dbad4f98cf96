"""Take a host over from the records of another party, and give it back, each in one change."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ...config.standing import phrase
from ...errors import StepError
from . import adoption
from . import standing as current

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from .adoption import Change

#: Seconds between two questions whether a change has reached every server, and how many; it takes up to 60 s.
_DELAY_S, _ASKS = 2, 150


def take(given: Mapping[str, Any], report: Callable[[str], None], route53: Any = None) -> dict[str, Any]:
    """Replace what stands at `host` by our records in one change, if anything else stands.

    `records` is what may stand there, as `adopt` has it; `primary` and `caa` determine our records; `apex` is the
    zone's name. With `wait`, on removal: put it back if none of our records stands. Returns what stood there. Raises
    StepError when something else stands, or Route 53 refuses.
    """
    stood = [str(record) for record in adoption.named(given)]
    if given.get("wait"):
        give_back(given, report, route53, alone=True)
        return {"host": given["host"], "stood": stood}
    with asking(given["host"]):
        route53 = route53 or current.client()
        batch = adoption.taken(given, current.read(route53, given["zone"]["zone_id"], given["host"]))
        if batch:
            change(route53, given["zone"]["zone_id"], batch)
            report(f"{given['host']}: {phrase(adoption.named(given))} was replaced in one change")
    return {"host": given["host"], "stood": stood}


def give_back(
    given: Mapping[str, Any], report: Callable[[str], None], route53: Any = None, *, alone: bool = False
) -> bool:
    """Put back what stood at `host` in one change, if our records stand; with `alone` only if none does.

    Returns whether anything was changed. Raises StepError when Route 53 refuses.
    """
    if not given["records"]:
        return False
    host, names = given["host"], phrase(adoption.named(given))
    with asking(host):
        route53 = route53 or current.client()
        batch = adoption.given_back(given, current.read(route53, given["zone"]["zone_id"], host), alone=alone)
        if batch:
            change(route53, given["zone"]["zone_id"], batch)
    if batch or not alone:
        report(f"{host}: {names} was put back in one change" if batch else f"{host} leads elsewhere already")
    return bool(batch)


def change(route53: Any, zone: str, batch: list[Change]) -> None:
    """Make a change, and wait until every server of the zone has it."""
    made = route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": batch})
    waiter = route53.get_waiter("resource_record_sets_changed")
    waiter.wait(Id=made["ChangeInfo"]["Id"], WaiterConfig={"Delay": _DELAY_S, "MaxAttempts": _ASKS})


@contextmanager
def asking(host: str) -> Iterator[None]:
    """Turn exceptions of boto3 into StepError."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise StepError(f"the records of {host} cannot be read or changed: {error}") from None
