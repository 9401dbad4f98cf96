"""Known vendors of stores: the settings that follow from a bucket, and the vendors' promises."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Vendor:
    """One vendor's settings, as texts with `{bucket}` and `{region}`, which is the store's own `region`.

    `decides`: the documentation promises that of two writers with `If-None-Match: *` exactly one succeeds, from any
    region and in every type of bucket. Claims of workloads with state rely on it.
    """

    settings: Mapping[str, str] = field(default_factory=dict)
    decides: bool = False


VENDORS: Mapping[str, Vendor] = {
    # docs.aws.amazon.com "Virtual hosting of buckets" (path style) and "Conditional writes".
    "aws": Vendor(
        {"region": "{region}", "public_url": "https://s3.{region}.amazonaws.com/{bucket}"},
        decides=True,
    ),
    # www.scaleway.com/en/docs/object-storage/ "Glossary", endpoint; "Using conditional writes" does not mention
    # concurrent writers.
    "scaleway": Vendor(
        {
            "endpoint": "https://s3.{region}.scw.cloud",
            "public_url": "https://{bucket}.s3.{region}.scw.cloud",
        }
    ),
    # storj.dev "S3 gateway", with conditional writes since 2024. A public address does not follow from a bucket.
    "storj": Vendor({"endpoint": "https://gateway.storjshare.io"}, decides=True),
}


def known(vendor: str) -> Vendor:
    """Return the row of a vendor, an empty one if it is unknown."""
    return VENDORS.get(vendor, Vendor())
