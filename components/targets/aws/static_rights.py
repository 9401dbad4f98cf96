"""The rights that a bucket behind CloudFront needs, and the check that no other distribution has the site's names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...errors import StepError
from ...needs import Grant, caution, not_ready, ready
from ...text.escape import outside
from . import account
from .container_rights import CERTIFICATE_READS, CERTIFICATE_WRITES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ...needs import Finding

#: The requests of pulumi_aws for the types of a site (terraform-provider-aws, the resources' read functions), and those
#: of publishing.
_BUCKET_READS = (
    "s3:GetAccelerateConfiguration",
    "s3:GetBucket*",
    "s3:GetEncryptionConfiguration",
    "s3:GetLifecycleConfiguration",
    "s3:GetReplicationConfiguration",
    "s3:ListBucket",
    "s3:ListBucketVersions",
    "s3:ListTagsForResource",
)
_BUCKET_WRITES = (
    "s3:CreateBucket",
    "s3:DeleteBucket",
    "s3:DeleteBucketPolicy",
    "s3:PutBucketOwnershipControls",
    "s3:PutBucketPolicy",
    "s3:PutBucketPublicAccessBlock",
    "s3:PutBucketTagging",
    "s3:PutBucketVersioning",
    "s3:PutEncryptionConfiguration",
    "s3:TagResource",
    "s3:UntagResource",
)
#: The writes to an existing bucket, which is neither made, changed nor deleted.
_BUCKET_USES = ("s3:DeleteBucketPolicy", "s3:PutBucketPolicy")
_OBJECT_READS = ("s3:GetObject",)
_OBJECT_WRITES = (
    "s3:AbortMultipartUpload",
    "s3:DeleteObject",
    "s3:DeleteObjectVersion",
    "s3:ListMultipartUploadParts",
    "s3:PutObject",
)
_CLOUDFRONT_READS = (
    "cloudfront:DescribeFunction",
    "cloudfront:GetDistribution",
    "cloudfront:GetDistributionConfig",
    "cloudfront:GetFunction",
    "cloudfront:GetInvalidation",
    "cloudfront:GetOriginAccessControl",
    "cloudfront:GetResponseHeadersPolicy",
    "cloudfront:ListDistributions",
    "cloudfront:ListTagsForResource",
)
_CLOUDFRONT_WRITES = (
    "cloudfront:CreateDistribution",
    "cloudfront:CreateFunction",
    "cloudfront:CreateInvalidation",
    "cloudfront:CreateOriginAccessControl",
    "cloudfront:CreateResponseHeadersPolicy",
    "cloudfront:DeleteDistribution",
    "cloudfront:DeleteFunction",
    "cloudfront:DeleteOriginAccessControl",
    "cloudfront:DeleteResponseHeadersPolicy",
    "cloudfront:PublishFunction",
    "cloudfront:TagResource",
    "cloudfront:UntagResource",
    "cloudfront:UpdateDistribution",
    "cloudfront:UpdateFunction",
    "cloudfront:UpdateOriginAccessControl",
    "cloudfront:UpdateResponseHeadersPolicy",
)


def grants(name: str, bucket: str | None) -> tuple[Grant, ...]:
    """Return the rights for one site. All names begin with the site's.

    `bucket` is an existing one. The name of a new one begins with its resource's, to which Pulumi adds characters. The
    ids of certificates and of CloudFront's resources exist only later.
    """
    place = f"arn:aws:s3:::{bucket or f'{name}-bucket-*'}"
    objects = (f"{place}/*",)
    if bucket:
        changed = Grant("UseBuckets", _BUCKET_USES, (place,), writes=True)
    else:
        changed = Grant("WriteBuckets", _BUCKET_WRITES, (place,), writes=True)
    return (
        Grant("ReadBuckets", _BUCKET_READS, (place,)),
        changed,
        Grant("ReadObjects", _OBJECT_READS, objects),
        Grant("WriteObjects", _OBJECT_WRITES, objects, writes=True),
        Grant("ReadCertificates", CERTIFICATE_READS),
        Grant("WriteCertificates", CERTIFICATE_WRITES, writes=True),
        Grant("ReadCloudFront", _CLOUDFRONT_READS),
        Grant("WriteCloudFront", _CLOUDFRONT_WRITES, writes=True),
    )


def left(sites: Mapping[str, tuple[Sequence[str], str]]) -> dict[str, str]:
    """Return the ids of the distributions that have a site's mark and one of its hosts; `sites` are both, by name.

    Raises StepError if CloudFront does not list them.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        listed = account.distributions()
    except (BotoCoreError, ClientError) as error:
        raise StepError(f"CloudFront does not list its distributions: {outside(error)}") from error
    return {
        name: str(one["Id"])
        for name, (hosts, mark) in sites.items()
        for _, one in _answering(listed, hosts)
        if one.get("Comment") == mark
    }


def _answering(listed: Iterable[Mapping[str, Any]], hosts: Sequence[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each of the hosts to which a distribution answers, and that distribution."""
    for one in listed:
        yield from ((host, one) for host in (one.get("Aliases") or {}).get("Items") or () if host in hosts)


def aliases(hosts: Sequence[str], mark: str) -> Iterator[Finding]:
    """Find other distributions of the account with a site's hosts: CloudFront accepts a name at only one distribution.

    `mark` is the comment of the site's own distribution. Those of other accounts cannot be seen from here.
    """
    listed = account.distributions()
    taken = [(host, one) for host, one in _answering(listed, hosts) if one.get("Comment") != mark]
    for host, one in taken:
        yield not_ready(
            f"distribution {one['Id']} of this account answers to {host}; the update would stop at CNAMEAlreadyExists",
            f"in the minute in which the update starts: {account.released(one['Id'], host)}",
        )
    if not taken:
        yield ready(f"no other distribution of this account answers to {', '.join(sorted(hosts))}")
    if not listed:
        yield caution(
            "the account has no distribution yet; AWS may want to verify a new account before its first one",
            "if the update ends with `Your account must be verified`, open a case with AWS Support, and run it again",
        )
