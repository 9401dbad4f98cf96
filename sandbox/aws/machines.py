"""The machines of EC2 for the world that runs them: each one's user data, volume and address.

moto stores machines and runs nothing. Its addresses are of 127.0.0.0/8, which no vendor has. Here they are of
TEST-NET-2 (RFC 5737).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.core import DEFAULT_ACCOUNT_ID
from moto.ec2.models import EC2Backend, ec2_backends

if TYPE_CHECKING:
    from collections.abc import Callable

_REGION = "us-east-1"
#: The addresses to allocate. Load balancers have those from 200 on.
ADDRESSES = tuple(f"198.51.100.{number}" for number in range(150, 200))
#: The device name of a machine's data volume.
_DEVICE = "/dev/sdf"


def snapshot() -> list[dict[str, Any]]:
    """Return every machine that is not terminated: its state, user data, data volume and public address."""
    backend = ec2_backends[DEFAULT_ACCOUNT_ID][_REGION]
    held = {
        volume.attachment.instance.id: volume.id
        for volume in list(backend.volumes.values())
        if volume.attachment and volume.attachment.device == _DEVICE
    }
    shown = {one.instance.id: one.public_ip for one in list(backend.addresses) if one.instance}
    return [
        {
            "id": one.id,
            "runs": one.state in ("pending", "running"),
            "data": str(one.user_data or ""),
            "volume": held.get(one.id, ""),
            "address": shown.get(one.id, ""),
        }
        for group in list(backend.reservations.values())
        for one in group.instances
        if one.state not in ("shutting-down", "terminated")
    ]


def volumes() -> list[str]:
    """Return every volume that is not deleted."""
    return list(ec2_backends[DEFAULT_ACCOUNT_ID][_REGION].volumes)


def allocating(original: Callable[..., Any]) -> Callable[..., Any]:
    """Make moto allocate addresses of `ADDRESSES`."""

    def allocate(self: EC2Backend, domain: str, address: str | None = None, tags: dict[str, str] | None = None) -> Any:
        used = {one.public_ip for one in self.addresses}
        free = next(each for each in ADDRESSES if each not in used)
        return original(self, domain, address or free, tags)

    return allocate
