"""How static content is served, the same on every target: content types, cache rules, site-wide headers, /healthz."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: The content type of /healthz.
HEALTH_TYPE = "text/plain; charset=utf-8"
#: The site's own page for addresses it does not have, and the one for sites without.
ERROR_PAGE = "404.html"
STOCK_PAGE = (
    b'<!doctype html>\n<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    b"<title>404 Not Found</title>\n<h1>Not found</h1>\n<p>There is no page at this address.</p></html>\n"
)

#: Types that are text, in addition to `text/*`, and are therefore served as UTF-8 (mime-db's `charset`).
_TEXT = ("application/json", "application/manifest+json")
UNKNOWN_TYPE = "application/octet-stream"


_TABLES = json.loads((Path(__file__).parent / "types.json").read_text(encoding="utf-8"))

#: Content types by suffix in lower case. The table is our own, because those of machines differ.
TYPES: Mapping[str, str] = {
    f".{suffix}": f"{kind}; charset=utf-8" if kind.startswith("text/") or kind in _TEXT else kind
    for kind, suffixes in _TABLES["types"].items()
    for suffix in suffixes.split()
}

#: Types that CloudFront compresses ("File types that CloudFront compresses"), and the sizes in bytes for which it does.
COMPRESSED = frozenset(_TABLES["compressed"].split())
COMPRESSED_BYTES = range(1_000, 10_000_001)

#: Pages, /healthz, and every file that may change: caches keep them, and revalidate each time.
ALWAYS_FRESH = "no-cache"
#: A file whose name holds the hash of its content never changes.
FOR_EVER = "public, max-age=31536000, immutable"

_ASSET = (
    r"\.(?:css|js|mjs|map|wasm|woff2?|ttf|otf|eot|svg|png|jpe?g|gif|webp|avif|ico|mp3|mp4|webm|ogg|flac|wav|m4a|opus)"
)
#: VitePress writes each page's script twice, `x.md.HASH.js` and `x.md.HASH.lean.js`.
_LEAN = r"(?:\.lean)?"
#: Names with a hash of the content, as the generators write them; each means the same in Python and in RE2:
#: whole folders of Next.js, Astro, SvelteKit and Nuxt; webpack, Parcel and esbuild's hex digits; and the eight
#: characters of base64url below `assets/` that Vite, VitePress and Rollup write.
HASHED = "|".join(
    (
        r"(?:^|/)(?:_next/static|_astro|_app/immutable)/",
        rf"(?:^|/)_nuxt/[^/]+{_ASSET}$",
        rf"[.-](?:[0-9a-f]{{8}}|[0-9a-f]{{16}}|[0-9a-f]{{20}}|[0-9a-f]{{32}})(?:\.(?:chunk|min|module|bundle))?{_ASSET}$",
        rf"(?:^|/)assets/(?:.*/)?[^/]*[.-][0-9A-Za-z_-]{{8}}{_LEAN}{_ASSET}$",
    )
)
#: Eight characters of base64url without capitals that are not hex: rarely a hash. RE2 has no look-ahead, hence the
#: alternatives.
_LOWER = "|".join(rf"[0-9a-z_-]{{{n}}}[g-z_-][0-9a-z_-]{{{7 - n}}}" for n in range(8))
#: Names that only look like hashes: dates and other numbers, words, cameras' files, service workers, UUIDs.
NOT_HASHED = (
    rf"[.-][0-9]{{8,}}(?:\.(?:chunk|min|module|bundle))?{_ASSET}$",
    rf"[.-][a-f]{{8,}}(?:\.(?:chunk|min|module|bundle))?{_ASSET}$",
    rf"[.-][A-Za-z][a-z_-]{{7}}{_LEAN}{_ASSET}$",
    rf"[.-](?:{_LOWER}){_LEAN}{_ASSET}$",
    rf"[.-][0-9A-Z_-]{{8}}{_LEAN}{_ASSET}$",
    r"(?i)(?:^|/)(?:sw|service-?worker|workbox|firebase-messaging-sw|OneSignalSDK)[^/]*\.m?js$",
    r"(?i)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
)
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Content-Security-Policy": "frame-ancestors 'self'",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
#: The headers of every answer, by scheme, on every target; HSTS only where there is TLS to require.
SECURITY_HEADERS: Mapping[str, Mapping[str, str]] = {
    "http": _ALWAYS,
    "https": {"Strict-Transport-Security": "max-age=31536000"} | _ALWAYS,
}


def site_headers(scheme: str, *, cors: bool, embed: Iterable[str]) -> dict[str, str]:
    """Return the headers that every answer of a site carries.

    `cors` lets pages of any origin read it. `embed` is who may show it in a frame: `self`, origins, or `*`.
    """
    found = dict(SECURITY_HEADERS[scheme])
    allowed = ["'self'" if one == "self" else one for one in embed]
    if allowed != ["'self'"]:
        # X-Frame-Options has no list of origins, and browsers that know frame-ancestors ignore it.
        del found["X-Frame-Options"]
        found["Content-Security-Policy"] = f"frame-ancestors {' '.join(allowed)}"
    if "*" in allowed:
        del found["Content-Security-Policy"]
    return found | ({"Access-Control-Allow-Origin": "*"} if cors else {})


def suffix(path: str) -> str:
    """Return the suffix of a name from its last dot, in lower case, as Go's `path.Ext` does."""
    name = path.rpartition("/")[2]
    return f".{name.rpartition('.')[2]}".lower() if "." in name else ""


def type_of(path: str) -> str:
    """Return the Content-Type of a file by its path in the site, `guide/index.html`."""
    return TYPES.get(suffix(path), UNKNOWN_TYPE)


def immutable(path: str) -> bool:
    """Return whether a file's name holds a hash of its content by a generator's own convention."""
    return bool(_HASHED.search(path)) and not any(pattern.search(path) for pattern in _NOT_HASHED)


def kept(seconds: int) -> str:
    """Return the Cache-Control of files that may change; 0 seconds means to revalidate each time."""
    return f"public, max-age={seconds}" if seconds else ALWAYS_FRESH


def compresses(content_type: str, size: int) -> bool:
    """Return whether a body of `size` bytes is compressed for clients that accept it."""
    return size in COMPRESSED_BYTES and content_type.partition(";")[0].strip() in COMPRESSED


_HASHED = re.compile(HASHED)
_NOT_HASHED = tuple(re.compile(pattern) for pattern in NOT_HASHED)
