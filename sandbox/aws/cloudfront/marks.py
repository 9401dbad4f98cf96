"""What is attached to documents from outside: tags, and invalidations of a distribution's paths."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .collections import Document, Store, now, token
from .wire import Answer, Refusal, Request
from .xml import dump, element, parse, tags

if TYPE_CHECKING:
    from collections.abc import Callable
    from xml.etree import ElementTree as ET


def _distribution(store: Store, id_: str) -> Document:
    if id_ not in store.documents["distribution"]:
        raise Refusal("NoSuchDistribution", f"The specified distribution does not exist: {id_}")
    return store.documents["distribution"][id_]


def invalidate(store: Store, request: Request, id_: str) -> Answer:
    """Record paths that caches must forget."""
    document, batch = _distribution(store, id_), parse(request.body)
    batch.tag, own = "InvalidationBatch", "I" + token()[1:]
    document.invalidations[own] = (now(), batch)
    return 201, {"Location": f"distribution/{id_}/invalidation/{own}"}, dump(_invalidation(document, own))


def read_invalidation(store: Store, _request: Request, id_: str, own: str) -> Answer:
    """Return one invalidation."""
    document = _distribution(store, id_)
    if own not in document.invalidations:
        raise Refusal("NoSuchInvalidation", "The specified invalidation does not exist.")
    return 200, {}, dump(_invalidation(document, own))


def list_invalidations(store: Store, _request: Request, id_: str) -> Answer:
    """Return the ids, newest first."""
    known = list(reversed(_distribution(store, id_).invalidations.items()))
    done = element("Status", "Completed")
    items = [
        element("InvalidationSummary", element("Id", own), element("CreateTime", made), done)
        for own, (made, _) in known
    ]
    head = [element("Marker"), element("MaxItems", "10000"), element("IsTruncated", "false")]
    size = element("Quantity", str(len(known)))
    return 200, {}, dump(element("InvalidationList", *head, size, element("Items", *items) if items else None))


def _invalidation(document: Document, own: str) -> ET.Element:
    made, batch = document.invalidations[own]
    facts = [element("Id", own), element("Status", "Completed"), element("CreateTime", made)]
    return element("Invalidation", *facts, batch)


def read_tags(store: Store, request: Request) -> Answer:
    """Return a resource's tags."""
    found = sorted(_tagged(store, request.query.get("Resource", "")).items())
    items = [element("Tag", element("Key", key), element("Value", value)) for key, value in found]
    return 200, {}, dump(element("Tags", element("Items", *items)))


def write_tags(store: Store, request: Request) -> Answer:
    """Add tags, or remove them."""
    known, root = _tagged(store, request.query.get("Resource", "")), parse(request.body)
    if request.query.get("Operation") == "Untag":
        for key in root.iter("Key"):
            known.pop(key.text or "", None)
    else:
        known.update(tags(root))
    return 204, {}, b""


def _tagged(store: Store, arn: str) -> dict[str, str]:
    collection, _, id_ = arn.rpartition(":")[2].partition("/")
    if collection == "function" and id_ in store.functions:
        return store.functions[id_].tags
    if id_ in store.documents.get(collection, {}):
        return store.documents[collection][id_].tags
    raise Refusal("NoSuchResource", f"A resource that was specified is not valid: {arn}")


_ID = "([^/]+)"
ROUTES: list[tuple[str, str, Callable[..., Answer]]] = [
    ("GET", "tagging", read_tags),
    ("POST", "tagging", write_tags),
    ("POST", f"distribution/{_ID}/invalidation", invalidate),
    ("GET", f"distribution/{_ID}/invalidation", list_invalidations),
    ("GET", f"distribution/{_ID}/invalidation/{_ID}", read_invalidation),
]
