"""A static site on Akash: a container that fetches the release by its hash."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from ...kind import Deployed, Implementation
from ...needs import Check
from ...targets.akash import ingress
from ...targets.akash.ingress import Ingress
from ...targets.akash.sdl.steady import NOW
from ...topology import Line
from . import releases, sizes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...config.models import Acme
    from ...errors import Fault
    from ...exposure import Exposure
    from ...kind import Context
    from ...release import Release
    from ...topology import Site, WorkloadPlan
    from .kind import StaticOptions
    from .sizes import Sizes


class OnAkash(Implementation["StaticOptions"]):
    """A lease with an address of its own, or behind the provider's shared ingress."""

    def exposure(self, options: StaticOptions, acme: Acme) -> Exposure:
        """Return an address with certificates over ACME, or a name without one."""
        return ingress.exposure(options.ingress, acme)

    def bill(self, options: StaticOptions, release: Release) -> Iterator[Line]:
        """Return the lease of the size that the release needs, by the providers' price list."""
        what = "with an IPv4 address" if options.ingress is Ingress.DEDICATED else "behind the shared ingress"
        yield Line(
            f"lease {what}, by the providers' list", _lease_usd_month(options.ingress, sizes.of(release)), "akash"
        )

    def losses(self, options: StaticOptions) -> Iterator[str]:
        """Return what a visitor loses behind a shared ingress."""
        if options.ingress is Ingress.SHARED:
            yield ingress.SHARED_LOSS

    def notes(self, plan: WorkloadPlan) -> Iterator[str]:
        """Return how the container gets new content, and what is not known of its size."""
        if _learns(plan):
            yield (
                "new content comes without a restart once the stores of two vendors name it, so one vendor cannot "
                "choose what is served, but can hold back what is new; /healthz then shows since when"
            )
        else:
            yield (
                "new content restarts the container, an outage of seconds, because a container takes a release by "
                "itself only where the stores of two vendors name it; add a store of another vendor"
            )
        if plan.release.data is None and plan.release.pinned:
            yield (
                f"the size of version {plan.release.short} is not known here; a lease that stands goes on renting what "
                "it rents, and a new one gets the room of the document in `sdl/`; for a version over 400 MB, "
                "`unmoor restore` it into a folder and name that folder as `site`"
            )

    def refuses(self, options: StaticOptions, release: Release) -> Iterator[Fault]:  # noqa: ARG002 the folder alone
        """Return a fault for a release of which no volume has room for two."""
        if release.data is not None:
            yield from sizes.refused(release.data.bytes, release.data.files)

    def checks(self, site: Site, plan: WorkloadPlan, stack: str) -> Iterator[Check]:  # noqa: ARG002 nothing is shared
        """Return the check of who could bid on the site's document."""
        from ...targets.akash import needs
        from .document import document_for

        yield Check(f"bidders for {site.name}", lambda: needs.bidders(document_for(site, plan)))

    def deploy(self, site: Site, context: Context) -> Deployed:
        """Register the deployment."""
        import pulumi

        from ...targets.akash.deployment import Deployment
        from .document import document_for

        lease = Deployment(
            site.name,
            name=f"{site.name}.{pulumi.get_stack()}",
            sdl=document_for(site, context.plan, _lowest(context.plan)),
            service="web",
            avoid=list(context.avoid),
            apart=list(context.apart),
            hosts=list(site.hosts),
            opts=context.opts,
        )
        kind, ours = site.options.ingress, site.hosts  # type: ignore[attr-defined]
        endpoint = pulumi.Output.all(lease.address, lease.uris).apply(
            lambda known: ingress.endpoint(kind, known[0], known[1], ours)
        )
        return Deployed(endpoint, lease.provider, lease.id, lease)


def _lowest(plan: WorkloadPlan) -> int | str:
    """Return the lowest number of a release that a new container may accept from records; 0 if it reads none.

    Numbers are Unix seconds that only grow. So the time at which the container is created is a lower bound: a release
    that is published afterwards has a higher number. An existing container keeps its document, and with it its number.
    """
    return NOW if _learns(plan) else 0


def _learns(plan: WorkloadPlan) -> bool:
    """Return whether a container learns of new releases without a restart."""
    return releases.several_vendors(store.vendor for store in plan.stores.values())


@functools.cache
def _lease_usd_month(kind: Ingress, needed: Sizes | None) -> float:
    from ...targets.akash.sdl import price
    from .document import sized

    return float(price.usd_month(sized(kind, needed).data))
