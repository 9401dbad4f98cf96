"""The door to stores: S3-compatible buckets at named vendors, over boto3, and their public side over HTTP."""

from __future__ import annotations

import functools
import hashlib
import os
import threading
import time
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import IO, TYPE_CHECKING, Any, TypeVar

from ..errors import ConfigError, Fault, StepError
from ..limits import BUNDLE_BYTES, BUNDLE_S, LISTED_OBJECTS, SMALL_S
from ..text.escape import outside

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime
    from io import IOBase

    from ..config.models import Bucket, Store

_T = TypeVar("_T")
#: A read of boto3 waits until its buffer is full, so the clock is checked between small reads.
_SMALL_CHUNK = 1 << 13
#: The most reads of a small object: of the smallest ones, each byte.
_READS = 4_096
#: Objects that a page of a listing counts as, at least: a store may answer with empty pages for ever.
_PAGE = 100

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


class AskError(StepError):
    """A store refused a request, with S3's `code` for it, or gave no answer that can be read; `words` tell why."""

    def __init__(self, what: str, code: str, words: str) -> None:
        super().__init__(f"{what}: {words}")
        self.code, self.words = code, words


def ask(what: str, question: Callable[[], _T]) -> _T:
    """Return what a question to a store gives; every request, and every read of an answer, goes through here.

    A question is nothing but the call of the client and the reading of its answer: what it raises is the store's,
    because boto3 reads odd answers with any exception of Python. Raises AskError, whose title begins with `what`.
    """
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError
    from urllib3.exceptions import HTTPError

    try:
        return question()
    except ClientError as error:
        refused = error.response.get("Error", {})
        code = refused.get("Code") or ""
        raise AskError(what, code, outside(refused.get("Message") or code)) from None
    except (BotoCoreError, Boto3Error, HTTPError, OSError) as error:
        raise AskError(what, "", outside(error)) from None
    except Exception as error:  # noqa: BLE001 see above
        words = f"its answer is not S3's ({type(error).__name__}: {error})"
        raise AskError(what, "", outside(words)) from None


