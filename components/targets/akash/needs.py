"""What an update needs of Akash: a key, an account with credit that is not a trial, and providers that could bid."""

from __future__ import annotations

import functools
import os
import threading
from typing import TYPE_CHECKING, Any

from ...limits import SCREENING_S as _WITHIN_S
from ...needs import Check, Needs, caution, not_ready, ready
from . import KEY_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...needs import Finding
    from ...topology import Topology
    from .rails.console import ConsoleRail

_CREDIT = "add credit to the account in the Console"


def of(topology: Topology) -> Needs:
    """Return checks of the account, where a site of the stack stands on Akash in this mode."""
    sites = [site for plan in topology.workloads for site in plan.sites if site.target == "akash"]
    if not sites:
        return Needs()
    rent = sum(line.usd_month for plan in topology.workloads for line in plan.bill if line.payee == "akash")
    return Needs((Check("Console account", functools.partial(account, len(sites), rent)),))


def account(sites: int, rent_usd_month: float) -> Iterator[Finding]:
    """Check the key's account: its credit against deposits and a month's rent, and whether it is a trial."""
    from .account_resource import RUNWAY_DAYS
    from .market.request import DEPOSIT_USD

    if not os.environ.get(KEY_VARIABLE):
        yield not_ready(f"{KEY_VARIABLE} is not set", f"make a key in the Console, and export {KEY_VARIABLE}")
        return
    with _rail() as rail:
        standing = rail.account()
        money = rail.runway(standing)
    if money.trial:
        yield not_ready("the account is a trial, whose deployments are closed after 24 hours", _CREDIT)
    have, deposits = float(money.balance_usd + money.escrow_usd), sites * float(DEPOSIT_USD)
    held = f"${float(money.balance_usd):.2f} free and ${float(money.escrow_usd):.2f} in escrow"
    if have < deposits:
        yield not_ready(f"the account has {held}, and {sites} deposits need ${deposits:.2f}", _CREDIT)
    elif have < rent_usd_month:
        yield caution(f"the account has {held}, less than the ${rent_usd_month:.2f} of a month", _CREDIT)
    elif not money.trial:
        yield ready(f"the account has {held}, and a month is ${rent_usd_month:.2f}")
    short = {dseq: days for dseq, days in money.days.items() if days < RUNWAY_DAYS}
    for dseq, days in sorted(short.items()):
        yield caution(f"deployment {dseq} is paid for {days:.0f} days", f"{_CREDIT}, or switch on its top-up there")


def bidders(document: dict[str, Any]) -> Iterator[Finding]:
    """Check who could bid on a document, and, where no provider can, which demand excludes them."""
    from . import screening

    if not os.environ.get(KEY_VARIABLE):
        yield not_ready(f"the market cannot be asked without {KEY_VARIABLE}", f"export {KEY_VARIABLE}")
        return
    asked = screening.body(document)
    with _rail() as rail:
        able = screening.owners(rail.screen(asked, _WITHIN_S))
        if able:
            yield ready(f"{len(able)} providers could take the document")
            return
        gains = [
            (words, len(screening.owners(rail.screen(less, _WITHIN_S)))) for words, less in screening.without(asked)
        ]
    found = "; ".join(f"without {words} {count} could" for words, count in gains if count)
    yield not_ready(
        f"no provider can take the document as it is{f': {found}' if found else ''}",
        "ask for less: the settings are in the workload's options" if found else "try again later",
    )


def _rail() -> ConsoleRail:
    from .market.reconcile import WallClock
    from .rails.console import ConsoleRail

    return ConsoleRail(WallClock(threading.Event()))
