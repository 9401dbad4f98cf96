"""Close a deployment: only once no record leads to it, only in the own account, and until it is seen closed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ...errors import MarketError, Unanswered
from . import KEY_VARIABLE
from .leads import Shown
from .market.observed import UNSEEN, Observed
from .market.reconcile import POLL_S, RETRIES, TransientError

if TYPE_CHECKING:
    from .leads import Leads
    from .market.reconcile import Clock
    from .rails.rail import Rail

#: How long in seconds "no such deployment" has to be the answer before it is believed: reads lag behind writes.
ABSENT_S = 15.0
#: How long in seconds name servers may answer a record after it was deleted: they lag behind their API.
PROPAGATION_S = 60.0


def unmoored(
    leads: Leads, id: str, addresses: list[str], names: list[str], hosts: list[str], clock: Clock | None = None
) -> None:
    """Raise MarketError while a record leads to a deployment, or while that is not known.

    With a clock, wait at most PROPAGATION_S seconds for a record that name servers still answer.
    """
    own = [each for each in names if each not in hosts]
    if not addresses and not own:
        return
    by_hand = f"`unmoor akash close {id}` closes it"
    end = clock.now() + PROPAGATION_S if clock else 0.0
    try:
        records = leads(addresses, own, hosts)
        while records and isinstance(records, Shown) and clock and clock.now() < end:
            clock.sleep(POLL_S)
            records = leads(addresses, own, hosts)
    except Unanswered as fault:
        raise MarketError(f"akash: deployment {id} stays open, a record may lead to it: {fault}; {by_hand}") from fault
    if records:
        there = ", ".join(records)
        raise MarketError(
            f"akash: deployment {id} stays open: {there} leads to it; point it elsewhere, or delete it if a killed "
            "update left it, and run again"
        )


def shut(rail: Rail, id: str, owner: str, clock: Clock) -> None:
    """Close a deployment and verify that it is closed. Raises MarketError if it is not, or is another account's."""
    for wait in (*RETRIES, None):
        try:
            rail.close(id)
            still = rail.is_open(id)
            if still is None:
                still = present(rail, id, owner, clock).open is not None
            if not still:
                return
            fault = MarketError(f"akash: deployment {id} is still open after it was closed; try again")
        except TransientError as transient:
            fault = transient
        if wait is None:
            raise fault
        clock.sleep(wait)


def present(rail: Rail, id: str, owner: str, clock: Clock) -> Observed:
    """Observe a deployment. One that the account does not show counts as closed only if the account is its owner.

    "Not found" is an answer about the key's account at this moment. It is believed once it has been the answer for
    longer than reads lag, and if the owner in the state is the key's account.
    """
    seen = rail.look(id)
    end = clock.now() + ABSENT_S
    while seen.deployment is None or seen.deployment.state == UNSEEN:
        if clock.now() >= end:
            break
        clock.sleep(POLL_S * 2)
        seen = rail.look(id)
    else:
        return seen
    ours = rail.owner()
    if owner and not ours:
        raise MarketError(f"akash: the account does not show deployment {id}, nor whose it is; try again")
    if owner and owner != ours:
        raise MarketError(
            f"akash: deployment {id} belongs to {owner}, and {KEY_VARIABLE} is a key of {ours}; "
            f"export a key of the account that owns it"
        )
    return replace(seen, deployment=None)
