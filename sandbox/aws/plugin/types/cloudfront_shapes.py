"""How CloudFront's documents look on both sides: Pulumi's inputs and the API."""

from __future__ import annotations

from typing import Any

from sandbox.aws.plugin.lens import Lens, counted, counted_items, field, struct

_CORS = struct(
    *("accessControlAllowCredentials", "accessControlMaxAgeSec", "originOverride"),
    *(field(f"accessControl{what}", counted_items()) for what in ("AllowHeaders", "AllowMethods", "AllowOrigins")),
    field("accessControlExposeHeaders", counted_items()),
)
_SECURITY = struct(
    field("contentSecurityPolicy", struct("contentSecurityPolicy", "override")),
    field("contentTypeOptions", struct("override")),
    field("frameOptions", struct("frameOption", "override")),
    field("referrerPolicy", struct("override", "referrerPolicy")),
    field(
        "strictTransportSecurity",
        struct("accessControlMaxAgeSec", "includeSubdomains", "override", "preload"),
    ),
    field("xssProtection", struct("modeBlock", "override", "protection", "reportUri"), api="XSSProtection"),
)
RESPONSE_HEADERS_POLICY = struct(
    "name",
    field("comment", default=""),
    field("corsConfig", _CORS),
    field("customHeadersConfig", counted_items(struct("header", "override", "value"))),
    field("removeHeadersConfig", counted_items(struct("header"))),
    field("securityHeadersConfig", _SECURITY),
    field("serverTimingHeadersConfig", struct("enabled", "samplingRate")),
)
ORIGIN_ACCESS_CONTROL = struct(
    "name",
    field("description", default="Managed by Pulumi"),
    "originAccessControlOriginType",
    "signingBehavior",
    "signingProtocol",
)
FUNCTION = struct(field("comment", default=""), "runtime")

# -- distributions

_CUSTOM_ORIGIN = struct(
    field("httpPort", api="HTTPPort"),
    field("httpsPort", api="HTTPSPort"),
    "originKeepaliveTimeout",
    "originProtocolPolicy",
    "originReadTimeout",
    field("originSslProtocols", counted()),
)
_ORIGIN_FIELDS = struct(
    field("originId", api="Id"),
    "domainName",
    "connectionAttempts",
    "connectionTimeout",
    "originAccessControlId",
    field("originPath", default=""),
    field("customHeaders", counted(struct(field("name", api="HeaderName"), field("value", api="HeaderValue")))),
    field("customOriginConfig", _CUSTOM_ORIGIN),
    field("s3OriginConfig", struct("originAccessIdentity"), api="S3OriginConfig"),
)


def _origin_to_api(value: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = _ORIGIN_FIELDS.to_api(value)
    return made if "CustomOriginConfig" in made else {"S3OriginConfig": {"OriginAccessIdentity": ""}} | made


_ORIGIN = Lens(_origin_to_api, _ORIGIN_FIELDS.from_api)
_FORWARDED = struct(
    "queryString",
    field("cookies", struct("forward", field("whitelistedNames", counted()))),
    field("headers", counted()),
    field("queryStringCacheKeys", counted()),
)
_BEHAVIOR_FIELDS = struct(
    *("cachePolicyId", "compress", "originRequestPolicyId", "responseHeadersPolicyId", "targetOriginId"),
    *("pathPattern", "viewerProtocolPolicy"),
    field("minTtl", api="MinTTL"),
    field("defaultTtl", api="DefaultTTL"),
    field("maxTtl", api="MaxTTL"),
    field("forwardedValues", _FORWARDED),
    field("functionAssociations", counted(struct("eventType", field("functionArn", api="FunctionARN")))),
)


def _behavior_to_api(value: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = _BEHAVIOR_FIELDS.to_api(value)
    methods = counted().to_api(value["allowedMethods"]) | {"CachedMethods": counted().to_api(value["cachedMethods"])}
    return made | {"AllowedMethods": methods}


def _behavior_from_api(value: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = _BEHAVIOR_FIELDS.from_api(value)
    methods = value.get("AllowedMethods") or {}
    cached = methods.get("CachedMethods") or {}
    return made | {"allowedMethods": methods.get("Items") or [], "cachedMethods": cached.get("Items") or []}


_BEHAVIOR = Lens(_behavior_to_api, _behavior_from_api)
_ERROR = struct("errorCode", "responsePagePath", field("errorCachingMinTtl", api="ErrorCachingMinTTL"))


def _error_to_api(value: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = _ERROR.to_api(value)
    return made | ({"ResponseCode": str(value["responseCode"])} if value.get("responseCode") else {})


def _error_from_api(value: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = _ERROR.from_api(value)
    return made | ({"responseCode": int(value["ResponseCode"])} if value.get("ResponseCode") else {})


_GEO = struct("restrictionType")


def _restrictions_to_api(value: dict[str, Any]) -> dict[str, Any]:
    geo = value["geoRestriction"]
    return {"GeoRestriction": _GEO.to_api(geo) | counted().to_api(geo.get("locations") or [])}


def _restrictions_from_api(value: dict[str, Any]) -> dict[str, Any]:
    geo = value["GeoRestriction"]
    return {"geoRestriction": _GEO.from_api(geo) | {"locations": geo.get("Items") or []}}


_CERTIFICATE = struct(
    "minimumProtocolVersion",
    field("acmCertificateArn", api="ACMCertificateArn"),
    field("cloudfrontDefaultCertificate", api="CloudFrontDefaultCertificate"),
    field("iamCertificateId", api="IAMCertificateId"),
    field("sslSupportMethod", api="SSLSupportMethod"),
)
DISTRIBUTION = struct(
    "enabled",
    "defaultRootObject",
    "httpVersion",
    "priceClass",
    field("comment", default=""),
    field("isIpv6Enabled", api="IsIPV6Enabled", default=False),
    field("webAclId", api="WebACLId"),
    field("aliases", counted()),
    field("origins", counted(_ORIGIN)),
    field("defaultCacheBehavior", _BEHAVIOR),
    field("orderedCacheBehaviors", counted(_BEHAVIOR), api="CacheBehaviors"),
    field("customErrorResponses", counted(Lens(_error_to_api, _error_from_api))),
    field("restrictions", Lens(_restrictions_to_api, _restrictions_from_api)),
    field("viewerCertificate", _CERTIFICATE),
)
