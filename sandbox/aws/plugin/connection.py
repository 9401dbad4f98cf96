"""The connection to the account: clients by service and region, default tags, and errors in AWS's own words."""

from __future__ import annotations

import json
import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from components.errors import UnmoorError

if TYPE_CHECKING:
    from collections.abc import Iterator

ACCOUNT = "123456789012"


class Connection:
    """One plugin's connection, settled by `configure`."""

    def __init__(self) -> None:
        self.region = "us-east-1"
        self.default_tags: dict[str, str] = {}
        self.zone_names: dict[str, str] = {}
        self._endpoints: dict[str, str] = {}
        self._session: Any = None
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()

    def configure(self, settings: dict[str, Any]) -> None:
        """Accept the provider's settings (nested ones are JSON strings); refuse any endpoint but the sandbox's."""
        self.region = settings.get("region") or os.environ.get("AWS_REGION") or "us-east-1"
        self.default_tags = _nested(settings, "defaultTags", {}).get("tags") or {}
        given = {name: url for one in _nested(settings, "endpoints", []) for name, url in one.items()}
        self._endpoints = {"": os.environ.get("AWS_ENDPOINT_URL", ""), **given}
        for name, url in self._endpoints.items():
            if urlsplit(url).hostname not in ("127.0.0.1", "localhost"):
                raise UnmoorError(
                    f"the sandbox's aws plugin speaks to the sandbox only, not to {url or 'AWS'}"
                    f" ({f'endpoint {name}' if name else 'AWS_ENDPOINT_URL'}); source .sandbox/env"
                )

    def client(self, service: str, region: str = "") -> Any:
        """Return a boto3 client; CloudFront and Route 53 have no region of their own."""
        key = service, region or self.region
        with self._lock:
            if key not in self._clients:
                self._clients[key] = self._connect(*key)
            return self._clients[key]

    def _connect(self, service: str, region: str) -> Any:
        import boto3
        from botocore.config import Config

        if self._session is None:
            self._session = boto3.session.Session()
        return self._session.client(
            service,
            region_name=region,
            endpoint_url=self._endpoints.get(service) or self._endpoints[""],
            aws_access_key_id=os.environ.get("AWS_ACCESS_KEY_ID", "testing"),
            aws_secret_access_key=os.environ.get("AWS_SECRET_ACCESS_KEY", "testing"),
            config=Config(retries={"mode": "standard", "max_attempts": 2}, connect_timeout=5, read_timeout=60),
        )


def _nested(settings: dict[str, Any], name: str, empty: Any) -> Any:
    value = settings.get(name) or empty
    return json.loads(value) if isinstance(value, str) else value


@contextmanager
def speaking(doing: str) -> Iterator[None]:
    """Turn an exception of boto3 into the official plugin's sentence: `creating S3 Bucket (x): operation error …`."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        answer = error.response
        status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        code, message = answer["Error"].get("Code", ""), answer["Error"].get("Message", "")
        reason = f"operation error {error.operation_name}, https response error StatusCode: {status}, {code}: {message}"
        raise UnmoorError(f"{doing}: {reason}") from error
    except BotoCoreError as error:
        raise UnmoorError(f"{doing}: request send failed: {error}") from error


def code(error: Any) -> str:
    """Return the service's code of a ClientError."""
    return str(error.response["Error"].get("Code", ""))


@contextmanager
def gone(*codes: str) -> Iterator[None]:
    """Treat these codes as success: the resource is gone already."""
    from botocore.exceptions import ClientError

    try:
        yield
    except ClientError as error:
        if code(error) not in codes:
            raise
