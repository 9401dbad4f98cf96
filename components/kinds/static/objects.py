"""The objects of a static site in a bucket, and what to write, remove and invalidate to get there.

There is one object for each address: a bucket has no index documents and knows no redirects, so neither it nor a
function at the edge decides anything. The target of a redirect, and the headers of `_headers`, are an object's
metadata.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from ...errors import Fault
from ...targets.aws import edge
from ...web import headers as web
from ...web import http as front
from .bundle import Entry, Window
from .routes import OWN, PATH, REFUSED, Answer, Routes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from .bundle import Bundle

#: CloudFront bills invalidated paths; above this many, one `/*` is cheaper and faster.
MOST_PATHS = 15
#: Files up to this many bytes are written in one request; larger ones in parts of this size, as S3 requires above 5
#: GiB.
PART_BYTES = 8 << 20
#: Parts of one file ("Amazon S3 multipart upload limits").
MOST_PARTS = 10_000
#: Seconds for which an immutable file of an earlier release stays, for pages that are open in browsers.
GRACE_S = 86_400
#: Bytes of an object's metadata (S3, "User-defined object metadata").
MOST_METADATA_BYTES = 2048

#: Objects that no address leads to: the first page, the page for missing addresses, files that a pattern answers with,
#: the manifest of what was published, and one that never exists.
ROOT, MISSING_PAGE, SERVED, MANIFEST = OWN + "root", OWN + "404.html", OWN + "serve/", OWN + "published.json"
NOTHING = OWN + "nothing"
#: The body of a redirect. It is not empty, because S3 cannot answer a range request for an empty object.
_MOVED = b"This page has moved.\n"
_MOVED_TYPE = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class Object:
    """One object: its key, its body (a file of the bundle, or bytes), its headers and metadata, and its ETag in S3."""

    key: str
    body: Entry | bytes
    type: str
    cache: str
    etag: str
    metadata: tuple[tuple[str, str], ...] = ()

    @property
    def digest(self) -> str:
        """Return a digest of everything that a listing of the bucket does not show."""
        return hashlib.sha256(repr((self.type, self.cache, self.metadata)).encode()).hexdigest()[:16]

    @property
    def order(self) -> int:
        """The order of writing: immutable files, then other files, then pages and redirects, which lead to them."""
        if self.cache == web.FOR_EVER:
            return 0
        return 2 if self.type == web.TYPES[".html"] or edge.STATUS in dict(self.metadata) else 1


@dataclass(frozen=True)
class Change:
    """What to do, in order: write, remove, invalidate; and the content of the manifest afterwards."""

    write: tuple[Object, ...]
    remove: tuple[str, ...]
    invalidate: tuple[str, ...]
    manifest: Manifest


@dataclass(frozen=True)
class Manifest:
    """The last publication: the digest of each object, and since when unused immutable ones are kept."""

    digests: Mapping[str, str]
    retired: Mapping[str, float]

    @classmethod
    def read(cls, text: bytes) -> Manifest:
        """Return the manifest in a bucket; an unreadable one is empty, and everything is written again."""
        try:
            data = json.loads(text)
            return cls(dict(data["objects"]), {key: float(at) for key, at in data["retired"].items()})
        except (ValueError, KeyError, TypeError, AttributeError):
            return cls({}, {})

    def written(self) -> bytes:
        """Return it as text."""
        return json.dumps({"objects": dict(self.digests), "retired": dict(self.retired)}, sort_keys=True).encode()


def objects(bundle: Bundle, tar: int) -> list[Object]:
    """Return a site's objects; `tar` is the open bundle's descriptor."""
    entries = {entry.path: entry for entry in bundle.entries}
    etags: dict[str, str] = {}
    made = []
    for key, answer in _answers(bundle.routes):
        body: Entry | bytes = entries[answer.file] if answer.file else web.STOCK_PAGE if key == MISSING_PAGE else _MOVED
        if isinstance(body, Entry):
            if body.path not in etags:
                etags[body.path] = etag(tar, body)
            tag = etags[body.path]
        else:
            tag = hashlib.md5(body, usedforsecurity=False).hexdigest()
        kind = answer.type or _MOVED_TYPE
        made.append(Object(key, body, kind, answer.cache, tag, tuple(sorted(_metadata(key, answer).items()))))
    return made


def etag(tar: int, entry: Entry) -> str:
    """Return the ETag that S3 gives a file: its MD5, or that of its parts' MD5s with their number."""
    window = Window(tar, entry.offset, entry.size)
    if entry.size <= PART_BYTES:
        return _md5(window, entry.size).hexdigest()
    part = part_bytes(entry.size)
    starts = range(0, entry.size, part)
    parts = b"".join(_md5(window, min(part, entry.size - start)).digest() for start in starts)
    return f"{hashlib.md5(parts, usedforsecurity=False).hexdigest()}-{len(starts)}"


