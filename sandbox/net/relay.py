"""Pass HTTP/1.1 requests from one connection to another, as a stream in both directions."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING

import h11

from .wire import CHUNK, HOP_BY_HOP, Unreachable, close, connected, next_event, reason

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

log = logging.getLogger(__name__)

Pairs = list[tuple[bytes, bytes]]
#: A request → where to pass it on, and what to request there: (port of this machine, target, headers).
Aim = tuple[int, bytes, Pairs]

#: The most bytes of a request's or response's head: signed S3 requests are long.
LONGEST_HEAD = 131_072
#: Seconds between two checks whether the client is still there while nothing flows.
WATCH_S = 1.0


class Refused(Exception):  # noqa: N818 - it is an answer, not an error
    """The request is answered here, with a status, a sentence and more headers."""

    def __init__(self, status: int, sentence: str, headers: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(sentence)
        self.status, self.headers = status, headers


class Tunnel(Exception):  # noqa: N818 - it is a way on, not an error
    """Turn the connection into a tunnel to a port of this machine (CONNECT)."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.port = port


async def serve(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, aim: Callable[[h11.Request], Awaitable[Aim]]
) -> None:
    """Serve one client connection until it ends; `aim` returns where a request goes, or raises Refused or Tunnel."""
    talk = h11.Connection(h11.SERVER, max_incomplete_event_size=LONGEST_HEAD)
    try:
        while await _one(talk, reader, writer, aim):
            talk.start_next_cycle()
    except h11.RemoteProtocolError as error:
        with contextlib.suppress(OSError, h11.ProtocolError):
            await _say(talk, writer, error.error_status_hint, f"not HTTP: {error}")
    except (OSError, h11.LocalProtocolError) as error:
        log.debug("a client or its target left: %s", error)
    finally:
        await close(writer)


async def _one(
    talk: h11.Connection,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    aim: Callable[[h11.Request], Awaitable[Aim]],
) -> bool:
    """Serve one request; True if another may follow on this connection."""
    request = await next_event(talk, reader)
    if not isinstance(request, h11.Request):
        return False
    try:
        try:
            port, target, headers = await aim(request)
        except Tunnel as tunnel:
            await _tunnel(talk, reader, writer, tunnel.port)
            return False
        async with connected(port) as (there_reader, there_writer):
            there = h11.Connection(h11.CLIENT, max_incomplete_event_size=LONGEST_HEAD)
            kept = [pair for pair in headers if pair[0].decode() not in HOP_BY_HOP - {"transfer-encoding"}]
            onward = h11.Request(method=request.method, target=target, headers=[*kept, (b"Connection", b"close")])
            await _send(there, there_writer, onward)
            await _both_ways((talk, reader, writer), (there, there_reader, there_writer))
    except Refused as refused:
        await _say(talk, writer, refused.status, str(refused), refused.headers)
        return False
    except Unreachable as error:
        await _say(talk, writer, 502, str(error))
        return False
    return talk.our_state is h11.DONE and talk.their_state is h11.DONE


Side = tuple[h11.Connection, asyncio.StreamReader, asyncio.StreamWriter]


async def _both_ways(client: Side, there: Side) -> None:
    """Pass on the request's body while the response returns; end with the response, or when the client leaves."""
    response = asyncio.create_task(_download(client, there))
    others = [asyncio.create_task(_upload(client, there)), asyncio.create_task(_left(client[1]))]
    try:
        waiting = {response, others[1]}
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if response.done():
            response.result()
        else:
            raise ConnectionResetError("the client left")
    finally:
        for task in (response, *others):
            task.cancel()
        await asyncio.gather(response, *others, return_exceptions=True)


async def _upload(client: Side, there: Side) -> None:
    talk, reader, _ = client
    while True:
        event = await next_event(talk, reader)
        if isinstance(event, (h11.Data, h11.EndOfMessage)):
            await _send(there[0], there[2], event)
        if not isinstance(event, h11.Data):
            return


async def _download(client: Side, there: Side) -> None:
    talk, _, writer = client
    while True:
        try:
            event = await next_event(there[0], there[1])
        except (OSError, h11.RemoteProtocolError) as error:
            if talk.our_state is h11.SEND_RESPONSE:
                raise Unreachable(f"the connection broke before a response: {error}") from error
            raise
        if isinstance(event, h11.Response):
            kept = [pair for pair in event.headers if pair[0].decode() not in HOP_BY_HOP]
            event = h11.Response(status_code=event.status_code, reason=event.reason, headers=kept)
        if isinstance(event, (h11.InformationalResponse, h11.Response, h11.Data, h11.EndOfMessage)):
            await _send(talk, writer, event)
        if isinstance(event, h11.EndOfMessage):
            return
        if isinstance(event, h11.ConnectionClosed):
            raise Unreachable("the connection closed without a response")


async def _left(reader: asyncio.StreamReader) -> None:
    while not reader.at_eof():  # noqa: ASYNC110 - a stream has no event for its end
        await asyncio.sleep(WATCH_S)


async def _send(talk: h11.Connection, writer: asyncio.StreamWriter, event: h11.Event) -> None:
    writer.write(talk.send(event) or b"")
    await writer.drain()


async def _say(
    talk: h11.Connection,
    writer: asyncio.StreamWriter,
    status: int,
    sentence: str,
    more: Sequence[tuple[str, str]] = (),
) -> None:
    """Answer here with a sentence, and end the connection."""
    if talk.our_state not in (h11.SEND_RESPONSE, h11.IDLE):
        return
    body = f"{sentence}\n".encode()
    headers = [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Length", str(len(body))),
        ("Connection", "close"),
        *more,
    ]
    await _send(talk, writer, h11.Response(status_code=status, reason=reason(status), headers=headers))
    await _send(talk, writer, h11.Data(data=body))
    await _send(talk, writer, h11.EndOfMessage())


async def _tunnel(talk: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
    async with connected(port) as (there_reader, there_writer):
        await next_event(talk, reader)  # the end of the request, before the connection changes its meaning
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        there_writer.write(talk.trailing_data[0])
        await asyncio.gather(_pump(reader, there_writer), _pump(there_reader, writer))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass bytes on until the end, then pass the end on; a broken side ends the other too."""
    try:
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    except OSError:
        writer.close()
