"""Vendors of stores that the library knows: the settings that follow from a bucket, and what a vendor promises."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Vendor:
    """One vendor's settings, as texts with `{bucket}` and `{region}`, which is the store's own `region`.

    `decides`: the documentation promises that of two writers with `If-None-Match: *` one alone succeeds, from any
    region and in every sort of bucket. Claims of workloads with state rely on it.
    """

    settings: Mapping[str, str] = field(default_factory=dict)
    decides: bool = False


VENDORS: Mapping[str, Vendor] = {
    # docs.aws.amazon.com "Virtual hosting of buckets" (path style) and "Conditional writes".
    "aws": Vendor(
        {"region": "{region}", "public_url": "https://s3.{region}.amazonaws.com/{bucket}"},
        decides=True,
    ),
    # www.scaleway.com/en/docs/object-storage/ "Glossary", endpoint; "Using conditional writes" has no word on two
    # writers at once.
    "scaleway": Vendor(
        {
            "endpoint": "https://s3.{region}.scw.cloud",
            "public_url": "https://{bucket}.s3.{region}.scw.cloud",
        }
    ),
    # storj.dev "S3 gateway", with conditional writes since 2024. The name of a bucket has no public address in it.
    "storj": Vendor({"endpoint": "https://gateway.storjshare.io"}, decides=True),
}


def known(vendor: str) -> Vendor:
    """Return what is known of a vendor; nothing where it has no row."""
    return VENDORS.get(vendor, Vendor())
