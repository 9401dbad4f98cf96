"""The API calls that the account received, as IAM sees them: action, resource, and context keys.

A request is matched with the operations of botocore's service models: method, path, and required query. Actions of S3
with other names than their operations are those of the service authorization reference.
"""

from __future__ import annotations

import functools
import json
import re
import threading
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs, unquote

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

#: The journal, in the sandbox's state folder.
FILE = "aws-calls.jsonl"
#: Services whose requests differ by path; the others name the operation in the body or a header.
_BY_PATH = ("s3", "route53", "cloudfront")
#: The access key of observers, whose calls no stack needs.
BYSTANDER = "bystander"
_SCOPE = re.compile(r"Credential=(?!bystander/)[^/]+/\d+/[\w-]+/([\w-]+)/")
_S3 = {
    "AbortMultipartUpload": "AbortMultipartUpload",
    "CompleteMultipartUpload": "PutObject",
    "CopyObject": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
    "DeleteBucketTagging": "PutBucketTagging",
    "DeleteObjects": "DeleteObject",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketAccelerateConfiguration": "GetAccelerateConfiguration",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "GetBucketReplication": "GetReplicationConfiguration",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "HeadBucket": "ListBucket",
    "HeadObject": "GetObject",
    "ListObjectVersions": "ListBucketVersions",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "UploadPart": "PutObject",
}
_CLOUDFRONT = {"CreateDistributionWithTags": "CreateDistribution"}
#: The first of the objects that one request removes stands for all of them.
_KEY = re.compile(rb"<Key>([^<]+)</Key>")
_NAME = re.compile(rb"<Name>([^<]+)</Name>")
_NAMES_KEY = "route53:ChangeResourceRecordSetsNormalizedRecordNames"


class Call(NamedTuple):
    """One call: the action, the resource's ARN or `*`, and context keys with their values."""

    action: str
    resource: str
    context: dict[str, list[str]]


class _Operation(NamedTuple):
    name: str
    path: re.Pattern[str]
    query: frozenset[str]
    headers: frozenset[str]
    literal: int


class Journal:
    """Writes each distinct call once, one JSON array a line."""

    def __init__(self, path: Path) -> None:
        self._path, self._seen, self._lock = path, set[str](), threading.Lock()

    def note(self, environ: Mapping[str, Any], body: bytes) -> None:
        """Record one signed request."""
        call = call_of(environ, body)
        if call is None:
            return
        line = json.dumps(call)
        with self._lock:
            if line not in self._seen:
                self._seen.add(line)
                with self._path.open("a", encoding="utf-8") as file:
                    file.write(f"{line}\n")


def read(path: Path) -> Iterator[Call]:
    """Yield the calls of a journal."""
    for line in path.read_text(encoding="utf-8").splitlines():
        yield Call(*json.loads(line))


def call_of(environ: Mapping[str, Any], body: bytes) -> Call | None:
    """Return the call of a WSGI request; None without a signature.

    An operation in no model is the action `SERVICE:?`.
    """
    scope = _SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
    if scope is None:
        return None
    service, path = scope[1], unquote(environ["PATH_INFO"])
    if service not in _BY_PATH:
        target = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
        name = target or parse_qs(body.decode("utf-8", "replace")).get("Action", [""])[0]
        return Call(f"{service}:{name}", "*", {})
    query = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
    operation = _operation(service, environ["REQUEST_METHOD"], path, frozenset(query), _headers(environ))
    if service == "s3":
        key = _KEY.search(body) if operation == "DeleteObjects" else None
        resource = f"{path.strip('/')}/{key[1].decode()}" if key else path.strip("/")
        action = "DeleteObjectVersion" if key and b"<VersionId>" in body else _S3.get(operation, operation)
        return Call(f"s3:{action}", f"arn:aws:s3:::{resource}", {})
    if service == "cloudfront":
        return Call(f"cloudfront:{_CLOUDFRONT.get(operation, operation)}", "*", {})
    names = sorted({each.decode().rstrip(".").lower() for each in _NAME.findall(body)})
    context = {_NAMES_KEY: names} if operation == "ChangeResourceRecordSets" else {}
    return Call(f"route53:{operation}", _route53(path), context)


def _headers(environ: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(key[5:].lower().replace("_", "-") for key in environ if key.startswith("HTTP_"))


def _route53(path: str) -> str:
    found = re.match(r"/[\d-]+/(?:tags/)?(hostedzone|healthcheck)/([^/]+)", path)
    return f"arn:aws:route53:::{found[1]}/{found[2]}" if found else "*"


def _operation(service: str, method: str, path: str, query: frozenset[str], headers: frozenset[str]) -> str:
    fits = [
        each
        for each in _operations(service).get(method, ())
        if each.path.fullmatch(path) and each.query <= query and each.headers <= headers
    ]
    if not fits:
        return f"? {method} {path} with {', '.join(sorted(query))}"
    return max(fits, key=lambda each: (len(each.query) + len(each.headers), each.literal)).name


@functools.cache
def _operations(service: str) -> dict[str, list[_Operation]]:
    """Return the operations of a service by method, from botocore's model."""
    from botocore.session import Session

    model = Session().get_service_model(service)
    found: dict[str, list[_Operation]] = {}
    for name in model.operation_names:
        one = model.operation_model(name)
        path, _, wanted = str(one.http["requestUri"]).partition("?")
        shape = one.input_shape
        literal = {part.partition("=")[0] for part in wanted.split("&") if part}
        parts = re.split(r"(\{[^}]+\})", path)
        pattern = "".join(
            re.escape(part) if not part.startswith("{") else ".+" if part.endswith("+}") else "[^/]+" for part in parts
        )
        found.setdefault(str(one.http["method"]), []).append(
            _Operation(
                name,
                re.compile(pattern + "/?"),
                frozenset({*literal, *_named(shape, "querystring")}),
                frozenset(_named(shape, "header")),
                len(re.sub(r"\{[^}]*\}", "", path)),
            )
        )
    return found


def _named(shape: Any, location: str) -> Iterator[str]:
    """Yield the names of required members at a place of the request."""
    for key in shape.required_members if shape else ():
        member = shape.members[key]
        if member.serialization.get("location") == location:
            name = str(member.serialization.get("name", key))
            yield name.lower() if location == "header" else name
