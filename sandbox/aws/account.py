"""The account as a WSGI application: faults first, then CloudFront here and everything else in moto.

Two doors lead to it. The AWS door is the account; the Storj door is another vendor's S3 with its own buckets, which no
AWS fault affects. A request marked `X-Sandbox: data-plane` is AWS's own (its edge, its resolvers) and continues while
the API is down.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote

from moto.acm.models import acm_backends
from moto.core import DEFAULT_ACCOUNT_ID
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.route53.models import route53_backends
from moto.s3.models import s3_backends

from ..faults import CLOSED, SUSPENDED
from . import calls, guards, simulation, task_guards, tasks
from .cloudfront import rules
from .cloudfront.api import answer
from .cloudfront.collections import PREFIX, Store
from .cloudfront.wire import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from sandbox.state import State

#: The other vendor's account in moto.
STORJ_ACCOUNT = "210987654321"
#: The bucket of the store named `aws` in the stack file.
AWS_STORE = "dao-example-aws"
STORJ_STORE = "dao-example-storj"
ZONE = "dao.example"

#: The longest body in which names are searched; longer ones are content.
_NOTED_BYTES = 1 << 20
_ROUTE53 = "/2013-04-01/"
_REASONS = {200: "OK", 201: "Created", 204: "No Content"}
_REASONS |= {403: "Forbidden", 404: "Not Found", 503: "Service Unavailable"}
_ERROR = (
    "<ErrorResponse><Error><Type>Receiver</Type><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
)
#: The end of a signature's scope for S3; requests to S3 may be unsigned.
_S3_SCOPE = "s3/aws4_request"
_S3_ERROR = "<Error><Code>{code}</Code><Message>{message}</Message></Error>"


@dataclass(frozen=True)
class _Down:
    """Why a request is refused: the active fault, its sentence, and the answer's status and code."""

    fault: str
    message: str
    status: int = 503
    code: str = "ServiceUnavailable"


#: What AWS answers for an account that is locked or ended: of any API ("Common error types" of each API reference), and
#: of S3 (as recorded in pelias/placeholder#95; an ended account has no buckets).
_API: Mapping[str, _Down] = {
    SUSPENDED: _Down(SUSPENDED, "The AWS Access Key Id needs a subscription for the service.", 403, "OptInRequired"),
    CLOSED: _Down(CLOSED, "The security token included in the request is invalid.", 403, "InvalidClientTokenId"),
}
_BUCKETS: Mapping[str, _Down] = {
    SUSPENDED: _Down(SUSPENDED, "All access to this object has been disabled", 403, "AllAccessDisabled"),
    CLOSED: _Down(CLOSED, "The specified bucket does not exist", 404, "NoSuchBucket"),
}


