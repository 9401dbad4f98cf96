"""A name server on Akash: PowerDNS, its keeper and a web server in one lease, on an address of its own."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING

from ... import operator_key
from ...action import Action, Phase, Ref, Run
from ...config import images
from ...dns.powerdns import csk, server
from ...errors import Fault
from ...kind import Deployed, Implementation
from ...targets.akash import ingress
from ...targets.akash.ingress import Ingress
from ...topology import Line
from . import document

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ...config.models import Acme
    from ...exposure import Exposure
    from ...kind import Context
    from ...release import Release
    from ...topology import Site, WorkloadPlan
    from .options import NameserverOptions

#: Seconds for a new lease to get its certificate and take the key, just after its name was published.
_HANDOVER_S = 600
#: The paths of the hash of the operator's certificate, and of the signer's key, in the document.
_DERIVED = (f"sdl.services.{document.WEB}.env[0]", f"sdl.services.{document.DNS}.env[2]")


class OnAkash(Implementation["NameserverOptions"]):
    """A lease with an address of its own, at which port 53 answers over UDP and TCP."""

    def exposure(self, options: NameserverOptions, acme: Acme) -> Exposure:  # noqa: ARG002 the same for all
        """Return an address with a certificate over ACME, by which the zone's key is handed over."""
        return ingress.exposure(Ingress.DEDICATED, acme)

    def bill(self, options: NameserverOptions, release: Release) -> Iterator[Line]:  # noqa: ARG002 the document decides
        """Return the lease in USD a month, by the providers' price list."""
        yield Line("lease of a name server with an IPv4 address, by the providers' list", _lease_usd_month(), "akash")

    def losses(self, options: NameserverOptions) -> Iterator[str]:
        """Return who can forge the zone, and what to do after the loss of a lease."""
        yield (
            f"who runs this machine can forge the zone {options.zone}: the key lies there, because answers change and "
            "are signed as they change; no site is rented from the same operator"
        )
        yield (
            "if its lease is lost, so is its address: change the glue at the registrar at once, because the next "
            "tenant of the address is asked for the zone's names"
        )

    def refuses(self, options: NameserverOptions, release: Release) -> Iterator[Fault]:  # noqa: ARG002 the options
        """Refuse an image that no registry has."""
        try:
            images.pinned(options.image or document.image())
        except ValueError as error:
            why = f"{error}; images/nameserver and .github/workflows/image-nameserver.yml build it"
            yield Fault("image", why)

    def credentials(self, options: NameserverOptions) -> dict[str, int]:  # noqa: ARG002 the same for all
        """Return the variable of the key behind the handover's certificate and the signer, and its least length."""
        return {operator_key.VARIABLE: operator_key.SHORTEST}

    def delivers(self, site: Site, secrets: Sequence[str]) -> list[str]:  # noqa: ARG002 there is one
        """Return the name of the action that hands over the zone's key."""
        return [f"{site.name}-key"]

    def actions(self, site: Site, plan: WorkloadPlan) -> Iterator[Action]:  # noqa: ARG002 the site decides
        """Hand over the zone's key before the server is asked for its zone."""
        given = {
            "host": site.site_host,
            "dseq": Ref(site.name, "identity"),
            "lease": Ref(site.name, "lease"),
            "service": document.WEB,
            "secrets": {server.KEY: csk.VARIABLE},
            "timeout_s": _HANDOVER_S,
        }
        yield Action(
            f"{site.name}-key",
            Phase.CHECK,
            "hand over",
            site.name,
            Run("handover", given),
            site=site.name,
            detail=f"the zone's key from {csk.VARIABLE}, at the address of its lease alone",
            before=(f"{site.name}-serves",),
        )

    def deploy(self, site: Site, context: Context) -> Deployed:
        """Register the deployment."""
        import pulumi

        from ...targets.akash.deployment import Deployment

        options: NameserverOptions = site.options  # type: ignore[assignment]
        name = f"{site.name}.{pulumi.get_stack()}"
        key, opts = f"{pulumi.get_project()}/{pulumi.get_stack()}/{name}", context.opts
        operator = signer = document.UNKNOWN
        if pulumi.runtime.is_dry_run() and not os.environ.get(operator_key.VARIABLE):
            # A preview needs no key: derived values keep those of the state, and a new resource is shown without them.
            opts = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(ignore_changes=list(_DERIVED)))
        else:
            operator = operator_key.certificate(key).fingerprint
            signer = operator_key.public_line(operator_key.zone_signer(options.zone))
        folder = f"{context.plan.identity}/zone/{site.name}"
        stores = [f"{store.public_url}/{folder}" for store in context.plan.stores.values()]
        lease = Deployment(
            site.name,
            name=name,
            sdl=document.document_for(site, context.plan.release, stores, operator, signer),
            service=document.WEB,
            avoid=list(context.avoid),
            apart=list(context.apart),
            hosts=list(site.hosts),
            opts=opts,
        )
        endpoint = lease.address.apply(lambda address: ingress.endpoint(Ingress.DEDICATED, address, (), ()))
        return Deployed(endpoint, lease.provider, lease.id, lease, {"lease": pulumi.Output.from_input(key)})


@functools.cache
def _lease_usd_month() -> float:
    from ...targets.akash.sdl import price

    return float(price.usd_month(document.shipped().data))
