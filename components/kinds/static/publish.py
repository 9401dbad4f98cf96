"""Put a version's files into the AWS half of a static site, and let CloudFront forget what changed."""

from __future__ import annotations

import base64
import io
import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ...errors import StepError
from ...files import scratch
from ...stores.s3 import session
from ...targets.aws import edge
from ...web import headers as content
from ...web import http as front
from . import bundle
from . import objects as upload
from .keep import obtain, open_stores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

HEALTH_KEY = front.HEALTH_PATH.removeprefix("/")
#: Concurrent requests.
_WIDE = 32
#: Concurrent writes of large files.
_LARGE = 4
#: Seconds to wait until CloudFront reports an invalidation complete, which ordinarily takes two minutes.
_PATIENCE = 900


def take(given: Mapping[str, Any], progress: Callable[[str], None]) -> dict[str, Any]:
    """Make bucket `bucket` hold exactly `version` of `workload`, then invalidate in `distribution` (may be absent).

    The content comes from `folder` read with `options`, or without one from one of `stores`. Only differences are
    written: files that others lead to first, /healthz after all files, and only then removed files are deleted;
    immutable ones stay for a day. `mark` is the second line of /healthz. `functions` names the distribution's functions
    by event, which get the version's rules; `site` and `redirect_from` are as in `edge.viewer_request`. Raises
    StepError if AWS refuses, or CloudFront does not finish.
    """
    opened = [] if given.get("folder") else open_stores(given["stores"])
    version = given["version"]
    serves = {"version": version, "mark": given.get("mark", "")}
    with scratch() as tar, _speaking(given["bucket"]):
        packed = obtain(tar, given, opened, progress)
        bucket = _Bucket(given["bucket"], given["region"], tar.fileno())
        noted, there = bucket.look()
        last = bucket.manifest(there)
        wanted = upload.objects(packed, tar.fileno())
        change = upload.changes(wanted, there, last, time.time())
        functions = _stale_functions(given, packed)
        done = {"version": version, "written": len(change.write), "removed": len(change.remove)}
        same = all(noted.get(name, "") == value for name, value in {**serves, "settled": version}.items())
        if not change.write and not change.remove and not functions and same:
            return done | {"invalidated": 0}
        # What an earlier, killed run changed is not known any more.
        settled = noted.get("settled") == noted.get("version")
        paths = () if not noted and not there else change.invalidate if settled else ("/*",)
        if noted and settled:
            bucket.write_health({**noted, "settled": ""})
        if not noted:  # before any file: a bucket with files and without a manifest is taken for another party's
            bucket.write_manifest(last)
        bucket.write(change.write, progress)
        _write_functions(functions, progress)
        bucket.write_manifest(change.manifest)
        bucket.write_health(serves | {"settled": ""})
        bucket.remove(change.remove)
        if paths and given.get("distribution"):
            _invalidate(given["distribution"], paths, version, progress)
        bucket.write_health(serves | {"settled": version})
    return done | {"invalidated": len(paths)}


class _Bucket:
    """The bucket behind the distribution. Its /healthz object also records the progress of the last run."""

    def __init__(self, name: str, region: str, tar: int) -> None:
        from botocore.config import Config

        config = Config(
            max_pool_connections=_WIDE,
            retries={"mode": "standard", "total_max_attempts": 5},
            # Each write carries its MD5, which S3 checks; a second checksum would only cost time.
            request_checksum_calculation="when_required",
        )
        self._client = session().client("s3", region_name=region, config=config)
        self._name, self._tar = name, tar
        #: Held while a file is written in parts, so that few parts are in memory.
        self._large = threading.BoundedSemaphore(_LARGE)

    def look(self) -> tuple[dict[str, str], dict[str, str]]:
        """Return the record of the last run (nothing on the first), and the ETag of every file, by key."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._name)
        there = {item["Key"]: item["ETag"].strip('"') for page in pages for item in page.get("Contents", ())}
        if there.pop(HEALTH_KEY, None) is None:
            return {}, there
        noted: dict[str, str] = self._client.head_object(Bucket=self._name, Key=HEALTH_KEY)["Metadata"]
        return noted, there

    def manifest(self, there: dict[str, str]) -> upload.Manifest:
        """Return the manifest of the last run, and remove it from what is there."""
        if there.pop(upload.MANIFEST, None) is None:
            return upload.Manifest({}, {})
        return upload.Manifest.read(self._client.get_object(Bucket=self._name, Key=upload.MANIFEST)["Body"].read())

    def write_manifest(self, manifest: upload.Manifest) -> None:
        """Write the manifest."""
        self._client.put_object(
            Bucket=self._name, Key=upload.MANIFEST, Body=manifest.written(), ContentType="application/json"
        )

    def write_health(self, notes: Mapping[str, str]) -> None:
        """Write /healthz: the version and the mark as its content, and the record as metadata."""
        self._client.put_object(
            Bucket=self._name,
            Key=HEALTH_KEY,
            Body="".join(f"{notes[line]}\n" for line in ("version", "mark") if notes.get(line)).encode(),
            ContentType=content.HEALTH_TYPE,
            CacheControl=content.ALWAYS_FRESH,
            Metadata=dict(notes),
        )

    def write(self, objects: tuple[upload.Object, ...], progress: Callable[[str], None]) -> None:
        """Write objects concurrently, one group after the other in the given order."""
        total, lock, count = len(objects), threading.Lock(), itertools.count(1)
        every = max(200, total // 20)

        def one(item: upload.Object) -> None:
            self._put(item)
            with lock:
                written = next(count)
            if written % every == 0 or written == total:
                progress(f"{self._name}: {written} of {total} objects written")

        with ThreadPoolExecutor(_WIDE) as pool:
            for _, group in itertools.groupby(objects, lambda item: item.order):
                for _ in pool.map(one, group):
                    pass

    def remove(self, keys: tuple[str, ...]) -> None:
        """Remove objects, a thousand per request (the most that S3 accepts)."""
        for start in range(0, len(keys), 1000):
            batch = [{"Key": key} for key in keys[start : start + 1000]]
            answer = self._client.delete_objects(Bucket=self._name, Delete={"Objects": batch, "Quiet": True})
            if errors := answer.get("Errors"):
                raise StepError(f"bucket {self._name}: {errors[0]['Key']} cannot be removed: {errors[0]['Message']}")

    def _put(self, item: upload.Object) -> None:
        """Write one object directly from the bundle's file: no body is ever in memory as a whole."""
        headers = {"ContentType": item.type, "CacheControl": item.cache, "Metadata": dict(item.metadata)}
        if isinstance(item.body, bytes):
            self._client.put_object(Bucket=self._name, Key=item.key, Body=item.body, **headers)
        elif item.body.size <= upload.PART_BYTES:
            self._client.put_object(
                Bucket=self._name,
                Key=item.key,
                Body=bundle.Window(self._tar, item.body.offset, item.body.size),
                ContentLength=item.body.size,
                ContentMD5=base64.b64encode(bytes.fromhex(item.etag)).decode(),
                **headers,
            )
        else:
            with self._large:
                window = io.BufferedReader(bundle.Window(self._tar, item.body.offset, item.body.size))
                self._client.upload_fileobj(
                    window, self._name, item.key, ExtraArgs=headers, Config=_parts(item.body.size)
                )


