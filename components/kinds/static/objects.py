"""Which objects a static site is in a bucket, and what has to be written, removed and invalidated to get there."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from ...web import headers as content

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .bundle import Bundle, Entry

#: CloudFront bills invalidated paths; above this many, one `/*` is cheaper and quicker.
MOST_PATHS = 15


@dataclass(frozen=True)
class Object:
    """One object: its key, the file it is a copy of, its headers, and the MD5 that S3 gives as its ETag."""

    key: str
    entry: Entry
    headers: content.Headers
    md5: str


@dataclass(frozen=True)
class Change:
    """What to do, in order: write, then remove, then invalidate."""

    write: tuple[Object, ...]
    remove: tuple[str, ...]
    invalidate: tuple[str, ...]


def objects(bundle: Bundle, tar: int) -> list[Object]:
    """List a site's objects; `tar` is the open bundle's descriptor.

    A folder's page is an object twice, as `guide/index.html` and as `guide/`: a private bucket has no index documents,
    and this way the addresses of folders need no code at the edge.
    """
    made = []
    for entry in bundle.entries:
        md5 = hashlib.md5(os.pread(tar, entry.size, entry.offset), usedforsecurity=False).hexdigest()
        made.append(Object(entry.path, entry, content.headers(entry.path), md5))
        folder = entry.path.removesuffix("index.html")
        if folder.endswith("/"):
            made.append(Object(folder, entry, content.headers(folder), md5))
    return made


def changes(wanted: Iterable[Object], there: Mapping[str, str], *, all_again: bool) -> Change:
    """Compare a site's objects with a bucket's (ETag by key), health object excepted.

    `all_again` writes every object: the rules for headers have changed, and a listing does not show headers.
    What other files lead to is written first: assets, then the rest, then pages.
    """
    keep = {}
    write = []
    for item in wanted:
        keep[item.key] = item
        if all_again or there.get(item.key) != item.md5:
            write.append(item)
    write.sort(key=lambda item: (_ORDER[item.headers.cache], item.key))
    remove = sorted(there.keys() - keep.keys())
    stale = {_path(key) for key in (*(item.key for item in write if item.headers.cache != content.FOR_EVER), *remove)}
    # The root page is the object index.html to S3, and / to every visitor.
    stale |= {"/"} if "/index.html" in stale else set()
    return Change(tuple(write), tuple(remove), tuple(sorted(stale)) if len(stale) <= MOST_PATHS else ("/*",))


_ORDER = {content.FOR_EVER: 0, content.SHORT: 1, content.ALWAYS_FRESH: 2}


def _path(key: str) -> str:
    return "/" + quote(key, safe="/~")
