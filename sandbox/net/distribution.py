"""Read a CloudFront distribution and decide what it does with a request. Pure."""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Policies = Callable[[str], Mapping[str, Any]]

#: Managed origin request policies that pass on everything of the viewer; the first one with its Host header too.
ALL_VIEWER = "216adef6-5c7f-47e4-b989-5492eafa07d3"
ALL_VIEWER_EXCEPT_HOST = "b689b0a8-53d0-40ab-baf2-68738e2966ac"
#: What CloudFront compresses: these types, within these sizes ("File types that CloudFront compresses").
COMPRESSED = frozenset(
    {
        *("application/dash+xml", "application/eot", "application/font", "application/font-sfnt"),
        *("application/javascript", "application/json", "application/opentype", "application/otf", "application/pdf"),
        *("application/pkcs7-mime", "application/protobuf", "application/rss+xml", "application/truetype"),
        *("application/ttf", "application/vnd.apple.mpegurl", "application/vnd.mapbox-vector-tile"),
        *("application/vnd.ms-fontobject", "application/wasm", "application/xhtml+xml", "application/xml"),
        *("application/x-font-opentype", "application/x-font-truetype", "application/x-font-ttf"),
        *("application/x-httpd-cgi", "application/x-javascript", "application/x-mpegurl", "application/x-opentype"),
        *("application/x-otf", "application/x-perl", "application/x-ttf", "font/eot", "font/opentype", "font/otf"),
        *("font/ttf", "image/svg+xml", "text/css", "text/csv", "text/html", "text/javascript", "text/js", "text/plain"),
        *("text/richtext", "text/tab-separated-values", "text/xml", "text/x-component", "text/x-java-source"),
        *("text/x-script", "vnd.apple.mpegurl"),
    }
)
COMPRESSED_BYTES = range(1_000, 10_000_001)
#: Seconds for which an error is kept when the distribution sets no other time.
ERROR_TTL = 10


@dataclass(frozen=True)
class Origin:
    """Where content comes from: a bucket, or (`protocol` is set) a server of one's own."""

    domain: str
    path: str = ""
    access_control: str = ""
    protocol: Literal["", "http-only", "https-only", "match-viewer"] = ""
    http_port: int = 80
    https_port: int = 443
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def bucket(self) -> str:
        """The bucket behind an S3 origin's domain name."""
        return re.split(r"\.s3[.-]", self.domain, maxsplit=1)[0]


@dataclass(frozen=True)
class Behaviour:
    """A cache behaviour: what happens to the paths that its pattern covers. TTLs in seconds."""

    pattern: str
    origin: str
    viewer: Literal["allow-all", "redirect-to-https", "https-only"]
    methods: frozenset[str]
    compress: bool
    ttls: tuple[int, int, int]
    forwards_host: bool
    forwards_all: bool
    headers_policy: str
    functions: Mapping[str, str]
    #: Content codings that the cache policy enables, the preferred one first.
    codings: tuple[str, ...] = ("br", "gzip")

    def covers(self, path: str) -> bool:
        """Return whether the pattern covers a path; patterns are case-sensitive, a leading slash may be missing."""
        pattern = self.pattern if self.pattern.startswith(("/", "*")) else f"/{self.pattern}"
        return fnmatch.fnmatchcase(path, pattern.replace("[", "[[]"))


@dataclass(frozen=True)
class ErrorPage:
    """A custom error response: the page, the status it is sent with, and for how long it is kept (seconds)."""

    page: str
    status: int
    ttl: int


@dataclass(frozen=True)
class Distribution:
    """A distribution as its edge sees it; the default behaviour stands last."""

    id: str
    arn: str
    domain: str
    aliases: tuple[str, ...]
    enabled: bool
    deployed: bool
    root: str
    certificate: str
    origins: Mapping[str, Origin]
    behaviours: tuple[Behaviour, ...]
    errors: Mapping[int, ErrorPage]

    def behaviour(self, path: str) -> Behaviour:
        """Return the first behaviour that covers a path; the default one covers all."""
        return next(one for one in self.behaviours if one.covers(path))


def read(shape: Mapping[str, Any], policies: Policies) -> Distribution:
    """Return a distribution of the API; `policies` gives the configuration of a cache policy by id."""
    config = shape["DistributionConfig"]
    behaviours = [*_items(config.get("CacheBehaviors")), {**config["DefaultCacheBehavior"], "PathPattern": "*"}]
    viewer = config.get("ViewerCertificate") or {}
    return Distribution(
        id=shape["Id"],
        arn=shape["ARN"],
        domain=shape["DomainName"].lower(),
        aliases=tuple(name.lower() for name in _items(config.get("Aliases"))),
        enabled=bool(config["Enabled"]),
        deployed=shape["Status"] == "Deployed",
        root=config.get("DefaultRootObject") or "",
        certificate=viewer.get("ACMCertificateArn") or "",
        origins={one["Id"]: _origin(one) for one in _items(config["Origins"])},
        behaviours=tuple(_behaviour(one, policies) for one in behaviours),
        errors={int(one["ErrorCode"]): _error(one) for one in _items(config.get("CustomErrorResponses"))},
    )


