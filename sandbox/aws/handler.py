"""How the account's HTTP server reads requests: connections are kept open, and nothing is written per request."""

from __future__ import annotations

from typing import Any

from moto.moto_server.werkzeug_app import MotoRequestHandler


class Handler(MotoRequestHandler):  # type: ignore[misc]
    """HTTP/1.1 with Nagle off: publishing thousands of files is thousands of small exchanges."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_request(self, *_: Any) -> None:
        """Log nothing."""
