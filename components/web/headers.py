"""How static content is served, the same on every target: content types, cache rules, security headers, /healthz."""

from __future__ import annotations

import hashlib
import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

#: What /healthz is served as.
HEALTH_TYPE = "text/plain; charset=utf-8"
#: The page of a site that stands for every address it does not have.
ERROR_PAGE = "404.html"

#: Content types by suffix. Our own table: the machine's differs from one to the next, and the two sides must agree.
TYPES: Mapping[str, str] = {
    ".html": "text/html; charset=utf-8",
    ".htm": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".webmanifest": "application/manifest+json",
    ".xml": "text/xml; charset=utf-8",
    ".rss": "application/rss+xml",
    ".atom": "application/atom+xml",
    ".txt": "text/plain; charset=utf-8",
    ".md": "text/markdown; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".yaml": "text/plain; charset=utf-8",
    ".yml": "text/plain; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".avif": "image/avif",
    ".ico": "image/x-icon",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".ttf": "font/ttf",
    ".otf": "font/otf",
    ".wasm": "application/wasm",
    ".pdf": "application/pdf",
    ".zip": "application/zip",
    ".gz": "application/gzip",
    ".tar": "application/x-tar",
    ".mp3": "audio/mpeg",
    ".mp4": "video/mp4",
    ".webm": "video/webm",
}
UNKNOWN_TYPE = "application/octet-stream"

#: Pages and /healthz: kept by caches, and asked for again each time.
ALWAYS_FRESH = "no-cache"
#: A file whose name holds the hash of its content never changes.
FOR_EVER = "public, max-age=31536000, immutable"
#: Everything else: minutes, so that a mistake passes.
SHORT = "public, max-age=300"

#: A name with a content hash: eight or more hex digits between a dot or hyphen and a dot, as bundlers write it. It must
#: be none of NOT_HASHED (a date, a word). Plain enough to mean the same in Python and in Caddy (RE2, no look-ahead).
HASHED = r"[.-][0-9a-f]{8,}\.[^/]+$"
NOT_HASHED = (r"[.-][0-9]{8,}\.[^/]+$", r"[.-][a-f]{8,}\.[^/]+$")
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Content-Security-Policy": "frame-ancestors 'self'",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
#: The headers every answer carries, by scheme, on every target; HSTS only where there is TLS to insist on.
SECURITY_HEADERS: Mapping[str, Mapping[str, str]] = {
    "http": _ALWAYS,
    "https": {"Strict-Transport-Security": "max-age=31536000"} | _ALWAYS,
}

#: What is a page whatever its name: these suffixes, and the address of a folder.
PAGES = (".html", ".htm")


@dataclass(frozen=True)
class Headers:
    """What a file is served with."""

    type: str
    cache: str


def headers(path: str) -> Headers:
    """Return the headers of a file by its path in the site, `guide/index.html`; a folder's address ends with `/`."""
    suffix = posixpath.splitext(path)[1].lower()
    if not path or path.endswith("/") or suffix in PAGES:
        return Headers(TYPES[".html"], ALWAYS_FRESH)
    return Headers(TYPES.get(suffix, UNKNOWN_TYPE), FOR_EVER if _is_hashed(path) else SHORT)


def _is_hashed(path: str) -> bool:
    return bool(re.search(HASHED, path)) and not any(re.search(pattern, path) for pattern in NOT_HASHED)


def fingerprint() -> str:
    """Name these rules: it changes when any of them does, and then every file has to be written again."""
    rules = (sorted(TYPES.items()), UNKNOWN_TYPE, ALWAYS_FRESH, FOR_EVER, SHORT, HASHED, NOT_HASHED, PAGES)
    return hashlib.sha256(repr(rules).encode()).hexdigest()[:16]
