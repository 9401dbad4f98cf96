"""Checks of what answers at the names to be adopted, as seen by a visitor who validates certificates."""

from __future__ import annotations

import functools
import ssl
from typing import TYPE_CHECKING

from ..deadline import within
from ..limits import DOCTOR_HOST_S
from ..needs import Check, caution, ready
from ..text.escape import outside

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..needs import Finding
    from ..topology import Topology


def checks(topology: Topology) -> Iterator[Check]:
    """Return the check of each adopted name."""
    for plan in topology.workloads:
        for name in plan.adopted:
            yield Check(f"answers of {name}", functools.partial(answers, name))


def answers(name: str) -> Iterator[Finding]:
    """Request a name over HTTPS, by the name, because a vendor of many sites knows it only so.

    A finding stops no adoption, but visitors are affected until the change, and again after `adopt --undo`.
    """
    import httpx

    url, back = f"https://{name}/", "visitors have this until the change, and again if the name is given back"
    try:
        with (
            within(DOCTOR_HOST_S) as deadline,
            httpx.Client(timeout=DOCTOR_HOST_S) as client,
            client.stream("GET", url, extensions={"trace": deadline.trace}) as answer,
        ):
            pass  # the status is enough, and a body may have no end
    except httpx.HTTPError as error:
        cause = _certificate(error)
        if cause:
            yield caution(
                f"{url} shows a certificate that browsers refuse ({cause}); {back}",
                "renew it at the vendor; the new site has a certificate of its own before the change",
            )
        else:
            yield caution(f"{url} is not answered ({outside(error, 120)}); {back}", "look at the vendor's own status")
        return
    if answer.is_error:
        yield caution(f"{url} is answered with {answer.status_code}; {back}", "name the host in the vendor's settings")
    else:
        yield ready(f"{url} is answered with {answer.status_code} and a certificate that browsers accept")


def _certificate(error: BaseException) -> str:
    """Return why a certificate was refused; nothing where it was not."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError):
            return outside(seen.verify_message, 120)
        seen = seen.__cause__ or seen.__context__
    return ""
