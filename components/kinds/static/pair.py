"""Both halves of the docs kind, side by side: on AWS and on Akash."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

from ...deploy.command import step
from ...kind import Address, Alias, Endpoint, Host  # Pulumi reads annotations at run time
from ...plan.topology import Form
from ...targets.akash.deployment import Deployment
from ...targets.aws.static_site import CERTIFICATE_REGION, StaticSite
from .backup import store_settings
from .document import document_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...kind import Realized
    from ...plan.topology import Site


class DocsOnAws(pulumi.ComponentResource):
    """The site as files in a private bucket behind CloudFront."""

    endpoint: pulumi.Output[Endpoint]
    host: pulumi.Output[str]
    identity: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        site: Site,
        beside: Sequence[Realized],  # noqa: ARG002 one account is one host; planning refuses two sites on it
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("unmoor:docs:OnAws", name, None, opts)
        after = list(opts.depends_on) if opts and isinstance(opts.depends_on, (list, tuple)) else []
        static = StaticSite(
            name,
            hosts=(site.host, site.direct),
            zone_id=aws.route53.get_zone_output(name=site.zone).zone_id,
            challenge_peer=site.peer,
            opts=pulumi.ResourceOptions(parent=self),
        )
        published = step(
            f"{name}-publish",
            "publish",
            {
                "workload": site.workload,
                "version": site.content.version,
                "folder": site.content.folder,
                "stores": store_settings(site.content),
                "bucket": static.bucket,
                "region": CERTIFICATE_REGION,
                "distribution": static.distribution_id,
            },
            pulumi.ResourceOptions(parent=self, depends_on=[*after, static]),
        )
        self.endpoint = pulumi.Output.all(static.domain_name, static.alias_zone_id).apply(lambda known: Alias(*known))
        self.host = pulumi.Output.from_input(site.target)
        self.identity = static.distribution_id
        self.register_outputs({"published": published.id})


class DocsOnAkash(pulumi.ComponentResource):
    """The site in a container with an address of its own or behind the shared ingress, fetched by content hash."""

    endpoint: pulumi.Output[Endpoint]
    host: pulumi.Output[str]
    identity: pulumi.Output[str]

    def __init__(
        self, name: str, site: Site, beside: Sequence[Realized], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("unmoor:docs:OnAkash", name, None, opts)
        after = list(opts.depends_on) if opts and isinstance(opts.depends_on, (list, tuple)) else []
        deployment = Deployment(
            name,
            name=f"{name}.{pulumi.get_stack()}",
            sdl=document_for(site),
            service="web",
            avoid=[other.host for other in beside],
            opts=pulumi.ResourceOptions(parent=self, depends_on=after),
        )
        self.endpoint = pulumi.Output.all(deployment.address, deployment.uris).apply(lambda at: _endpoint(site, *at))
        self.host = deployment.provider
        self.identity = deployment.id
        self.register_outputs({"usdMonth": deployment.usd_month})


def _endpoint(site: Site, address: str, names: Sequence[str]) -> Endpoint:
    """Say where a lease is reached: its address, or the name that the host's ingress gave it."""
    if site.form is Form.ADDRESS:
        return Address(address)
    return Host(next((name for name in names if name not in (site.host, site.direct)), ""))
