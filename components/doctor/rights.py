"""Policies of IAM from the rights that a stack uses, and the trust policy by which GitHub's jobs get them. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..needs import Grant

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_VERSION = "2012-10-17"
#: The issuer of GitHub's tokens for jobs, and their audience (GitHub docs, "Configuring OpenID Connect in Amazon Web
#: Services").
_ISSUER, _AUDIENCE = "token.actions.githubusercontent.com", "sts.amazonaws.com"
#: Further reads of `unmoor doctor`: rights, and the account's block of public access.
LOOKS = (
    Grant("LookAtRights", ("iam:SimulatePrincipalPolicy",), ("arn:aws:iam::*:role/*", "arn:aws:iam::*:user/*")),
    Grant("LookAtAccount", ("s3:GetAccountPublicAccessBlock",)),
)
#: Role → the jobs that may assume it, as subjects of GitHub's tokens; `%` stands for the repository, `$` for the stack.
SUBJECTS: Mapping[str, tuple[str, ...]] = {
    "operator": ("repo:%:environment:$",),
    "preview": ("repo:%:pull_request", "repo:%:ref:refs/heads/main"),
    "writer": ("repo:%:environment:$",),
}


def chosen(role: str, grants: Iterable[Grant], stores: Iterable[Grant]) -> list[Grant]:
    """Return the rights of a role: all, those that change nothing, or those on the stores' objects."""
    if role == "writer":
        return list(stores)
    return [*(each for each in (*grants, *LOOKS) if role == "operator" or not each.writes)]


def state(url: str) -> tuple[Grant, ...]:
    """Return the rights on a state that is kept in S3; none for any other place.

    Pulumi writes state and locks below `.pulumi`, and a preview writes a lock too.
    """
    if not url.startswith("s3:"):
        return ()
    parts = urlsplit(url)
    bucket, folder = f"arn:aws:s3:::{parts.netloc}", "".join(f"{each}/" for each in [parts.path.strip("/")] if each)
    return (
        Grant("ListState", ("s3:ListBucket",), (bucket,)),
        Grant("KeepState", ("s3:DeleteObject", "s3:GetObject", "s3:PutObject"), (f"{bucket}/{folder}.pulumi/*",)),
    )


def policy(grants: Iterable[Grant]) -> dict[str, Any]:
    """Return an identity policy with a statement for each grant."""
    return {"Version": _VERSION, "Statement": [_statement(grant) for grant in grants]}


def trust(role: str, repository: str, stack: str, account: str) -> dict[str, Any]:
    """Return the trust policy of a role that jobs of a GitHub repository `OWNER/NAME` assume."""
    subjects = [each.replace("%", repository).replace("$", stack) for each in SUBJECTS[role]]
    return {
        "Version": _VERSION,
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Federated": f"arn:aws:iam::{account}:oidc-provider/{_ISSUER}"},
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": {"StringEquals": {f"{_ISSUER}:aud": _AUDIENCE, f"{_ISSUER}:sub": subjects}},
            }
        ],
    }


def _statement(grant: Grant) -> dict[str, Any]:
    made: dict[str, Any] = {
        "Sid": grant.name,
        "Effect": "Allow",
        "Action": sorted(grant.actions),
        "Resource": sorted(grant.resources),
    }
    if grant.conditions:
        made["Condition"] = {
            operator: {key: sorted(values) for key, values in keys.items()}
            for operator, keys in grant.conditions.items()
        }
    return made
