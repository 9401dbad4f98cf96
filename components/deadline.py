"""A time limit for a whole HTTP exchange. The clients' own limits bound one read, so slow drips would outlast them."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import httpcore

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx


class Deadline:
    """The connections of one exchange, which are closed together when its time is over."""

    def __init__(self, seconds: float) -> None:
        self.over = False
        self._end = time.monotonic() + seconds
        self._sockets: list[socket.socket] = []

    @property
    def left(self) -> float:
        """The seconds that are left, 0 at least."""
        return max(0.0, self._end - time.monotonic())

    def trace(self, event: str, info: dict[str, Any]) -> None:
        """Record each connection; an httpcore and httpx request extension. Raises ReadTimeout once the time is over.

        The end of an answer, and what has failed already, pass: what is raised there leaves httpx as an exception of
        httpcore, which its callers do not expect.
        """
        if event.endswith(".connect_tcp.complete"):
            with contextlib.suppress(OSError, AttributeError):
                # TLS takes the stream's own socket over before it has shaken hands.
                self._sockets.append(info["return_value"].get_extra_info("socket").dup())
        if self.over and not event.endswith(".failed") and ".response_closed." not in event:
            raise httpcore.ReadTimeout("the time is over")

    def end(self) -> None:
        """Close every connection; a read from one then fails at once."""
        self.over = True
        for each in self._sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def forget(self) -> None:
        """Leave the connections to the client."""
        for each in self._sockets:
            each.close()


@contextlib.contextmanager
def within(seconds: float) -> Iterator[Deadline]:
    """Yield a deadline that closes its connections after `seconds`."""
    deadline = Deadline(seconds)
    timer = threading.Timer(seconds, deadline.end)
    timer.daemon = True
    timer.start()
    try:
        yield deadline
    finally:
        timer.cancel()
        deadline.forget()


def followed(client: httpx.Client, request: httpx.Request) -> httpx.Response:
    """Send a request; return the streamed answer behind its redirects, whose bodies are not read.

    Raises httpx.HTTPError, also for a redirect that leads nowhere.
    """
    import httpx

    asked = request
    try:
        for _ in range(client.max_redirects + 1):
            answer = client.send(asked, stream=True)
            if answer.next_request is None:
                return answer
            answer.close()
            asked = answer.next_request
    except (httpx.InvalidURL, UnicodeError) as error:
        raise httpx.ConnectError(f"{asked.url} cannot be asked ({error})", request=asked) from None
    raise httpx.TooManyRedirects(f"more than {client.max_redirects} redirects", request=request)
