"""The door to stores: S3-compatible buckets at named vendors, over boto3, and their public side over HTTP."""

from __future__ import annotations

import functools
import hashlib
import os
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import IO, TYPE_CHECKING, Any

from ..errors import ConfigError, Fault, StepError
from ..limits import BUNDLE_BYTES, BUNDLE_S
from ..text.escape import outside

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime
    from io import IOBase

    from ..config.models import Bucket, Store

_CHUNK = 1 << 20
#: A read of boto3 waits until its buffer is full, so the clock is checked between small reads.
_SMALL_CHUNK = 1 << 13

#: S3's error codes in an operator's terms; any other is quoted in the store's own words.
_SENTENCES = {
    "NoSuchBucket": "bucket {bucket} does not exist; make it first, it belongs to the DAO and outlives the stack",
    "AccessDenied": "access denied; the credentials must be allowed to list, read, write and delete in bucket {bucket}",
    "InvalidAccessKeyId": "the store does not know this access key",
    "RequestTimeTooSkewed": "the clock of this machine and the store's are too far apart; set this one",
    "SignatureDoesNotMatch": "the secret key does not belong to the access key",
}


@dataclass(frozen=True)
class Stored:
    """An object in a store: its key, its size in bytes, when it was written, and the ETag the store gave it."""

    key: str
    size: int
    written: datetime
    etag: str


class OpenStore:
    """A store with credentials. Every method raises StepError with the store's name when the store fails."""

    def __init__(self, name: str, settings: Bucket) -> None:
        self.name = name
        self._vendor = settings.vendor
        #: Empty for a bucket that has no public side.
        self._public: str = getattr(settings, "public_url", "")
        self._bucket = settings.bucket
        self._client = client(settings)

    @property
    def vendor(self) -> str:
        """The vendor that runs it."""
        return self._vendor

    def find(self, prefix: str) -> list[Stored]:
        """Return the objects below a prefix, newest first."""
        with self._failing("cannot be listed"):
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
            found = [
                Stored(item["Key"], item["Size"], item["LastModified"], item["ETag"].strip('"'))
                for page in pages
                for item in page.get("Contents", ())
            ]
        return sorted(found, key=lambda stored: stored.written, reverse=True)

    def put(self, key: str, content: IOBase, sha256: str) -> None:
        """Write an object from an open file, replacing one that is there."""
        content.seek(0)
        with self._failing(f"{key} cannot be written"):
            self._client.put_object(
                Bucket=self._bucket,
                Key=key,
                Body=content,
                ContentType="application/x-tar",
                Metadata={"sha256": sha256},
            )

    def claim(self, key: str, content: bytes) -> bool:
        """Write an object only if there is none; return True if there was none.

        The store decides, so it can be a lock.
        """
        from botocore.exceptions import ClientError

        with self._failing(f"{key} cannot be claimed"):
            try:
                self._client.put_object(Bucket=self._bucket, Key=key, Body=content, IfNoneMatch="*")
            except ClientError as error:
                if error.response["Error"]["Code"] in {"PreconditionFailed", "ConditionalRequestConflict"}:
                    return False
                raise
        return True

    def read(self, key: str, most: int) -> bytes | None:
        """Return the first `most` bytes of an object, or None where there is none."""
        from botocore.exceptions import ClientError

        with self._failing(f"{key} cannot be read"):
            try:
                content: bytes = self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read(most)
            except ClientError as error:
                if error.response["Error"]["Code"] == "NoSuchKey":
                    return None
                raise
        return content

    def write(self, key: str, content: bytes) -> float | None:
        """Write a small text, or replace it, with `no-cache`, so that readers get it from the store each time.

        Returns the store's clock, in seconds since 1970 (Date, RFC 9110, 6.6.1); None if it shows none.
        """
        with self._failing(f"{key} cannot be written"):
            answer = self._client.put_object(
                Bucket=self._bucket, Key=key, Body=content, ContentType="text/plain", CacheControl="no-cache"
            )
        try:
            return parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"]).timestamp()
        except (KeyError, TypeError, ValueError, OverflowError):
            return None

    def lock(self) -> str | None:
        """Return for how long new objects cannot be deleted (object lock); "" without a lock, None if unknown."""
        from botocore.exceptions import ClientError

        with self._failing("its object lock cannot be read"):
            try:
                answer = self._client.get_object_lock_configuration(Bucket=self._bucket)
            except ClientError as error:
                code = error.response["Error"].get("Code", "")
                return "" if code == "ObjectLockConfigurationNotFoundError" else None
        rule = answer.get("ObjectLockConfiguration", {}).get("Rule", {}).get("DefaultRetention", {})
        unit = next((each for each in ("Days", "Years") if each in rule), "")
        return outside(f"{rule[unit]} {unit.lower()}, {rule.get('Mode', '').lower()}") if unit else ""

    def fetch(self, key: str, out: IO[bytes], most: int = BUNDLE_BYTES) -> str:
        """Read an object into an open file, from its start, and return the SHA-256 of what arrived.

        Raises StepError beyond `most` bytes, and after the time limit of a bundle.
        """
        digest = hashlib.sha256()
        out.seek(0)
        out.truncate()
        with self._failing(f"{key} cannot be read"):
            body = self._client.get_object(Bucket=self._bucket, Key=key)["Body"]
            end = time.monotonic() + BUNDLE_S
            try:
                for chunk in _bounded(body.iter_chunks(_SMALL_CHUNK), most):
                    digest.update(chunk)
                    out.write(chunk)
                    if time.monotonic() > end:
                        raise StepError(f"store {self.name}: {key} gives no whole answer in {BUNDLE_S:g} s")
            except _TooLargeError:
                raise StepError(f"store {self.name}: {key} is larger than {most:,} bytes") from None
        return digest.hexdigest()

    def delete(self, keys: list[str]) -> None:
        """Remove objects one by one, because some vendors have no request for several."""
        with self._failing("an old version cannot be removed"):
            for key in keys:
                self._client.delete_object(Bucket=self._bucket, Key=key)

    def public_url(self, key: str) -> str:
        """Return the URL at which anyone can read an object."""
        return f"{self._public}/{key}"

    def seen_by_anyone(self, key: str) -> tuple[str, str]:
        """Read an object as a container will. Return (SHA-256, "") or ("", what was seen instead); do not raise."""
        return read_public(self.public_url(key), None)

    @contextmanager
    def _failing(self, what: str) -> Iterator[None]:
        from boto3.exceptions import Boto3Error
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            yield
        except ClientError as error:
            code, words = error.response["Error"].get("Code", ""), error.response["Error"].get("Message", "")
            known = _SENTENCES.get(code)
            sentence = known.format(bucket=self._bucket) if known else f"{what}: {outside(words or code)}"
            raise StepError(f"store {self.name}: {sentence}") from None
        except (BotoCoreError, Boto3Error) as error:
            raise StepError(f"store {self.name}: {what}: {outside(error)}") from None


