"""What stands between visitors and a container on Akash."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from ...exposure import Endpoint, Exposure, Proof, Reach

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...config.models import Acme


class Ingress(StrEnum):
    """An address and certificates of its own, or the provider's shared ingress."""

    DEDICATED = "dedicated"
    SHARED = "shared"


def exposure(ingress: Ingress, acme: Acme) -> Exposure:
    """Return how a lease will be reached. Behind a shared ingress the public host can have no certificate."""
    if ingress is Ingress.SHARED:
        return Exposure(Reach.NAME)
    return Exposure(Reach.ADDRESS, acme.issuer, Proof.PASSED_ON)


def endpoint(ingress: Ingress, address: str, names: Iterable[str], ours: Iterable[str]) -> Endpoint:
    """Return where a lease is reached: its address, or the name that the provider's ingress gave it."""
    if ingress is Ingress.DEDICATED:
        return Endpoint(addresses=(address,))
    return Endpoint(name=next((name for name in names if name not in set(ours)), ""))


#: What browsers show behind a shared ingress.
SHARED_LOSS = (
    "it is reached by a name of the provider, where no certificate for the public host can be had: browsers get a "
    "self-signed one and refuse https, and those that know the site do not offer to go on; only plain HTTP works, and "
    "it alone is probed"
)
