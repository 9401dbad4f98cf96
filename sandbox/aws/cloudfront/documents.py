"""The five collections of documents: stored as written, ETags honoured, references checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import rules
from .collections import PREFIX, SHAPES, Document, Store, token
from .wire import STALE, Answer, Refusal, Request
from .xml import dump, element, need, parse, tags, text

if TYPE_CHECKING:
    from collections.abc import Callable
    from xml.etree import ElementTree as ET

_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


def create(store: Store, request: Request, collection: str) -> Answer:
    """Store a new document."""
    root = parse(request.body)
    with_tags = root.tag == "DistributionConfigWithTags"
    config = need(root, "DistributionConfig") if with_tags else root
    _refuse(store, collection, "", config)
    domain = f"d{token(12, _LETTERS)[1:]}.cloudfront.net"
    document = Document(token(), config, domain=domain, tags=tags(root.find("Tags")) if with_tags else {})
    store.documents[collection][document.id] = document
    return _show(store, collection, document, 201)


def update(store: Store, request: Request, collection: str, id_: str) -> Answer:
    """Store a new version of a document."""
    document, config = _matched(store, request, collection, id_), parse(request.body)
    _refuse(store, collection, id_, config)
    document.rewrite(config)
    return _show(store, collection, document, 200)


def read(store: Store, _request: Request, collection: str, id_: str) -> Answer:
    """Return a document."""
    return _show(store, collection, _get(store, collection, id_), 200)


def read_config(store: Store, _request: Request, collection: str, id_: str) -> Answer:
    """Return what the client wrote."""
    document = _get(store, collection, id_)
    return 200, {"ETag": document.etag}, dump(document.config)


def delete(store: Store, request: Request, collection: str, id_: str) -> Answer:
    """Delete a document that nothing uses."""
    document, shape = _matched(store, request, collection, id_), SHAPES[collection]
    if document.managed:
        raise Refusal("AccessDenied", f"You cannot delete the managed policy {document.name}.")
    if collection == "distribution" and text(document.config, "Enabled") == "true":
        raise Refusal("DistributionNotDisabled", "The distribution you are trying to delete has not been disabled.")
    used = rules.users(store, collection, id_)
    if used:
        raise Refusal(shape.in_use, f"The {shape.element} {id_} is still in use by distribution {', '.join(used)}.")
    del store.documents[collection][id_]
    return 204, {}, b""


def list_all(store: Store, request: Request, collection: str) -> Answer:
    """Return every document of a collection; `Type` chooses between managed and custom policies."""
    shape, kind = SHAPES[collection], request.query.get("Type", "")
    known = store.documents[collection].values()
    found = [document for document in known if not kind or document.managed == (kind == "managed")]
    items = element("Items", *(_summary(store, collection, document) for document in found))
    head = [] if shape.is_policy else [element("Marker"), element("IsTruncated", "false")]
    size = [element("MaxItems", "10000"), element("Quantity", str(len(found)))]
    return 200, {}, dump(element(f"{shape.element}List", *head, *size, items if found else None))


def _refuse(store: Store, collection: str, own: str, config: ET.Element) -> None:
    shape = SHAPES[collection]
    if collection == "distribution":
        for code, message in rules.distribution(store, own, config):
            raise Refusal(code, message)
    elif rules.duplicate(store, collection, own, text(config, "Name")):
        raise Refusal(shape.exists, f"{shape.element} with the same name already exists: {text(config, 'Name')}")


def _get(store: Store, collection: str, id_: str) -> Document:
    if id_ not in store.documents[collection]:
        shape = SHAPES[collection]
        raise Refusal(shape.missing, f"The specified {shape.element} does not exist: {id_}")
    return store.documents[collection][id_]


def _matched(store: Store, request: Request, collection: str, id_: str) -> Document:
    document = _get(store, collection, id_)
    if not request.if_match:
        raise Refusal("InvalidIfMatchVersion", "The If-Match version is missing or not valid for the resource.")
    if request.if_match != document.etag:
        raise STALE
    return document


def _show(store: Store, collection: str, document: Document, status: int) -> Answer:
    where = f"https://cloudfront.amazonaws.com{PREFIX}{collection}/{document.id}"
    return status, {"ETag": document.etag, "Location": where}, dump(_element(store, collection, document))


def _element(store: Store, collection: str, document: Document) -> ET.Element:
    shape = SHAPES[collection]
    parts = [element("Id", document.id)]
    if collection == "distribution":
        off = element("Enabled", "false"), element("Quantity", "0")
        signers = [element("ActiveTrustedSigners", *off), element("ActiveTrustedKeyGroups", *off)]
        parts += [*_facts(store, document), element("InProgressInvalidationBatches", "0"), *signers]
    elif shape.is_policy:
        parts.append(element("LastModifiedTime", document.modified))
    return element(shape.element, *parts, document.config)


def _facts(store: Store, document: Document) -> list[ET.Element]:
    return [
        element("ARN", store.arn("distribution", document.id)),
        element("Status", "InProgress" if store.slow else document.status),
        element("LastModifiedTime", document.modified),
        element("DomainName", document.domain),
    ]


def _summary(store: Store, collection: str, document: Document) -> ET.Element:
    shape = SHAPES[collection]
    if shape.is_policy:
        kind = element("Type", "managed" if document.managed else "custom")
        return element(f"{shape.element}Summary", kind, _element(store, collection, document))
    facts = _facts(store, document) if collection == "distribution" else []
    return element(f"{shape.element}Summary", element("Id", document.id), *facts, *document.config)


_COLLECTION = f"({'|'.join(SHAPES)})"
_ID = "([^/]+)"
ROUTES: list[tuple[str, str, Callable[..., Answer]]] = [
    ("POST", _COLLECTION, create),
    ("GET", _COLLECTION, list_all),
    ("GET", f"{_COLLECTION}/{_ID}", read),
    ("GET", f"{_COLLECTION}/{_ID}/config", read_config),
    ("PUT", f"{_COLLECTION}/{_ID}(?:/config)?", update),
    ("DELETE", f"{_COLLECTION}/{_ID}", delete),
]
