"""Visit a site as a browser does: from outside, its certificate validated, at an address that need not be in DNS."""

from __future__ import annotations

import socket
import ssl
import time
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpcore
import httpx

from ..deadline import within
from ..limits import PAGE_BYTES, PAGE_S
from ..text.escape import outside, printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..deadline import Deadline


@dataclass(frozen=True)
class Certificate:
    """The facts that a browser shows about a certificate it accepted."""

    issuer: str
    names: tuple[str, ...]
    days_left: float


@dataclass(frozen=True)
class Page:
    """What a visitor saw: a status and the beginning of the body, or a sentence about the failure.

    `spoke`: no page came, but a server answered, such as one whose certificate is refused.
    """

    status: int
    body: str
    certificate: Certificate | None
    fault: str = ""
    spoke: bool = False


_HEADERS: dict[bytes | str, bytes | str] = {"User-Agent": "unmoor"}


def visit(
    url: str,
    address: str | None = None,
    patience: float = PAGE_S,
    *,
    context: ssl.SSLContext | None = None,
    content: bytes | None = None,
) -> Page:
    """Request a page; with `address` (IPv4 or name), from there, without resolving the URL's host.

    Redirects are answers.

    It uses the proxies of the environment, by CONNECT: a proxy that forwards would put its own idea of the host into
    the request (RFC 9112 §3.2.2). Network failures do not raise. The whole visit takes `patience` seconds at most, and
    the page is the beginning of the answer. Its text is free of terminal controls.

    `context` also shows a client certificate; `content` is sent as the body of a request.
    """
    context = context or (httpx.create_ssl_context() if url.startswith("https:") else None)
    method = "GET" if content is None else "POST"
    with within(patience) as deadline:
        extensions = {
            "timeout": dict.fromkeys(("connect", "read", "write", "pool"), patience),
            "trace": deadline.trace,
        }
        pool = httpcore.ConnectionPool(ssl_context=context, network_backend=_Towards(address, deadline))
        try:
            with pool, pool.stream(method, url, headers=_HEADERS, content=content, extensions=extensions) as answer:
                certificate = _certificate(answer.extensions["network_stream"].get_extra_info("ssl_object"))
                return Page(answer.status, _beginning(answer), certificate)
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, httpcore.ProxyError) as error:
            late = f"no whole answer in {patience:g} s" if deadline.over else ""
            spoke = not late and isinstance(_cause(error), ssl.SSLError)
            return Page(0, "", None, late or _sentence(error, urlsplit(url).hostname or ""), spoke)


def _beginning(answer: httpcore.Response) -> str:
    """Read as much of a body as is judged."""
    body = b""
    for part in answer.iter_stream():
        body += part
        if len(body) >= PAGE_BYTES:
            break
    return printable(body[:PAGE_BYTES].decode(errors="replace"))


class _Towards(httpcore.NetworkBackend):
    """Connect to one address instead of the URL's host, through the environment's proxy where there is one."""

    def __init__(self, address: str | None, deadline: Deadline) -> None:
        self._address = address
        self._deadline = deadline
        self._network = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Open a connection."""
        target = self._address or host
        proxy = _proxy(target, port)
        if proxy is None:
            return self._open(target, port, local_address, socket_options)
        stream = self._open(*proxy, local_address, socket_options)
        try:
            self._connect(stream, target, port, timeout)
        except BaseException:
            stream.close()
            raise
        return stream

    def _open(
        self, host: str, port: int, local_address: str | None, socket_options: Iterable[Any] | None
    ) -> httpcore.NetworkStream:
        """Connect to the first address of a host that answers; each has an equal part of the time that is left.

        Raises httpcore.ConnectError or ConnectTimeout, of the last address.
        """
        try:
            found = [each[4] for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        except (OSError, UnicodeError, OverflowError) as error:
            raise httpcore.ConnectError(str(error)) from error
        last: httpcore.ConnectError | httpcore.ConnectTimeout = httpcore.ConnectError(f"{host} has no address")
        for count, (address, at, *_) in enumerate(found):
            part = self._deadline.left / (len(found) - count)
            if not part:
                raise httpcore.ConnectTimeout("the time is over")
            try:
                return self._network.connect_tcp(str(address), int(at), part, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                last = error
        raise last

    def _connect(self, stream: httpcore.NetworkStream, target: str, port: int, timeout: float | None) -> None:
        """Let a proxy connect to a target. Raises ConnectError with its answer if it does not."""
        stream.write(f"CONNECT {target}:{port} HTTP/1.1\r\nHost: {target}:{port}\r\n\r\n".encode(), timeout)
        answer = b""
        while b"\r\n\r\n" not in answer and len(answer) < PAGE_BYTES and not self._deadline.over:
            part = stream.read(4096, timeout)
            if not part:
                break
            answer += part
        status = answer.split(b"\r\n", 1)[0].split(b" ", 2)[1:2]
        if status != [b"200"] or b"\r\n\r\n" not in answer:
            reason = outside(answer.partition(b"\r\n\r\n")[2])
            raise httpcore.ConnectError(reason or f"the proxy answers {outside(status[0]) if status else 'nothing'}")


def _proxy(target: str, port: int) -> tuple[str, int] | None:
    """Return the proxy on the way to an address, from the environment's variables."""
    url = urllib.request.getproxies_environment().get("https" if port == 443 else "http")
    if not url or urllib.request.proxy_bypass(target):
        return None
    parts = urlsplit(url if "://" in url else f"http://{url}")
    return (parts.hostname or "", parts.port or 80)


def _certificate(connection: ssl.SSLObject | ssl.SSLSocket | None) -> Certificate | None:
    """Return the accepted certificate of a connection; None without TLS."""
    shown = connection.getpeercert() if connection is not None else None
    if not shown:
        return None
    fields: dict[str, Any] = dict(shown)
    issuer = {key: value for part in fields["issuer"] for key, value in part}
    left = ssl.cert_time_to_seconds(fields["notAfter"]) - time.time()
    return Certificate(
        outside(issuer.get("organizationName") or issuer.get("commonName") or "unnamed"),
        tuple(outside(value) for kind, value in fields.get("subjectAltName", ()) if kind == "DNS"),
        round(left / 86400, 1),
    )


#: OpenSSL's codes for a certificate that is not yet valid, or has expired (x509_vfy.h).
_BY_THE_CLOCK = (9, 10)


def _clock(code: int) -> str:
    """Return this machine's time for errors that depend on it, because the clock may be wrong."""
    return (
        f", by this machine's clock ({time.strftime('%Y-%m-%d %H:%M', time.gmtime())} UTC)"
        if code in _BY_THE_CLOCK
        else ""
    )


def _cause(error: Exception) -> BaseException | None:
    return error.__cause__ or error.__context__


def _sentence(error: Exception, host: str) -> str:
    """Return the meaning of a network failure as a sentence."""
    cause = _cause(error)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate is not valid for browsers: {cause.verify_message}{_clock(cause.verify_code)}"
    if isinstance(cause, ssl.SSLError):
        return f"no TLS: it has no certificate for {host} yet, or does not speak TLS there ({cause.reason})"
    if isinstance(error, httpcore.TimeoutException):
        return "no answer in time"
    return f"no answer ({outside(error) or type(error).__name__})"
