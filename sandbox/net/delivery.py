"""The edge's answer to one viewer from a whole response: conditional answers, ranges and compression. Pure.

Sources: RFC 9110 §13 and §14; CloudFront developer guide, "How CloudFront processes partial requests for an object
(range GETs)", "Serve compressed files".
"""

from __future__ import annotations

import gzip
import re
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from .distribution import compression
from .wire import Headers, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .distribution import Behaviour
    from .server import Asked

OK, PARTIAL, NOT_MODIFIED, NOT_SATISFIABLE = 200, 206, 304, 416
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
#: Headers that a 304 does not repeat.
_OF_BODY = ("content-type", "content-encoding", "content-range", "content-length")


def deliver(behaviour: Behaviour, asked: Asked, response: Response) -> Response:
    """Return what the viewer gets of a response of 200; every other response is delivered as it is."""
    if response.status != OK:
        return response
    if _is_known(asked, response):
        return Response(NOT_MODIFIED, [pair for pair in response.headers if pair[0] not in _OF_BODY], b"")
    if (found := _RANGE.fullmatch(asked.header("range").strip())) and _may_be_part(asked, response):
        return _part(response, found[1], found[2])
    return _compressed(behaviour, asked, response)


def _is_known(asked: Asked, response: Response) -> bool:
    """Return whether the viewer has this already; If-None-Match alone counts if it is there (RFC 9110 §13.2.2)."""
    if wanted := asked.header("if-none-match"):
        tags = [tag.strip().removeprefix("W/") for tag in wanted.split(",")]
        etag = response.header("etag").removeprefix("W/")
        return bool(etag) and (etag in tags or tags == ["*"])
    since, changed = _date(asked.header("if-modified-since")), _date(response.header("last-modified"))
    return since is not None and changed is not None and changed <= since


def _may_be_part(asked: Asked, response: Response) -> bool:
    """Return whether a part still belongs to the viewer's version (If-Range, strong comparison)."""
    wanted = asked.header("if-range")
    return not wanted or wanted in (response.header("etag"), response.header("last-modified"))


def _date(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError):
        return None


def _part(response: Response, first: str, last: str) -> Response:
    size = len(response.body)
    if not first and not last:
        return response
    start = int(first) if first else max(0, size - int(last))
    end = min(int(last) + 1, size) if first and last else size
    if first and last and int(last) < int(first):
        return response
    if start >= size or (not first and int(last) == 0):
        headers = [pair for pair in response.headers if pair[0] not in ("content-type", "etag", "last-modified")]
        return Response(NOT_SATISFIABLE, [*headers, ("content-range", f"bytes */{size}")], b"")
    headers = [*response.headers, ("content-range", f"bytes {start}-{end - 1}/{size}")]
    return Response(PARTIAL, headers, response.body[start:end])


def _compressed(behaviour: Behaviour, asked: Asked, response: Response) -> Response:
    accepted = asked.header("accept-encoding")
    coding = compression(behaviour, accepted, response.headers, len(response.body))
    if not coding:
        return response
    body = _CODINGS[coding](response.body)
    # "CloudFront converts a strong ETag to a weak one" when it compresses.
    headers: Headers = [
        (key, f"W/{value}" if key == "etag" and not value.startswith("W/") else value)
        for key, value in response.headers
        if key != "content-length"
    ]
    return Response(OK, [*headers, ("content-encoding", coding), ("vary", "Accept-Encoding")], body)


def _brotli(body: bytes) -> bytes:
    import brotli

    compress: Callable[..., bytes] = brotli.compress
    return compress(body, quality=4)


_CODINGS: Mapping[str, Callable[[bytes], bytes]] = {
    "br": _brotli,
    "gzip": lambda body: gzip.compress(body, compresslevel=5, mtime=0),
}
