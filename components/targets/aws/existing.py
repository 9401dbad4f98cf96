"""Checks of existing resources: a certificate that covers the site, a bucket that is free. Reads only."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ...needs import not_ready, ready
from ...web.http import HEALTH_PATH
from . import account
from .options import REGION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ...needs import Finding


def certificate(arn: str, hosts: Iterable[str]) -> Iterator[Finding]:
    """Check whether ACM has issued a certificate, whether it renews it, and whether it names every host."""
    from botocore.exceptions import ClientError

    try:
        found: dict[str, Any] = account.client("acm", REGION).describe_certificate(CertificateArn=arn)["Certificate"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        yield not_ready(
            f"{arn} is not in this account", "name a certificate of `aws acm list-certificates` in us-east-1"
        )
        return
    names = found.get("SubjectAlternativeNames") or [found["DomainName"]]
    missing = sorted(host for host in hosts if not _covered(host, names))
    wrong = list(_wrong(found, missing))
    for sentence, mend in wrong:
        yield not_ready(f"certificate {arn.rpartition('/')[2]} {sentence}", mend)
    if not wrong:
        yield ready(f"certificate {arn.rpartition('/')[2]} names every host")


def _wrong(found: dict[str, Any], missing: list[str]) -> Iterator[tuple[str, str]]:
    request = "request one from ACM, and name it, or take `existing.certificate` out: the stack makes its own"
    if found["Type"] != "AMAZON_ISSUED":
        yield (
            "was imported: AWS does not renew it, and the CAA records of this stack let amazon.com alone sign at AWS",
            request,
        )
    elif found["Status"] != "ISSUED":
        yield f"is {found['Status'].lower().replace('_', ' ')}", request
    if missing:
        yield f"does not name {', '.join(missing)}", request


def _covered(host: str, names: Iterable[str]) -> bool:
    """Return whether a certificate names a host; a wildcard matches one label (RFC 6125 §6.4.3)."""
    return any(name.lower() in {host, f"*.{host.partition('.')[2]}"} for name in names)


def bucket(name: str, site_host: str, distributions: Iterable[str], manifest: str) -> Iterator[Finding]:
    """Check that a bucket is in this account, and is empty or holds the site that was published there before.

    `distributions` are the comments of our distributions: a policy that lets one of them read is ours. `manifest` is
    the key of the object that publishing writes first.
    """
    from botocore.exceptions import ClientError

    s3 = account.client("s3")
    try:
        s3.head_bucket(Bucket=name, ExpectedBucketOwner=account.client("sts").get_caller_identity()["Account"])
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in {"404", "NoSuchBucket"}:
            yield not_ready(f"bucket {name} does not exist", f"aws s3 mb s3://{name}, or take `existing.bucket` out")
        else:  # S3's answer is the same in both cases (API reference, HeadBucket)
            yield not_ready(
                f"bucket {name} is another account's, or this identity has no right to list it",
                "name a bucket of this account, or attach `unmoor policy operator`",
            )
        return
    listed = s3.list_objects_v2(Bucket=name, MaxKeys=1).get("Contents") or []
    keys = [item["Key"] for item in listed]
    if keys and not _published(s3, name, manifest):
        yield not_ready(
            f"bucket {name} holds objects that no release of {site_host} put there, such as {keys[0][:80]}, and "
            "publishing removes what a release does not have",
            "empty it, or name another bucket",
        )
    elif not _free(s3, name, set(distributions)):
        yield not_ready(
            f"bucket {name} has a policy of its own, which the site's would replace",
            f"aws s3api delete-bucket-policy --bucket {name}, or name another bucket",
        )
    else:
        yield ready(f"bucket {name} is free for {site_host}")


def _published(s3: Any, name: str, manifest: str) -> bool:
    """Return whether publishing a release in a bucket has begun: it writes the manifest before any file.

    Releases from before there were manifests have their version at /healthz.
    """
    from botocore.exceptions import ClientError

    for key, noted in ((manifest, None), (HEALTH_PATH.removeprefix("/"), "version")):
        try:
            metadata = s3.head_object(Bucket=name, Key=key)["Metadata"]
        except ClientError as error:
            if error.response["Error"]["Code"] not in {"404", "NoSuchKey"}:
                raise
        else:
            if noted is None or metadata.get(noted):
                return True
    return False


def _free(s3: Any, name: str, comments: set[str]) -> bool:
    """Return whether a bucket has no policy, or one that lets a distribution of ours read."""
    from botocore.exceptions import ClientError

    try:
        policy = s3.get_bucket_policy(Bucket=name)["Policy"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchBucketPolicy":
            return True
        raise
    arns = {one["ARN"] for one in account.distributions() if one.get("Comment") in comments}
    sources = {
        each.get("Condition", {}).get("StringEquals", {}).get("AWS:SourceArn", "")
        for each in json.loads(policy)["Statement"]
        if each.get("Effect") == "Allow"
    }
    return bool(sources) and sources <= arns
