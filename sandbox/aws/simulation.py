"""IAM's policy simulator, which moto lacks: identity policies against actions, resources and context keys.

IAM user guide, "Policy evaluation logic" and "IAM JSON policy elements"; the answer's form is that of
SimulatePrincipalPolicy in the IAM API reference.
"""

from __future__ import annotations

import json
import operator
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from moto.iam.exceptions import NotFoundException
from moto.iam.responses import IamResponse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

#: Condition operators → whether one value passes one pattern.
_OPERATORS: Mapping[str, Callable[[str, str], bool]] = {"StringEquals": operator.eq, "StringLike": fnmatchcase}


def decision(
    policies: Iterable[Mapping[str, Any]], action: str, resource: str, context: Mapping[str, Iterable[str]]
) -> str:
    """Return `allowed`, `explicitDeny` or `implicitDeny`, as the simulator names them."""
    allowed = False
    for statement in (each for policy in policies for each in listed(policy["Statement"])):
        if not _concerns(statement, action, resource, context):
            continue
        if statement["Effect"] == "Deny":
            return "explicitDeny"
        allowed = True
    return "allowed" if allowed else "implicitDeny"


def listed(value: Any) -> list[Any]:
    """Return a list of an element that may stand alone."""
    return value if isinstance(value, list) else [value]


def _concerns(statement: Mapping[str, Any], action: str, resource: str, context: Any) -> bool:
    """Return whether a statement is about a request: actions match in any case, resources exactly; `*`, `?` match."""
    return (
        any(fnmatchcase(action.lower(), each.lower()) for each in listed(statement["Action"]))
        and any(resource == "*" == each or fnmatchcase(resource, each) for each in listed(statement["Resource"]))
        and all(
            _passes(word, listed(wanted), list(context.get(key, ())))
            for word, keys in (statement.get("Condition") or {}).items()
            for key, wanted in keys.items()
        )
    )


def _passes(word: str, wanted: list[str], values: list[str]) -> bool:
    """Judge one condition. `ForAllValues` is true where the request has no such key ("Set operators")."""
    prefix, _, name = word.rpartition(":")
    test = _OPERATORS[name]
    judged = [any(test(value, each) for each in wanted) for value in values]
    return all(judged) if prefix == "ForAllValues" else any(judged)


def install() -> None:
    """Add the action to moto, which calls methods of a response by the action's name."""
    IamResponse.simulate_principal_policy = _simulate


def _simulate(response: Any) -> str:
    principal = str(response.querystring["PolicySourceArn"][0])
    found = list(policies(response.backend, principal))
    context = {
        response.querystring[f"ContextEntries.member.{index}.ContextKeyName"][0]: list(
            _members(response.querystring, f"ContextEntries.member.{index}.ContextKeyValues")
        )
        for index in range(1, 1 + sum(key.endswith(".ContextKeyName") for key in response.querystring))
    }
    rows = [
        (action, resource, decision(found, action, resource, context))
        for action in _members(response.querystring, "ActionNames")
        for resource in [*_members(response.querystring, "ResourceArns")] or ["*"]
    ]
    results = "".join(
        f"<member><EvalActionName>{escape(action)}</EvalActionName><EvalResourceName>{escape(resource)}"
        f"</EvalResourceName><EvalDecision>{decided}</EvalDecision></member>"
        for action, resource, decided in rows
    )
    return (
        '<SimulatePrincipalPolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">'
        f"<SimulatePrincipalPolicyResult><IsTruncated>false</IsTruncated><EvaluationResults>{results}"
        "</EvaluationResults></SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>"
    )


def _members(query: Mapping[str, list[str]], name: str) -> Iterator[str]:
    index = 1
    while values := query.get(f"{name}.member.{index}"):
        yield values[0]
        index += 1


def policies(backend: Any, principal: str) -> Iterator[dict[str, Any]]:
    """Yield the policies of a user or role: inline ones, and the default versions of those attached."""
    kind, _, name = principal.rpartition(":")[2].partition("/")
    holders = {"user": backend.users, "role": {each.name: each for each in backend.roles.values()}}.get(kind, {})
    holder = holders.get(name.rpartition("/")[2])
    if holder is None or holder.arn != principal:
        raise NotFoundException(f"The entity with name {name or principal} cannot be found.")
    inline = holder.policies.values() if isinstance(holder.policies, dict) else holder.policies
    for text in inline:
        yield json.loads(text)
    for policy in holder.managed_policies.values():
        yield json.loads(next(each.document for each in policy.versions if each.is_default))