def beginning(what: str, body: Any, most: int) -> bytes:
    """Return the first `most` bytes of a small object. Raises AskError for one that is cut off, or takes too long."""
    content, end = b"", time.monotonic() + SMALL_S
    step = -(-most // _READS)
    # The read that finds the end also finds whether all has come.
    while len(content) < most and (part := ask(what, functools.partial(body.read, min(step, most - len(content))))):
        content += part
        if time.monotonic() > end:
            raise AskError(what, "", f"no whole answer in {SMALL_S:g} s")
    return content


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
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        found, seen, turned = list[Stored](), 0, iter(pages)
        while (page := self._ask("cannot be listed", lambda: _listed(next(turned, None)))) is not None:
            found += page
            seen += max(len(page), _PAGE)
            if seen > LISTED_OBJECTS:
                many = f"{prefix} has more than {LISTED_OBJECTS:,} objects, or a listing without end"
                raise StepError(f"store {self.name}: {many}; look into bucket {self._bucket}")
        return sorted(found, key=lambda stored: stored.written, reverse=True)

    def put(self, key: str, content: IOBase, sha256: str) -> None:
        """Write an object from an open file, replacing one that is there."""
        content.seek(0)
        self._ask(
            f"{key} cannot be written",
            lambda: self._client.put_object(
                Bucket=self._bucket,
                Key=key,
                Body=content,
                ContentType="application/x-tar",
                Metadata={"sha256": sha256},
            ),
        )

    def claim(self, key: str, content: bytes) -> bool:
        """Write an object only if there is none; return True if there was none.

        The store decides, so it can be a lock.
        """
        try:
            self._ask(
                f"{key} cannot be claimed",
                lambda: self._client.put_object(Bucket=self._bucket, Key=key, Body=content, IfNoneMatch="*"),
            )
        except AskError as error:
            if error.code in {"PreconditionFailed", "ConditionalRequestConflict"}:
                return False
            raise
        return True

    def read(self, key: str, most: int) -> bytes | None:
        """Return the first `most` bytes of an object, or None where there is none."""
        what = f"{key} cannot be read"
        try:
            body = self._ask(what, lambda: self._client.get_object(Bucket=self._bucket, Key=key)["Body"])
        except AskError as error:
            if error.code == "NoSuchKey":
                return None
            raise
        return beginning(f"store {self.name}: {what}", body, most)

    def write(self, key: str, content: bytes) -> float | None:
        """Write a small text, or replace it, with `no-cache`, so that readers get it from the store each time.

        Returns the store's clock, in seconds since 1970 (Date, RFC 9110, 6.6.1); None if it shows none.
        """
        answer = self._ask(
            f"{key} cannot be written",
            lambda: self._client.put_object(
                Bucket=self._bucket, Key=key, Body=content, ContentType="text/plain", CacheControl="no-cache"
            ),
        )
        try:
            return parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"]).timestamp()
        except (KeyError, TypeError, ValueError, OverflowError):
            return None

    def lock(self) -> str | None:
        """Return for how long new objects cannot be deleted (object lock); "" without a lock, None if unknown."""
        try:
            answer = self._ask(
                "its object lock cannot be read",
                lambda: self._client.get_object_lock_configuration(Bucket=self._bucket),
            )
        except AskError as error:
            if not error.code:
                raise
            return "" if error.code == "ObjectLockConfigurationNotFoundError" else None
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
        what, end = f"{key} cannot be read", time.monotonic() + BUNDLE_S
        body = self._ask(what, lambda: self._client.get_object(Bucket=self._bucket, Key=key)["Body"])
        try:
            for chunk in _bounded(iter(lambda: self._ask(what, lambda: body.read(_SMALL_CHUNK)), b""), most):
                digest.update(chunk)
                out.write(chunk)
                if time.monotonic() > end:
                    raise StepError(f"store {self.name}: {key} gives no whole answer in {BUNDLE_S:g} s")
        except _TooLargeError:
            raise StepError(f"store {self.name}: {key} is larger than {most:,} bytes") from None
        return digest.hexdigest()

    def delete(self, keys: list[str]) -> None:
        """Remove objects one by one, because some vendors have no request for several."""
        for key in keys:
            delete = functools.partial(self._client.delete_object, Bucket=self._bucket, Key=key)
            self._ask("an old version cannot be removed", delete)

    def public_url(self, key: str) -> str:
        """Return the URL at which anyone can read an object."""
        return f"{self._public}/{key}"

    def seen_by_anyone(self, key: str) -> tuple[str, str]:
        """Read an object as a container will. Return (SHA-256, "") or ("", what was seen instead); do not raise."""
        return read_public(self.public_url(key), None)

    def _ask(self, what: str, question: Callable[[], _T]) -> _T:
        """Ask a question, with S3's codes in an operator's terms; see `ask`."""
        try:
            return ask(f"store {self.name}: {what}", question)
        except AskError as error:
            if known := _SENTENCES.get(error.code):
                raise AskError(f"store {self.name}", error.code, known.format(bucket=self._bucket)) from None
            raise


def _listed(page: Any) -> list[Stored] | None:
    """Return the objects of a page of a listing; None for no page."""
    if page is None:
        return None
    return [
        Stored(item["Key"], item["Size"], item["LastModified"].astimezone(UTC), item["ETag"].strip('"'))
        for item in page.get("Contents", ())
    ]


def read_public(
    url: str, out: IO[bytes] | None, most: int = BUNDLE_BYTES, within_s: float = BUNDLE_S
) -> tuple[str, str]:
    """Read an object without credentials, into an open file if there is one.

    Return (SHA-256, "") or ("", what was seen instead); do not raise. Reading stops beyond `most` bytes and after
    `within_s` seconds.
    """
    import httpx

    from ..coding import PLAIN, parts
    from ..deadline import followed, within

    digest = hashlib.sha256()
    if out is not None:
        out.seek(0)
        out.truncate()
    with within(within_s) as deadline, httpx.Client(timeout=min(20, within_s)) as client:
        request = client.build_request("GET", url, headers=PLAIN, extensions={"trace": deadline.trace})
        try:
            response = followed(client, request)
            if response.status_code != httpx.codes.OK:
                return "", f"answers {response.status_code}"
            for chunk in _bounded(parts(response), most):
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
