"""Caddy's configuration language in small pieces: routes, matchers and handlers as data.

The names are those of https://caddyserver.com/docs/json/; this module is independent of their use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Json = dict[str, Any]


def route(*handlers: Json, when: Json | None = None) -> Json:
    """Run handlers one after the other, for requests that match a matcher set."""
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


def path_like(pattern: str, name: str = "") -> Json:
    """Match paths by a regular expression (RE2); its groups become `{http.regexp.NAME.1}` and so on."""
    return {"path_regexp": ({"name": name} if name else {}) | {"pattern": pattern}}


def variable(name: str, *values: str) -> Json:
    """Match while a variable, empty if nothing set it, has one of some values."""
    return {"vars": {name: list(values)}}


def has(header: str) -> Json:
    """Match requests with a header."""
    return {"header": {header: ["*"]}}


def unless(matcher: Json) -> Json:
    """Match requests that a matcher does not match."""
    return {"not": [matcher]}


def file_of(root: str) -> Json:
    """Answer with the file that the path names, and only with that one."""
    return {"handler": "file_server", "root": root, "canonical_uris": False, "index_names": []}


def answer(status: int | str, body: str = "", headers: Mapping[str, str] | None = None) -> Json:
    """Answer with a status, a body and headers."""
    response: Json = {"handler": "static_response", "status_code": status}
    if headers:
        response["headers"] = _lists(headers)
    return response | ({"body": body} if body else {})


def with_headers(headers: Mapping[str, str]) -> Json:
    """Set headers of the response before it is written."""
    return {"handler": "headers", "response": {"set": _lists(headers)}}


def unless_set(header: str, value: str) -> Json:
    """Set a header of the response as it is written, if it has none."""
    response = {"deferred": True, "require": {"headers": {header: None}}, "set": {header: [value]}}
    return {"handler": "headers", "response": response}


def without_header(*headers: str, asked: Iterable[str] = ()) -> Json:
    """Remove headers from the response as it is written, and those in `asked` from the request."""
    without: Json = {"handler": "headers", "response": {"deferred": True, "delete": list(headers)}}
    return without | ({"request": {"delete": list(asked)}} if asked else {})


def files(root: str, status: int | None = None) -> Json:
    """Answer with files of a folder, with the status 200 or another."""
    return {"handler": "file_server", "root": root} | ({"status_code": status} if status else {})


def error(status: int) -> Json:
    """Go on with the routes for errors."""
    return {"handler": "error", "status_code": status}


def mark(name: str) -> Json:
    """Return an element that Caddy ignores, before which front.sh inserts lines."""
    return {"@id": name}


def table(source: str, fields: list[str], rows: list[Json], otherwise: list[str]) -> Json:
    """Set placeholders from a table of `input` or `input_regexp` and `outputs`."""
    return {"handler": "map", "source": source, "destinations": fields, "mappings": rows, "defaults": otherwise}


def variables(**values: str) -> Json:
    """Remember values for the rest of a request; one value cannot use another of the same call."""
    return {"handler": "vars"} | values


def append_to_path(suffix: str) -> Json:
    """Continue as if the path had a suffix."""
    return replace_in_path("$", suffix)


def replace_in_path(find: str, text: str) -> Json:
    """Continue with a path in which a pattern is replaced; a whole address would be parsed again, with `?` and `%`."""
    return {"handler": "rewrite", "path_regexp": [{"find": find, "replace": text}]}


def rewrite(uri: str) -> Json:
    """Continue as if another address had been requested."""
    return {"handler": "rewrite", "uri": uri}


def proxy(*places: str, headers: Mapping[str, str] | None = None, drop: str | None = None, **more: Any) -> Json:
    """Pass the request on to one of several upstreams (`HOST:PORT`), with headers set, and one dropped."""
    request: Json = ({"set": _lists(headers)} if headers else {}) | ({"delete": [drop]} if drop else {})
    passed: Json = {"handler": "reverse_proxy", "upstreams": [{"dial": place} for place in places]}
    return passed | ({"headers": {"request": request}} if request else {}) | more


#: Compress what is worth it.
COMPRESSED: Json = {"handler": "encode", "encodings": {"zstd": {}, "gzip": {}}, "prefer": ["zstd", "gzip"]}


def compress(types: Iterable[str], shortest: int) -> Json:
    """Compress bodies of some types that have at least some bytes, for clients that accept it."""
    kinds = [pattern for each in sorted(types) for pattern in (each, f"{each};*")]
    return {
        "handler": "encode",
        "encodings": {"gzip": {}},
        "minimum_length": shortest,
        "match": {"headers": {"Content-Type": kinds}},
    }


def at_most(size: int) -> Json:
    """Refuse request bodies of more than `size` bytes."""
    return {"handler": "request_body", "max_size": size}


def _lists(headers: Mapping[str, str]) -> dict[str, list[str]]:
    return {name: [value] for name, value in headers.items()}
