"""CloudFront functions: a version in development, and one that is live after it was published."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import TYPE_CHECKING

from . import rules
from .collections import Function, Store, now, token
from .wire import STALE, Answer, Refusal, Request
from .xml import dump, element, need, parse, tags, text

if TYPE_CHECKING:
    from collections.abc import Callable
    from xml.etree import ElementTree as ET


#: Bytes of a function ("Quotas on CloudFront Functions", "Maximum function size: 10 KB").
SIZE = 10 * 1024


def _get(store: Store, name: str, stage: str) -> Function:
    function = store.functions.get(name)
    found = function.live if function and stage == "LIVE" else function
    if found is None:
        raise Refusal("NoSuchFunctionExists", f"The specified function does not exist: {name} ({stage})")
    return found


def _matched(store: Store, name: str, etag: str) -> Function:
    function = _get(store, name, "DEVELOPMENT")
    if etag != function.etag:
        raise STALE
    return function


def _written(root: ET.Element) -> tuple[ET.Element, str]:
    code = base64.b64decode(text(root, "FunctionCode"))
    if len(code) > SIZE:
        raise Refusal("FunctionSizeLimitExceeded", f"The function exceeds the maximum size of {SIZE} bytes.")
    return need(root, "FunctionConfig"), code.decode()


def create(store: Store, request: Request) -> Answer:
    """Store a new function in development."""
    root = parse(request.body)
    name, (config, code) = text(root, "Name"), _written(root)
    if name in store.functions:
        raise Refusal("FunctionAlreadyExists", f"A function with the same name already exists: {name}")
    function = store.functions[name] = Function(name, config, code, tags=tags(root.find("Tags")))
    return 201, {"ETag": function.etag, "Location": f"function/{name}"}, dump(_show(store, function))


def update(store: Store, request: Request, name: str) -> Answer:
    """Store a new version in development."""
    function = _matched(store, name, request.if_match)
    function.config, function.code = _written(parse(request.body))
    function.etag, function.modified = token(), now()
    return 200, {"ETag": function.etag, "ETtag": function.etag}, dump(_show(store, function))


def publish(store: Store, request: Request, name: str) -> Answer:
    """Make the version in development the live one."""
    function = _matched(store, name, request.if_match)
    function.live = replace(function, live=None)
    return 200, {}, dump(_show(store, function.live))


def describe(store: Store, request: Request, name: str) -> Answer:
    """Return a function without its code."""
    function = _get(store, name, request.query.get("Stage", "DEVELOPMENT"))
    return 200, {"ETag": function.etag}, dump(_show(store, function))


def read(store: Store, request: Request, name: str) -> Answer:
    """Return a function's code."""
    function = _get(store, name, request.query.get("Stage", "DEVELOPMENT"))
    return 200, {"ETag": function.etag, "Content-Type": "application/octet-stream"}, function.code.encode()


def list_all(store: Store, _request: Request) -> Answer:
    """Return every function."""
    known = [_show(store, function) for function in store.functions.values()]
    size = [element("MaxItems", "100"), element("Quantity", str(len(known)))]
    return 200, {}, dump(element("FunctionList", *size, element("Items", *known)))


def delete(store: Store, request: Request, name: str) -> Answer:
    """Delete a function that no distribution runs."""
    _matched(store, name, request.if_match)
    used = rules.function_users(store, name)
    if used:
        raise Refusal("FunctionInUse", f"The function {name} is in use by distribution {', '.join(used)}.")
    del store.functions[name]
    return 204, {}, b""


def _show(store: Store, function: Function) -> ET.Element:
    development = store.functions[function.name]
    live = function is development.live
    published = development.live is not None and development.live.code == development.code
    metadata = element(
        "FunctionMetadata",
        element("FunctionARN", store.arn("function", function.name)),
        element("Stage", "LIVE" if live else "DEVELOPMENT"),
        element("CreatedTime", function.created),
        element("LastModifiedTime", function.modified),
    )
    status = element("Status", "UNASSOCIATED" if live or published else "UNPUBLISHED")
    return element("FunctionSummary", element("Name", function.name), status, function.config, metadata)


_NAME = "function/([^/]+)"
ROUTES: list[tuple[str, str, Callable[..., Answer]]] = [
    ("POST", "function", create),
    ("GET", "function", list_all),
    ("GET", f"{_NAME}/describe", describe),
    ("POST", f"{_NAME}/publish", publish),
    ("GET", _NAME, read),
    ("PUT", _NAME, update),
    ("DELETE", _NAME, delete),
]
