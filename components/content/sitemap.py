"""Sitemaps (sitemaps.org, protocol 0.9): addresses of pages, or of further sitemaps."""

from __future__ import annotations

import zlib

from ..limits import SITEMAP_BYTES
from .parser import Parser


class _Locations(Parser):
    """Collects `<loc>` below `<url>` and `<sitemap>`.

    It is an HTML parser because that expands no entities of a document.
    """

    def __init__(self) -> None:
        super().__init__()
        self.pages: list[str] = []
        self.maps: list[str] = []
        self._into = self.pages
        self._text: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 the parser calls it
        if tag in ("sitemap", "url"):
            self._into = self.maps if tag == "sitemap" else self.pages
        elif tag == "loc":
            self._text = []

    def handle_endtag(self, tag: str) -> None:
        if tag == "loc" and self._text is not None:
            self._into.append("".join(self._text).strip())
            self._text = None

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self._text.append(data)


def unpack(body: bytes) -> bytes:
    """Return the bytes of a sitemap that may be compressed. Raises ValueError if it is broken or too large."""
    if not body.startswith(b"\x1f\x8b"):
        return body
    try:
        text = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(body, SITEMAP_BYTES + 1)
    except zlib.error as error:
        raise ValueError(f"it cannot be unpacked: {error}") from None
    if len(text) > SITEMAP_BYTES:
        raise ValueError(f"it has more than {SITEMAP_BYTES // 1_048_576} MB")
    return text


def read(body: bytes) -> tuple[list[str], list[str]]:
    """Return the addresses of pages and of further sitemaps. Raises ValueError for other documents."""
    text = unpack(body).decode("utf-8", errors="replace")
    if not text.lstrip("\ufeff \t\r\n").startswith("<"):
        return [line.strip() for line in text.splitlines() if line.strip().startswith("http")], []
    locations = _Locations()
    locations.read(text)
    return locations.pages, locations.maps
