"""What a look at one deployment rules out."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from components.targets.akash.market.observed import UNSEEN, Bid, Deployment, Lease, Observed, Service, hidden

SHOWN = Observed(0.0, Deployment("7", "active", ""))
LEASED = replace(SHOWN, lease=Lease("akash1p", "active", Decimal(1)))


@pytest.mark.parametrize(
    ("seen", "is_hidden"),
    [
        (SHOWN, False),
        (replace(SHOWN, bids=(Bid("akash1p", Decimal(1), "active"),)), True),
        (LEASED, True),
        (replace(LEASED, services={"web": Service(1, 1, 1)}), False),
        (replace(LEASED, lease=Lease("akash1p", "closed", Decimal(1))), False),
        (Observed(0.0, Deployment("7", UNSEEN, "")), True),
        (Observed(0.0), True),
    ],
)
def test_what_is_not_shown_may_serve(seen: Observed, is_hidden: bool) -> None:
    """A page that is missing for a moment rules nothing out: what it does not show is not closed."""
    assert hidden(seen) is is_hidden
