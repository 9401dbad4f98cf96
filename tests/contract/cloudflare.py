"""Cloudflare's API v4 as far as a zone is read, from its published schema and recorded answers.

Shapes: cloudflare/api-schemas, openapi.yaml (`/zones`, `/zones/{zone_id}/dns_records`, `/zones/{zone_id}/pagerules`),
and the recordings in octodns/octodns-cloudflare, tests/fixtures. So a list is paged, at most 100 a page; names and
targets have no dot at the end; SRV has no `content`; `ttl` 1 means automatic; a refusal is 403 with `errors`.
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.loopback import Loopback

TOKEN, ZONE = "a-token-of-a-test", "ff12ab34cd5611334422ab3322997650"
#: "Number of DNS records per page": the schema's smallest maximum.
MOST = 100


def record(type_: str, name: str, content: str | None = None, **more: Any) -> dict[str, Any]:
    """Return a record as the API lists it."""
    made = {"id": f"{abs(hash((type_, name, content))):032x}", "type": type_, "name": name, "proxiable": False}
    made |= {"proxied": False, "ttl": 300, "locked": False, "zone_id": ZONE, "zone_name": "dao.example", "tags": []}
    return made | ({"content": content} if content is not None else {}) | more


class Cloudflare(Loopback):
    """One account with one zone."""

    def __init__(self, records: list[dict[str, Any]], rules: list[dict[str, Any]] = ()) -> None:
        self.records, self.rules, self.asked = records, list(rules), []
        account = self

        class Answers(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                account.asked.append(self.path)
                status, body = account.answer(self.path, self.headers.get("Authorization", ""))
                payload = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            def log_message(self, *_: Any) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Answers)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Where its API is."""
        return f"http://127.0.0.1:{self.server_port}/client/v4"

    def answer(self, path: str, authorization: str) -> tuple[int, dict[str, Any]]:
        """Return status and body of a request."""
        if authorization != f"Bearer {TOKEN}":
            errors = [{"code": 9109, "message": "Invalid access token"}]
            return 403, {"success": False, "errors": errors, "messages": [], "result": None}
        parts = urlsplit(path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        rows = {
            "/client/v4/zones": [
                {"id": ZONE, "name": "dao.example", "plan": {"legacy_id": "free"}, "name_servers": []}
            ],
            f"/client/v4/zones/{ZONE}/dns_records": self.records,
            f"/client/v4/zones/{ZONE}/pagerules": self.rules,
        }[parts.path]
        if parts.path.endswith("/pagerules"):  # the schema has no paging there, and no result_info
            return 200, {"success": True, "errors": [], "messages": [], "result": rows}
        rows = [row for row in rows if asked.get("name") in {None, row["name"]}]
        page, size = int(asked.get("page", 1)), min(int(asked.get("per_page", MOST)), MOST)
        here = rows[(page - 1) * size : page * size]
        info = {"page": page, "per_page": size, "count": len(here), "total_count": len(rows)}
        info["total_pages"] = -(-len(rows) // size) or 1
        return 200, {"success": True, "errors": [], "messages": [], "result": here, "result_info": info}
