"""Run a CloudFront function on a viewer's request or on the response to it, in a real JavaScript engine.

The events are those of "CloudFront Functions event structure"; `rawQueryString()` is a method of the runtime 2.0 alone
("General helper methods"). What a function may not change is from "Restrictions on all edge functions".
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from .wire import Response

if TYPE_CHECKING:
    from .distribution import Distribution
    from .server import Asked

#: CloudFront allows about a millisecond of its own processors; this many seconds of ours end an endless loop.
LIMIT_S = 1
#: The runtime whose requests have methods.
NEWER = "cloudfront-js-2.0"
#: Headers that a function cannot add; one that does is a 502.
DISALLOWED = frozenset(
    {
        *("connection", "expect", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection"),
        *("trailer", "upgrade", "x-accel-buffering", "x-accel-charset", "x-accel-limit-rate", "x-accel-redirect"),
        *("x-cache", "x-forwarded-proto", "x-real-ip", "content-length", "transfer-encoding", "via"),
    }
)


@dataclass(frozen=True)
class Code:
    """A published function: its source, and the runtime that it is for."""

    source: str
    runtime: str


def on_request(code: Code, distribution: Distribution, asked: Asked) -> str | Response:
    """Run a viewer-request function: the path it rewrites the request to, or the response it makes itself.

    A function that fails is a 503, as at CloudFront.
    """
    decided = _run(code, _event("viewer-request", distribution, asked, asked.path), asked)
    if isinstance(decided, Response):
        return decided
    if "statusCode" not in decided:
        return str(decided["uri"])
    body = decided.get("body") or ""
    found = _headers(decided)
    if found is None:
        return _failed(502, "it adds a header that it may not")
    return Response(decided["statusCode"], found, (body if isinstance(body, str) else body.get("data", "")).encode())


def on_response(code: Code, distribution: Distribution, asked: Asked, path: str, response: Response) -> Response:
    """Run a viewer-response function; `path` is what a viewer-request function made of the path.

    It sees status and headers, and cannot change the body.
    """
    kept = [pair for pair in response.headers if pair[0] in DISALLOWED]
    event = _event("viewer-response", distribution, asked, path)
    event["response"] = {
        "statusCode": response.status,
        "statusDescription": "",
        "headers": {key: {"value": value} for key, value in response.headers if key not in DISALLOWED},
        "cookies": {},
    }
    decided = _run(code, event, asked)
    if isinstance(decided, Response):
        return decided
    found = _headers(decided)
    if found is None:
        return _failed(502, "it adds a header that it may not")
    return Response(int(decided["statusCode"]), found + kept, response.body)


def _run(code: Code, event: dict[str, Any], asked: Asked) -> Any:
    """Call the handler; return its result, or a 503."""
    import quickjs  # type: ignore[import-untyped]

    engine = quickjs.Context()
    engine.set_time_limit(LIMIT_S)
    # A `?` means that there is a query, even an empty one; this server cannot distinguish an empty one from none.
    methods = "event.request.rawQueryString = function () { return query === '' ? undefined : query };"
    try:
        engine.eval(code.source)
        call = engine.eval(
            "(function (event, query) { event = JSON.parse(event); "
            f"{methods if code.runtime == NEWER else ''} return JSON.stringify(handler(event)) }})"
        )
        return json.loads(call(json.dumps(event), asked.query))
    except (quickjs.JSException, TypeError, ValueError) as error:
        return _failed(503, str(error))


def _failed(status: int, why: str) -> Response:
    return Response(status, [("content-type", "text/plain")], f"the function failed: {why}\n".encode())


def _headers(decided: dict[str, Any]) -> list[tuple[str, str]] | None:
    """Return the headers of a response object; None if one is not allowed.

    A header of several values is several headers.
    """
    found = []
    for key, one in (decided.get("headers") or {}).items():
        if key.lower() in DISALLOWED:
            return None
        found += [(key.lower(), each["value"]) for each in one.get("multiValue") or [one]]
    return found


def _event(kind: str, distribution: Distribution, asked: Asked, path: str) -> dict[str, Any]:
    return {
        "version": "1.0",
        "context": {
            "distributionDomainName": distribution.domain,
            "distributionId": distribution.id,
            "eventType": kind,
        },
        "viewer": {"ip": asked.address},
        "request": {
            "method": asked.method,
            "uri": path,
            "querystring": {key: {"value": value} for key, value in parse_qsl(asked.query, keep_blank_values=True)},
            "headers": {key: {"value": value} for key, value in asked.headers},
            "cookies": {},
        },
    }
