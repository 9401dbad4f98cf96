"""Read those faults of `sandbox/faults.py` that several modules of this Akash ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..faults import REUSED
from ..net.registrar import glue
from .providers import BY_OWNER

if TYPE_CHECKING:
    from ..state import State
    from .providers import AkashProvider

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
    """Return the local ports to which faults lead addresses of name servers, by address (from the registry's glue)."""
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
