"""The faults of this Akash: a fault is a file in the state folder, its content optional JSON parameters.

provider-gone-OWNER  its processes end, routes vanish, it does not bid; its leases close after a few seconds
                     (OWNER is its address, or its short name)
no-bids              no provider bids
bid-too-dear         each provider asks {"factor": 10} times its price; above the SDL's ceiling it declines, as ever
escrow-empty         every deployment that is open at this moment runs out of funds, and closes; it strikes once
chain-halted         no blocks: create, lease, update, deposit and close answer 503; running leases go on
api-429              a {"share": 0.5} of the calls is turned away before the API sees it, with Retry-After
api-timeout          changes take effect and are never answered: the next {"times": n} of them (all, if not given);
                     {"hold": seconds} until the connection is cut
volume-lost          every persistent volume is emptied, and what stood on it starts again; it strikes once
certificate-expired  the certificates on volumes are past their end by a day, or have `days` left; it strikes once
clock-skew           the certificates on volumes begin in {"days": 1}: to every visitor, and to the lease, they are what
                     a new one is to a clock that is behind; it strikes once, and its end gives good ones
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..state import State
    from .providers import AkashProvider


#: Faults that act in the moment in which they are switched on.
STRIKE_ONCE = ("escrow-empty", "volume-lost", "certificate-expired", "clock-skew")


def gone(state: State, provider: AkashProvider) -> bool:
    """Say whether a provider has vanished."""
    return any(state.fault(f"provider-gone-{name}") is not None for name in (provider.owner, provider.name))


def since(state: State, name: str) -> int:
    """When a fault was switched on (ns: the identity of a fault that acts once), or 0 while it is off."""
    try:
        return (state.root / "faults" / name).stat().st_mtime_ns
    except FileNotFoundError:
        return 0
