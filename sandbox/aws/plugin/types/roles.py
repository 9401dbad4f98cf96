"""Resources that tasks need: roles with their policies, and groups of logs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from sandbox.aws.plugin.connection import ACCOUNT, Connection, code, gone
from sandbox.aws.plugin.resource import AwsType, Found

from . import tags

if TYPE_CHECKING:
    from components.provider.server import Context


def _create_role(aws: Connection, news: dict[str, Any], _ctx: Context) -> str:
    aws.client("iam").create_role(RoleName=news["name"], AssumeRolePolicyDocument=news["assumeRolePolicy"])
    return str(news["name"])


def _read_role(aws: Connection, id_: str, _known: dict[str, Any]) -> Found | None:
    try:
        found = aws.client("iam").get_role(RoleName=id_)["Role"]
    except ClientError as error:
        if code(error) == "NoSuchEntity":
            return None
        raise
    inputs = {"name": id_, "assumeRolePolicy": json.dumps(found["AssumeRolePolicyDocument"])}
    computed = {"arn": found["Arn"], "uniqueId": found["RoleId"]}
    return Found(inputs, computed, tags.read(found.get("Tags") or ()))


def _update_role(aws: Connection, id_: str, _old: dict[str, Any], news: dict[str, Any]) -> None:
    aws.client("iam").update_assume_role_policy(RoleName=id_, PolicyDocument=news["assumeRolePolicy"])


def _delete_role(aws: Connection, id_: str, _outputs: dict[str, Any]) -> None:
    with gone("NoSuchEntity"):
        aws.client("iam").delete_role(RoleName=id_)


def _tag_role(aws: Connection, id_: str, old: dict[str, str], new: dict[str, str]) -> None:
    iam: Any = aws.client("iam")
    if removed := sorted(set(old) - set(new)):
        iam.untag_role(RoleName=id_, TagKeys=removed)
    if new:
        iam.tag_role(RoleName=id_, Tags=tags.capital(new))


def _create_policy(aws: Connection, news: dict[str, Any], _ctx: Context) -> str:
    _update_policy(aws, "", {}, news)
    return f"{news['role']}:{news['name']}"


def _update_policy(aws: Connection, _id: str, _old: dict[str, Any], news: dict[str, Any]) -> None:
    iam: Any = aws.client("iam")
    iam.put_role_policy(RoleName=news["role"], PolicyName=news["name"], PolicyDocument=news["policy"])


def _read_policy(aws: Connection, id_: str, _known: dict[str, Any]) -> Found | None:
    role, _, name = id_.partition(":")
    try:
        found = aws.client("iam").get_role_policy(RoleName=role, PolicyName=name)
    except ClientError as error:
        if code(error) == "NoSuchEntity":
            return None
        raise
    return Found({"role": role, "name": name, "policy": json.dumps(found["PolicyDocument"])}, {})


def _delete_policy(aws: Connection, id_: str, _outputs: dict[str, Any]) -> None:
    role, _, name = id_.partition(":")
    with gone("NoSuchEntity"):
        aws.client("iam").delete_role_policy(RoleName=role, PolicyName=name)


def _create_log(aws: Connection, news: dict[str, Any], _ctx: Context) -> str:
    aws.client("logs").create_log_group(logGroupName=news["name"])
    _retain(aws, news["name"], news)
    return str(news["name"])


def _retain(aws: Connection, id_: str, news: dict[str, Any]) -> None:
    if news.get("retentionInDays"):
        aws.client("logs").put_retention_policy(logGroupName=id_, retentionInDays=int(news["retentionInDays"]))


def _read_log(aws: Connection, id_: str, _known: dict[str, Any]) -> Found | None:
    logs: Any = aws.client("logs")
    found = [one for one in logs.describe_log_groups(logGroupNamePrefix=id_)["logGroups"] if one["logGroupName"] == id_]
    if not found:
        return None
    arn = f"arn:aws:logs:{aws.region}:{ACCOUNT}:log-group:{id_}"
    inputs = {"name": id_, "retentionInDays": found[0].get("retentionInDays", 0)}
    return Found(inputs, {"arn": arn}, dict(logs.list_tags_for_resource(resourceArn=arn)["tags"]))


def _update_log(aws: Connection, id_: str, _old: dict[str, Any], news: dict[str, Any]) -> None:
    _retain(aws, id_, news)


def _delete_log(aws: Connection, id_: str, _outputs: dict[str, Any]) -> None:
    with gone("ResourceNotFoundException"):
        aws.client("logs").delete_log_group(logGroupName=id_)


def _tag_log(aws: Connection, id_: str, old: dict[str, str], new: dict[str, str]) -> None:
    logs, arn = aws.client("logs"), f"arn:aws:logs:{aws.region}:{ACCOUNT}:log-group:{id_}"
    if removed := sorted(set(old) - set(new)):
        logs.untag_resource(resourceArn=arn, tagKeys=removed)
    if new:
        logs.tag_resource(resourceArn=arn, tags=new)


ROLES = {
    "aws:iam/role:Role": AwsType(
        title="IAM Role",
        inputs=frozenset({"name", "assumeRolePolicy"}),
        replaces=frozenset({"name"}),
        computed=frozenset({"arn", "uniqueId"}),
        create=_create_role,
        read=_read_role,
        update=_update_role,
        delete=_delete_role,
        name="name",
        tag=_tag_role,
    ),
    "aws:iam/rolePolicy:RolePolicy": AwsType(
        title="IAM Role Policy",
        inputs=frozenset({"name", "role", "policy"}),
        replaces=frozenset({"name", "role"}),
        computed=frozenset(),
        create=_create_policy,
        read=_read_policy,
        update=_update_policy,
        delete=_delete_policy,
        name="name",
    ),
    "aws:cloudwatch/logGroup:LogGroup": AwsType(
        title="CloudWatch Logs Log Group",
        inputs=frozenset({"name", "retentionInDays"}),
        replaces=frozenset({"name"}),
        computed=frozenset({"arn"}),
        create=_create_log,
        read=_read_log,
        update=_update_log,
        delete=_delete_log,
        name="name",
        tag=_tag_log,
    ),
}
