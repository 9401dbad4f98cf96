"""Runs a CloudFront function on a viewer's request, in a real JavaScript engine."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from .wire import Response

if TYPE_CHECKING:
    from .distribution import Distribution
    from .server import Asked

#: CloudFront allows about a millisecond of its own processors; this many seconds of ours stop an endless loop.
LIMIT_S = 1


def run(source: str, distribution: Distribution, asked: Asked) -> str | Response:
    """Run a viewer-request function: the path it rewrites the request to, or the response it makes itself.

    A function that fails is a 503, as at CloudFront.
    """
    import quickjs  # type: ignore[import-untyped]

    engine = quickjs.Context()
    engine.set_time_limit(LIMIT_S)
    try:
        engine.eval(source)
        call = engine.eval("(function (event) { return JSON.stringify(handler(JSON.parse(event))) })")
        decided = json.loads(call(json.dumps(_event(distribution, asked))))
    except (quickjs.JSException, TypeError, ValueError) as error:
        return Response(503, [("content-type", "text/plain")], f"the function failed: {error}\n".encode())
    if "statusCode" not in decided:
        return str(decided["uri"])
    headers = [(key.lower(), one["value"]) for key, one in (decided.get("headers") or {}).items()]
    body = decided.get("body") or ""
    return Response(decided["statusCode"], headers, (body if isinstance(body, str) else body.get("data", "")).encode())


def _event(distribution: Distribution, asked: Asked) -> dict[str, Any]:
    return {
        "version": "1.0",
        "context": {
            "distributionDomainName": distribution.domain,
            "distributionId": distribution.id,
            "eventType": "viewer-request",
        },
        "viewer": {"ip": asked.address},
        "request": {
            "method": asked.method,
            "uri": asked.path,
            "querystring": {key: {"value": value} for key, value in parse_qsl(asked.query, keep_blank_values=True)},
            "headers": {key: {"value": value} for key, value in asked.headers},
            "cookies": {},
        },
    }