def read_public(
    url: str, out: IO[bytes] | None, most: int = BUNDLE_BYTES, within_s: float = BUNDLE_S
) -> tuple[str, str]:
    """Read an object without credentials, into an open file if there is one.

    Return (SHA-256, "") or ("", what was seen instead); do not raise. Reading stops beyond `most` bytes and after
    `within_s` seconds.
    """
    import httpx

    from ..deadline import within

    digest = hashlib.sha256()
    if out is not None:
        out.seek(0)
        out.truncate()
    with within(within_s) as deadline, httpx.Client(timeout=20, follow_redirects=True) as client:
        request = client.build_request("GET", url, extensions={"trace": deadline.trace})
        try:
            response = client.send(request, stream=True)
            if response.status_code != httpx.codes.OK:
                return "", f"answers {response.status_code}"
            for chunk in _bounded(response.iter_bytes(_CHUNK), most):
                digest.update(chunk)
                if out is not None:
                    out.write(chunk)
        except httpx.HTTPError as error:
            slow = f"gives no whole answer in {within_s:g} s"
            return "", slow if deadline.over else f"does not answer ({outside(error)})"
        except _TooLargeError:
            return "", f"is larger than {most:,} bytes"
    return digest.hexdigest(), ""


class _TooLargeError(Exception):
    """More bytes arrived than were expected."""


def _bounded(chunks: Iterable[bytes], most: int) -> Iterator[bytes]:
    """Pass chunks on up to `most` bytes. Raises _TooLargeError."""
    for chunk in chunks:
        most -= len(chunk)
        if most < 0:
            raise _TooLargeError
        yield chunk


def settings(given: Mapping[str, Any]) -> dict[str, Store]:
    """Read the stores of a step's input, by name; raise ConfigError with every fault."""
    from pydantic import ValidationError

    from ..config.models import Store, faults

    read, found = {}, []
    for name, values in given.items():
        try:
            read[name] = Store.model_validate(values)
        except ValidationError as error:
            found += faults(error, Store, ("stores", name))
    if found or not read:
        raise ConfigError("the stores are not valid" if found else "no store is named", found)
    return read


def missing_credentials(stores: Mapping[str, Bucket]) -> list[Fault]:
    """Return the stores that cannot be opened from this process's environment, and what to set."""
    found = []
    for name, store in stores.items():
        if store.access_key is None and store.vendor != "aws":
            found.append(
                Fault(
                    f"stores.{name}.access_key",
                    f"is required at {store.vendor}; name the environment variables that hold the store's keys",
                )
            )
        found += [
            Fault(f"stores.{name}.{setting}", f"the environment variable {variable} is not set; export it")
            for setting, variable in (("access_key", store.access_key), ("secret_key", store.secret_key))
            if variable is not None and not os.environ.get(variable)
        ]
    return found


def client(store: Bucket, attempts: int = 3, read_s: float = 60) -> Any:
    """Return a client of a store that makes `attempts` tries of a request, and waits `read_s` seconds for a read."""
    from botocore.config import Config

    elsewhere = store.endpoint is not None
    config = Config(
        connect_timeout=5,
        read_timeout=read_s,
        retries={"mode": "standard", "total_max_attempts": attempts},
        # Vendors other than AWS may support neither bucket names as host names nor AWS's newer checksums.
        **(
            {
                "s3": {"addressing_style": "path"},
                "request_checksum_calculation": "when_required",
                "response_checksum_validation": "when_required",
            }
            if elsewhere
            else {}
        ),
    )
    return made(
        "s3",
        endpoint_url=store.endpoint,
        aws_access_key_id=os.environ[store.access_key] if store.access_key else None,
        aws_secret_access_key=os.environ[store.secret_key] if store.secret_key else None,
        region_name=store.region or ("us-east-1" if elsewhere else None),
        config=config,
    )


_making = threading.Lock()


def made(service: str, **given: Any) -> Any:
    """Return a client of the session; only one is made at a time, because that is not thread-safe."""
    with _making:
        return session().client(service, **given)


@functools.cache
def session() -> Any:
    """Return the one boto3 session of the process: further clients of it are made quickly."""
    import boto3

    return boto3.session.Session()
