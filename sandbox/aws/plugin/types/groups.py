"""Security groups."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from sandbox.aws.plugin.connection import Connection, code, gone
from sandbox.aws.plugin.resource import AwsType, Found

from . import tags

if TYPE_CHECKING:
    from components.provider.server import Context

#: Seconds for which a deletion that AWS refuses as in use is retried; the official plugin retries for minutes.
_BUSY_S, _POLL_S = 20.0, 0.3


def _rules(given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "IpProtocol": one["protocol"],
            **({"FromPort": one["fromPort"], "ToPort": one["toPort"]} if one["protocol"] != "-1" else {}),
            "IpRanges": [{"CidrIp": cidr} for cidr in one.get("cidrBlocks") or ()],
            "UserIdGroupPairs": [{"GroupId": group} for group in one.get("securityGroups") or ()],
        }
        for one in given
    ]


def _shown(permissions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = []
    for one in sorted(permissions, key=lambda each: each.get("FromPort") or 0):
        sources = {
            "cidrBlocks": [each["CidrIp"] for each in one["IpRanges"]],
            "securityGroups": [each["GroupId"] for each in one["UserIdGroupPairs"]],
        }
        ports = {"fromPort": one.get("FromPort") or 0, "toPort": one.get("ToPort") or 0}
        found.append({"protocol": one["IpProtocol"], **ports} | {key: value for key, value in sources.items() if value})
    return found


def _create_group(aws: Connection, news: dict[str, Any], _ctx: Context) -> str:
    ec2: Any = aws.client("ec2")
    made = ec2.create_security_group(
        GroupName=news["name"], Description=news.get("description", "Managed by Pulumi"), VpcId=news["vpcId"]
    )
    _set_rules(aws, made["GroupId"], news)
    return str(made["GroupId"])


def _group(aws: Connection, id_: str) -> Any:
    try:
        return aws.client("ec2").describe_security_groups(GroupIds=[id_])["SecurityGroups"][0]
    except ClientError as error:
        if code(error) == "InvalidGroup.NotFound":
            return None
        raise


def _set_rules(aws: Connection, id_: str, news: dict[str, Any]) -> None:
    ec2, now = aws.client("ec2"), _group(aws, id_)
    for which, key, on, off in (
        ("IpPermissions", "ingress", "authorize_security_group_ingress", "revoke_security_group_ingress"),
        ("IpPermissionsEgress", "egress", "authorize_security_group_egress", "revoke_security_group_egress"),
    ):
        if now[which]:
            getattr(ec2, off)(GroupId=id_, IpPermissions=now[which])
        if wanted := _rules(news.get(key) or []):
            getattr(ec2, on)(GroupId=id_, IpPermissions=wanted)


def _read_group(aws: Connection, id_: str, _known: dict[str, Any]) -> Found | None:
    found = _group(aws, id_)
    if found is None:
        return None
    inputs = {
        "name": found["GroupName"],
        "description": found["Description"],
        "vpcId": found["VpcId"],
        "ingress": _shown(found["IpPermissions"]),
        "egress": _shown(found["IpPermissionsEgress"]),
    }
    computed = {"arn": f"arn:aws:ec2:{aws.region}:{found['OwnerId']}:security-group/{id_}", "ownerId": found["OwnerId"]}
    return Found(inputs, computed, tags.read(found.get("Tags") or ()))


def _update_group(aws: Connection, id_: str, _old: dict[str, Any], news: dict[str, Any]) -> None:
    _set_rules(aws, id_, news)


def _delete_group(aws: Connection, id_: str, _outputs: dict[str, Any]) -> None:
    end = time.monotonic() + _BUSY_S
    while True:
        try:
            with gone("InvalidGroup.NotFound"):
                aws.client("ec2").delete_security_group(GroupId=id_)
        except ClientError as error:
            if code(error) != "DependencyViolation" or time.monotonic() > end:
                raise
            time.sleep(_POLL_S)
        else:
            return


GROUPS = {
    "aws:ec2/securityGroup:SecurityGroup": AwsType(
        title="EC2 Security Group",
        inputs=frozenset({"name", "description", "vpcId", "ingress", "egress"}),
        replaces=frozenset({"name", "description", "vpcId"}),
        computed=frozenset({"arn", "ownerId"}),
        create=_create_group,
        read=_read_group,
        update=_update_group,
        delete=_delete_group,
        name="name",
        tag=tags.of_ec2,
    ),
}
