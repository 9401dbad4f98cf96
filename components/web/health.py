"""A small HTTP server for the health of a process: few connections at a time, each for a short time."""

from __future__ import annotations

import contextlib
import socket
import sys
import time
from http.server import ThreadingHTTPServer
from typing import Any

from ..limits import HEALTH_CONNECTIONS, HEALTH_S


class HealthServer(ThreadingHTTPServer):
    """Answer each connection in a thread. A silent or slow one is closed when its time is over.

    Of too many the oldest gives way, so that a probe is answered. `serve_forever` looks for those that take too long.
    """

    def __init__(self, *given: Any) -> None:
        self._since: dict[Any, float] = {}
        super().__init__(*given)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer a connection in a thread of its own."""
        while len(self._since) >= HEALTH_CONNECTIONS:
            self._end(next(iter(self._since)))
        self._since[request] = time.monotonic()
        super().process_request(request, client_address)

    def service_actions(self) -> None:
        """End what takes too long; called twice a second."""
        for each, since in self._since.copy().items():
            if time.monotonic() - since > HEALTH_S:
                self._end(each)

    def _end(self, request: Any) -> None:
        """End a connection, and with it the thread that reads from it."""
        self._since.pop(request, None)
        with contextlib.suppress(OSError):
            request.shutdown(socket.SHUT_RDWR)

    def close_request(self, request: Any) -> None:
        """Forget a connection that is over."""
        self._since.pop(request, None)
        super().close_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print a fault of ours; a connection may end at any moment."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)