class Account:
    """Both doors over one moto; `aws` and `storj` are WSGI applications."""

    def __init__(self, state: State) -> None:
        store = Store(DEFAULT_ACCOUNT_ID, _certificates)
        guards.install(lambda arn: [*rules.certificate_users(store, arn), *task_guards.users(arn)])
        task_guards.install()
        simulation.install()
        self._state = state
        self._journal = calls.Journal(state.root / calls.FILE)
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._cloudfront = store

    def furnish(self) -> None:
        """Create what the DAO owns before any stack: the zone, and in each store a bucket that anyone may read."""
        for account, bucket in ((DEFAULT_ACCOUNT_ID, AWS_STORE), (STORJ_ACCOUNT, STORJ_STORE)):
            s3 = s3_backends[account]["aws"]
            s3.create_bucket(bucket, "us-east-1")
            s3.put_bucket_versioning(bucket, "Enabled")
            s3.delete_public_access_block(bucket)
            statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject"}
            statement["Resource"] = f"arn:aws:s3:::{bucket}/*"
            s3.put_bucket_policy(bucket, json.dumps({"Version": "2012-10-17", "Statement": [statement]}).encode())
        route53_backends[DEFAULT_ACCOUNT_ID]["aws"].create_hosted_zone(
            ZONE + ".", private_zone=False, caller_reference="made before every stack"
        )

    def aws(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer for the AWS account."""
        if environ["PATH_INFO"] in (tasks.PATH, tasks.SECRETS_PATH):
            size = int(environ.get("CONTENT_LENGTH") or 0)
            asked = environ["wsgi.input"].read(size) if size else b""
            missing = self._state.fault("secret-missing") is not None
            of_secrets = environ["PATH_INFO"] == tasks.SECRETS_PATH
            answer = tasks.secrets(asked, missing=missing) if of_secrets else tasks.exchange(asked)
            return _send(start_response, 200, answer, {"Content-Type": "application/json"})
        down = self._down(environ)
        if down:
            return _unavailable(environ, start_response, down)
        self._note(environ)
        if environ["PATH_INFO"].startswith(PREFIX):
            return self._to_cloudfront(environ, start_response)
        if _foreign(environ, DEFAULT_ACCOUNT_ID):
            return _no_such_bucket(start_response)
        return self._moto(environ, start_response)  # type: ignore[no-any-return]

    def storj(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer for the other vendor's S3."""
        if self._state.fault("store-gone-storj") is not None:
            return _unavailable(environ, start_response, _Down("store-gone-storj", "The store is gone."))
        if _foreign(environ, STORJ_ACCOUNT):
            return _no_such_bucket(start_response)
        environ["HTTP_X_MOTO_ACCOUNT_ID"] = STORJ_ACCOUNT
        return self._moto(environ, start_response)  # type: ignore[no-any-return]

    def _note(self, environ: dict[str, Any]) -> None:
        """Record a request's call; AWS's own requests use no one's rights."""
        if environ.get("HTTP_X_SANDBOX") == "data-plane":
            return
        size = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(size) if 0 < size <= _NOTED_BYTES else b""
        if body:
            environ["wsgi.input"] = io.BytesIO(body)
        self._journal.note(environ, body)

    def _down(self, environ: dict[str, Any]) -> _Down | None:
        path, inside = environ["PATH_INFO"], environ.get("HTTP_X_SANDBOX") == "data-plane"
        if not inside and self._state.fault("aws-down") is not None:
            return _Down("aws-down", "AWS is down.")
        writes = path.startswith(_ROUTE53) and environ["REQUEST_METHOD"] in ("POST", "PUT", "DELETE")
        if writes and not inside and self._state.fault("dns-control-plane-down") is not None:
            return _Down("dns-control-plane-down", "The Route 53 control plane in us-east-1 is down.")
        if ended := next((each for each in (CLOSED, SUSPENDED) if self._state.fault(each) is not None), None):
            # The edge reads buckets as any client does; AWS's other requests continue.
            if _bucket(environ):
                return _BUCKETS[ended]
            if not inside:
                return _API[ended]
        if _bucket(environ) == AWS_STORE and self._state.fault("store-gone-aws") is not None:
            return _Down("store-gone-aws", "The store is gone.")
        return None

    def _to_cloudfront(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        size = int(environ.get("CONTENT_LENGTH") or 0)
        query = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
        request = Request(
            method=environ["REQUEST_METHOD"],
            path=unquote(environ["PATH_INFO"]).removeprefix(PREFIX).rstrip("/"),
            query={name: values[0] for name, values in query.items()},
            body=environ["wsgi.input"].read(size) if size else b"",
            if_match=environ.get("HTTP_IF_MATCH", ""),
        )
        self._cloudfront.slow = self._state.fault("edge-slow") is not None
        status, headers, body = answer(self._cloudfront, request)
        return _send(start_response, status, body, {"Content-Type": "text/xml"} | headers)


def _certificates() -> dict[str, tuple[str, list[str]]]:
    backend = acm_backends[DEFAULT_ACCOUNT_ID]["us-east-1"]
    found = {}
    for arn in list(backend._certificates):  # noqa: SLF001 moto has no other way to read this without the API
        bundle = backend.describe_certificate(arn)
        found[arn] = (bundle.status, [bundle.common_name, *bundle.sans])
    return found


def _bucket(environ: dict[str, Any]) -> str:
    first: str = unquote(environ["PATH_INFO"]).lstrip("/").partition("/")[0]
    return first if first in s3_backends.bucket_accounts else ""


def _foreign(environ: dict[str, Any], account: str) -> bool:
    bucket = _bucket(environ)
    return bool(bucket) and s3_backends.bucket_accounts[bucket][1] != account


def _no_such_bucket(start_response: Callable[..., Any]) -> Iterable[bytes]:
    body = _S3_ERROR.format(code="NoSuchBucket", message="The specified bucket does not exist")
    return _send(start_response, 404, body.encode(), {"Content-Type": "application/xml"})


def _unavailable(environ: dict[str, Any], start_response: Callable[..., Any], down: _Down) -> Iterable[bytes]:
    size = int(environ.get("CONTENT_LENGTH") or 0)
    if size:
        environ["wsgi.input"].read(size)  # a client that is still writing would get a reset instead of the answer
    message = f"{down.message} (sandbox: `python -m sandbox mend {down.fault}`)"
    if "HTTP_X_AMZ_TARGET" in environ:  # a JSON protocol
        json_ = json.dumps({"__type": down.code, "message": message})
        return _send(start_response, down.status, json_.encode(), {"Content-Type": "application/x-amz-json-1.1"})
    bucket = f"/{_S3_SCOPE}" in environ.get("HTTP_AUTHORIZATION", f"/{_S3_SCOPE}")
    body = (_S3_ERROR if bucket else _ERROR).format(code=down.code, message=message)
    return _send(start_response, down.status, body.encode(), {"Content-Type": "text/xml"})


def _send(start_response: Callable[..., Any], status: int, body: bytes, headers: dict[str, str]) -> Iterable[bytes]:
    reason = _REASONS.get(status, "Error")
    start_response(f"{status} {reason}", [*headers.items(), ("Content-Length", str(len(body)))])
    return [body]
