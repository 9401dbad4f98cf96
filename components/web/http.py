"""How visitors reach a site: the scheme and the ports, in one place for planning, checking and both halves."""

from __future__ import annotations

#: The scheme of every site that has a certificate for the public host.
SCHEME = "https"
#: The port that each scheme uses.
PORTS = {"http": 80, "https": 443}
#: The path that answers which version a site serves.
HEALTH_PATH = "/healthz"
#: The path at which a certificate authority looks for its answers (RFC 8555 §8.3).
CHALLENGE_PATH = "/.well-known/acme-challenge/*"


def url(host: str, path: str = "/", scheme: str = SCHEME) -> str:
    """Return the published URL of a path at a host."""
    return f"{scheme}://{host}{path}"
