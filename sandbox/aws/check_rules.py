"""Route 53's refusals of a health check, as pure functions; moto accepts all of it.

One rule is stricter than the service: deleting a check that a record still names is refused here, while Route 53
accepts it and leaves the record with a check that never answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

#: The types that probe an endpoint, and the default port of each.
ENDPOINT_TYPES = {"HTTP": 80, "HTTPS": 443, "HTTP_STR_MATCH": 80, "HTTPS_STR_MATCH": 443, "TCP": None}
INTERVALS = (10, 30)
THRESHOLDS = (1, 10)


def refusals(config: Mapping[str, Any], checks: Collection[str]) -> Iterator[str]:
    """Yield every reason to refuse a HealthCheckConfig; `checks` are the ids that exist."""
    kind = config["Type"]
    interval, threshold = config.get("RequestInterval", 30), config.get("FailureThreshold", 3)
    if kind in ENDPOINT_TYPES:
        yield from _target(config)
        if interval not in INTERVALS:
            yield f"RequestInterval must be 10 or 30, not {interval}"
        if not THRESHOLDS[0] <= threshold <= THRESHOLDS[1]:
            yield f"FailureThreshold must be between 1 and 10, not {threshold}"
    if kind == "CALCULATED":
        children = config.get("ChildHealthChecks") or []
        if not children:
            yield "a CALCULATED health check must have ChildHealthChecks"
        for child in children:
            if child not in checks:
                yield f"No health check exists with the ID {child}"


def _target(config: Mapping[str, Any]) -> Iterator[str]:
    kind = config["Type"]
    if not config.get("IPAddress") and not config.get("FullyQualifiedDomainName"):
        yield f"a {kind} health check must have an IPAddress or a FullyQualifiedDomainName"
    if kind == "TCP" and not config.get("Port"):
        yield "a TCP health check must have a Port"
    if kind.endswith("STR_MATCH") != bool(config.get("SearchString")):
        need = "must" if kind.endswith("STR_MATCH") else "must not"
        yield f"a {kind} health check {need} have a SearchString"


def users(check: str, records: Sequence[Mapping[str, Any]], checks: Mapping[str, Collection[str]]) -> list[str]:
    """Return what still names the check: record sets, then calculated checks (given as id to children)."""
    named = [f"{record['Name']} {record['Type']}" for record in records if record.get("HealthCheckId") == check]
    return named + [f"health check {parent}" for parent, children in checks.items() if check in children]
