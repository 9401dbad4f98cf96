"""What can be broken in this Akash; a fault is a file in the state folder, its content optional JSON parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..state import State
    from .providers import AkashProvider

#: Name -> what it does while it is on.
FAULTS = {
    "provider-gone-OWNER": (
        "its processes end, routes and gateway vanish, its leases close after a few seconds, it does not bid; "
        "OWNER is its address, or its short name"
    ),
    "no-bids": "no provider bids",
    "bid-too-dear": "each provider asks {factor: 10} times its price; above the SDL's ceiling it declines, as ever",
    "escrow-empty": "every deployment that is open at this moment runs out of funds, and closes",
    "chain-halted": "no blocks: create, lease, update, deposit and close answer 503; running leases go on",
    "api-429": "a {share: 0.5} of the calls is turned away before it reaches the API, with Retry-After",
    "api-timeout": "changes take effect and are never answered: the next {times: n}, cut off after {hold: seconds}",
    "volume-lost": "every persistent volume is emptied once, and what stood on it starts again",
}


def gone(state: State, provider: AkashProvider) -> bool:
    """Say whether a provider has vanished."""
    return any(state.fault(f"provider-gone-{name}") is not None for name in (provider.owner, provider.name))


def since(state: State, name: str) -> int:
    """When a fault was switched on (ns: the identity of a fault that acts once), or 0 while it is off."""
    try:
        return (state.root / "faults" / name).stat().st_mtime_ns
    except FileNotFoundError:
        return 0
