"""Ask a server with an address as it is, which clients would tidy up, over one connection that is kept."""

from __future__ import annotations

import contextlib
import gzip
import http.client
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping


@dataclass(frozen=True)
class Reply:
    """What a server answered; header names in lower case, and the body with its content coding undone."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def header(self, name: str) -> str:
        """Return a header's value, or nothing."""
        return self.headers.get(name, "")


#: The site's public name, its own name on AWS, and names that lead to the public one.
HOST, SITE_HOST, OTHERS = "docs.dao.example", "docs-aws.dao.example", ("www.dao.example", "dao.example")


class Half(Protocol):
    """One way to serve a site."""

    name: str

    def ask(self, target: str, method: str = "GET", headers: Mapping[str, str] | None = None) -> Reply:
        """Ask for a request target as it is."""
        ...


class Line:
    """A connection to a server on this machine."""

    def __init__(self, port: int, host: str, tls: ssl.SSLContext | None = None) -> None:
        self._port, self._host, self._tls = port, host, tls
        self._open: http.client.HTTPConnection | None = None

    def ask(self, target: str, method: str = "GET", headers: Mapping[str, str] | None = None) -> Reply:
        """Ask once more if the server had closed the connection."""
        try:
            return self._ask(target, method, headers or {})
        except (http.client.HTTPException, OSError):
            self.close()
            return self._ask(target, method, headers or {})

    def _ask(self, target: str, method: str, headers: Mapping[str, str]) -> Reply:
        if self._open is None:
            self._open = _Named(self._port, self._host, self._tls)
        self._open.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in {"Host": self._host, "Accept-Encoding": "identity", **headers}.items():
            self._open.putheader(name, value)
        self._open.endheaders()
        answer = self._open.getresponse()
        body = answer.read()
        names = {name.lower() for name in answer.headers}
        found = {name: ", ".join(answer.headers.get_all(name) or ()) for name in names}
        if answer.will_close:
            self.close()
        return Reply(answer.status, found, _decoded(found.get("content-encoding", ""), body))

    def close(self) -> None:
        """End the connection."""
        if self._open is not None:
            self._open.close()
            self._open = None


class _Named(http.client.HTTPConnection):
    """A connection to 127.0.0.1 that names another host in TLS."""

    def __init__(self, port: int, host: str, tls: ssl.SSLContext | None) -> None:
        super().__init__("127.0.0.1", port, timeout=60)
        self._name, self._tls = host, tls

    def _validate_path(self, url: str) -> None:
        """Send what a client should not send."""

    def connect(self) -> None:
        super().connect()
        if self._tls is not None:
            self.sock = self._tls.wrap_socket(self.sock, server_hostname=self._name)


def _decoded(coding: str, body: bytes) -> bytes:
    if not body:
        return body
    if coding == "gzip":
        return gzip.decompress(body)
    if coding == "br":
        import brotli

        with contextlib.suppress(brotli.error):
            return bytes(brotli.decompress(body))
    return body
