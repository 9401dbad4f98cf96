"""A static site on AWS: a private bucket behind CloudFront, with a certificate for its names."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

from ...web import http as front
from . import edge, mark
from .certificate import certificate
from .options import Delivery, Existing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from .certificate import Prove

#: Ids of CloudFront's managed policies, the same in every account (CloudFront developer guide, "managed policies").
CACHING_OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6"
CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
ALL_VIEWER = "216adef6-5c7f-47e4-b989-5492eafa07d3"

#: CloudFront accepts certificates of this region only.
CERTIFICATE_REGION = "us-east-1"

_READ = ["GET", "HEAD"]
#: CloudFront accepts only these sets of methods; with the whole one, the function at the edge answers other methods
#: with 405.
_ALL_METHODS = [*_READ, "OPTIONS", "PUT", "POST", "PATCH", "DELETE"]
#: Events at which a distribution runs functions.
EVENTS = ("viewer-request", "viewer-response")


class StaticSite(pulumi.ComponentResource):
    """A private, versioned, encrypted bucket that only one CloudFront distribution may read.

    `label` is the stack's name in the names of its resources, where several stacks share the account. `existing` are a
    certificate and a bucket that are used as they are, `delivery` how the distribution serves. `hosts` are the names
    the distribution answers to. `prove` publishes the record by which ACM
    verifies that a host is ours: an authority's `prove`. `challenge_peer` is the name of another site that ACME
    challenges are passed on to; absent where no site needs it. `headers` are those of every answer. `functions` is the
    code of the functions at the edge by event, as `edge` makes it, until a release brings its own. `error_page` is the
    path in the bucket of the page for missing addresses. `left` is the id of a distribution that an interrupted update
    made, and that no state may know. `function_names` are the functions by event, for the step that
    publishes a release.
    """

    bucket: pulumi.Output[str]
    distribution_id: pulumi.Output[str]
    domain_name: pulumi.Output[str]
    alias_zone_id: pulumi.Output[str]
    region: pulumi.Output[str]
    function_names: pulumi.Output[dict[str, str]]

    def __init__(
        self,
        name: str,
        *,
        label: str = "",
        existing: Existing | None = None,
        delivery: Delivery | None = None,
        hosts: tuple[str, ...],
        prove: Prove,
        challenge_peer: str,
        headers: Mapping[str, str],
        functions: Mapping[str, str],
        error_page: str,
        left: str = "",
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("unmoor:aws:StaticSite", name, None, opts)
        self._inside, self._left = pulumi.ResourceOptions(parent=self), left
        self._comment = mark(name, label)
        name = f"{name}-{label}" if label else name
        existing, self._delivery = existing or Existing(), delivery or Delivery()
        bucket = self._used(name, existing.bucket) if existing.bucket else self._bucket(name)
        valid: pulumi.Input[str] = existing.certificate or ""
        if not existing.certificate:
            valid = certificate(name, hosts, prove, self._inside, CERTIFICATE_REGION).certificate_arn
        made = {event: self._function(name, event, functions[event]) for event in EVENTS}
        policy = aws.cloudfront.ResponseHeadersPolicy(f"{name}-headers", **_headers(headers), opts=self._inside)
        distribution = self._distribution(
            name, hosts, bucket, valid, challenge_peer, policy, list(made.values()), error_page
        )
        self._only_for(name, bucket, distribution, private=not existing.bucket)
        self.bucket = bucket.bucket
        self.distribution_id = distribution.id
        self.domain_name = distribution.domain_name
        self.alias_zone_id = distribution.hosted_zone_id
        self.region = bucket.region
        self.function_names = pulumi.Output.all(**{event: one.name for event, one in made.items()})
        self.register_outputs({"bucket": self.bucket, "domainName": self.domain_name})

    def _used(self, name: str, bucket: str) -> aws.s3.Bucket:
        """Read an existing bucket. It is no resource of the stack: no update changes it, and no removal deletes it."""
        return aws.s3.Bucket.get(f"{name}-bucket", bucket, opts=self._inside)

    def _bucket(self, name: str) -> aws.s3.Bucket:
        # The bucket is a copy of a bundle that every store holds, so its content may go with the site.
        bucket = aws.s3.Bucket(f"{name}-bucket", force_destroy=True, opts=self._inside)
        aws.s3.BucketVersioning(
            f"{name}-versioning",
            bucket=bucket.bucket,
            versioning_configuration={"status": "Enabled"},
            opts=self._inside,
        )
        aws.s3.BucketServerSideEncryptionConfiguration(
            f"{name}-encryption",
            bucket=bucket.bucket,
            rules=[{"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}],
            opts=self._inside,
        )
        aws.s3.BucketOwnershipControls(
            f"{name}-ownership",
            bucket=bucket.bucket,
            rule={"object_ownership": "BucketOwnerEnforced"},
            opts=self._inside,
        )
        return bucket

    def _only_for(
        self, name: str, bucket: aws.s3.Bucket, distribution: aws.cloudfront.Distribution, *, private: bool
    ) -> None:
        block = (
            aws.s3.BucketPublicAccessBlock(
                f"{name}-private",
                bucket=bucket.bucket,
                block_public_acls=True,
                block_public_policy=True,
                ignore_public_acls=True,
                restrict_public_buckets=True,
                opts=self._inside,
            )
            if private
            else None
        )
        aws.s3.BucketPolicy(
            f"{name}-policy",
            bucket=bucket.bucket,
            policy=pulumi.Output.all(bucket.arn, distribution.arn).apply(lambda arns: _policy(*arns)),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[block] if block else None),
        )

    def _function(self, name: str, event: str, code: str) -> aws.cloudfront.Function:
        # A function's name has at most 64 characters, and Pulumi adds eight.
        return aws.cloudfront.Function(
            f"{name}-{event.removeprefix('viewer-')}",
            runtime=edge.RUNTIME,
            comment=f"{self._comment} {event}",
            code=code,
            publish=True,
            # The rules belong to a release: publishing one writes them together with its files.
            opts=pulumi.ResourceOptions.merge(self._inside, pulumi.ResourceOptions(ignore_changes=["code"])),
        )

    def _distribution(
        self,
        name: str,
        hosts: tuple[str, ...],
        bucket: aws.s3.Bucket,
        valid: pulumi.Input[str],
        challenge_peer: str,
        headers: aws.cloudfront.ResponseHeadersPolicy,
        functions: Sequence[aws.cloudfront.Function],
        error_page: str,
    ) -> aws.cloudfront.Distribution:
        access = aws.cloudfront.OriginAccessControl(
            f"{name}-access",
            origin_access_control_origin_type="s3",
            signing_behavior="always",
            signing_protocol="sigv4",
            opts=self._inside,
        )
        viewer = "redirect-to-https" if front.SCHEME == "https" else "allow-all"
        common = {
            "target_origin_id": "content",
            "viewer_protocol_policy": viewer,
            "allowed_methods": _READ,
            "cached_methods": _READ,
            "compress": True,
            "response_headers_policy_id": headers.id,
        }
        origins: list[Mapping[str, object]] = [
            {
                "origin_id": "content",
                "domain_name": bucket.bucket_regional_domain_name,
                "origin_access_control_id": access.id,
            }
        ]
        # A probe must see what is served now, not a cached answer.
        behaviors = [{**common, "path_pattern": front.HEALTH_PATH, "cache_policy_id": CACHING_DISABLED}]
        if challenge_peer:
            origins.append(
                {
                    "origin_id": "challenge-peer",
                    "domain_name": challenge_peer,
                    "custom_origin_config": {
                        "http_port": 80,
                        "https_port": 443,
                        "origin_protocol_policy": "http-only",
                        "origin_ssl_protocols": ["TLSv1.2"],
                    },
                }
            )
            behaviors.append(
                {
                    "path_pattern": front.CHALLENGE_PATH,
                    "target_origin_id": "challenge-peer",
                    "viewer_protocol_policy": "allow-all",
                    "allowed_methods": _READ,
                    "cached_methods": _READ,
                    "compress": False,
                    "cache_policy_id": CACHING_DISABLED,
                    "origin_request_policy_id": ALL_VIEWER,
                }
            )
        return aws.cloudfront.Distribution(
            f"{name}-distribution",
            enabled=True,
            comment=self._comment,
            aliases=list(hosts),
            default_root_object="index.html",
            http_version="http2and3",
            is_ipv6_enabled=True,
            price_class=self._delivery.price_class.api,
            web_acl_id=self._delivery.web_acl,
            logging_config=_logs(self._delivery.logs, name),
            origins=origins,
            default_cache_behavior={
                **common,
                "allowed_methods": _ALL_METHODS,
                "cache_policy_id": CACHING_OPTIMIZED,
                "function_associations": [
                    {"event_type": event, "function_arn": function.arn}
                    for event, function in zip(EVENTS, functions, strict=True)
                ],
            },
            ordered_cache_behaviors=behaviors,
            # A private bucket answers 403 for a missing key. The right to list would make that 404, and would also let
            # it list.
            custom_error_responses=[
                {
                    "error_code": code,
                    "response_code": 404,
                    "response_page_path": error_page,
                    "error_caching_min_ttl": 10,
                }
                for code in (403, 404)
            ],
            restrictions={"geo_restriction": {"restriction_type": "none"}},
            viewer_certificate={
                "acm_certificate_arn": valid,
                "ssl_support_method": "sni-only",
                "minimum_protocol_version": "TLSv1.2_2021",
            },
            # The engine takes the distribution with this id, unless the state has it already.
            opts=pulumi.ResourceOptions.merge(self._inside, pulumi.ResourceOptions(import_=self._left or None)),
        )


def _logs(bucket: str | None, name: str) -> dict[str, object] | None:
    """Return the destination of standard access logs in CloudFront's form."""
    return {"bucket": f"{bucket}.s3.amazonaws.com", "prefix": f"{name}/"} if bucket else None


