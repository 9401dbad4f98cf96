"""An application with a database on Akash: three containers in one lease, on an address of its own."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from ...kind import Deployed
from ...targets.akash import ingress
from ...targets.akash.ingress import Ingress
from ...topology import Line
from . import losses
from .document import UNKNOWN, WEB
from .options import PostgresOptions
from .site import OnSite, operators

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...config.models import Acme
    from ...errors import Fault
    from ...exposure import Exposure
    from ...kind import Context
    from ...release import Release
    from ...topology import Site


class OnAkash(OnSite):
    """A lease with an address and volumes, which end with it: the copy is then restored from the archive."""

    target = losses.AKASH

    def exposure(self, options: PostgresOptions, acme: Acme) -> Exposure:  # noqa: ARG002 the same for all
        """Return an address with certificates over ACME."""
        return ingress.exposure(Ingress.DEDICATED, acme)

    def bill(self, options: PostgresOptions, release: Release) -> Iterator[Line]:  # noqa: ARG002 the options decide
        """Return the lease in USD a month, by the providers' price list."""
        sizes = options.model_copy(update={"command": ("x",), "args": (), "env": {}}).model_dump_json()
        yield Line("lease with an IPv4 address, by the providers' list", _lease_usd_month(sizes), "akash")

    def losses(self, options: PostgresOptions) -> Iterator[str]:
        """Return what does not survive in a lease."""
        yield from losses.sentences(options, losses.AKASH)

    def refuses(self, options: PostgresOptions, release: Release) -> Iterator[Fault]:  # noqa: ARG002 the options decide
        """Refuse what would not work in a lease."""
        yield from losses.faults(options, losses.AKASH)

    def deploy(self, site: Site, context: Context) -> Deployed:
        """Register the deployment. Its name never changes: a new deployment would have to restore everything."""
        import pulumi

        from ...targets.akash.deployment import Deployment
        from .document import document_for

        name = f"{site.name}.{pulumi.get_stack()}"
        key = f"{pulumi.get_project()}/{pulumi.get_stack()}/{name}"
        known, opts = operators(key, context.opts, f"sdl.services.{WEB}.env[0]")
        lease = Deployment(
            site.name,
            name=name,
            sdl=document_for(site, context.plan, known or UNKNOWN),
            service=WEB,
            avoid=list(context.avoid),
            apart=list(context.apart),
            hosts=list(site.hosts),
            opts=opts,
        )
        endpoint = lease.address.apply(lambda address: ingress.endpoint(Ingress.DEDICATED, address, (), ()))
        return Deployed(endpoint, lease.provider, lease.id, lease, {"lease": pulumi.Output.from_input(key)})

    def where(self, site: Site) -> dict[str, object]:
        """Return how to find the lease whose containers get secrets: by the deployment's id on the market."""
        from ...action import Ref

        return {"dseq": Ref(site.name, "identity"), "service": WEB}


@functools.cache
def _lease_usd_month(sizes: str) -> float:
    from ...targets.akash.sdl import price
    from .document import sized

    return float(price.usd_month(sized(PostgresOptions.model_validate_json(sizes)).data))
