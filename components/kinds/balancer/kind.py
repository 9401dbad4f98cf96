"""The kind `balancer`: one load balancer for every service of a stack with `size: small`."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from ...config.models import Setting
from ...config.own_names import BALANCER
from ...kind import Deployed, Implementation, Kind
from ...prices import book as prices
from ...release import Release
from ...targets.aws import ALIAS, container_rights, fargate
from ...topology import Line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ...config.models import Acme
    from ...exposure import Exposure
    from ...kind import Context
    from ...needs import Grant
    from ...topology import Site, WorkloadPlan


class BalancerOptions(Setting):
    """No options: the load balancer exists if a service shares it."""


class OnAws(Implementation[BalancerOptions]):
    """An application load balancer in the default VPC, which itself answers requests for its own name."""

    def exposure(self, options: BalancerOptions, acme: Acme) -> Exposure:  # noqa: ARG002 AWS has an issuer of its own
        """Return an alias."""
        return ALIAS

    def bill(self, options: BalancerOptions, release: Release) -> Iterator[Line]:  # noqa: ARG002 there is one size
        """Return the load balancer and its addresses in USD a month; its capacity is in the bill of each service."""
        balancer, address, month = "alb_hour", "public_ipv4_hour", prices.HOURS_PER_MONTH
        yield Line("load balancer of the small services", month * prices.aws(balancer), f"aws/{balancer}")
        yield Line(
            f"public IPv4 addresses, {fargate.ZONES}", fargate.ZONES * month * prices.aws(address), f"aws/{address}"
        )

    def grants(self, site: Site, plan: WorkloadPlan) -> tuple[Grant, ...]:  # noqa: ARG002 AWS names what is made
        """Return the rights for load balancer, listeners and certificate."""
        return container_rights.of_balancer()

    def deploy(self, site: Site, context: Context) -> Deployed:
        """Register the load balancer, with listeners that lead nowhere yet."""
        import pulumi

        from ...targets.aws import alias
        from ...targets.aws.balancer import OfStack

        answer = f"{context.plan.release.id}\n{site.mark}\n"
        made = OfStack(
            site.name,
            label=context.plan.label,
            hosts=site.hosts,
            prove=context.prove,
            answer=answer,
            opts=context.opts,
        )
        endpoint = alias.endpoint(made.domain_name, made.zone_id)
        return Deployed(endpoint, pulumi.Output.from_input(site.target), made.arn, made, made.place)


class Balancer(Kind[BalancerOptions]):
    """A load balancer. Its release never changes, because its rules belong to the services."""

    name = BALANCER
    options = BalancerOptions
    # Certificates of a load balancer in addition to its default one (ELB user guide, "Quotas"). Of its 100 rules a
    # service has 3.
    most_sharing = 25
    needs_host = False
    written = False
    on = {"aws": OnAws()}  # noqa: RUF012 it is never changed

    def declared(self, options: BalancerOptions) -> Release:  # noqa: ARG002 there is one
        """Return its release."""
        return Release(hashlib.sha256(BALANCER.encode()).hexdigest())

    def release(self, options: BalancerOptions, root: Path) -> Release:  # noqa: ARG002 nothing is read
        """Return its release."""
        return self.declared(options)


KIND = Balancer()
