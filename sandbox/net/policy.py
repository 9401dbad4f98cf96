"""Decide whether a bucket policy lets CloudFront read an object for a distribution. Pure."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

SERVICE = "cloudfront.amazonaws.com"

#: CloudFront's request in terms of conditions: it uses TLS to buckets that it reads through an access control.
SECURE = "true"


def allows(policy: Mapping[str, Any], action: str, resource: str, distribution_arn: str) -> bool:
    """Return whether an action (`s3:GetObject`) on an ARN is allowed to CloudFront acting for a distribution."""
    context = {
        "aws:sourcearn": distribution_arn,
        "aws:sourceaccount": distribution_arn.split(":")[4],
        "aws:securetransport": SECURE,
    }
    statements = [one for one in _list(policy.get("Statement")) if _about(one, action, resource)]
    denied = any(one["Effect"] == "Deny" and _holds(one, context) for one in statements)
    return not denied and any(one["Effect"] == "Allow" and _holds(one, context) for one in statements)


def _about(statement: Mapping[str, Any], action: str, resource: str) -> bool:
    principal = statement.get("Principal")
    services = (
        _list(principal.get("Service")) + _list(principal.get("AWS"))
        if isinstance(principal, dict)
        else _list(principal)
    )
    return (
        ("*" in services or SERVICE in services)
        and any(fnmatchcase(action.lower(), pattern.lower()) for pattern in _list(statement.get("Action")))
        and any(fnmatchcase(resource, pattern) for pattern in _list(statement.get("Resource")))
    )


def _holds(statement: Mapping[str, Any], context: Mapping[str, str]) -> bool:
    return all(
        _compare(operator, context.get(key.lower()), [str(value) for value in _list(wanted)])
        for operator, pairs in (statement.get("Condition") or {}).items()
        for key, wanted in pairs.items()
    )


def _compare(operator: str, value: str | None, wanted: list[str]) -> bool:
    """Return one condition. An operator that is not known here does not hold, so it neither allows nor denies."""
    if value is None:
        return False
    match operator:
        case "Bool":
            return value in [one.lower() for one in wanted]
        case "StringEquals":
            return value in wanted
        case "StringLike" | "ArnLike" | "ArnEquals":
            return any(fnmatchcase(value, one) for one in wanted)
        case _:
            return False


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]
