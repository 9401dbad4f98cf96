"""The edge's requests to origins: a bucket through its origin access control, or a server of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from .known import Known
from .policy import allows
from .wire import HOP_BY_HOP, Headers, Response, Unreachable, fetch

if TYPE_CHECKING:
    import ssl

    from .cloud import Cloud, Shape
    from .distribution import Behaviour, Distribution, Origin
    from .internet import Internet
    from .server import Asked

#: CloudFront's defaults in seconds.
CONNECT_S, RESPONSE_S = 10.0, 30.0

OK, FORBIDDEN, NOT_FOUND, BAD_GATEWAY = 200, 403, 404, 502


def key_of(path: str) -> str:
    """Return the key that S3 reads in the path of a request: decoded once, and a plus sign is a space.

    The latter is S3's own reading, of paths too: ostreedev/ostree#2139, dnbert/prm#46, sveltejs/kit#6451.
    """
    return unquote_plus(path[1:], errors="surrogateescape")


class Origins:
    """Requests to origins."""

    def __init__(self, cloud: Cloud, internet: Internet, trusted: ssl.SSLContext) -> None:
        self._cloud = cloud
        self._internet = internet
        self._trusted = trusted
        self._policies: dict[str, Known[Shape]] = {}

    async def fetch(self, distribution: Distribution, behaviour: Behaviour, asked: Asked, path: str) -> Response:
        """Return what the behaviour's origin answers for a path. An origin that cannot be reached is a 502."""
        origin = distribution.origins[behaviour.origin]
        try:
            if origin.protocol:
                return await self._server(distribution, behaviour, origin, asked, path)
            return await self._bucket(distribution, origin, path)
        except Unreachable as error:
            return _failed(BAD_GATEWAY, f"the origin {origin.domain} does not answer: {error}")

    async def _bucket(self, distribution: Distribution, origin: Origin, path: str) -> Response:
        key = key_of(origin.path + path)
        policy = await self._policy(origin.bucket)
        resource = f"arn:aws:s3:::{origin.bucket}"
        listed = allows(policy, "s3:ListBucket", resource, distribution.arn)
        # A request without a key asks for the listing, which needs another permission.
        may = listed if not key else allows(policy, "s3:GetObject", f"{resource}/{key}", distribution.arn)
        if not (origin.access_control and may):
            return _denied()
        response = await self._cloud.thing(origin.bucket, key)
        if response.status == OK:
            own = [pair for pair in response.headers if pair[0] not in _MOTO]
            return Response(OK, [*own, ("server", "AmazonS3")], response.body)
        # Without the right to list, S3 answers that an object is forbidden, not that it is missing.
        return response if listed or response.status != NOT_FOUND else _denied()

    async def _policy(self, bucket: str) -> Shape:
        if bucket not in self._policies:
            self._policies[bucket] = Known(lambda: self._cloud.policy(bucket), {})
        return await self._policies[bucket].get()

    async def _server(
        self, distribution: Distribution, behaviour: Behaviour, origin: Origin, asked: Asked, path: str
    ) -> Response:
        secure = origin.protocol == "https-only" or (origin.protocol == "match-viewer" and asked.secure)
        port = await self._internet.way(origin.domain, origin.https_port if secure else origin.http_port)
        host = asked.host if behaviour.forwards_host else origin.domain
        headers: Headers = [
            ("Host", host),
            ("Via", ", ".join(filter(None, [asked.header("via"), f"1.1 {distribution.domain} (CloudFront)"]))),
            ("X-Forwarded-For", asked.address),
            *origin.headers,
        ]
        if behaviour.forwards_all:
            headers += [pair for pair in asked.headers if pair[0] not in _OURS]
        else:
            headers.append(("User-Agent", "Amazon CloudFront"))
        query = f"?{asked.query}" if asked.query and behaviour.forwards_all else ""
        response = await fetch(
            port, origin.path + path + query, headers, method=asked.method, body=asked.body,
            tls=self._trusted if secure else None, name=host, connect_s=CONNECT_S, response_s=RESPONSE_S,
        )  # fmt: skip
        return Response(
            response.status, [pair for pair in response.headers if pair[0] not in HOP_BY_HOP], response.body
        )


#: Headers of moto's that S3 does not send, or that belong to one connection.
_MOTO = HOP_BY_HOP | {"server", "date", "content-length", "x-amzn-requestid", "access-control-allow-origin"}
#: Headers of the viewer that CloudFront sets itself. `accept-encoding` goes, since the edge compresses.
_OURS = HOP_BY_HOP | {"host", "via", "x-forwarded-for", "content-length", "accept-encoding", "expect"}


def _denied() -> Response:
    body = b"<?xml version='1.0'?>\n<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
    return Response(FORBIDDEN, [("content-type", "application/xml"), ("server", "AmazonS3")], body)


def _failed(status: int, sentence: str) -> Response:
    return Response(status, [("content-type", "text/plain; charset=utf-8")], f"{sentence}\n".encode())
