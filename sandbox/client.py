"""A visitor from outside: requests a site repeatedly, as a browser behind an ordinary resolver would."""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .state import State

#: Seconds after which a visitor gives up.
TIMEOUT_S = 5.0
#: Seconds between two visits.
PERIOD_S = 1.0
#: Seconds that a visitor's resolver waits for an answer.
RESOLVER_S = 2.0
#: The most bytes of a page that are read.
LONGEST = 8_000_000
#: A site's health path, or a page that names its version, contains this: a sha256.
VERSION = re.compile(rb"\b[0-9a-f]{64}\b")

PORTS = {"http": 80, "https": 443}


class NotReached(Exception):  # noqa: N818 - the name is what is wrong, as OSError's children do
    """The visit failed before there was a response; its text is the reason."""


@dataclass(frozen=True)
class Page:
    """A response: header names in lower case, `address` is where it came from."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    address: str

    @property
    def version(self) -> str | None:
        """The first sha256 in the body, which is how our sites name what they serve."""
        found = VERSION.search(self.body)
        return found[0].decode() if found else None


@dataclass(frozen=True)
class Sample:
    """One visit: when it began (Unix time), how long it took (seconds), and its result."""

    time: float
    latency: float
    address: str | None = None
    status: int | None = None
    version: str | None = None
    error: str | None = None

    @property
    def ok(self) -> bool:
        """Whether the visitor got what they came for."""
        return self.error is None and self.status is not None and 200 <= self.status < 300


class Addresses(Protocol):
    """The resolver of a visitor."""

    def addresses(self, name: str) -> tuple[str, ...]:
        """Return the IPv4 addresses of a name. Raises NotReached."""
        ...


@dataclass
class Resolver:
    """Asks the sandbox's DNS server, and caches an answer for as long as it allows.

    A negative answer is not cached: a visitor that comes before the site would wait out the zone's SOA.
    """

    state: State
    _kept: dict[str, tuple[float, tuple[str, ...]]] = field(default_factory=dict)

    def addresses(self, name: str) -> tuple[str, ...]:
        """Return the IPv4 addresses of a name. Raises NotReached."""
        ends, known = self._kept.get(name, (0.0, ()))
        if ends > time.monotonic():
            return known
        asked = time.monotonic()
        answer = self._ask(name)
        sets = [one for one in answer.answer if one.rdtype in (dns.rdatatype.A, dns.rdatatype.CNAME)]
        addresses = tuple(record.address for one in sets if one.rdtype == dns.rdatatype.A for record in one)
        if not addresses:
            raise NotReached(f"{name} has no address ({dns.rcode.to_text(answer.rcode())})")
        self._kept[name] = asked + min(one.ttl for one in sets), addresses
        return addresses

    def _ask(self, name: str) -> dns.message.Message:
        port = self.state.port("dns")
        if port is None:
            raise NotReached("the sandbox's DNS server is not up")
        query = dns.message.make_query(name, "A")
        try:
            answer, _ = dns.query.udp_with_fallback(query, "127.0.0.1", timeout=RESOLVER_S, port=port)
        except (OSError, dns.exception.DNSException) as error:
            raise NotReached(f"the DNS server does not answer: {error}") from error
        return answer


def get(
    url: str,
    state: State,
    *,
    address: str | None = None,
    verify: bool = True,
    timeout: float = TIMEOUT_S,
    method: str = "GET",
) -> Page:
    """Request a URL once, from `address` if one is given (as `curl --resolve` does), else from where DNS leads.

    It uses the sandbox's routes; HTTPS trusts the sandbox's authorities unless `verify` is off. Redirects are not
    followed. Raises NotReached.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    at = address or Resolver(state).addresses(host)[0]
    port = parts.port or PORTS[parts.scheme]
    real = state.route(at, port)
    if real is None:
        raise NotReached(f"connection refused: {at}:{port}")
    tls = _trusting(state, verify=verify) if parts.scheme == "https" else None
    connection = _Routed(host, port, real, tls, timeout)
    try:
        connection.request(method, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""))
        response = connection.getresponse()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Page(response.status, headers, response.read(LONGEST), at)
    except ssl.SSLCertVerificationError as error:
        raise NotReached(f"the certificate is not valid: {error.verify_message}") from error
    except (OSError, http.client.HTTPException) as error:
        raise NotReached(f"{at}:{port}: {error or type(error).__name__}") from error
    finally:
        connection.close()


class _Routed(http.client.HTTPConnection):
    """A connection to a realistic address: the name and port for HTTP and TLS, the real ones for the socket."""

    def __init__(self, host: str, port: int, real: tuple[str, int], tls: ssl.SSLContext | None, timeout: float) -> None:
        super().__init__(host, port, timeout=timeout)
        self._real = real
        self._tls = tls
        self.default_port = PORTS["https" if tls else "http"]  # the Host header names a port only if it is another

    def connect(self) -> None:
        self.sock = socket.create_connection(self._real, self.timeout)
        if self._tls:
            self.sock = self._tls.wrap_socket(self.sock, server_hostname=self.host)


def _trusting(state: State, *, verify: bool) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=state.ca_bundle)
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


class Visitor:
    """Visits a URL every `period` seconds in a thread of its own, through one resolver, and records every visit."""

    def __init__(self, url: str, state: State, period: float = PERIOD_S, resolver: Addresses | None = None) -> None:
        self.url = url
        self._period = period
        self.samples: list[Sample] = []
        self._state = state
        self._resolver = resolver or Resolver(state)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"visitor of {url}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the visit in progress. Do nothing the second time."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def failed(self, since: float, until: float) -> list[Sample]:
        """Return the visits that began in a span of Unix time and failed."""
        return [one for one in list(self.samples) if since <= one.time <= until and not one.ok]

    def outage(self) -> float:
        """Return the longest outage in seconds: from the first visit that failed to the first that succeeded again."""
        longest, began = 0.0, None
        for one in list(self.samples):
            if not one.ok and began is None:
                began = one.time
            if began is not None:
                longest = max(longest, one.time - began)
            if one.ok:
                began = None
        return longest

    def _run(self) -> None:
        due = time.monotonic()
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            due = max(due + self._period, time.monotonic())
            self.samples.append(self._visit())

    def _visit(self) -> Sample:
        began, clock = time.time(), time.monotonic()
        address = None
        try:
            address = self._resolver.addresses(urlsplit(self.url).hostname or "")[0]
            page = get(self.url, self._state, address=address)
        except NotReached as error:
            return Sample(began, time.monotonic() - clock, address, error=str(error))
        return Sample(began, time.monotonic() - clock, address, page.status, page.version)
