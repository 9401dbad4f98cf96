"""An S3 and a CloudFront on this machine (moto), with public buckets, for tests of what talks to stores."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import boto3
import httpx
import pytest

from components.kinds.static import bundle

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REGION = "us-east-1"


@functools.cache
def _client(service: str, url: str) -> Any:
    return boto3.client(
        service, region_name=REGION, endpoint_url=url, aws_access_key_id="testing", aws_secret_access_key="testing"
    )


@dataclass
class Clouds:
    """The address of moto, and the stores in it as a step's input."""

    url: str
    stores: dict[str, dict[str, str]]

    def reset(self) -> None:
        """Forget everything: moto keeps its state in this process, not in its server."""
        httpx.post(f"{self.url}/moto-api/reset").raise_for_status()

    def client(self, service: str) -> Any:
        """Open a client of a service."""
        return _client(service, self.url)

    def keys(self, bucket: str) -> set[str]:
        """List a bucket."""
        return {item["Key"] for item in self.client("s3").list_objects_v2(Bucket=bucket).get("Contents", ())}

    def object(self, bucket: str, key: str) -> dict[str, Any]:
        """Read an object with its headers."""
        found = self.client("s3").get_object(Bucket=bucket, Key=key)
        return {**found, "Body": found["Body"].read()}

    def age(self, bucket: str, key: str, *, days: int) -> None:
        """Make an object older than it is; S3 has no request for that, so this reaches into moto."""
        from moto.s3.models import s3_backends

        found = next(iter(s3_backends.values()))["aws"].buckets[bucket].keys[key]
        found.last_modified -= timedelta(days=days)

    def bucket(self, name: str, *, public: bool = True) -> None:
        """Make a bucket that anyone can read, or only its owner."""
        self.client("s3").create_bucket(Bucket=name)
        if public:
            statement = {
                "Effect": "Allow",
                "Principal": "*",
                "Action": "s3:GetObject",
                "Resource": f"arn:aws:s3:::{name}/*",
            }
            policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
            self.client("s3").put_bucket_policy(Bucket=name, Policy=policy)

    def distribution(self, bucket: str) -> str:
        """Make a distribution of a bucket and return its id."""
        origin = {
            "Id": "content",
            "DomainName": f"{bucket}.s3.amazonaws.com",
            "S3OriginConfig": {"OriginAccessIdentity": ""},
        }
        made = self.client("cloudfront").create_distribution(
            DistributionConfig={
                "CallerReference": bucket,
                "Comment": "",
                "Enabled": True,
                "Origins": {"Quantity": 1, "Items": [origin]},
                "DefaultCacheBehavior": {
                    "TargetOriginId": "content",
                    "ViewerProtocolPolicy": "allow-all",
                    "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
                },
            }
        )
        return str(made["Distribution"]["Id"])

    def invalidations(self, distribution: str) -> list[list[str]]:
        """List the paths of every invalidation, in the order they were asked for."""
        client = self.client("cloudfront")
        listed = client.list_invalidations(DistributionId=distribution)["InvalidationList"].get("Items", ())
        made = [client.get_invalidation(DistributionId=distribution, Id=item["Id"])["Invalidation"] for item in listed]
        return [item["InvalidationBatch"]["Paths"]["Items"] for item in made]


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    """Start moto once; it knows nothing of vendors, so it is all of them."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def clouds(moto_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clouds]:
    """Yield empty clouds; `aws` is reached by the ordinary AWS variables, `storj` by its own."""
    url = moto_url
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    variables = {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": REGION,
        "STORJ_ACCESS_KEY": "storj-key",
        "STORJ_SECRET_KEY": "storj-secret",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    stores = {
        "aws": {"vendor": "aws", "bucket": "dao-aws", "public_url": f"{url}/dao-aws"},
        "storj": {
            "vendor": "storj",
            "bucket": "dao-storj",
            "endpoint": url,
            "region": "us-east-1",
            "public_url": f"{url}/dao-storj",
            "access_key": "STORJ_ACCESS_KEY",
            "secret_key": "STORJ_SECRET_KEY",
        },
    }
    made = Clouds(url, stores)
    for store in stores.values():
        made.bucket(store["bucket"])
    yield made
    made.reset()


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Build a site with a file for every rule there is."""
    folder = tmp_path / "site"
    files = {
        "index.html": "<h1>docs</h1>",
        "404.html": "not here",
        "guide/index.html": "guide",
        "assets/app.1a2b3c4d.js": "1",
        "assets/old.css": "old",
        "grüße & mehr.txt": "ä",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def half(clouds: Clouds, site: Path) -> dict[str, Any]:
    """Make the AWS half: a private bucket and its distribution, as the publish step's input."""
    clouds.bucket("docs-bucket", public=False)
    return {
        "workload": "docs",
        "version": bundle.version(site),
        "folder": str(site),
        "stores": clouds.stores,
        "bucket": "docs-bucket",
        "region": "us-east-1",
        "distribution": clouds.distribution("docs-bucket"),
    }


def kept(clouds: Clouds, folder: Path, retain: int = 10) -> dict[str, Any]:
    """Write the input of the bundle step."""
    return {
        "workload": "docs",
        "version": bundle.version(folder),
        "folder": str(folder),
        "stores": clouds.stores,
        "retain": retain,
    }


def quiet(_: str) -> None:
    """Print nothing."""
