"""The policies that AWS manages: names, ids and settings as its developer guide publishes them."""

from __future__ import annotations

from typing import Any

_NONE = {"CookieBehavior": "none"}


def _cache(minimum: int, default: int, maximum: int, *, compressed: bool) -> dict[str, Any]:
    key = {
        "EnableAcceptEncodingGzip": compressed,
        "EnableAcceptEncodingBrotli": compressed,
        "HeadersConfig": {"HeaderBehavior": "none"},
        "CookiesConfig": _NONE,
        "QueryStringsConfig": {"QueryStringBehavior": "none"},
    }
    ttl = {"DefaultTTL": default, "MaxTTL": maximum, "MinTTL": minimum}
    return ttl | {"ParametersInCacheKeyAndForwardedToOrigin": key}


def _request(headers: str, cookies: str, queries: str, *items: str) -> dict[str, Any]:
    listed = {"Headers": {"Quantity": len(items), "Items": {"Name": list(items)}}} if items else {}
    return {
        "HeadersConfig": {"HeaderBehavior": headers} | listed,
        "CookiesConfig": {"CookieBehavior": cookies},
        "QueryStringsConfig": {"QueryStringBehavior": queries},
    }


_CORS = {
    "AccessControlAllowOrigins": {"Quantity": 1, "Items": {"Origin": ["*"]}},
    "AccessControlAllowHeaders": {"Quantity": 1, "Items": {"Header": ["*"]}},
    "AccessControlAllowMethods": {"Quantity": 1, "Items": {"Method": ["GET"]}},
    "AccessControlAllowCredentials": False,
    "OriginOverride": False,
}
_SECURITY = {
    "XSSProtection": {"Override": False, "Protection": True, "ModeBlock": True},
    "FrameOptions": {"Override": False, "FrameOption": "SAMEORIGIN"},
    "ReferrerPolicy": {"Override": False, "ReferrerPolicy": "strict-origin-when-cross-origin"},
    "ContentTypeOptions": {"Override": True},
    "StrictTransportSecurity": {"Override": False, "AccessControlMaxAgeSec": 31536000},
}

#: By collection and name: the id and the settings.
POLICIES: dict[str, dict[str, tuple[str, dict[str, Any]]]] = {
    "cache-policy": {
        "Managed-CachingOptimized": (
            "658327ea-f89d-4fab-a63d-7e88639e58f6",
            _cache(1, 86400, 31536000, compressed=True),
        ),
        "Managed-CachingOptimizedForUncompressedObjects": (
            "b2884449-e4de-46a7-ac36-70bc7f1ddd6d",
            _cache(1, 86400, 31536000, compressed=False),
        ),
        "Managed-CachingDisabled": ("4135ea2d-6df8-44a3-9df3-4b5a84be39ad", _cache(0, 0, 0, compressed=False)),
    },
    "origin-request-policy": {
        "Managed-UserAgentRefererHeaders": (
            "acba4595-bd28-49b8-b9fe-13317c0390fa",
            _request("whitelist", "none", "none", "User-Agent", "Referer"),
        ),
        "Managed-CORS-S3Origin": (
            "88a5eaf4-2fd4-4709-b370-b4c650ea3fcf",
            _request(
                "whitelist",
                "none",
                "none",
                "Origin",
                "Access-Control-Request-Headers",
                "Access-Control-Request-Method",
            ),
        ),
        "Managed-CORS-CustomOrigin": (
            "59781a5b-3903-41f3-afcb-af62929ccde1",
            _request("whitelist", "none", "none", "Origin"),
        ),
        "Managed-AllViewer": ("216adef6-5c7f-47e4-b989-5492eafa07d3", _request("allViewer", "all", "all")),
        "Managed-AllViewerExceptHostHeader": (
            "b689b0a8-53d0-40ab-baf2-68738e2966ac",
            _request("allExcept", "all", "all", "Host"),
        ),
    },
    "response-headers-policy": {
        "Managed-SimpleCORS": ("60669652-455b-4ae9-85a4-c4c02393f86c", {"CorsConfig": _CORS}),
        "Managed-SecurityHeadersPolicy": (
            "67f7725c-6f97-4210-82d7-5512b31e9d03",
            {"SecurityHeadersConfig": _SECURITY},
        ),
        "Managed-CORS-and-SecurityHeadersPolicy": (
            "e61eb60c-9c35-4d20-a928-2b84e02af89c",
            {"CorsConfig": _CORS, "SecurityHeadersConfig": _SECURITY},
        ),
    },
}
