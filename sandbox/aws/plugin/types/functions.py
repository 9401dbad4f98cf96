"""CloudFront functions: code with a version in development and, once published, a live one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from components.provider.server import UNKNOWN, Failure
from sandbox.aws.plugin.connection import ACCOUNT, Connection, code, gone
from sandbox.aws.plugin.resource import AwsType, Found

from . import cloudfront_shapes as shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from components.provider.server import Context

_RUNTIMES = ("cloudfront-js-1.0", "cloudfront-js-2.0")
#: The service's form of a function's name (CreateFunction, `Name`).
_NAME = r"[a-zA-Z0-9-_]{1,64}"
#: The service's limit on a function's size, in bytes.
_SIZE = 10 * 1024


def _cloudfront(aws: Connection) -> Any:
    return aws.client("cloudfront", "us-east-1")


def _faults(news: dict[str, Any]) -> Iterator[Failure]:
    if news["runtime"] not in (*_RUNTIMES, UNKNOWN):
        yield Failure("runtime", f"expected runtime to be one of {', '.join(_RUNTIMES)}, got {news['runtime']}")
    if not re.fullmatch(_NAME, news["name"]):
        yield Failure("name", f"a function's name has 1 to 64 letters, digits, hyphens and underscores: {news['name']}")
    if isinstance(news["code"], str) and len(news["code"].encode()) > _SIZE:
        yield Failure("code", f"a function has at most {_SIZE} bytes, not {len(news['code'].encode())}")


def _create(aws: Connection, news: dict[str, Any], _ctx: Context) -> str:
    config = shapes.FUNCTION.to_api(news)
    answer = _cloudfront(aws).create_function(
        Name=news["name"], FunctionConfig=config, FunctionCode=news["code"].encode()
    )
    if news.get("publish", True):
        _cloudfront(aws).publish_function(Name=news["name"], IfMatch=answer["ETag"])
    return str(news["name"])


def _describe(aws: Connection, name: str, stage: str) -> Any:
    try:
        return _cloudfront(aws).describe_function(Name=name, Stage=stage)
    except ClientError as error:
        if code(error) == "NoSuchFunctionExists":
            return None
        raise


def _read(aws: Connection, id_: str, known: dict[str, Any]) -> Found | None:
    answer = _describe(aws, id_, "DEVELOPMENT")
    if answer is None:
        return None
    live = _describe(aws, id_, "LIVE")
    source = _cloudfront(aws).get_function(Name=id_, Stage="DEVELOPMENT")["FunctionCode"].read().decode()
    inputs = shapes.FUNCTION.from_api(answer["FunctionSummary"]["FunctionConfig"])
    inputs |= {"name": id_, "code": source, "publish": known.get("publish")}
    computed = {
        "arn": f"arn:aws:cloudfront::{ACCOUNT}:function/{id_}",
        "etag": answer["ETag"],
        "liveStageEtag": live["ETag"] if live else "",
        "status": answer["FunctionSummary"]["Status"],
    }
    tags = _cloudfront(aws).list_tags_for_resource(Resource=computed["arn"])["Tags"].get("Items") or []
    return Found(inputs, computed, {tag["Key"]: tag.get("Value", "") for tag in tags})


def _update(aws: Connection, id_: str, _old: dict[str, Any], news: dict[str, Any]) -> None:
    cloudfront, etag = _cloudfront(aws), _describe(aws, id_, "DEVELOPMENT")["ETag"]
    config, source = shapes.FUNCTION.to_api(news), news["code"].encode()
    cloudfront.update_function(Name=id_, IfMatch=etag, FunctionConfig=config, FunctionCode=source)
    if news.get("publish", True):
        cloudfront.publish_function(Name=id_, IfMatch=_describe(aws, id_, "DEVELOPMENT")["ETag"])


def _delete(aws: Connection, id_: str, _outputs: dict[str, Any]) -> None:
    answer = _describe(aws, id_, "DEVELOPMENT")
    if answer:
        with gone("NoSuchFunctionExists"):
            _cloudfront(aws).delete_function(Name=id_, IfMatch=answer["ETag"])


def tag(aws: Connection, arn: str, old: dict[str, str], new: dict[str, str]) -> None:
    """Change the tags of any CloudFront resource from old to new."""
    removed = sorted(set(old) - set(new))
    if removed:
        _cloudfront(aws).untag_resource(Resource=arn, TagKeys={"Items": removed})
    if new:
        tags = [{"Key": key, "Value": value} for key, value in sorted(new.items())]
        _cloudfront(aws).tag_resource(Resource=arn, Tags={"Items": tags})


def _tag(aws: Connection, id_: str, old: dict[str, str], new: dict[str, str]) -> None:
    tag(aws, f"arn:aws:cloudfront::{ACCOUNT}:function/{id_}", old, new)


FUNCTION = AwsType(
    title="CloudFront Function",
    inputs=frozenset({"name", "code", "comment", "publish", "runtime"}),
    replaces=frozenset({"name"}),
    computed=frozenset({"arn", "etag", "liveStageEtag", "status"}),
    create=_create,
    read=_read,
    update=_update,
    delete=_delete,
    name="name",
    faults=_faults,
    tag=_tag,
)