def _parts(size: int) -> Any:
    """Return boto3's settings for writing a file of this size in parts."""
    from boto3.s3.transfer import TransferConfig

    part = upload.part_bytes(size)
    # One part after the other: boto3's threads would hold a dozen parts of one file in memory.
    return TransferConfig(multipart_threshold=part, multipart_chunksize=part, use_threads=False)


def _cloudfront() -> Any:
    return session().client("cloudfront", region_name="us-east-1")


def _stale_functions(given: Mapping[str, Any], packed: bundle.Bundle) -> dict[str, str]:
    """Return the code of each function whose rules are not this version's, by name."""
    if not given.get("functions"):
        return {}
    rules = upload.edge_rules(packed.routes)
    wanted = {
        "viewer-request": edge.viewer_request(
            rules, site=given["site"], redirect_from=tuple(given.get("redirect_from") or ())
        ),
        "viewer-response": edge.viewer_response(rules),
    }
    client = _cloudfront()
    return {
        name: wanted[event]
        for event, name in given["functions"].items()
        if client.get_function(Name=name, Stage="LIVE")["FunctionCode"].read().decode() != wanted[event]
    }


def _write_functions(functions: Mapping[str, str], progress: Callable[[str], None]) -> None:
    """Write functions and publish them; code that CloudFront refuses leaves the running one unchanged."""
    if not functions:
        return
    client = _cloudfront()
    for name, code in functions.items():
        progress(f"function {name}: writing the rules of this version")
        before = client.describe_function(Name=name, Stage="DEVELOPMENT")
        written = client.update_function(
            Name=name,
            IfMatch=before["ETag"],
            FunctionConfig=before["FunctionSummary"]["FunctionConfig"],
            FunctionCode=code.encode(),
        )
        client.publish_function(Name=name, IfMatch=written["ETag"])


def _invalidate(distribution: str, paths: tuple[str, ...], version: str, progress: Callable[[str], None]) -> None:
    """Invalidate paths in CloudFront's caches, and wait for the end of the invalidation."""
    from botocore.exceptions import ClientError

    client = _cloudfront()
    batch = {
        "Paths": {"Quantity": len(paths), "Items": list(paths)},
        "CallerReference": f"{version[:12]}-{time.time_ns()}",
    }
    progress(f"distribution {distribution}: invalidating {', '.join(paths[:3])}{' …' if paths[3:] else ''}")
    end, under_way = time.monotonic() + _PATIENCE, None
    while time.monotonic() < end:
        try:
            if under_way is None:
                answer = client.create_invalidation(DistributionId=distribution, InvalidationBatch=batch)
            else:
                answer = client.get_invalidation(DistributionId=distribution, Id=under_way)
            under_way = answer["Invalidation"]["Id"]
            if answer["Invalidation"]["Status"].lower() == "completed":
                return
        except ClientError as error:
            if error.response["Error"]["Code"] != "TooManyInvalidationsInProgress":
                raise
        time.sleep(2)
    raise StepError(
        f"distribution {distribution} is still invalidating after {_PATIENCE} s; the files are in place, "
        "and running this again waits for CloudFront again"
    )


@contextmanager
def _speaking(bucket: str) -> Iterator[None]:
    """Turn exceptions of boto3 into a sentence."""
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (ClientError, BotoCoreError, Boto3Error) as error:
        raise StepError(f"bucket {bucket} cannot be published to: {error}") from None
