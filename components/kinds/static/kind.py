"""The docs kind: a static site, from a folder or a kept version, on CloudFront or in a container."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from pydantic import Field

from ...config.models import Setting, Version
from ...errors import Fault, UnmoorError
from ...kind import Kind, OnTarget, Survey
from ...plan.topology import Form, Line
from ...prices import book as prices
from ...targets.akash import KEY_VARIABLE
from ...web.http import Front
from . import bundle

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pulumi

    from ...kind import Realized
    from ...plan.topology import Site

#: What the estimate assumes of a documentation site: gigabytes kept, gigabytes read and requests a month.
_KEPT_GB = 1
_REQUESTS = 100_000


class DocsOptions(Setting):
    """What a docs workload needs to know."""

    site: str = Field(default="site", description="Folder of the built site, relative to the project.")
    version: Version | None = Field(
        default=None, description="Serve this kept version instead of the folder's content: a rollback in one line."
    )
    budget_usd_month: float = Field(
        default=12.0, gt=0, le=1000, description="Ceiling for one lease in USD a month; a dearer bid is refused."
    )
    front: Front = Field(
        default=Front.IP,
        description="On Akash: `ip`, an address and certificates of its own, or `ingress`, the host's shared one, "
        "cheaper and without a certificate that browsers accept.",
    )


def survey(options: DocsOptions, root: Path) -> Survey:
    """Name the version to serve: the one asked for, or that of the folder as it is now."""
    if options.version:
        return Survey(options.version, None)
    try:
        return Survey(bundle.version(root / options.site), options.site)
    except UnmoorError as error:
        found = [Fault("site", f"{error.title}: {fault}") for fault in error.faults]
        return Survey("", None, tuple(found or [Fault("site", error.title)]))


def _aws_bill(_: DocsOptions) -> tuple[Line, ...]:
    kept, request = "s3_standard_gb_month", "cloudfront_https_10k"
    return (
        Line("bucket, 1 GB", _KEPT_GB * prices.aws(kept), f"aws/{kept}"),
        Line(
            "CloudFront, 100,000 requests within the free egress",
            _REQUESTS / 10_000 * prices.aws(request),
            f"aws/{request}",
        ),
    )


def _akash_form(options: DocsOptions) -> Form:
    return Form.HOST if options.front is Front.INGRESS else Form.ADDRESS


def _akash_bill(options: DocsOptions) -> tuple[Line, ...]:
    form = _akash_form(options)
    what = "with an IPv4 address" if form is Form.ADDRESS else "behind the shared ingress"
    return (Line(f"lease {what}, by the providers' list", _lease_usd_month(form), "akash"),)


@functools.cache
def _lease_usd_month(form: Form) -> float:
    from ...targets.akash.sdl import price
    from .document import document

    return float(price.usd_month(document(form).data))


def _on_aws(name: str, site: Site, beside: Sequence[Realized], opts: pulumi.ResourceOptions) -> Realized:
    from .pair import DocsOnAws

    return DocsOnAws(name, site, beside, opts)


def _on_akash(name: str, site: Site, beside: Sequence[Realized], opts: pulumi.ResourceOptions) -> Realized:
    from .pair import DocsOnAkash

    return DocsOnAkash(name, site, beside, opts)


DOCS = Kind(
    name="docs",
    options=DocsOptions,
    stateful=False,
    survey=survey,
    on={
        "aws": OnTarget(form=lambda _: Form.ALIAS, bill=_aws_bill, realize=_on_aws),
        "akash": OnTarget(form=_akash_form, bill=_akash_bill, realize=_on_akash, needs=(KEY_VARIABLE,)),
    },
)
