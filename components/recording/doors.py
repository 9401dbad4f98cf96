"""The doors to the outside, with a recorder at each: HTTP (httpcore), AWS (botocore) and DNS (dnspython).

All of this program's clients use these three: httpx is built on httpcore. Two do not: Pulumi's own AWS plug-in, and
octoDNS, with which `zone import` reads vendors. Exchanges are recorded unchanged, and no fault of the recorder reaches
the caller.
"""

from __future__ import annotations

import contextlib
import functools
import json
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from . import settings
from .notes import Notes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Headers whose values are recorded; of all others only the name is.
_HEADERS = frozenset({"content-type", "content-length", "retry-after", "location", "cache-control", "server", "allow"})
#: The longest recorded body in bytes: of a text that is not JSON, and of one that is.
_TEXT, _JSON = 2048, 1 << 20
#: The key under which a botocore call carries its record.
_MARK = "unmoor-recording"


def hook(path: str) -> None:
    """Install a hook in every door that is there. Do nothing if the settings cannot be read: the run counts more."""
    try:
        notes = Notes(settings.read(path), path)
    except (OSError, ValueError, KeyError, TypeError):
        return
    for door in (_http, _aws, _dns):
        with contextlib.suppress(ImportError, AttributeError):
            door(notes)


def _http(notes: Notes) -> None:
    import httpcore

    send = httpcore.ConnectionPool.handle_request

    @functools.wraps(send)
    def handle_request(pool: Any, request: Any) -> Any:
        began = time.monotonic()
        try:
            answer = send(pool, request)
        except BaseException as error:
            notes.take("http", _http_failed, request, error, began)
            raise
        with contextlib.suppress(Exception):
            answer.stream = _Overheard(
                answer.stream, lambda body: notes.take("http", _http_note, request, answer, body, began)
            )
        return answer

    httpcore.ConnectionPool.handle_request = handle_request  # type: ignore[method-assign, assignment]


class _Overheard:
    """A stream that passes each part on at once, and reports at its end what came, up to a limit."""

    def __init__(self, stream: Any, ended: Callable[[bytes | int], None]) -> None:
        self._stream, self._ended = stream, ended
        self._body = bytearray()
        self._size = 0

    def __iter__(self) -> Iterator[bytes]:
        for part in self._stream:
            self._size += len(part)
            if self._size <= _JSON:
                self._body += part
            yield part

    def close(self) -> None:
        ended, self._ended = self._ended, _nothing
        try:
            if hasattr(self._stream, "close"):
                self._stream.close()
        finally:
            ended(bytes(self._body) if self._size <= _JSON else self._size)


def _nothing(_: bytes | int) -> None:
    """Record nothing, where an exchange is recorded already."""


def _http_failed(request: Any, error: BaseException, began: float) -> dict[str, Any]:
    return {**_asked(request), "error": type(error).__name__, **_took(began)}


def _http_note(request: Any, answer: Any, body: bytes | int, began: float) -> dict[str, Any]:
    headers = _pairs(answer.headers)
    got = {"status": answer.status, "headers": _headers(headers), "body": _body(headers, body)}
    return {**_asked(request), "answer": got, **_took(began)}


def _asked(request: Any) -> dict[str, Any]:
    url = urlsplit(bytes(request.url).decode())
    headers, sent = _pairs(request.headers), b""
    with contextlib.suppress(Exception):
        # Only a body that httpx has in memory is recorded; the caller's stream is left alone.
        if type(request.stream).__name__ == "ByteStream":
            sent = b"".join(request.stream)
    return {
        "request": {
            "method": request.method.decode(),
            "host": headers.get("host") or url.netloc,
            "path": url.path,
            "query": dict(parse_qsl(url.query, keep_blank_values=True)),
            "headers": _headers(headers),
            "body": _body(headers, sent),
        }
    }


def _pairs(headers: Any) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}


def _headers(headers: dict[str, str]) -> dict[str, str]:
    return {name: value if name in _HEADERS else "(not kept)" for name, value in sorted(headers.items())}