#: Security headers that CloudFront has settings of its own for: the name there, and the form of a value.
_SETTINGS: Mapping[str, tuple[str, Callable[[str], dict[str, object]]]] = {
    "X-Content-Type-Options": ("content_type_options", lambda _: {}),
    "X-Frame-Options": ("frame_options", lambda value: {"frame_option": value}),
    "Referrer-Policy": ("referrer_policy", lambda value: {"referrer_policy": value}),
    "Content-Security-Policy": ("content_security_policy", lambda value: {"content_security_policy": value}),
    "Strict-Transport-Security": (
        "strict_transport_security",
        lambda value: {"access_control_max_age_sec": int(value.split("=")[1].split(";")[0])},
    ),
}


def _headers(table: Mapping[str, str]) -> dict[str, object]:
    """Return a site's headers in CloudFront's form; those that an address sets itself are kept."""
    security = {}
    custom = []
    for name, value in table.items():
        if name in _SETTINGS:
            key, setting = _SETTINGS[name]
            security[key] = {**setting(value), "override": False}
        elif not name.startswith("Access-Control-"):  # the function at the edge sets these
            custom.append({"header": name, "value": value, "override": False})
    return {"security_headers_config": security, "custom_headers_config": {"items": custom}}


def _policy(bucket_arn: str, distribution_arn: str) -> str:
    """Return the bucket policy: one distribution may read, over TLS only."""
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "OneDistributionReads",
                    "Effect": "Allow",
                    "Principal": {"Service": "cloudfront.amazonaws.com"},
                    "Action": "s3:GetObject",
                    "Resource": f"{bucket_arn}/*",
                    "Condition": {"StringEquals": {"AWS:SourceArn": distribution_arn}},
                },
                {
                    "Sid": "OnlyOverTls",
                    "Effect": "Deny",
                    "Principal": "*",
                    "Action": "s3:*",
                    "Resource": [bucket_arn, f"{bucket_arn}/*"],
                    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                },
            ],
        },
        sort_keys=True,
    )
