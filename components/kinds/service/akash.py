"""A service on Akash: the web server and the application in one lease, on an address of its own."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from ...kind import Deployed, Implementation
from ...targets.akash import ingress
from ...targets.akash.ingress import Ingress
from ...topology import Line
from . import losses
from .options import Update

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...config.models import Acme
    from ...errors import Fault
    from ...exposure import Exposure
    from ...kind import Context
    from ...release import Release
    from ...topology import Site
    from .options import ServiceOptions

#: How much of a release's id stands in the name of a deployment that is for one release.
_SHORT = 8


class OnAkash(Implementation["ServiceOptions"]):
    """A lease with an address of its own, whose web server passes visitors on to the application."""

    def exposure(self, options: ServiceOptions, acme: Acme) -> Exposure:  # noqa: ARG002 the same for every service
        """Return an address with certificates over ACME."""
        return ingress.exposure(Ingress.DEDICATED, acme)

    def bill(self, options: ServiceOptions, release: Release) -> Iterator[Line]:  # noqa: ARG002 the options decide
        """Return the lease, by the providers' price list."""
        yield Line("lease with an IPv4 address, by the providers' list", _lease_usd_month(_sizes(options)), "akash")

    def losses(self, options: ServiceOptions) -> Iterator[str]:
        """Name what does not survive in a lease."""
        yield from losses.sentences(options, losses.AKASH)

    def refuses(self, options: ServiceOptions, release: Release) -> Iterator[Fault]:  # noqa: ARG002 the options decide
        """Refuse what would not work in a lease."""
        yield from losses.faults(options, losses.AKASH)

    def deploy(self, site: Site, context: Context) -> Deployed:
        """Register the deployment."""
        import pulumi

        from ...targets.akash.deployment import Deployment
        from .document import WEB, document_for

        release = context.plan.release
        options: ServiceOptions = site.options  # type: ignore[assignment]
        name = f"{site.name}.{pulumi.get_stack()}"
        if options.update is Update.BESIDE:
            # Another name is another deployment: it is made before the old one is closed, and the old one goes on
            # until no record leads to it.
            name += f".{release.id[:_SHORT]}"
        lease = Deployment(
            site.name,
            name=name,
            sdl=document_for(site, release),
            service=WEB,
            avoid=list(context.avoid),
            hosts=list(site.hosts),
            opts=context.opts,
        )
        endpoint = lease.address.apply(lambda address: ingress.endpoint(Ingress.DEDICATED, address, (), ()))
        return Deployed(endpoint, lease.provider, lease.id, lease)


def _sizes(options: ServiceOptions) -> str:
    """Return what decides about the price, as a text that can be remembered by."""
    return options.model_copy(update={"command": (), "args": (), "env": {}}).model_dump_json()


@functools.cache
def _lease_usd_month(sizes: str) -> float:
    from ...targets.akash.sdl import price
    from .document import sized
    from .options import ServiceOptions

    return float(price.usd_month(sized(ServiceOptions.model_validate_json(sizes)).data))
