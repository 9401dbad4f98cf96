"""Secrets of Secrets Manager, without their values: those are written without the plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from sandbox.aws.plugin.connection import Connection, code, gone
from sandbox.aws.plugin.resource import AwsType, Found

from . import tags

if TYPE_CHECKING:
    from components.provider.server import Context

_MISSING = "ResourceNotFoundException"


def _create(aws: Connection, news: dict[str, Any], _ctx: Context) -> str:
    given = {"Name": news["name"], "Description": news.get("description")}
    made = aws.client("secretsmanager").create_secret(**{key: value for key, value in given.items() if value})
    return str(made["ARN"])


def _read(aws: Connection, id_: str, known: dict[str, Any]) -> Found | None:
    try:
        found = aws.client("secretsmanager").describe_secret(SecretId=id_)
    except ClientError as error:
        if code(error) == _MISSING:
            return None
        raise
    if found.get("DeletedDate"):
        return None
    inputs = {"name": found["Name"], "recoveryWindowInDays": known.get("recoveryWindowInDays", 30)}
    if found.get("Description"):
        inputs["description"] = found["Description"]
    return Found(inputs, {"arn": found["ARN"]}, tags.read(found.get("Tags") or ()))


def _update(aws: Connection, id_: str, _old: dict[str, Any], news: dict[str, Any]) -> None:
    aws.client("secretsmanager").update_secret(SecretId=id_, Description=news.get("description", ""))


def _delete(aws: Connection, id_: str, outputs: dict[str, Any]) -> None:
    days = int(outputs.get("recoveryWindowInDays", 30))
    how: dict[str, Any] = {"RecoveryWindowInDays": days} if days else {"ForceDeleteWithoutRecovery": True}
    with gone(_MISSING):
        aws.client("secretsmanager").delete_secret(SecretId=id_, **how)


def _tag(aws: Connection, id_: str, old: dict[str, str], new: dict[str, str]) -> None:
    manager: Any = aws.client("secretsmanager")
    if removed := sorted(set(old) - set(new)):
        manager.untag_resource(SecretId=id_, TagKeys=removed)
    if new:
        manager.tag_resource(SecretId=id_, Tags=tags.capital(new))


SECRETS = {
    "aws:secretsmanager/secret:Secret": AwsType(
        title="Secrets Manager Secret",
        inputs=frozenset({"name", "description", "recoveryWindowInDays"}),
        replaces=frozenset({"name"}),
        computed=frozenset({"arn"}),
        create=_create,
        read=_read,
        update=_update,
        delete=_delete,
        name="name",
        tag=_tag,
        defaults={"recoveryWindowInDays": 30},
    ),
}
