"""The contract as a half of its own: answers from the table of routes, in this process."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from components.web import headers as web

from .ask import Reply

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from components.kinds.static.routes import Routes


class Reference:
    """Answers as `Routes.answer` defines, with ranges, conditions and no compression."""

    name = "table"

    def __init__(self, routes: Routes, folder: Path) -> None:
        self._routes, self._folder = routes, folder

    def ask(self, target: str, method: str = "GET", headers: Mapping[str, str] | None = None) -> Reply:
        """Answer as a server would."""
        asked = headers or {}
        answer = self._routes.answer(target, method)
        if answer.status == 405:
            return Reply(405, {"allow": "GET, HEAD"}, b"")
        found = {name.lower(): value for name, value in self._routes.site_headers("http").items()}
        found |= {name.lower(): value for name, value in answer.headers}
        pairs = {"content-type": answer.type, "cache-control": answer.cache, "location": answer.location}
        found |= {name: value for name, value in pairs.items() if value}
        body = b""
        if answer.status in (200, 404):
            body = (self._folder / answer.file).read_bytes() if answer.file else web.STOCK_PAGE
        status = answer.status
        if status == 200:
            found["etag"] = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
            if asked.get("If-None-Match") == found["etag"]:
                status, body = 304, b""
            elif "Range" in asked:
                status, body = _part(asked["Range"], body, found)
            elif "gzip" in asked.get("Accept-Encoding", "") and web.compresses(answer.type, len(body)):
                found["content-encoding"] = "gzip"
        if answer.status == 200 and status != 416:
            found["accept-ranges"] = "bytes"
        found["content-length"] = str(len(body))
        return Reply(status, found, b"" if method == "HEAD" else body)


def _part(wanted: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
    first, _, last = wanted.removeprefix("bytes=").partition("-")
    size = len(body)
    start = int(first) if first else max(0, size - int(last))
    end = min(int(last) + 1, size) if first and last else size
    if start >= size:
        headers["content-range"] = f"bytes */{size}"
        return 416, b""
    headers["content-range"] = f"bytes {start}-{end - 1}/{size}"
    return 206, body[start:end]