def part_bytes(size: int) -> int:
    """Return the size of a file's parts. The same size always gives the same parts, and so the same ETag."""
    return max(PART_BYTES, -(-size // MOST_PARTS))


def _md5(window: Window, size: int) -> hashlib._Hash:
    """Hash the next bytes of a window."""
    digest = hashlib.md5(usedforsecurity=False)
    while size and (chunk := window.read(min(size, 1 << 20))):
        digest.update(chunk)
        size -= len(chunk)
    return digest


def edge_rules(routes: Routes) -> edge.EdgeRules:
    """Return the data of the site's functions at the edge: what no object can express."""
    patterns = sorted(routes.patterns, key=lambda rule: not rule.forced)
    falls = routes.settings.fallback
    known = [
        path
        for path in (routes.table() if patterns or falls else ())
        if any(rule.match(path) is not None for rule in patterns) or (falls and "." not in path.rpartition("/")[2])
    ]
    return edge.EdgeRules(
        refused=REFUSED,
        root=f"/{ROOT}",
        missing=f"/{NOTHING}",
        patterns=tuple(
            edge.Pattern(
                rule.pattern,
                rule.names,
                rule.status,
                f"/{SERVED}{rule.target}" if rule.status == 200 else rule.target,
            )
            for rule in patterns
        ),
        fallback=f"/{SERVED}{falls}" if falls else "",
        known=tuple(known),
        headers=tuple(routes.site_headers(front.SCHEME).items()),
        cors=routes.settings.cors,
    )


def faults(routes: Routes, *, site: str, redirect_from: tuple[str, ...] = ()) -> Iterator[Fault]:
    """Yield what AWS would refuse in a site: objects with too much metadata, functions that are too large."""
    large: dict[str, Fault] = {}
    for key, answer in _answers(routes):
        size = sum(len(name) + len(value) for name, value in _metadata(key, answer).items())
        if size > MOST_METADATA_BYTES:
            where, twin = "_redirects" if answer.location else "_headers", key.removesuffix("/")
            sentence = f"gives /{twin} {size} bytes of metadata, and S3 takes {MOST_METADATA_BYTES}; shorten it"
            large.setdefault(twin, Fault(where, sentence))
    yield from large.values()
    yield from edge.faults(edge_rules(routes), site=site, redirect_from=redirect_from)


def changes(wanted: Iterable[Object], there: Mapping[str, str], last: Manifest, now: float) -> Change:
    """Compare a site's objects with a bucket's (ETag by key, without /healthz and the manifest) at a time in seconds.

    Files that others lead to are written first: immutable files, then the rest, then pages and redirects. Immutable
    files that are no longer used stay for GRACE_S.
    """
    keep = {item.key: item for item in wanted}
    write = [item for key, item in keep.items() if there.get(key) != item.etag or last.digests.get(key) != item.digest]
    write.sort(key=lambda item: (item.order, item.key))
    gone = there.keys() - keep.keys()
    retired = {key: last.retired.get(key, now) for key in gone if web.immutable(key)}
    remove = sorted(key for key in gone if now - retired.get(key, 0) >= GRACE_S)
    # A new immutable file has a new address, which no cache can hold.
    stale = {item.key for item in write if item.cache != web.FOR_EVER or item.key in there} | set(remove)
    paths = sorted({spelling for key in stale for spelling in _spellings(key)})
    return Change(
        tuple(write),
        tuple(remove),
        tuple(paths) if len(paths) <= MOST_PATHS else ("/*",),
        Manifest(
            {key: item.digest for key, item in keep.items()},
            {key: at for key, at in retired.items() if key not in remove},
        ),
    )


def _answers(routes: Routes) -> Iterator[tuple[str, Answer]]:
    """Yield every object's key with what it answers."""
    for path, answer in routes.table().items():
        yield (ROOT if path == "/" else path[1:]), answer
    yield MISSING_PAGE, routes.missing
    targets = {rule.target for rule in routes.patterns if rule.status == 200}
    if routes.settings.fallback:
        targets.add(routes.settings.fallback)
    for target in sorted(targets):
        yield SERVED + target, routes.serve(target, f"/{target}")


def _metadata(key: str, answer: Answer) -> dict[str, str]:
    found = {}
    if answer.location:
        found[edge.STATUS] = str(answer.status)
        # A long path fits into S3's metadata once, but not percent-encoded.
        other = f"/{key.removesuffix('/')}" if key.endswith("/") else f"/{key}/"
        if unquote(answer.location) == other:
            found[edge.SLASH] = "remove" if key.endswith("/") else "add"
        else:
            found[edge.LOCATION] = answer.location
    if answer.headers:
        found[edge.HEADERS] = json.dumps(answer.headers, separators=(",", ":"))
    return found


def _spellings(key: str) -> set[str]:
    """Return an object's path in the spelling of the viewer-request function and of browsers, which may differ."""
    own = "/" + quote(key, safe="/!*'()~")
    if key == ROOT:
        return {own, "/"}
    return {own, "/" + quote(key, safe=PATH)}
