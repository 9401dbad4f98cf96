"""The AWS account of the process: its identity and its rights. Reads only."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ...limits import AWS_ACCOUNT_S as _READ_S
from ...limits import AWS_CONNECT_S as _CONNECT_S
from ...needs import Finding, caution, not_ready, ready, unseen
from ...stores.s3 import made, session
from ...text.escape import outside

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ...needs import Grant

#: Stands for a name that is known only later, in an ARN that is simulated.
_SOME = "0000000"
_ASSUMED = re.compile(r"arn:(?P<partition>[\w-]+):sts::(?P<account>\d+):assumed-role/(?P<role>[^/]+)/.+")
_SIGN_IN = "sign in: `aws sso login`, `aws configure`, or export AWS_PROFILE"


def client(service: str, region: str = "") -> Any:
    """Return a client with short time limits. Services without regions, and CloudFront's, answer in us-east-1."""
    from botocore.config import Config

    config = Config(connect_timeout=_CONNECT_S, read_timeout=_READ_S, retries={"total_max_attempts": 2})
    return made(service, region_name=region or session().region_name or "us-east-1", config=config)


def distributions() -> list[dict[str, Any]]:
    """Return the distributions of the account."""
    pages = client("cloudfront").get_paginator("list_distributions").paginate()
    return [one for page in pages for one in page["DistributionList"].get("Items") or ()]


def identity() -> Iterator[Finding]:
    """Check which identity the process has."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        who = client("sts").get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        yield not_ready(f"AWS does not know this process: {outside(error)}", _SIGN_IN)
        return
    arn = str(who["Arn"])
    if arn.endswith(":root"):
        yield caution(f"{arn} is the account's owner, who may do everything", "make a role: `unmoor policy operator`")
    else:
        yield ready(f"{arn}")


def profile(settings: Mapping[str, Any], environ: Mapping[str, str]) -> Iterator[Finding]:
    """Check that Pulumi's plug-in and the steps of a deployment have one identity: boto3 reads only the environment."""
    named = settings.get("aws:profile")
    if named and environ.get("AWS_PROFILE") != named:
        yield not_ready(
            f"the stack file has aws:profile {named}, which only Pulumi's plug-in reads; publishing would use another",
            f"export AWS_PROFILE={named}",
        )
    elif settings.get("aws:assumeRole") or settings.get("aws:assumeRoles"):
        yield not_ready(
            "the stack file has aws:assumeRole, which only Pulumi's plug-in reads; publishing would use another one",
            "take it out, and sign in as that role: a profile with role_arn, and export AWS_PROFILE",
        )
    else:
        yield ready("Pulumi's plug-in and the steps of a deployment use the same identity")


def rights(grants: Iterable[Grant]) -> Iterator[Finding]:
    """Ask IAM whether the process has these rights. Policies of the organisation and of resources are not evaluated."""
    from botocore.exceptions import BotoCoreError, ClientError

    principal = principal_of(str(client("sts").get_caller_identity()["Arn"]))
    if principal.endswith(":root"):
        yield ready("the account's owner may do everything")
        return
    iam, denied, asked = client("iam"), list[str](), 0
    for grant in grants:
        question = {
            "PolicySourceArn": principal,
            "ActionNames": [each for each in grant.actions if "*" not in each],  # operations, not patterns
            "ResourceArns": [each if each == "*" else each.replace("*", _SOME) for each in grant.resources],
            "ContextEntries": [
                {"ContextKeyName": key, "ContextKeyType": "stringList", "ContextKeyValues": list(values)}
                for keys in grant.conditions.values()
                for key, values in keys.items()
            ],
        }
        try:
            pages = iam.get_paginator("simulate_principal_policy").paginate(**question)
            results = [each for page in pages for each in page["EvaluationResults"]]
        except (BotoCoreError, ClientError) as error:
            yield unseen(
                f"rights cannot be simulated ({outside(error)}); an update shows what is missing",
                "allow iam:SimulatePrincipalPolicy, or compare by hand: `unmoor policy operator`",
            )
            return
        asked += len(question["ActionNames"])
        denied += [each["EvalActionName"] for each in results if each["EvalDecision"] != "allowed"]
    if denied:
        yield not_ready(
            f"{principal} may not {', '.join(sorted(set(denied)))}", "attach `unmoor policy operator` to it"
        )
    else:
        yield ready(f"{principal} has all {asked} rights")


def principal_of(arn: str) -> str:
    """Return the ARN that IAM knows for an identity; for a session of a role the role's, whose path is not known."""
    found = _ASSUMED.fullmatch(arn)
    return f"arn:{found['partition']}:iam::{found['account']}:role/{found['role']}" if found else arn


def released(distribution: str, host: str) -> str:
    """Return the commands that remove an alias from a distribution (CloudFront API, UpdateDistribution)."""
    ask = f"aws cloudfront get-distribution-config --id {distribution}"
    return (
        f"`{ask} --query DistributionConfig --output json > config.json`, take {host} out of Aliases.Items there and 1 "
        f"from Aliases.Quantity, `aws cloudfront update-distribution --id {distribution} --distribution-config "
        f'file://config.json --if-match "$({ask} --query ETag --output text)"`'
    )
