"""The REST API of 2020-05-31: finds the handler of a request, one request at a time."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING

from . import documents, functions, marks
from .wire import Answer, Refusal, Request

if TYPE_CHECKING:
    from .collections import Store

_ROUTES = [*functions.ROUTES, *marks.ROUTES, *documents.ROUTES]
_lock = threading.Lock()


def answer(store: Store, request: Request) -> Answer:
    """Answer one request; a refusal is returned as an answer too."""
    try:
        with _lock:
            for method, pattern, handle in _ROUTES:
                found = re.fullmatch(pattern, request.path)
                if found and method == request.method:
                    return handle(store, request, *found.groups())
        raise Refusal("InvalidAction", f"the sandbox's CloudFront has no {request.method} {request.path}")
    except Refusal as refusal:
        return refusal.answer()
