"""Decide whether a health check is healthy, from its checkers' results. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: An endpoint is healthy if more than this share of the checkers find it healthy (Route 53 developer guide, "How Amazon
#: Route 53 determines whether a health check is healthy").
SHARE = 0.18
#: Types whose state comes from our checkers; the others depend on something else.
PROBED = frozenset({"HTTP", "HTTPS", "HTTP_STR_MATCH", "HTTPS_STR_MATCH", "TCP"})


@dataclass(frozen=True)
class Check:
    """A health check as Route 53 keeps it; times in seconds."""

    id: str
    type: str
    host: str = ""
    address: str = ""
    port: int = 80
    path: str = "/"
    search: str = ""
    interval: int = 30
    threshold: int = 3
    inverted: bool = False
    disabled: bool = False
    children: tuple[str, ...] = ()
    needed: int = 0


@dataclass(frozen=True)
class Opinion:
    """One checker's opinion of an endpoint; it changes after `threshold` equal results in a row."""

    healthy: bool = True
    streak: int = 0
    reason: str = "not checked yet"

    def after(self, success: bool, reason: str, threshold: int) -> Opinion:  # noqa: FBT001 - it is the result itself
        """Return the opinion after one more result."""
        if success == self.healthy:
            return replace(self, streak=0, reason=reason)
        if self.streak + 1 < threshold:
            return replace(self, streak=self.streak + 1, reason=reason)
        return Opinion(healthy=success, reason=reason)


def check(shape: Mapping[str, Any]) -> Check:
    """Return a health check of the API as the rules see it."""
    config = shape["HealthCheckConfig"]
    return Check(
        id=shape["Id"],
        type=config["Type"],
        host=(config.get("FullyQualifiedDomainName") or "").rstrip(".").lower(),
        address=config.get("IPAddress") or "",
        port=config.get("Port") or 80,
        path=config.get("ResourcePath") or "/",
        search=config.get("SearchString") or "",
        interval=config.get("RequestInterval") or 30,
        threshold=config.get("FailureThreshold") or 3,
        inverted=bool(config.get("Inverted")),
        disabled=bool(config.get("Disabled")),
        children=tuple(config.get("ChildHealthChecks") or ()),
        needed=config.get("HealthThreshold") or 0,
    )


def verdicts(checks: Mapping[str, Check], opinions: Mapping[str, Sequence[Opinion]]) -> dict[str, bool]:
    """Return whether each check is healthy. A check without opinions is new and starts healthy."""
    return {one: _verdict(checks[one], checks, opinions, frozenset()) for one in checks}


def _verdict(
    one: Check, checks: Mapping[str, Check], opinions: Mapping[str, Sequence[Opinion]], above: frozenset[str]
) -> bool:
    if one.disabled:
        healthy = True
    elif one.type == "CALCULATED":
        below = above | {one.id}
        known = [checks[child] for child in one.children if child in checks and child not in below]
        healthy = sum(_verdict(child, checks, opinions, below) for child in known) >= one.needed
    else:
        held = opinions.get(one.id) or [Opinion()]
        healthy = sum(opinion.healthy for opinion in held) > SHARE * len(held)
    return healthy != one.inverted
