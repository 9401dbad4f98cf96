"""Quote the last logs of a lease's containers in a message. They explain a failure, and are never its cause."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...config import held
from ...errors import Fault, UnmoorError
from ...limits import FAULT_CHARS, QUOTE_CHARS
from ...text.escape import outside
from ...text.hidden import last

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .rails.rail import Rail

#: How to read the log by hand.
_BY_HAND = (
    "read it in the Console, or with `akt provider lease-logs --dseq {dseq} --provider {provider} --service {service}`"
)


def of(rail: Rail, dseq: str, services: Iterable[str], stack: str) -> list[Fault]:
    """Return the last lines of some services of a deployment, by service, with the values of `stack` hidden.

    If they cannot be read, one fault has the reason and the command that prints them.
    """
    found: list[Fault] = []
    for service in services:
        provider = "PROVIDER"
        try:
            seen = rail.look(dseq)
            provider = seen.lease.provider if seen.lease else provider
            lines = rail.last_lines(dseq, provider, service) if seen.lease else []
            values = held.all_values(stack)
            # Kubernetes repeats an image's name and digest before the reason why it cannot be pulled.
            limit = FAULT_CHARS if any(line.source == "event" for line in lines) else QUOTE_CHARS
            found += [Fault(service, line) for line in last([line.text for line in lines], values, limit)]
        except UnmoorError as error:
            hand = _BY_HAND.format(dseq=dseq, provider=provider, service=service)
            found.append(Fault(service, f"its log is not shown: {outside(error)}; {hand}"))
    return found


def explain(given: Mapping[str, Any]) -> list[Fault]:
    """Return the last lines of the service that a probe asks about: `dseq`, `service` and `stack`."""
    import threading

    from .market.reconcile import WallClock
    from .rails.console import ConsoleRail

    with ConsoleRail(WallClock(threading.Event())) as rail:
        return of(rail, given["dseq"], [given["service"]], given["stack"])
