"""What an update needs of AWS for sites there: rights, aliases that are free, an account that may use CloudFront."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING

from ...needs import Check, Grant, Needs, caution, not_ready, ready
from . import account, mark
from .options import existing_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ...needs import Finding
    from ...topology import Site, Topology

#: What pulumi_aws calls for a site's types (terraform-provider-aws, the resources' read functions), and what publishing
#: calls.
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
#: Rights on an existing bucket: it is neither created, changed nor deleted.
_BUCKET_USES = ("s3:DeleteBucketPolicy", "s3:PutBucketPolicy")
_OBJECT_READS = ("s3:GetObject",)
_OBJECT_WRITES = (
    "s3:AbortMultipartUpload",
    "s3:DeleteObject",
    "s3:DeleteObjectVersion",
    "s3:ListMultipartUploadParts",
    "s3:PutObject",
)
CERTIFICATE_READS = ("acm:DescribeCertificate", "acm:ListTagsForCertificate")
CERTIFICATE_WRITES = ("acm:AddTagsToCertificate", "acm:DeleteCertificate", "acm:RequestCertificate")
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

#: The kind whose sites stand behind a load balancer: they use neither buckets nor CloudFront, and the kind names what
#: they use.
_BALANCED = "service"


def of(topology: Topology) -> Needs:
    """Return checks and rights for the sites that stand at AWS."""
    here = [site for plan in topology.workloads for site in plan.sites if site.target == "aws"]
    marks = {site.name: mark(site.name, plan.label) for plan in topology.workloads for site in plan.sites}
    sites = [site for site in here if site.kind != _BALANCED]
    granted = grants(topology)
    checks = [
        Check("AWS identity", account.identity),
        Check("AWS profile", functools.partial(account.profile, topology.settings, os.environ)),
    ]
    if granted:
        checks.append(Check("rights of sites at AWS", functools.partial(account.rights, granted)))
    if sites:
        checks.append(Check("CloudFront", functools.partial(aliases, sites, marks), late=True))
    return Needs(tuple(checks), granted)


def grants(topology: Topology) -> tuple[Grant, ...]:
    """Return the rights for every site that the placement can ever have at AWS.

    A bucket's name begins with its resource's, which Pulumi lengthens. Ids of certificates and of CloudFront's
    resources are known only later.
    """
    sites = [
        (existing_of(site.options).bucket, plan.named(site))
        for plan in topology.workloads
        for site in plan.everywhere
        if site.target == "aws" and site.kind != _BALANCED
    ]
    if not sites:
        return ()
    made = tuple(f"arn:aws:s3:::{site}-bucket-*" for own, site in sites if not own)
    used = tuple(f"arn:aws:s3:::{own}" for own, _ in sites if own)
    buckets = made + used
    objects = tuple(f"{bucket}/*" for bucket in buckets)
    return (
        Grant("ReadBuckets", _BUCKET_READS, buckets),
        *([Grant("WriteBuckets", _BUCKET_WRITES, made, writes=True)] if made else []),
        *([Grant("UseBuckets", _BUCKET_USES, used, writes=True)] if used else []),
        Grant("ReadObjects", _OBJECT_READS, objects),
        Grant("WriteObjects", _OBJECT_WRITES, objects, writes=True),
        Grant("ReadCertificates", CERTIFICATE_READS),
        Grant("WriteCertificates", CERTIFICATE_WRITES, writes=True),
        Grant("ReadCloudFront", _CLOUDFRONT_READS),
        Grant("WriteCloudFront", _CLOUDFRONT_WRITES, writes=True),
    )


def aliases(sites: list[Site], marks: Mapping[str, str]) -> Iterator[Finding]:
    """Check for distributions of the account that have our hosts as aliases: CloudFront allows a name at one alone.

    `marks` are the comments of our own by site. Those of other accounts cannot be seen from here.
    """
    hosts = {host: site.name for site in sites for host in site.hosts}
    listed = account.distributions()
    taken = [
        (host, one)
        for one in listed
        for host in (one.get("Aliases") or {}).get("Items") or ()
        if host in hosts and one.get("Comment") != marks[hosts[host]]
    ]
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
