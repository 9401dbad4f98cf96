"""How sites are reached: known before they exist (Exposure), and once they exist (Endpoint)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Reach(StrEnum):
    """What visitors connect to."""

    ALIAS = "alias"  #: a name of a vendor that an authority can follow by itself, with the id of its hosted zone
    ADDRESS = "address"  #: IPv4 addresses of its own
    NAME = "name"  #: a name somewhere else


class Proof(StrEnum):
    """How an issuer verifies that a site may have a certificate for the public host."""

    NONE = "none"  #: not at all: plain HTTP only, or no HTTP
    DNS = "dns"  #: by a record, before any name leads here
    PASSED_ON = "passed-on"  #: by HTTP-01; the site that answers the host passes challenges on
    HOST_ONLY = "host-only"  #: only once the host leads here


@dataclass(frozen=True)
class Exposure:
    """How a site will be reached, known before it exists.

    `issuer` is the name of its certificates' issuer in CAA records (RFC 8659), None where there is no certificate for
    the public host. `addresses` is the largest number of addresses that it can have.
    """

    reach: Reach
    issuer: str | None = None
    proof: Proof = Proof.NONE
    addresses: int = 1

    @property
    def scheme(self) -> str:
        """The scheme that visitors can use without a certificate warning."""
        return "https" if self.issuer else "http"


@dataclass(frozen=True)
class Endpoint:
    """Where a site is reached; its exposure decides which fields are set. `zone` is the alias's hosted zone id."""

    addresses: tuple[str, ...] = ()
    name: str = ""
    zone: str = ""

    @property
    def at(self) -> list[str]:
        """The addresses, or the name where there are none: what a probe connects to."""
        return list(self.addresses) or [self.name]
