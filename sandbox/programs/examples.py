"""The programs of the examples in `stacks/`, as their images would run them: `python3 examples.py api|explorer|bot`."""

from __future__ import annotations

import hashlib
import http.server
import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any, Protocol


class Program(Protocol):
    """What a container runs: the port it listens on, and its answers."""

    port: int

    def answer(self, path: str) -> tuple[int, dict[str, Any]]:
        """Return a status and a value."""


class Api:
    """An API with a cache: answers from a folder what it has computed once."""

    port = 8080

    def __init__(self) -> None:
        self._cache = Path(os.environ.get("CACHE", "cache"))
        #: `HEALTH=500` stands for a broken release, and 0 for one that does not start.
        self._health = int(os.environ.get("HEALTH", "200"))
        #: `MESSAGE` is logged at the start, with variables in braces replaced by their values.
        sys.stderr.write(os.environ.get("MESSAGE", "").format_map(os.environ) + "\n")
        if not self._health:
            sys.exit("it does not start")

    def answer(self, path: str) -> tuple[int, dict[str, Any]]:
        """Return the path backwards, and whether that was known."""
        if path == "/health":
            return self._health, {"status": "ok" if self._health == 200 else "ill"}
        kept = self._cache / hashlib.sha256(path.encode()).hexdigest()
        hit = kept.exists()
        if not hit:
            self._cache.mkdir(parents=True, exist_ok=True)
            kept.write_text(path[::-1])
        shown = {name: _digest(os.environ.get(name, "")) for name in os.environ.get("SECRETS", "").split()}
        greeting = os.environ.get("GREETING", "")
        return 200, {"answer": kept.read_text(), "cached": hit, "greeting": greeting, "secrets": shown}


def _digest(value: str) -> str:
    """Return what may be shown of a secret."""
    return hashlib.sha256(value.encode()).hexdigest()


class Explorer:
    """The front end of an explorer: pages that name the API which the browser asks."""

    port = 3000

    def __init__(self) -> None:
        self._api = f"{os.environ['NEXT_PUBLIC_API_PROTOCOL']}://{os.environ['NEXT_PUBLIC_API_HOST']}"

    def answer(self, path: str) -> tuple[int, dict[str, Any]]:
        """Return what a page would hold."""
        return 200, {"status": "ok"} if path == "/api/healthz" else {"api": self._api}


class Bot:
    """A bot: repeats its work, and is well while that continues."""

    port = 8000

    def __init__(self) -> None:
        self._every_s = float(os.environ["EVERY_S"])
        self._done: list[float] = []
        threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        while True:
            self._done.append(time.monotonic())
            time.sleep(self._every_s)

    def answer(self, path: str) -> tuple[int, dict[str, Any]]:  # noqa: ARG002 every path shows the same
        """Return how often the work was done."""
        well = bool(self._done) and time.monotonic() - self._done[-1] < 3 * self._every_s
        return 200 if well else 503, {"done": len(self._done)}


PROGRAMS: dict[str, type[Program]] = {"api": Api, "explorer": Explorer, "bot": Bot}


def serve(program: Program) -> None:
    """Answer every request with JSON, including what the web server in front passed on about it."""

    class Answer(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, what = program.answer(self.path)
            seen = {name: self.headers.get(name, "") for name in ("Host", "X-Forwarded-Proto", "X-Forwarded-For")}
            body = json.dumps({**what, "seen": seen}).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Log nothing for each request."""

    port = int(os.environ.get(f"PORT_{program.port}", str(program.port)))
    http.server.ThreadingHTTPServer(("127.0.0.1", port), Answer).serve_forever()


if __name__ == "__main__":
    serve(PROGRAMS[sys.argv[1]]())
