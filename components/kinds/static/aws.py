"""A static site on AWS: files in a private bucket behind CloudFront."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from ...action import Action, Phase, Ref, Run
from ...kind import Deployed, Implementation
from ...needs import Check
from ...prices import book as prices
from ...targets.aws import ALIAS
from ...topology import Line
from ...web import http as front

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ...config.models import Acme
    from ...errors import Fault
    from ...exposure import Exposure
    from ...kind import Context
    from ...needs import Grant
    from ...release import Release
    from ...topology import Site, WorkloadPlan
    from .kind import StaticOptions

#: Assumptions of the estimate about a documentation site: gigabytes kept, and requests a month.
_KEPT_GB, _REQUESTS = 1, 100_000


class OnAws(Implementation["StaticOptions"]):
    """CloudFront with a certificate of ACM, proved by a record."""

    def exposure(self, options: StaticOptions, acme: Acme) -> Exposure:  # noqa: ARG002 AWS has an issuer of its own
        """Return an alias."""
        return ALIAS

    def bill(self, options: StaticOptions, release: Release) -> Iterator[Line]:  # noqa: ARG002 an estimate by assumption
        """Return bucket and requests."""
        kept, request = "s3_standard_gb_month", "cloudfront_https_10k"
        yield Line("bucket, 1 GB", _KEPT_GB * prices.aws(kept), f"aws/{kept}")
        usd = _REQUESTS / 10_000 * prices.aws(request)
        yield Line("CloudFront, 100,000 requests within the free egress", usd, f"aws/{request}")

    def refuses_at(self, site: Site, release: Release) -> Iterator[Fault]:
        """Yield what S3 and CloudFront would refuse in the release; the functions contain the names of the site too."""
        from . import objects

        if release.data is not None:
            address = front.url(site.hosts[0], "")
            yield from objects.faults(release.data.routes, site=address, redirect_from=site.redirect_from)

    def actions(self, site: Site, plan: WorkloadPlan) -> Iterator[Action]:
        """Publish the release into the bucket, and its rules into the functions at the edge."""
        from .kind import content

        given = {
            "workload": plan.identity,
            "version": plan.release.id,
            "mark": site.mark,
            **content(plan),
            "bucket": Ref(site.name, "bucket"),
            "region": Ref(site.name, "region"),
            "distribution": Ref(site.name, "distribution"),
            "functions": Ref(site.name, "functions"),
            "site": front.url(site.hosts[0], ""),
            "redirect_from": list(site.redirect_from),
        }
        yield Action(
            f"{site.name}-publish",
            Phase.CREATE,
            "publish",
            site.name,
            Run("publish", given),
            site=site.name,
            detail=f"version {plan.release.short} into its bucket",
        )

    def checks(self, site: Site, plan: WorkloadPlan, stack: str) -> Iterator[Check]:  # noqa: ARG002 nothing is shared
        """Check that no other distribution has the site's names, and the existing resources that the site uses."""
        from ...targets.aws import existing, mark, static_rights
        from ...targets.aws.options import existing_of
        from .objects import MANIFEST

        look = functools.partial(static_rights.aliases, site.hosts, mark(site.name, plan.label))
        yield Check(f"CloudFront of {site.name}", look, late=True)
        used = existing_of(site.options)
        if used.certificate:
            look = functools.partial(existing.certificate, used.certificate, site.hosts)
            yield Check(f"certificate of {site.name}", look, late=True)
        if used.bucket:
            ours = [mark(site.name, plan.label)]
            look = functools.partial(existing.bucket, used.bucket, site.site_host, ours, MANIFEST)
            yield Check(f"bucket of {site.name}", look, late=True)

    def left(self, sites: Sequence[tuple[Site, WorkloadPlan]]) -> dict[str, str]:
        """Return the ids of the sites' distributions: their names cannot be at others."""
        from ...targets.aws import mark, static_rights

        return static_rights.left({site.name: (site.hosts, mark(site.name, plan.label)) for site, plan in sites})

    def grants(self, site: Site, plan: WorkloadPlan) -> tuple[Grant, ...]:
        """Return the rights for bucket, certificate and distribution."""
        from ...targets.aws import static_rights
        from ...targets.aws.options import existing_of

        return static_rights.grants(plan.named(site), existing_of(site.options).bucket)

    def deploy(self, site: Site, context: Context) -> Deployed:
        """Register bucket, certificate and distribution."""
        import pulumi

        from ...targets.aws import alias, edge
        from ...targets.aws.static_site import StaticSite
        from . import objects
        from .routes import Routes

        data = context.plan.release.data
        routes = data.routes if data is not None else Routes({})
        rules = objects.edge_rules(routes)
        static = StaticSite(
            site.name,
            label=context.plan.label,
            existing=site.options.existing,  # type: ignore[attr-defined]
            delivery=site.options.aws,  # type: ignore[attr-defined]
            hosts=site.hosts,
            prove=context.prove,
            challenge_peer=site.peer,
            headers=site.options.headers(front.SCHEME),  # type: ignore[attr-defined]
            functions={
                "viewer-request": edge.viewer_request(
                    rules, site=front.url(site.hosts[0], ""), redirect_from=site.redirect_from
                ),
                "viewer-response": edge.viewer_response(rules),
            },
            error_page=f"/{objects.MISSING_PAGE}",
            left=context.left,
            opts=context.opts,
        )
        endpoint = alias.endpoint(static.domain_name, static.alias_zone_id)
        return Deployed(
            endpoint=endpoint,
            operator=pulumi.Output.from_input(site.target),
            identity=static.distribution_id,
            resource=static,
            outputs={
                "bucket": static.bucket,
                "region": static.region,
                "distribution": static.distribution_id,
                "functions": static.function_names,
            },
        )
