"""A small HTTP server for the health of a process: few connections at a time, each for a short time."""

from __future__ import annotations

import contextlib
import http.server
import socket
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from ..limits import HEALTH_CONNECTIONS, HEALTH_S

if TYPE_CHECKING:
    from collections.abc import Callable


class HealthServer(http.server.ThreadingHTTPServer):
    """Answer each connection in a thread. A silent or slow one is closed when its time is over.

    `serve_forever` looks for those; a connection beyond the most is closed unanswered.
    """

    def __init__(self, address: tuple[str, int], handler: Callable[..., http.server.BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self._places = threading.BoundedSemaphore(HEALTH_CONNECTIONS)
        #: When the time of each open connection is over.
        self._ends: dict[socket.socket, float] = {}

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer a connection in a thread of its own, if there is a place for it."""
        if not self._places.acquire(blocking=False):
            self.shutdown_request(request)
            return
        self._ends[request] = time.monotonic() + HEALTH_S
        try:
            super().process_request(request, client_address)
        except RuntimeError:  # the machine has no thread left
            self._left(request)
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer a connection, and give its place back."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._left(request)

    def _left(self, request: socket.socket) -> None:
        del self._ends[request]
        self._places.release()

    def service_actions(self) -> None:
        """Close each connection whose time is over; its thread then reads the end, or cannot write."""
        now = time.monotonic()
        for request, end in list(self._ends.items()):
            if now >= end:
                with contextlib.suppress(OSError):
                    request.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report what a handler raised, and no connection that has ended."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)
