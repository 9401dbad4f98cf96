"""Buckets, and the aspects of a bucket that are resources of their own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from components.errors import UnmoorError
from sandbox.aws.plugin.connection import Connection, code, gone
from sandbox.aws.plugin.lens import PLAIN, Lens, field, struct
from sandbox.aws.plugin.resource import AwsType, Found, nothing

if TYPE_CHECKING:
    from components.provider.server import Context

#: The hosted zones of S3's endpoints (AWS general reference, "Amazon S3 endpoints").
_ZONES = {"us-east-1": "Z3AQBSTGFJSTF", "us-east-2": "Z2O1EMRO9K5GLX", "us-west-2": "Z3BJ6K6RIION7M"}


def _s3(aws: Connection, of: dict[str, Any]) -> Any:
    return aws.client("s3", of.get("region", ""))


def _create(aws: Connection, news: dict[str, Any], _ctx: Context) -> str:
    bucket, region = news["bucket"], news.get("region", aws.region)
    if _exists(aws, news):
        raise UnmoorError(f"creating S3 Bucket ({bucket}): BucketAlreadyExists: the bucket exists; choose another name")
    where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    _s3(aws, news).create_bucket(Bucket=bucket, **where)
    return str(bucket)


def _exists(aws: Connection, of: dict[str, Any]) -> bool:
    try:
        _s3(aws, of).head_bucket(Bucket=of["bucket"])
    except ClientError as error:
        if code(error) in ("404", "NoSuchBucket"):
            return False
        raise
    return True


def _read(aws: Connection, id_: str, known: dict[str, Any]) -> Found | None:
    if not _exists(aws, {**known, "bucket": id_}):
        return None
    region = known.get("region", aws.region)
    computed = {
        "arn": f"arn:aws:s3:::{id_}",
        "bucketDomainName": f"{id_}.s3.amazonaws.com",
        "bucketRegion": region,
        "bucketRegionalDomainName": f"{id_}.s3.{region}.amazonaws.com",
        "hostedZoneId": _ZONES.get(region, ""),
    }
    return Found({"bucket": id_, "forceDestroy": known.get("forceDestroy")}, computed, _tags(aws, id_, known))


def _tags(aws: Connection, id_: str, known: dict[str, Any]) -> dict[str, str]:
    try:
        return {tag["Key"]: tag["Value"] for tag in _s3(aws, known).get_bucket_tagging(Bucket=id_)["TagSet"]}
    except ClientError as error:
        if code(error) == "NoSuchTagSet":
            return {}
        raise


def _tag(aws: Connection, id_: str, _old: dict[str, str], new: dict[str, str]) -> None:
    tags = [{"Key": key, "Value": value} for key, value in sorted(new.items())]
    aws.client("s3").put_bucket_tagging(Bucket=id_, Tagging={"TagSet": tags})


def _delete(aws: Connection, id_: str, outputs: dict[str, Any]) -> None:
    s3 = _s3(aws, outputs)
    with gone("NoSuchBucket", "404"):
        if outputs.get("forceDestroy"):
            _empty(s3, id_)
        elif any(True for _ in _versions(s3, id_)):
            raise UnmoorError(
                f"deleting S3 Bucket ({id_}): BucketNotEmpty: The bucket you tried to delete is not empty. You must"
                " delete all versions in the bucket; or set forceDestroy and run `pulumi up` first"
            )
        s3.delete_bucket(Bucket=id_)


def _versions(s3: Any, bucket: str) -> Any:
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for one in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
            yield {"Key": one["Key"], "VersionId": one["VersionId"]}


def _empty(s3: Any, bucket: str) -> None:
    found = list(_versions(s3, bucket))
    for at in range(0, len(found), 1000):
        s3.delete_objects(Bucket=bucket, Delete={"Objects": found[at : at + 1000], "Quiet": True})


# -- aspects of a bucket


@dataclass(frozen=True)
class _Aspect:
    """One aspect of a bucket: how to put, get and delete it; `codes` mean that it is not set."""

    title: str
    put: str
    argument: str
    get: str
    answer: str
    lens: Lens
    take_back: str
    codes: tuple[str, ...]
    inputs: frozenset[str]


def _put(aspect: _Aspect, aws: Connection, news: dict[str, Any]) -> None:
    value = aspect.lens.to_api(news)
    getattr(_s3(aws, news), aspect.put)(Bucket=news["bucket"], **{aspect.argument: value})


def _aspect_row(aspect: _Aspect) -> AwsType:  # noqa: C901 four short functions round one aspect
    def create(aws: Connection, news: dict[str, Any], _ctx: Context) -> str:
        _put(aspect, aws, news)
        return str(news["bucket"])

    def read(aws: Connection, id_: str, known: dict[str, Any]) -> Found | None:
        try:
            answer = getattr(_s3(aws, known), aspect.get)(Bucket=id_)
        except ClientError as error:
            if code(error) in (*aspect.codes, "NoSuchBucket"):
                return None
            raise
        value = answer if not aspect.answer else answer.get(aspect.answer)
        inputs = aspect.lens.from_api(value or {})
        if not any(value not in ({}, None) for value in inputs.values()):
            return None
        return Found({"bucket": id_, **inputs, "skipDestroy": known.get("skipDestroy")}, {})

    def update(aws: Connection, _id: str, _old: dict[str, Any], news: dict[str, Any]) -> None:
        _put(aspect, aws, news)

    def delete(aws: Connection, id_: str, outputs: dict[str, Any]) -> None:
        if outputs.get("skipDestroy"):
            return
        with gone(*aspect.codes, "NoSuchBucket"):
            if aspect.take_back:
                getattr(_s3(aws, outputs), aspect.take_back)(Bucket=id_)
            elif (outputs.get("versioningConfiguration") or {}).get("status") == "Enabled":
                _put(aspect, aws, {"bucket": id_, "versioningConfiguration": {"status": "Suspended"}})

    return AwsType(
        title=aspect.title,
        inputs=aspect.inputs | {"bucket"},
        replaces=frozenset({"bucket", "region"}),
        computed=frozenset(),
        create=create,
        read=read,
        update=update,
        delete=delete,
    )


def _listed(lens: Lens) -> Lens:
    return Lens(
        lambda items: [lens.to_api(item) for item in items], lambda items: [lens.from_api(one) for one in items]
    )


_BY_DEFAULT = struct(field("sseAlgorithm", api="SSEAlgorithm"), field("kmsMasterKeyId", api="KMSMasterKeyID"))
_RULE = struct(
    field("applyServerSideEncryptionByDefault", _BY_DEFAULT), field("bucketKeyEnabled", default=False, lens=PLAIN)
)
_BLOCKS = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
_TEXT = Lens(
    lambda news: news["policy"] if isinstance(news["policy"], str) else json.dumps(news["policy"]),
    lambda value: {"policy": value} if value else {},
)

_ASPECTS = {
    "aws:s3/bucketVersioning:BucketVersioning": _Aspect(
        title="S3 Bucket Versioning",
        put="put_bucket_versioning",
        argument="VersioningConfiguration",
        get="get_bucket_versioning",
        answer="",
        lens=Lens(
            lambda news: {"Status": news["versioningConfiguration"]["status"]},
            lambda value: {"versioningConfiguration": {"status": value["Status"]}} if value.get("Status") else {},
        ),
        take_back="",
        codes=(),
        inputs=frozenset({"versioningConfiguration"}),
    ),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _Aspect(
        title="S3 Bucket Server-side Encryption Configuration",
        put="put_bucket_encryption",
        argument="ServerSideEncryptionConfiguration",
        get="get_bucket_encryption",
        answer="ServerSideEncryptionConfiguration",
        lens=struct(field("rules", _listed(_RULE), api="Rules")),
        take_back="delete_bucket_encryption",
        codes=("ServerSideEncryptionConfigurationNotFoundError",),
        inputs=frozenset({"rules"}),
    ),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _Aspect(
        title="S3 Bucket Public Access Block",
        put="put_public_access_block",
        argument="PublicAccessBlockConfiguration",
        get="get_public_access_block",
        answer="PublicAccessBlockConfiguration",
        lens=struct(*(field(name, default=False) for name in _BLOCKS)),
        take_back="delete_public_access_block",
        codes=("NoSuchPublicAccessBlockConfiguration",),
        inputs=frozenset({*_BLOCKS, "skipDestroy"}),
    ),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": _Aspect(
        title="S3 Bucket Ownership Controls",
        put="put_bucket_ownership_controls",
        argument="OwnershipControls",
        get="get_bucket_ownership_controls",
        answer="OwnershipControls",
        lens=Lens(
            lambda news: {"Rules": [{"ObjectOwnership": news["rule"]["objectOwnership"]}]},
            lambda value: (
                {"rule": {"objectOwnership": value["Rules"][0]["ObjectOwnership"]}} if value.get("Rules") else {}
            ),
        ),
        take_back="delete_bucket_ownership_controls",
        codes=("OwnershipControlsNotFoundError",),
        inputs=frozenset({"rule"}),
    ),
    "aws:s3/bucketPolicy:BucketPolicy": _Aspect(
        title="S3 Bucket Policy",
        put="put_bucket_policy",
        argument="Policy",
        get="get_bucket_policy",
        answer="Policy",
        lens=_TEXT,
        take_back="delete_bucket_policy",
        codes=("NoSuchBucketPolicy",),
        inputs=frozenset({"policy"}),
    ),
}

S3 = {
    "aws:s3/bucket:Bucket": AwsType(
        title="S3 Bucket",
        inputs=frozenset({"bucket", "forceDestroy"}),
        replaces=frozenset({"bucket", "region"}),
        computed=frozenset({"arn", "bucketDomainName", "bucketRegion", "bucketRegionalDomainName", "hostedZoneId"}),
        create=_create,
        read=_read,
        update=nothing,
        delete=_delete,
        name="bucket",
        tag=_tag,
    ),
    **{token: _aspect_row(aspect) for token, aspect in _ASPECTS.items()},
}
