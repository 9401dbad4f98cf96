"""The faults of this Akash: a fault is a file in the state folder, its content optional JSON parameters.

provider-gone-OWNER  its processes end, routes vanish, it does not bid; its leases close after a few seconds
                     (OWNER is its address, or its short name)
                     reads that ask it take {"hold": 61.4} seconds first
provider-silent-OWNER  its gateway drops packets: it takes no manifest and shows no status, reads that ask it take
                     {"hold": 61.4} seconds; what runs there goes on serving, and its leases stay
read-lag             reads show what was opened {"seconds": 10} ago, and nothing newer
list-lag             the list shows what was opened {"seconds": 60} ago, and nothing newer; other reads show it
other-account        the key is of another account, to which the deployments of this one do not exist
reclaim              providers that promised notice give it: their leases run on and take no manifest; it strikes once
chain-unread         the Console reads its database instead of the chain: names and hashes are placeholders
own-deposits         the flag `auto_reload_fixed_threshold` is off: a deposit is demanded, and taken as it is given
funding-always-on    the Console of September 2026: every deployment is funded, and the setting is not read any more
trial                the wallet is a trial's
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
nameserver-gone-N    the Nth name server that the registry gives glue for answers nothing; its lease stands
nameserver-address-reused
                     a stranger answers at the address of the {"server": 1}st name server, signed by a key of its own
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..faults import REUSED
from ..net.registrar import glue
from .providers import BY_OWNER

if TYPE_CHECKING:
    from ..state import State
    from .providers import AkashProvider


#: Faults that act at the moment in which they are switched on.
STRIKE_ONCE = ("reclaim", "escrow-empty", "volume-lost", "certificate-expired", "clock-skew")


#: provider-proxy `utils/retry.ts`: four tries of 15 s, and 0.2 + 0.4 + 0.8 s between them.
DEAD_READ_S = 61.4


def gone(state: State, provider: AkashProvider) -> bool:
    """Return whether a provider is gone."""
    return _struck(state, "gone", provider) is not None


def silent(state: State, provider: AkashProvider) -> bool:
    """Return whether a provider's gateway drops packets while what runs there goes on."""
    return _struck(state, "silent", provider) is not None


def hold(state: State, owner: str) -> float:
    """Return the seconds that a read which asks this provider takes before it gives up."""
    provider = BY_OWNER[owner]
    for kind in ("gone", "silent"):
        if (fault := _struck(state, kind, provider)) is not None:
            return float(fault.get("hold", DEAD_READ_S))
    return 0.0


def _struck(state: State, kind: str, provider: AkashProvider) -> dict[str, Any] | None:
    found = (state.fault(f"provider-{kind}-{name}") for name in (provider.owner, provider.name))
    return next((fault for fault in found if fault is not None), None)


def name_servers(state: State) -> dict[str, int]:
    """Return the addresses of name servers that a fault leads to another local port, by the registry's glue."""
    addresses, stranger, mute = glue(state), state.port("stranger"), state.port("silent")
    gone_ = [number for number in range(len(addresses)) if state.fault(f"nameserver-gone-{number + 1}") is not None]
    found = {addresses[number]: mute for number in gone_ if mute}
    reused = state.fault(REUSED)
    place = int(reused.get("server", 1)) - 1 if reused is not None else -1
    if stranger and place in range(len(addresses)):
        found[addresses[place]] = stranger
    return found


def since(state: State, name: str) -> int:
    """Return when a fault was switched on (ns: the identity of a fault that acts once), or 0 while it is off."""
    try:
        return (state.root / "faults" / name).stat().st_mtime_ns
    except FileNotFoundError:
        return 0
