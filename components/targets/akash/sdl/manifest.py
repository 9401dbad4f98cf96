"""What a document becomes: the manifest for the provider, the groups for the chain, and the hash that binds them.

All functions take plain data that the check accepts; a number that came back from JSON as 1.0 counts as 1. Sources:
chain-sdk `ts/src/sdl/manifest` and `go/sdl/groupBuilder_*.go`; the tests in tests/oracle compare every byte.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from .groups import groups
from .resources import placements, protocol, resources, sequence_numbers

__all__ = ["canonical", "groups", "manifest", "version"]

#: The characters that Go's encoder escapes, by their first byte in UTF-8, so that two rare ones share a search.
_ESCAPES = {
    first: [(each.encode(), f"\\u{ord(each):04x}".encode()) for each in characters]
    for first, characters in ((b"<", "<"), (b">", ">"), (b"&", "&"), (b"\xe2\x80", "\u2028\u2029"))
}


def manifest(data: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the manifest in the spelling that is hashed and sent: one group for each placement, sorted by name."""
    sequence = sequence_numbers(data)
    return [
        {"name": name, "services": [_service(data, *each, sequence) for each in placed]}
        for name, placed in placements(data)
    ]


_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def version(groups_of_services: list[dict[str, Any]]) -> bytes:
    """Return the 32 bytes that identify a manifest on the chain."""
    return hashlib.sha256(_canonical(groups_of_services)).digest()


def canonical(value: Any) -> str:
    """Return JSON as the network hashes it: sorted keys, no spaces, and Go's escapes for HTML."""
    return _canonical(value).decode()


def _canonical(value: Any) -> bytes:
    raw = _ENCODER.encode(value).encode()
    for first, escapes in _ESCAPES.items():
        if first in raw:
            for character, escape in escapes:
                raw = raw.replace(character, escape)
    return raw


def _service(
    data: dict[str, Any], name: str, profile: str, count: int, identity: int, sequence: dict[str, int]
) -> dict[str, Any]:
    service = data["services"][name]
    made: dict[str, Any] = {
        "name": name,
        "image": service["image"],
        "command": service.get("command") or None,
        "args": service.get("args") or None,
        "env": service.get("env") or None,
        "resources": resources(data["profiles"]["compute"][profile], service, identity, sequence),
        "count": count,
        "expose": _exposes(service, sequence),
        "credentials": _credentials(service),
    }
    if service.get("params") is not None:
        made["params"] = _params(service["params"])
    return made


def _credentials(service: dict[str, Any]) -> dict[str, Any] | None:
    given = service.get("credentials")
    return given and {key: given.get(key) or "" for key in ("host", "email", "username", "password")}


def _params(params: dict[str, Any]) -> dict[str, Any]:
    # Without volumes it is null: a nil slice in Go, and in the TypeScript SDK since 1.0.0-alpha.36
    # (generateManifestVersion.ts, NULLABLE_MANIFEST_KEYS), which Console runs.
    made: dict[str, Any] = {
        "storage": [
            {"name": name, "mount": each.get("mount") or "", "readOnly": each.get("readOnly") or False}
            for name, each in sorted((params.get("storage") or {}).items())
        ]
        or None
    }
    if params.get("permissions") is not None:
        made["permissions"] = params["permissions"]
    if params.get("tee") is not None:
        made["tee"] = {"type": params["tee"], "attestation": True}
    return made


def _exposes(service: dict[str, Any], sequence: dict[str, int]) -> list[dict[str, Any]]:
    made = [
        {
            "port": int(expose["port"]),
            "externalPort": int(expose.get("as") or 0),
            "proto": protocol(expose),
            "service": to.get("service") or "",
            "global": to.get("global") or False,
            "hosts": expose.get("accept") or None,
            "httpOptions": _http_options(expose.get("http_options") or {}),
            "ip": to.get("ip") or "",
            "endpointSequenceNumber": sequence.get(to.get("ip") or "", 0),
        }
        for expose in service.get("expose") or ()
        for to in expose.get("to") or ()
    ]
    made.sort(key=lambda each: (each["service"], each["port"], each["proto"], not each["global"]))
    return made


def _http_options(given: dict[str, Any]) -> dict[str, Any]:
    made = {
        "maxBodySize": int(given.get("max_body_size", 1_048_576)),
        "readTimeout": int(given.get("read_timeout", 60_000)),
        "sendTimeout": int(given.get("send_timeout", 60_000)),
        "nextTries": int(given.get("next_tries", 3)),
        "nextTimeout": int(given.get("next_timeout", 0)),
        "nextCases": given.get("next_cases", ["error", "timeout"]),
    }
    if given.get("proxy_buffer_size"):
        made["proxyBufferSize"] = int(given["proxy_buffer_size"])
    return made
