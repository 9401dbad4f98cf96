"""Apply a CloudFront response headers policy to a response's headers, without CORS. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .wire import Headers


@dataclass(frozen=True)
class HeadersPolicy:
    """Headers to set as (name, value, override, only over HTTPS), and names of headers to remove; in lower case."""

    sets: tuple[tuple[str, str, bool, bool], ...] = ()
    removes: frozenset[str] = frozenset()

    def apply(self, headers: Headers, *, secure: bool) -> Headers:
        """Return the headers as the viewer gets them."""
        kept = [pair for pair in headers if pair[0] not in self.removes]
        for name, value, override, https in self.sets:
            there = any(key == name for key, _ in kept)
            if (https and not secure) or (there and not override):
                continue
            kept = [pair for pair in kept if pair[0] != name] + [(name, value)]
        return kept


def read(config: Mapping[str, Any]) -> HeadersPolicy:
    """Return a ResponseHeadersPolicyConfig of the API."""
    custom = (config.get("CustomHeadersConfig") or {}).get("Items") or ()
    removed = (config.get("RemoveHeadersConfig") or {}).get("Items") or ()
    return HeadersPolicy(
        sets=(
            *_security(config.get("SecurityHeadersConfig") or {}),
            *((one["Header"].lower(), one["Value"], bool(one.get("Override")), False) for one in custom),
        ),
        removes=frozenset(one["Header"].lower() for one in removed),
    )


def _security(config: Mapping[str, Any]) -> Iterator[tuple[str, str, bool, bool]]:
    for key, (name, value) in _SECURITY_HEADERS.items():
        if one := config.get(key):
            yield name, value(one), bool(one.get("Override")), key == "StrictTransportSecurity"


def _transport(one: Mapping[str, Any]) -> str:
    subdomains = "; includeSubDomains" if one.get("IncludeSubdomains") else ""
    return f"max-age={one['AccessControlMaxAgeSec']}{subdomains}{'; preload' if one.get('Preload') else ''}"


def _xss(one: Mapping[str, Any]) -> str:
    return ("1; mode=block" if one.get("ModeBlock") else "1") if one.get("Protection") else "0"


_SECURITY_HEADERS = {
    "StrictTransportSecurity": ("strict-transport-security", _transport),
    "ContentTypeOptions": ("x-content-type-options", lambda _: "nosniff"),
    "FrameOptions": ("x-frame-options", lambda one: one["FrameOption"]),
    "XSSProtection": ("x-xss-protection", _xss),
    "ReferrerPolicy": ("referrer-policy", lambda one: one["ReferrerPolicy"]),
    "ContentSecurityPolicy": ("content-security-policy", lambda one: one["ContentSecurityPolicy"]),
}
