"""CloudFront: distributions, and the documents that distributions refer to."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from components.errors import UnmoorError
from components.provider.server import Failure
from sandbox.aws.plugin.connection import ACCOUNT, Connection, code, gone
from sandbox.aws.plugin.resource import AwsType, Found
from sandbox.aws.record_rules import CLOUDFRONT_ZONE

from . import cloudfront_shapes as shapes
from .functions import FUNCTION, tag

if TYPE_CHECKING:
    from collections.abc import Iterator

    from components.provider.server import Context
    from sandbox.aws.plugin.lens import Lens

_POLL_S = 0.1
_DEPLOY_S = 60.0


def _cloudfront(aws: Connection) -> Any:
    return aws.client("cloudfront", "us-east-1")


# -- documents with a name


@dataclass(frozen=True)
class _Document:
    """One collection: the operations' own word, its shape, and the error code for a missing one."""

    word: str
    element: str
    path: str
    title: str
    lens: Lens
    inputs: frozenset[str]


def _document_row(of: _Document) -> AwsType:
    config, missing = f"{of.element}Config", f"NoSuch{of.element}"

    def create(aws: Connection, news: dict[str, Any], _ctx: Context) -> str:
        answer = getattr(_cloudfront(aws), f"create_{of.word}")(**{config: of.lens.to_api(news)})
        return str(answer[of.element]["Id"])

    def get(aws: Connection, id_: str) -> Any:
        try:
            return getattr(_cloudfront(aws), f"get_{of.word}")(Id=id_)
        except ClientError as error:
            if code(error) == missing:
                return None
            raise

    def read(aws: Connection, id_: str, _known: dict[str, Any]) -> Found | None:
        answer = get(aws, id_)
        if answer is None:
            return None
        computed = {"arn": f"arn:aws:cloudfront::{ACCOUNT}:{of.path}/{id_}", "etag": answer["ETag"]}
        return Found(of.lens.from_api(answer[of.element][config]), computed)

    def update(aws: Connection, id_: str, _old: dict[str, Any], news: dict[str, Any]) -> None:
        arguments = {config: of.lens.to_api(news), "Id": id_, "IfMatch": get(aws, id_)["ETag"]}
        getattr(_cloudfront(aws), f"update_{of.word}")(**arguments)

    def delete(aws: Connection, id_: str, _outputs: dict[str, Any]) -> None:
        answer = get(aws, id_)
        if answer:
            with gone(missing):
                getattr(_cloudfront(aws), f"delete_{of.word}")(Id=id_, IfMatch=answer["ETag"])

    return AwsType(
        title=of.title,
        inputs=of.inputs | {"name"},
        replaces=frozenset({"name"} if of.word == "response_headers_policy" else ()),
        computed=frozenset({"arn", "etag"}),
        create=create,
        read=read,
        update=update,
        delete=delete,
        name="name",
        defaults={"description": "Managed by Pulumi"},
    )


_DOCUMENTS = {
    "aws:cloudfront/originAccessControl:OriginAccessControl": _Document(
        word="origin_access_control",
        element="OriginAccessControl",
        path="origin-access-control",
        title="CloudFront Origin Access Control",
        lens=shapes.ORIGIN_ACCESS_CONTROL,
        inputs=frozenset({"description", "originAccessControlOriginType", "signingBehavior", "signingProtocol"}),
    ),
    "aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy": _Document(
        word="response_headers_policy",
        element="ResponseHeadersPolicy",
        path="response-headers-policy",
        title="CloudFront Response Headers Policy",
        lens=shapes.RESPONSE_HEADERS_POLICY,
        inputs=frozenset(
            {
                *("comment", "corsConfig", "customHeadersConfig", "removeHeadersConfig"),
                *("securityHeadersConfig", "serverTimingHeadersConfig"),
            }
        ),
    ),
}


# -- distributions

_OURS = ("retainOnDelete", "waitForDeployment")


def _faults(news: dict[str, Any]) -> Iterator[Failure]:
    certificate = news["viewerCertificate"]
    if isinstance(certificate, dict):
        kinds = [name for name in ("acmCertificateArn", "iamCertificateId") if name in certificate]
        if not kinds and "cloudfrontDefaultCertificate" not in certificate:
            yield Failure("viewerCertificate", "choose acmCertificateArn or cloudfrontDefaultCertificate")
        if kinds and "sslSupportMethod" not in certificate:
            yield Failure("viewerCertificate.sslSupportMethod", f"is required with {kinds[0]}; choose sni-only")


