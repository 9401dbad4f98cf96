"""A server of loopback for tests."""

from __future__ import annotations

from http.server import ThreadingHTTPServer


class Loopback(ThreadingHTTPServer):
    """Serve HTTP to a client under test. A client that hangs up leaves no word in the test's own output."""

    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Ignore that a client closed its connection or refused the certificate: the test looks at the client."""