def named(shape: Mapping[str, Any], kind: str) -> set[str]:
    """Return the ids of policies of a kind (`CachePolicyId`) that a distribution of the API names."""
    config = shape["DistributionConfig"]
    return {
        one[kind] for one in (config["DefaultCacheBehavior"], *_items(config.get("CacheBehaviors"))) if one.get(kind)
    }


def _items(listed: Mapping[str, Any] | None) -> list[Any]:
    return list((listed or {}).get("Items") or ())


def _origin(one: Mapping[str, Any]) -> Origin:
    custom = one.get("CustomOriginConfig") or {}
    return Origin(
        domain=one["DomainName"].lower(),
        path=(one.get("OriginPath") or "").rstrip("/"),
        access_control=one.get("OriginAccessControlId") or "",
        protocol=custom.get("OriginProtocolPolicy") or "",
        http_port=custom.get("HTTPPort") or 80,
        https_port=custom.get("HTTPSPort") or 443,
        headers=tuple((pair["HeaderName"], pair["HeaderValue"]) for pair in _items(one.get("CustomHeaders"))),
    )


def _behaviour(one: Mapping[str, Any], policies: Policies) -> Behaviour:
    forwarded = one.get("ForwardedValues") or {}
    names = {name.lower() for name in _items(forwarded.get("Headers"))}
    request_policy = one.get("OriginRequestPolicyId") or ""
    return Behaviour(
        pattern=one["PathPattern"],
        origin=one["TargetOriginId"],
        viewer=one["ViewerProtocolPolicy"],
        methods=frozenset(_items(one.get("AllowedMethods")) or ("GET", "HEAD")),
        compress=bool(one.get("Compress")),
        ttls=_ttls(one, policies),
        forwards_host=request_policy == ALL_VIEWER or bool(names & {"host", "*"}),
        forwards_all=request_policy in (ALL_VIEWER, ALL_VIEWER_EXCEPT_HOST) or "*" in names,
        headers_policy=one.get("ResponseHeadersPolicyId") or "",
        functions={pair["EventType"]: pair["FunctionARN"] for pair in _items(one.get("FunctionAssociations"))},
        codings=_codings(one, policies),
    )


def _ttls(one: Mapping[str, Any], policies: Policies) -> tuple[int, int, int]:
    policy = one.get("CachePolicyId")
    source = policies(policy) if policy else one
    return int(source.get("MinTTL") or 0), int(source.get("DefaultTTL") or 0), int(source.get("MaxTTL") or 0)


def _codings(one: Mapping[str, Any], policies: Policies) -> tuple[str, ...]:
    """Legacy settings (no cache policy) compress with gzip alone."""
    if not (policy := one.get("CachePolicyId")):
        return ("gzip",)
    key = policies(policy).get("ParametersInCacheKeyAndForwardedToOrigin") or {}
    enabled = {"br": key.get("EnableAcceptEncodingBrotli"), "gzip": key.get("EnableAcceptEncodingGzip")}
    return tuple(coding for coding, on in enabled.items() if on)


def _error(one: Mapping[str, Any]) -> ErrorPage:
    ttl = one.get("ErrorCachingMinTTL")
    return ErrorPage(
        page=one.get("ResponsePagePath") or "",
        status=int(one.get("ResponseCode") or one["ErrorCode"]),
        ttl=ERROR_TTL if ttl is None else int(ttl),
    )


def lifetime(ttls: tuple[int, int, int], cache_control: str) -> int:
    """Return seconds for which CloudFront keeps a response, from the policy's TTLs and the origin's Cache-Control."""
    least, default, most = ttls
    directives = {
        key.strip().lower(): value.strip()
        for key, _, value in (part.partition("=") for part in cache_control.split(","))
    }
    if directives.keys() & {"no-cache", "no-store", "private"}:
        return least
    age = directives.get("s-maxage") or directives.get("max-age") or ""
    return max(least, min(int(age), most)) if age.isdigit() else max(least, min(default, most))


def compression(behaviour: Behaviour, accept: str, headers: Iterable[tuple[str, str]], size: int) -> str:
    """Return how the edge compresses a body of 200 for a viewer: `br`, `gzip`, or not at all.

    "If the viewer supports both formats, CloudFront prefers Brotli"; the cache policy enables each.
    """
    known = dict(headers)
    kind = known.get("content-type", "").partition(";")[0].strip().lower()
    if not behaviour.compress or "content-encoding" in known or size not in COMPRESSED_BYTES or kind not in COMPRESSED:
        return ""
    accepted = {
        coding.strip().lower()
        for coding, _, weight in (part.partition(";") for part in accept.split(","))
        if not re.fullmatch(r"\s*q=0(\.0*)?\s*", weight)
    }
    return next((coding for coding in behaviour.codings if coding in accepted), "")


def invalidates(pattern: str, path: str) -> bool:
    """Return whether an invalidation path covers a path; only a last `*` is a wildcard."""
    return path.startswith(pattern[:-1]) if pattern.endswith("*") else path == pattern
