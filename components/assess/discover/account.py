"""One AWS account: clients, listings page by page, and the tag that names workloads."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from ...errors import ConfigError
from .seen import UNTAGGED, workload_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


class Account:
    """Clients of one account and region, and the tags of everything in it."""

    def __init__(self, region: str | None, tag: str) -> None:
        """Store the region (default: the environment's) and the tag that names workloads."""
        import boto3
        from botocore.config import Config

        # boto3 itself reads AWS_DEFAULT_REGION only
        self.session = boto3.session.Session(region_name=region or os.environ.get("AWS_REGION"))
        if self.session.region_name is None:
            raise ConfigError("no AWS region; set AWS_REGION or give --region")
        self.tag = tag
        self.config = Config(retries={"mode": "standard", "max_attempts": 5}, connect_timeout=5, read_timeout=30)
        self.tags: dict[str, str] = {}

    def client(self, name: str) -> Any:
        """Return a client; the global services answer in us-east-1."""
        region = "us-east-1" if name in {"ce", "route53", "cloudfront"} else None
        return self.session.client(name, region_name=region, config=self.config)

    def pages(self, service: str, operation: str, key: str, **arguments: Any) -> Iterator[Any]:
        """Yield every item of a listing, page by page."""
        client = self.client(service)
        for page in client.get_paginator(operation).paginate(**arguments):
            yield from page.get(key) or ()

    def workload(self, arn: str, tags: Iterable[Mapping[str, str]] = ()) -> str:
        """Return the workload of a resource by its tag, its own listing's first."""
        for tag in tags:
            if tag.get("Key") == self.tag:
                return workload_name(tag.get("Value", ""))
        return self.tags.get(arn, UNTAGGED)
