"""Caddy's configuration language in small pieces: routes, matchers and handlers as data.

The names are those of https://caddyserver.com/docs/json/; nothing here knows what it is used for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

Json = dict[str, Any]


def route(*handlers: Json, when: Json | None = None) -> Json:
    """Run handlers one after the other, for requests that a matcher set matches."""
    return ({"match": [when]} if when else {}) | {"handle": list(handlers)}


def subroute(*routes: Json) -> Json:
    """Run routes as one handler."""
    return {"handler": "subroute", "routes": list(routes)}


def path(*patterns: str) -> Json:
    """Match paths by patterns with `*`."""
    return {"path": list(patterns)}


def file(root: str, name: str) -> Json:
    """Match while a file exists, or a folder if the name ends with a slash."""
    return {"file": {"root": root, "try_files": [name]}}


def has(header: str) -> Json:
    """Match requests with a header."""
    return {"header": {header: ["*"]}}


def unless(matcher: Json) -> Json:
    """Match what a matcher does not."""
    return {"not": [matcher]}


def answer(status: int, body: str = "", headers: Mapping[str, str] | None = None) -> Json:
    """Answer with a status, a body and headers."""
    said: Json = {"handler": "static_response", "status_code": status}
    if headers:
        said["headers"] = _lists(headers)
    return said | ({"body": body} if body else {})


def with_headers(headers: Mapping[str, str]) -> Json:
    """Set headers of the response before it is written."""
    return {"handler": "headers", "response": {"set": _lists(headers)}}


def unless_set(header: str, value: str) -> Json:
    """Set a header of the response as it is written, where nobody has."""
    response = {"deferred": True, "require": {"headers": {header: None}}, "set": {header: [value]}}
    return {"handler": "headers", "response": response}


def without_header(header: str) -> Json:
    """Take a header off the response as it is written."""
    return {"handler": "headers", "response": {"deferred": True, "delete": [header]}}


def files(root: str, status: int | None = None) -> Json:
    """Answer with files of a folder, with their own status or another."""
    return {"handler": "file_server", "root": root} | ({"status_code": status} if status else {})


def rewrite(uri: str) -> Json:
    """Go on as if another address had been asked for."""
    return {"handler": "rewrite", "uri": uri}


def proxy(*places: str, headers: Mapping[str, str] | None = None, drop: str | None = None, **more: Any) -> Json:
    """Pass the request on to one of some places (`HOST:PORT`), with headers set, and one dropped."""
    request: Json = ({"set": _lists(headers)} if headers else {}) | ({"delete": [drop]} if drop else {})
    passed: Json = {"handler": "reverse_proxy", "upstreams": [{"dial": place} for place in places]}
    return passed | ({"headers": {"request": request}} if request else {}) | more


#: Compress what is worth it.
COMPRESSED: Json = {"handler": "encode", "encodings": {"zstd": {}, "gzip": {}}, "prefer": ["zstd", "gzip"]}


def at_most(size: int) -> Json:
    """Refuse request bodies of more than `size` bytes."""
    return {"handler": "request_body", "max_size": size}


def _lists(headers: Mapping[str, str]) -> dict[str, list[str]]:
    return {name: [value] for name, value in headers.items()}
