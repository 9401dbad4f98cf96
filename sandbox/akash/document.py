"""Console's reading of an SDL: groups, manifest and hash, after it has rewritten denomination and auditors."""

from __future__ import annotations

import copy
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from .. import images
from .ledger import DENOM
from .providers import AUDITOR

#: Go's JSON escapes, where Python does not escape.
GO_ESCAPES = (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026"), ("\u2028", "\\u2028"), ("\u2029", "\\u2029"))


class InvalidSdlError(Exception):
    """An SDL that Console refuses; the text is Console's message."""


@dataclass(frozen=True)
class Submitted:
    """An SDL as the network sees it; `manifest` is the sorted JSON that the provider gets."""

    groups: list[dict[str, Any]]
    manifest: str
    version: bytes
    #: Seconds of notice that a provider has to give before it takes the machine back.
    notice: int = 0


def sorted_json(manifest: Any) -> str:
    """Return a manifest as Go writes it, keys sorted: the text whose hash is the version."""
    text = json.dumps(manifest, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    for plain, escaped in GO_ESCAPES:
        text = text.replace(plain, escaped)
    return text


def version(manifest: Any) -> bytes:
    """Hash a manifest."""
    return hashlib.sha256(sorted_json(manifest).encode()).digest()


def read(text: str) -> Submitted:
    """Read an SDL as Console does. Raises InvalidSdlError with every fault."""
    from components.errors import SdlError
    from components.targets.akash.sdl import document as sdl
    from components.targets.akash.sdl import manifest as manifests

    try:
        document = sdl.load(text)
        made = manifests.manifest(document.data)
        groups = copy.deepcopy(manifests.groups(document.data))
    except SdlError as wrong:
        raise InvalidSdlError("; ".join(str(each) for each in wrong.faults) or wrong.title) from wrong
    if lacking := [why for each in made for one in each["services"] if (why := images.unknown(one["image"]))]:
        raise InvalidSdlError("; ".join(lacking))
    for group in groups:
        signed = group["requirements"].setdefault("signed_by", {})
        signed["any_of"] = list(dict.fromkeys([*(signed.get("any_of") or []), AUDITOR]))
        for unit in group["resources"]:
            unit["price"]["denom"] = DENOM
    window = str((document.data.get("reclamation") or {}).get("min_window", "0s"))
    notice = int(window[:-1]) * {"s": 1, "m": 60, "h": 3600}[window[-1]]
    return Submitted(groups, sorted_json(made), version(made), notice)
