"""A time limit for a whole HTTP exchange. The clients' own limits bound one read, so slow drips would outlast them."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING, Any

import httpcore

if TYPE_CHECKING:
    from collections.abc import Iterator


class Deadline:
    """The connections of one exchange, which are closed together when its time is over."""

    def __init__(self) -> None:
        self.over = False
        self._streams: list[httpcore.NetworkStream] = []

    def trace(self, event: str, info: dict[str, Any]) -> None:
        """Record each connection; an httpcore and httpx request extension. Raises ReadTimeout once the time is over."""
        if self.over:
            raise httpcore.ReadTimeout("the time is over")
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            self._streams.append(info["return_value"])

    def end(self) -> None:
        """Close every connection; a read from one then fails at once."""
        self.over = True
        for stream in self._streams:
            with contextlib.suppress(OSError, AttributeError):
                stream.get_extra_info("socket").shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def within(seconds: float) -> Iterator[Deadline]:
    """Yield a deadline that closes its connections after `seconds`."""
    deadline = Deadline()
    timer = threading.Timer(seconds, deadline.end)
    timer.daemon = True
    timer.start()
    try:
        yield deadline
    finally:
        timer.cancel()
