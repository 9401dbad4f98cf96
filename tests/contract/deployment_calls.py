"""What the engine hands to `unmoor:akash:Deployment`: inputs and a context."""

from __future__ import annotations

import copy
import threading
from typing import Any

import yaml

from components.provider import schema
from components.provider.resource import Context
from components.provider.wire import UNKNOWN
from components.targets.akash.inputs import TOKEN

from .akash_world import sdl

URN = "urn:pulumi:test::tests::unmoor:akash:Deployment::site"
DOCUMENT: dict[str, Any] = yaml.safe_load(sdl(ip="site"))


def context(preview: bool = False, timeout_s: float = 60.0, reported: list[str] | None = None) -> Context:
    def log(_severity: str, message: str) -> None:
        if reported is not None:
            reported.append(message)

    return Context(URN, "site", "unmoor:akash:Deployment", preview, b"", threading.Event(), timeout_s, log)


def inputs(name: str = "site.test", avoid: Any = (), **changed: Any) -> dict[str, Any]:
    """Return inputs as check returns them; `changed` sets fields of the service."""
    document = copy.deepcopy(DOCUMENT)
    document["services"]["web"] |= changed
    return {
        "name": name,
        "sdl": document,
        "service": "web",
        "avoid": avoid if avoid is UNKNOWN else list(avoid),
        "apart": [],
        "hosts": [],
    }


def misfits(outputs: dict[str, Any]) -> set[str]:
    """Name the outputs that the schema requires and that are missing, and those that it does not have."""
    of = schema.resource(TOKEN)
    required, known = ({schema.python_name(name) for name in of[key]} for key in ("required", "properties"))
    return (required - {*outputs}) | ({*outputs} - known)
