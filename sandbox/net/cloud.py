"""Read what the AWS of this sandbox holds: zones, health checks, distributions, objects.

It is the data plane's view, so it continues while the API is broken on purpose (header `X-Sandbox: data-plane`).
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from .function import Code
from .wire import Response, Unreachable, fetch

if TYPE_CHECKING:
    from collections.abc import Callable

#: Where each REST API lives, and the model that reads its answers (as botocore ships them).
ROUTE53 = ("route53", "/2013-04-01")
CLOUDFRONT = ("cloudfront", "/2020-05-31")

Shape = dict[str, Any]


class Cloud:
    """A reader of the AWS stand-in at `port()`; every method raises Unreachable when it does not answer."""

    def __init__(self, port: Callable[[], int | None]) -> None:
        self._port = port

    async def zones(self) -> list[tuple[Shape, list[Shape]]]:
        """Return every public hosted zone with its record sets, as the API shapes them."""
        found = (await self._call(ROUTE53, "ListHostedZones", "/hostedzone"))["HostedZones"]
        return [(zone, await self._records(zone["Id"])) for zone in found if not zone["Config"].get("PrivateZone")]

    async def _records(self, zone: str) -> list[Shape]:
        records: list[Shape] = []
        query: dict[str, str] = {"maxitems": "300"}
        while True:
            page = await self._call(ROUTE53, "ListResourceRecordSets", f"{zone}/rrset?{urlencode(query)}")
            records += page["ResourceRecordSets"]
            if not page.get("IsTruncated"):
                return records
            names = {"NextRecordName": "name", "NextRecordType": "type", "NextRecordIdentifier": "identifier"}
            query = {"maxitems": "300"} | {names[key]: page[key] for key in names if page.get(key)}

    async def checks(self) -> list[Shape]:
        """Return every health check."""
        checks: list[Shape] = []
        marker = ""
        while True:
            page = await self._call(ROUTE53, "ListHealthChecks", f"/healthcheck?{urlencode({'marker': marker})}")
            checks += page["HealthChecks"]
            marker = page.get("NextMarker") or ""
            if not page.get("IsTruncated") or not marker:
                return checks

    async def distributions(self) -> list[Shape]:
        """Return every distribution, with its configuration."""
        page = await self._call(CLOUDFRONT, "ListDistributions", "/distribution")
        ids = [item["Id"] for item in page["DistributionList"].get("Items", [])]
        return [
            (await self._call(CLOUDFRONT, "GetDistribution", f"/distribution/{one}"))["Distribution"] for one in ids
        ]

    async def invalidations(self, distribution: str) -> list[str]:
        """Return the ids of all invalidations of a distribution."""
        page = await self._call(CLOUDFRONT, "ListInvalidations", f"/distribution/{distribution}/invalidation")
        return [item["Id"] for item in page["InvalidationList"].get("Items", [])]

    async def invalidated(self, distribution: str, invalidation: str) -> list[str]:
        """Return the paths that one invalidation names."""
        path = f"/distribution/{distribution}/invalidation/{invalidation}"
        page = await self._call(CLOUDFRONT, "GetInvalidation", path)
        return list(page["Invalidation"]["InvalidationBatch"]["Paths"].get("Items", []))

    async def function(self, name: str) -> Code:
        """Return a CloudFront function, as distributions run it."""
        base = f"{CLOUDFRONT[1]}/function/{quote(name)}"
        shown = await self._call(CLOUDFRONT, "DescribeFunction", f"/function/{quote(name)}/describe?Stage=LIVE")
        source = (await self._get("cloudfront", f"{base}?Stage=LIVE")).body.decode()
        return Code(source, shown["FunctionSummary"]["FunctionConfig"]["Runtime"])

    async def cache_policy(self, policy: str) -> Shape:
        """Return the configuration of a cache policy, managed or own."""
        found = await self._call(CLOUDFRONT, "GetCachePolicy", f"/cache-policy/{policy}")
        return dict(found["CachePolicy"]["CachePolicyConfig"])

    async def headers_policy(self, policy: str) -> Shape:
        """Return the configuration of a response headers policy, managed or own."""
        found = await self._call(CLOUDFRONT, "GetResponseHeadersPolicy", f"/response-headers-policy/{policy}")
        return dict(found["ResponseHeadersPolicy"]["ResponseHeadersPolicyConfig"])

    async def certificate(self, arn: str) -> Shape | None:
        """Return a certificate of ACM, or None if there is none by that name."""
        headers = [
            ("X-Amz-Target", "CertificateManager.DescribeCertificate"),
            ("Content-Type", "application/x-amz-json-1.1"),
        ]
        body = json.dumps({"CertificateArn": arn}).encode()
        response = await self._get("acm", "/", method="POST", headers=headers, body=body)
        return json.loads(response.body)["Certificate"] if response.status == 200 else None

    async def policy(self, bucket: str) -> Shape:
        """Return a bucket's policy; empty if it has none."""
        response = await self._get("s3", f"/{bucket}?policy")
        return json.loads(response.body) if response.status == 200 else {}

    async def thing(self, bucket: str, key: str) -> Response:
        """Return an object of a bucket by its key, as S3 answers its reader; the key "" is the bucket itself."""
        return await self._get("s3", f"/{bucket}/{quote(key)}")

    async def _call(self, api: tuple[str, str], operation: str, path: str) -> Shape:
        service, base = api
        response = await self._get(service, base + path)
        if response.status != 200:
            raise Unreachable(f"{operation} answered {response.status}")
        parser, model = _reader(service)
        wire = {"status_code": response.status, "headers": dict(response.headers), "body": response.body}
        parsed: Shape = parser.parse(wire, model.operation_model(operation).output_shape)
        return parsed

    async def _get(
        self,
        service: str,
        target: str,
        *,
        method: str = "GET",
        headers: list[tuple[str, str]] | None = None,
        body: bytes = b"",
    ) -> Response:
        port = self._port()
        if port is None:
            raise Unreachable("the AWS of the sandbox is not up")
        scope = f"Credential=testing/20260101/us-east-1/{service}/aws4_request"
        own = [
            ("Host", f"127.0.0.1:{port}"),
            ("Authorization", f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0"),
            ("X-Sandbox", "data-plane"),
        ]
        return await fetch(port, target, own + (headers or []), method=method, body=body, response_s=10)


@cache
def _reader(service: str) -> tuple[Any, Any]:
    """Return the parser and the model of a REST-XML API, without the cost of a client."""
    from botocore.loaders import Loader
    from botocore.model import ServiceModel
    from botocore.parsers import RestXMLParser

    return RestXMLParser(), ServiceModel(Loader().load_service_model(service, "service-2"), service)
