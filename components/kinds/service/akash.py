"""A service on Akash: the web server and the application in one lease, on an address of its own."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING

from ... import operator_key
from ...action import STACK, Action, Phase, Ref, Run
from ...kind import Deployed, Implementation
from ...targets.akash import ingress
from ...targets.akash.ingress import Ingress
from ...topology import Line
from . import losses
from .document import WEB
from .options import Update

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ...config.models import Acme
    from ...errors import Fault
    from ...exposure import Exposure
    from ...kind import Context
    from ...release import Release
    from ...topology import Site, WorkloadPlan
    from .options import ServiceOptions

#: The number of characters of a release's id in the name of a deployment that is for one release.
_SHORT = 8
#: The path of the hash of the operator's certificate in the document: the first variable of the web server.
_OPERATOR = f"sdl.services.{WEB}.env[0]"


class OnAkash(Implementation["ServiceOptions"]):
    """A lease with an address of its own, whose web server passes visitors on to the application."""

    def exposure(self, options: ServiceOptions, acme: Acme) -> Exposure:  # noqa: ARG002 the same for every service
        """Return an address with certificates over ACME."""
        return ingress.exposure(Ingress.DEDICATED, acme)

    def bill(self, options: ServiceOptions, release: Release) -> Iterator[Line]:  # noqa: ARG002 the options decide
        """Return the lease in USD a month, by the providers' price list."""
        yield Line("lease with an IPv4 address, by the providers' list", _lease_usd_month(_sizes(options)), "akash")

    def losses(self, options: ServiceOptions) -> Iterator[str]:
        """Return what does not survive in a lease."""
        yield from losses.sentences(options, losses.AKASH)

    def refuses(self, options: ServiceOptions, release: Release) -> Iterator[Fault]:  # noqa: ARG002 the options decide
        """Refuse what would not work in a lease."""
        yield from losses.faults(options, losses.AKASH)

    def credentials(self, options: ServiceOptions) -> dict[str, int]:
        """Return the variable with the key of the handover's certificate, and the key's least length."""
        return {operator_key.VARIABLE: operator_key.SHORTEST} if options.secrets else {}

    def delivers(self, site: Site, secrets: Sequence[str]) -> list[str]:  # noqa: ARG002 all at once
        """Return the name of the one action that hands over all secrets."""
        return [_handover_of(site)]

    def actions(self, site: Site, plan: WorkloadPlan) -> Iterator[Action]:  # noqa: ARG002 the site decides
        """Hand over the secrets before the site is probed, because the application starts with them."""
        options: ServiceOptions = site.options  # type: ignore[assignment]
        if not options.secrets:
            return
        given = {
            "host": site.site_host,
            "dseq": Ref(site.name, "identity"),
            "lease": Ref(site.name, "lease"),
            "stack": STACK,
            "service": WEB,
            "secrets": dict(sorted(options.secrets.items())),
            "timeout_s": options.health.grace_s,
        }
        yield Action(
            _handover_of(site),
            Phase.CHECK,
            "hand over",
            site.name,
            Run("handover", given),
            site=site.name,
            detail=f"{', '.join(sorted(options.secrets))}, at the address of its lease alone",
            before=(f"{site.name}-probe",),
        )

    def deploy(self, site: Site, context: Context) -> Deployed:
        """Register the deployment."""
        import pulumi

        from ...targets.akash.deployment import Deployment
        from .document import UNKNOWN, document_for

        release = context.plan.release
        options: ServiceOptions = site.options  # type: ignore[assignment]
        name = f"{site.name}.{pulumi.get_stack()}"
        if options.update is Update.BESIDE:
            # Another name makes another deployment: it is created before the old one is closed, and the old one serves
            # until no record leads to it.
            name += f".{release.id[:_SHORT]}"
        known, opts, key = UNKNOWN, context.opts, f"{pulumi.get_project()}/{pulumi.get_stack()}/{name}"
        if options.secrets and pulumi.runtime.is_dry_run() and not os.environ.get(operator_key.VARIABLE):
            # A preview needs no key: the hash keeps the value of the state, and a new resource is shown without it.
            opts = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(ignore_changes=[_OPERATOR]))
        elif options.secrets:
            known = operator_key.certificate(key).fingerprint
        lease = Deployment(
            site.name,
            name=name,
            sdl=document_for(site, release, known),
            service=WEB,
            avoid=list(context.avoid),
            apart=list(context.apart),
            hosts=list(site.hosts),
            opts=opts,
        )
        endpoint = lease.address.apply(lambda address: ingress.endpoint(Ingress.DEDICATED, address, (), ()))
        return Deployed(endpoint, lease.provider, lease.id, lease, {"lease": pulumi.Output.from_input(key)})


def _handover_of(site: Site) -> str:
    return f"{site.name}-secrets"


def _sizes(options: ServiceOptions) -> str:
    """Return the options that determine the price, as a text that can be a key of the cache."""
    return options.model_copy(update={"command": (), "args": (), "env": {}}).model_dump_json()


@functools.cache
def _lease_usd_month(sizes: str) -> float:
    from ...targets.akash.sdl import price
    from .document import sized
    from .options import ServiceOptions

    return float(price.usd_month(sized(ServiceOptions.model_validate_json(sizes)).data))