def _create(aws: Connection, news: dict[str, Any], _ctx: Context) -> str:
    config = shapes.DISTRIBUTION.to_api(news) | {"CallerReference": f"terraform-{secrets.token_hex(12)}"}
    answer = _cloudfront(aws).create_distribution(DistributionConfig=config)
    id_ = str(answer["Distribution"]["Id"])
    if news.get("waitForDeployment", True):
        _deployed(aws, id_)
    return id_


def _deployed(aws: Connection, id_: str) -> None:
    end = time.monotonic() + _DEPLOY_S
    while _cloudfront(aws).get_distribution(Id=id_)["Distribution"]["Status"] != "Deployed":
        if time.monotonic() > end:
            raise UnmoorError(f"waiting for CloudFront Distribution ({id_}) to deploy: not in {_DEPLOY_S:g} seconds")
        time.sleep(_POLL_S)


def _get(aws: Connection, id_: str) -> Any:
    try:
        return _cloudfront(aws).get_distribution(Id=id_)
    except ClientError as error:
        if code(error) == "NoSuchDistribution":
            return None
        raise


def _read(aws: Connection, id_: str, known: dict[str, Any]) -> Found | None:
    answer = _get(aws, id_)
    if answer is None:
        return None
    distribution = answer["Distribution"]
    inputs = shapes.DISTRIBUTION.from_api(distribution["DistributionConfig"])
    inputs |= {name: known[name] for name in _OURS if name in known}
    off = [{"enabled": False, "items": []}]
    computed = {
        "arn": distribution["ARN"],
        "callerReference": distribution["DistributionConfig"]["CallerReference"],
        "domainName": distribution["DomainName"],
        "etag": answer["ETag"],
        "hostedZoneId": CLOUDFRONT_ZONE,
        "inProgressValidationBatches": distribution["InProgressInvalidationBatches"],
        "lastModifiedTime": str(distribution["LastModifiedTime"]),
        "loggingV1Enabled": False,
        "status": distribution["Status"],
        "trustedKeyGroups": off,
        "trustedSigners": off,
    }
    tags = _cloudfront(aws).list_tags_for_resource(Resource=distribution["ARN"])["Tags"].get("Items") or []
    return Found(inputs, computed, {tag["Key"]: tag.get("Value", "") for tag in tags})


def _write(aws: Connection, id_: str, config: dict[str, Any]) -> None:
    cloudfront = _cloudfront(aws)
    now = cloudfront.get_distribution_config(Id=id_)
    config = {"CallerReference": now["DistributionConfig"]["CallerReference"], **config}
    cloudfront.update_distribution(Id=id_, IfMatch=now["ETag"], DistributionConfig=config)


def _update(aws: Connection, id_: str, _old: dict[str, Any], news: dict[str, Any]) -> None:
    _write(aws, id_, shapes.DISTRIBUTION.to_api(news))
    if news.get("waitForDeployment", True):
        _deployed(aws, id_)


def _delete(aws: Connection, id_: str, outputs: dict[str, Any]) -> None:
    answer = _get(aws, id_)
    if answer is None:
        return
    config = answer["Distribution"]["DistributionConfig"]
    with gone("NoSuchDistribution"):
        if config["Enabled"]:
            _write(aws, id_, {**config, "Enabled": False})
        if outputs.get("retainOnDelete"):
            return
        _deployed(aws, id_)
        etag = _cloudfront(aws).get_distribution_config(Id=id_)["ETag"]
        _cloudfront(aws).delete_distribution(Id=id_, IfMatch=etag)


def _tag(aws: Connection, id_: str, old: dict[str, str], new: dict[str, str]) -> None:
    tag(aws, f"arn:aws:cloudfront::{ACCOUNT}:distribution/{id_}", old, new)


CLOUDFRONT = {
    "aws:cloudfront/distribution:Distribution": AwsType(
        title="CloudFront Distribution",
        inputs=frozenset(
            {
                *("aliases", "comment", "customErrorResponses", "defaultCacheBehavior", "defaultRootObject", "enabled"),
                *("httpVersion", "isIpv6Enabled", "orderedCacheBehaviors", "origins", "priceClass", "restrictions"),
                *("viewerCertificate", "webAclId", *_OURS),
            }
        ),
        replaces=frozenset(),
        computed=frozenset(
            {
                *("arn", "callerReference", "domainName", "etag", "hostedZoneId", "inProgressValidationBatches"),
                *("lastModifiedTime", "loggingV1Enabled", "status", "trustedKeyGroups", "trustedSigners"),
            }
        ),
        create=_create,
        read=_read,
        update=_update,
        delete=_delete,
        faults=_faults,
        tag=_tag,
        defaults={"httpVersion": "http2", "priceClass": "PriceClass_All"},
    ),
    "aws:cloudfront/function:Function": FUNCTION,
    **{token: _document_row(of) for token, of in _DOCUMENTS.items()},
}
