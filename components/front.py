"""How visitors reach a site: the scheme and the ports, in one place for planning, checking and both halves."""

from __future__ import annotations

#: The scheme of every address that is published.
SCHEME = "http"
#: The port that scheme uses.
PORT = {"http": 80, "https": 443}[SCHEME]
#: The path that answers the version a site serves.
HEALTH_PATH = "/healthz"
#: Where a certificate authority looks for its answers (RFC 8555 §8.3).
CHALLENGE_PATH = "/.well-known/acme-challenge/*"
#: Route 53's check type for the scheme.
CHECK_TYPE = SCHEME.upper()
#: Seconds between two requests of one checker, and how many in a row decide (Route 53: 10 or 30; 1 to 10).
CHECK_INTERVAL = 10
CHECK_THRESHOLD = 3
#: Options of a health check that Route 53 bills one by one: the fast interval, and HTTPS.
CHECK_OPTIONS = ("fast interval", "https") if SCHEME == "https" else ("fast interval",)
#: Seconds for which resolvers keep an alias that points to CloudFront; the record itself has no TTL.
ALIAS_TTL = 60


def url(host: str, path: str = "/") -> str:
    """Return the published address of a path at a host."""
    return f"{SCHEME}://{host}{path}"
