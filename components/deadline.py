"""A time limit on a whole exchange over HTTP; the clients' own limits are for one read, and a drip outlives them."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING, Any

import httpcore

if TYPE_CHECKING:
    from collections.abc import Iterator


class Deadline:
    """The connections of one exchange, ended together when its time is over."""

    def __init__(self) -> None:
        self.over = False
        self._streams: list[httpcore.NetworkStream] = []

    def trace(self, event: str, info: dict[str, Any]) -> None:
        """Note each connection; an extension of a request in httpcore and httpx. Raises ReadTimeout once it is over."""
        if self.over:
            raise httpcore.ReadTimeout("the time is over")
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            self._streams.append(info["return_value"])

    def end(self) -> None:
        """End every connection; what reads from one fails at once."""
        self.over = True
        for stream in self._streams:
            with contextlib.suppress(OSError, AttributeError):
                stream.get_extra_info("socket").shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def within(seconds: float) -> Iterator[Deadline]:
    """Give a deadline that ends its connections after `seconds`."""
    deadline = Deadline()
    timer = threading.Timer(seconds, deadline.end)
    timer.daemon = True
    timer.start()
    try:
        yield deadline
    finally:
        timer.cancel()