def _body(headers: dict[str, str], body: bytes | int) -> Any:
    """Return what is recorded of a body; of one that was too long, `body` is its length in bytes."""
    if isinstance(body, int):
        return {"bytes": body}
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if "content-encoding" in headers:
        body = _unpacked(headers["content-encoding"], body)
    if kind.endswith("json") and body:
        with contextlib.suppress(ValueError):
            return json.loads(body)
    if kind == "text/plain" and len(body) <= _TEXT:
        return body.decode(errors="replace")
    return {"bytes": len(body)}


def _unpacked(encoding: str, body: bytes) -> bytes:
    import zlib

    with contextlib.suppress(zlib.error):
        return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(body, _JSON) if encoding == "gzip" else body
    return body


def _aws(notes: Notes) -> None:
    import botocore

    def asked(params: Any, model: Any, context: Any, **_: Any) -> None:
        with contextlib.suppress(Exception):
            context[_MARK] = (model, dict(params), time.monotonic())

    def answered(response_dict: Any, parsed_response: Any, context: Any, exception: Any, **_: Any) -> None:
        if mark := context.get(_MARK):
            notes.take("aws", _aws_note, mark, response_dict, parsed_response, exception, model=mark[0].service_model)

    def watch(session: Any) -> None:
        with contextlib.suppress(Exception):
            session.register("before-parameter-build", asked, unique_id=f"{_MARK}-asked")
            session.register("response-received", answered, unique_id=f"{_MARK}-answered")

    botocore.register_initializer(watch)


def _aws_note(asked: Any, response: Any, parsed: Any, exception: Any) -> dict[str, Any]:
    model, params, began = asked
    got = {name: value for name, value in (parsed or {}).items() if name != "ResponseMetadata"}
    body = {name: {"bytes": "not read"} if hasattr(value, "read") else value for name, value in got.items()}
    sent = {name: {"bytes": "not read"} if hasattr(value, "read") else value for name, value in params.items()}
    answer = (
        {"error": type(exception).__name__}
        if response is None
        else {"answer": {"status": response["status_code"], "body": body}}
    )
    return {
        "request": {"service": model.service_model.service_name, "operation": model.name, "body": sent},
        **answer,
        **_took(began),
    }


def _dns(notes: Notes) -> None:
    import dns.query

    def heard(way: str, ask: Any) -> Any:
        @functools.wraps(ask)
        def query(q: Any, where: str, *more: Any, **named: Any) -> Any:
            began = time.monotonic()
            try:
                answer = ask(q, where, *more, **named)
            except BaseException as error:
                notes.take("dns", _dns_note, q, where, way, error, began)
                raise
            notes.take("dns", _dns_note, q, where, way, answer, began)
            return answer

        return query

    dns.query.udp = heard("udp", dns.query.udp)
    dns.query.tcp = heard("tcp", dns.query.tcp)


def _dns_note(query: Any, where: str, way: str, came: Any, began: float) -> dict[str, Any]:
    outcome = {"error": type(came).__name__} if isinstance(came, BaseException) else {"answer": _answer(came)}
    return {**_question(query, where, way), **outcome, **_took(began)}


def _question(query: Any, where: str, way: str) -> dict[str, Any]:
    import dns.rdatatype

    (asked,) = query.question
    kind = dns.rdatatype.to_text(asked.rdtype)
    return {"request": {"server": where, "way": way, "host": asked.name.to_text(), "type": kind}}


def _answer(message: Any) -> dict[str, Any]:
    import dns.flags
    import dns.rcode
    import dns.rdatatype

    parts = {
        part: [
            {
                "host": each.name.to_text(),
                "type": dns.rdatatype.to_text(each.rdtype),
                "ttl": each.ttl,
                "value": one.to_text(),
            }
            for each in getattr(message, part)
            for one in each
        ]
        for part in ("answer", "authority", "additional")
    }
    return {"rcode": dns.rcode.to_text(message.rcode()), "flags": dns.flags.to_text(message.flags).split(), **parts}


def _took(began: float) -> dict[str, float]:
    return {"seconds": round(time.monotonic() - began, 3)}
