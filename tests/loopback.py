"""A server of loopback for tests."""

from __future__ import annotations

import ssl
from http.server import ThreadingHTTPServer

#: For clients of plain HTTP: a client of httpx otherwise reads every authority in the world (23 ms), also for no HTTPS.
PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class Loopback(ThreadingHTTPServer):
    """Serve HTTP to a client under test. A client that hangs up leaves no word in the test's own output."""

    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Ignore that a client closed its connection or refused the certificate: the test looks at the client."""
