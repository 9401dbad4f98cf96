"""How visitors reach a site: the scheme and the ports, in one place for planning, checking and both halves."""

from __future__ import annotations

from enum import StrEnum


class Front(StrEnum):
    """What stands between visitors and a container on Akash: an address of its own, or the host's shared ingress."""

    IP = "ip"
    INGRESS = "ingress"


#: The scheme of every site that has a certificate for the public host.
SCHEME = "https"
#: The port that each scheme uses.
PORTS = {"http": 80, "https": 443}
#: The path that answers the version a site serves.
HEALTH_PATH = "/healthz"
#: Where a certificate authority looks for its answers (RFC 8555 §8.3).
CHALLENGE_PATH = "/.well-known/acme-challenge/*"
#: Seconds between two requests of one checker, and how many in a row decide (Route 53: 10 or 30; 1 to 10).
CHECK_INTERVAL = 10
CHECK_THRESHOLD = 3
#: Options of a health check that Route 53 bills one by one, by scheme: the fast interval, and HTTPS.
CHECK_OPTIONS = {"http": ("fast interval",), "https": ("fast interval", "https")}
#: Amazon's name in CAA records (ACM user guide, "Configure a CAA record"); one of its four is enough.
AMAZON = "amazon.com"
#: Seconds for which resolvers keep an alias that points to CloudFront; the record itself has no TTL.
ALIAS_TTL = 60


def url(host: str, path: str = "/", scheme: str = SCHEME) -> str:
    """Return the published address of a path at a host."""
    return f"{scheme}://{host}{path}"
