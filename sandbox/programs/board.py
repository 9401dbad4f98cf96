"""A board of posts in a database: `POST /posts/TEXT` writes one and returns its number, `GET /posts` returns all.

It finds the database as libpq does: PGHOST, PGPORT, PGUSER, PGDATABASE and PGPASSWORD.
"""

from __future__ import annotations

import http.server
import json
import os
import re
import subprocess
import sys
from pathlib import Path

_TABLE = "CREATE TABLE IF NOT EXISTS posts (id serial PRIMARY KEY, text text NOT NULL, at timestamptz DEFAULT now())"
#: psql itself, because the one on PATH is a slower script that finds the newest.
_PROGRAM = max(Path("/usr/lib/postgresql").glob("*/bin/psql"), default=Path("psql"))


def ask(sql: str) -> str | None:
    """Run SQL and return its output; None if the database does not answer."""
    words = [str(_PROGRAM), "-XqAt", "-v", "ON_ERROR_STOP=1", "-c", sql]
    environment = {**os.environ, "PGCONNECT_TIMEOUT": "5", "LD_LIBRARY_PATH": ""}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False, timeout=30)
    if done.returncode:
        sys.stderr.write(done.stderr)
        return None
    return done.stdout.strip()


class Board(http.server.BaseHTTPRequestHandler):
    """The handler of the board's requests."""

    def do_GET(self) -> None:
        """Return whether the database answers, or all posts by number."""
        if self.path == "/posts":
            found = ask("SELECT coalesce(json_agg(json_build_array(id, text) ORDER BY id), '[]') FROM posts")
            self._answer(json.loads(found) if found else None)
        else:
            self._answer({"status": "ok"} if ask("SELECT 1") else None)

    def do_POST(self) -> None:
        """Write a post."""
        text = self.path.removeprefix("/posts/")
        known = re.fullmatch(r"[a-z0-9-]+", text)
        number = ask(f"INSERT INTO posts (text) VALUES ('{text}') RETURNING id") if known else None  # noqa: S608 as above
        self._answer({"id": int(number)} if number else None)

    def _answer(self, what: object) -> None:
        body = json.dumps(what).encode()
        self.send_response(503 if what is None else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


def main() -> None:
    """Make the table, and serve until SIGTERM."""
    if ask(_TABLE) is None:
        sys.exit("the database does not answer")
    port = int(os.environ.get("PORT_8000", "8000"))
    http.server.ThreadingHTTPServer(("127.0.0.1", port), Board).serve_forever()


if __name__ == "__main__":
    main()
