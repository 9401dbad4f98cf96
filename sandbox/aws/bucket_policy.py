"""Bucket policies as S3 evaluates them: whether they are public, whether a stranger may read, whether they are valid.

Conditions known here: `aws:SecureTransport` (the sandbox's own connection to S3 counts as TLS) and the keys that bind a
statement to one party. A statement with any other condition never matches.
"""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import Any

#: A condition on one of these keys makes a statement for everyone not public (the user guide's "meaning of public").
_NARROWING = frozenset(
    {
        "aws:sourcearn",
        "aws:sourceaccount",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:principalorgid",
        "aws:principalarn",
        "aws:userid",
        "aws:sourceip",
        "s3:dataaccesspointarn",
    }
)


def _many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _for_everybody(statement: dict[str, Any]) -> bool:
    principal = statement.get("Principal")
    return principal == "*" or (isinstance(principal, dict) and "*" in _many(principal.get("AWS", [])))


def _conditions(statement: dict[str, Any]) -> list[tuple[str, str, list[str]]]:
    return [
        (operator, name.lower(), [str(value).lower() for value in _many(values)])
        for operator, keys in (statement.get("Condition") or {}).items()
        for name, values in keys.items()
    ]


def _holds(statement: dict[str, Any]) -> bool:
    return all(
        operator == "Bool" and name == "aws:securetransport" and values == ["true"]
        for operator, name, values in _conditions(statement)
    )


def statements(policy: bytes | str | None) -> list[dict[str, Any]]:
    """Return the statements of a policy document; none for no policy."""
    return _many(json.loads(policy).get("Statement", [])) if policy else []


def is_public(policy: bytes | str | None) -> bool:
    """Return whether the policy lets anybody in, as Block Public Access judges it."""
    return any(
        statement.get("Effect") == "Allow"
        and _for_everybody(statement)
        and not any(name in _NARROWING for _, name, _ in _conditions(statement))
        for statement in statements(policy)
    )


def verdict(policy: bytes | str | None, action: str, resource: str) -> str:
    """Return the policy's verdict on a stranger's action: `allow`, `deny`, or nothing (empty)."""
    found = ""
    for statement in statements(policy):
        if not _for_everybody(statement) or not _holds(statement):
            continue
        named = any(fnmatchcase(action.lower(), one.lower()) for one in _many(statement.get("Action", [])))
        if named and any(fnmatchcase(resource, one) for one in _many(statement.get("Resource", []))):
            if statement.get("Effect") == "Deny":
                return "deny"
            found = "allow"
    return found


def faults(policy: bytes | str, bucket: str) -> list[str]:
    """Return what S3 calls MalformedPolicy."""
    try:
        document = json.loads(policy)
    except ValueError:
        return ["This policy contains invalid Json"]
    if not isinstance(document, dict) or not document.get("Statement"):
        return ["Missing required field Statement"]
    found = []
    arn = f"arn:aws:s3:::{bucket}"
    for statement in _many(document["Statement"]):
        unknown = (
            set(statement)
            - {"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction"}
            - {
                "Resource",
                "NotResource",
                "Condition",
            }
        )
        found += [f"Unknown field {name}" for name in sorted(unknown)]
        found += [
            f"Missing required field {name}"
            for name in ("Effect", "Principal", "Action", "Resource")
            if name not in statement and f"Not{name}" not in statement
        ]
        if statement.get("Effect") not in ("Allow", "Deny"):
            found.append(f"Invalid effect: {statement.get('Effect')}")
        for resource in _many(statement.get("Resource", [])):
            if resource != arn and not resource.startswith(f"{arn}/") and resource != "*":
                found.append("Policy has invalid resource")
    return list(dict.fromkeys(found))
