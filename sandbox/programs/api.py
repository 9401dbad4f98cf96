"""An API with a cache: answers what it computed once from a folder, as the image of the example would."""

from __future__ import annotations

import hashlib
import http.server
import json
import os
import sys
from pathlib import Path

PORT = int(os.environ.get("PORT_8080", "8080"))
CACHE = Path(os.environ.get("CACHE", "cache"))
#: `HEALTH=500` stands for a release that is broken, and 0 for one that does not even start.
HEALTH = int(os.environ.get("HEALTH", "200"))


class Answer(http.server.BaseHTTPRequestHandler):
    """`/health` is for the web server in front; everything else is an answer from the cache."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer with JSON."""
        if self.path == "/health":
            self._send(HEALTH, {"status": "ok" if HEALTH == 200 else "ill"})
            return
        kept = CACHE / hashlib.sha256(self.path.encode()).hexdigest()
        hit = kept.exists()
        if not hit:
            CACHE.mkdir(parents=True, exist_ok=True)
            kept.write_text(self.path[::-1])
        seen = {name: self.headers.get(name, "") for name in ("Host", "X-Forwarded-Proto", "X-Forwarded-For")}
        greeting = os.environ.get("GREETING", "")
        self._send(200, {"answer": kept.read_text(), "cached": hit, "greeting": greeting, "seen": seen})

    def _send(self, status: int, what: object) -> None:
        body = json.dumps(what).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing for each request."""


if __name__ == "__main__":
    if not HEALTH:
        sys.exit("it does not start")
    http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Answer).serve_forever()
