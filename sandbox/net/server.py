"""A small HTTP/1.1 server: whole requests in, whole responses out, for one connection at a time."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from email.utils import formatdate
from typing import TYPE_CHECKING

import h11

from .wire import Headers, Response, close, next_event, reason

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

#: Seconds after which an idle connection is closed.
IDLE_S = 60.0
#: The most bytes of a request's body.
LONGEST_BODY = 1_000_000


@dataclass(frozen=True)
class Asked:
    """A request; header names and the host (without a port) are in lower case."""

    method: str
    host: str
    path: str
    query: str
    headers: Headers
    body: bytes
    secure: bool
    address: str

    def header(self, name: str) -> str:
        """Return the first value of a header, or nothing."""
        return next((value for key, value in self.headers if key == name), "")


async def serve(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    respond: Callable[[Asked], Awaitable[Response | None]],
    *,
    secure: bool,
) -> None:
    """Serve a connection until it ends. `respond` answers a request, or gives None to break the connection."""
    talk = h11.Connection(h11.SERVER)
    peer = writer.get_extra_info("peername")
    try:
        while (asked := await _read(talk, reader, secure=secure, address=peer[0] if peer else "")) is not None:
            response = await respond(asked)
            if response is None:
                writer.transport.abort()
                return
            _write(talk, writer, response, head=asked.method == "HEAD")
            await writer.drain()
            if talk.our_state is not h11.DONE:
                break
            talk.start_next_cycle()
    except h11.RemoteProtocolError as error:
        if talk.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            with contextlib.suppress(h11.ProtocolError):
                _write(talk, writer, Response(error.error_status_hint, [("connection", "close")], b""), head=False)
    except (OSError, TimeoutError, h11.ProtocolError):
        pass  # the client left, which is no fault
    finally:
        await close(writer)


async def _read(talk: h11.Connection, reader: asyncio.StreamReader, *, secure: bool, address: str) -> Asked | None:
    async with asyncio.timeout(IDLE_S):
        head = await next_event(talk, reader)
        if not isinstance(head, h11.Request):
            return None
        body = b""
        while isinstance(event := await next_event(talk, reader), h11.Data):
            body += bytes(event.data)
            if len(body) > LONGEST_BODY:
                raise h11.RemoteProtocolError("the body is too long", error_status_hint=413)
    headers = [(key.decode("latin-1"), value.decode("latin-1")) for key, value in head.headers]
    path, _, query = head.target.decode("latin-1").partition("?")
    host = dict(headers).get("host", "").lower()
    return Asked(
        method=head.method.decode("latin-1"),
        host=host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() and ":" in host else host,
        path=path,
        query=query,
        headers=headers,
        body=body,
        secure=secure,
        address=address,
    )


def _write(talk: h11.Connection, writer: asyncio.StreamWriter, response: Response, *, head: bool) -> None:
    known = {key for key, _ in response.headers}
    headers = [*response.headers]
    if "date" not in known:
        headers.append(("date", formatdate(usegmt=True)))
    if "content-length" not in known and response.status != 304:
        headers.append(("content-length", str(len(response.body))))
    writer.write(
        talk.send(h11.Response(status_code=response.status, reason=reason(response.status), headers=headers)) or b""
    )
    if response.body and not head:
        writer.write(talk.send(h11.Data(data=response.body)) or b"")
    writer.write(talk.send(h11.EndOfMessage()) or b"")
