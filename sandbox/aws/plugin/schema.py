"""Refuse inputs that the official classes do not have, at any depth, and name what is missing."""

from __future__ import annotations

import difflib
import json
import subprocess
import sys
import threading
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from components.provider.server import UNKNOWN, Failure
from sandbox.state import REPOSITORY, here, read, write

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_PLAIN: dict[str, tuple[tuple[type, ...], str]] = {
    "str": ((str,), "a string"),
    "bool": ((bool,), "true or false"),
    "number": ((int, float), "a number"),
}


class Schemas:
    """The inputs of the given tokens; read from `pulumi_aws` once for each sandbox, then kept in its folder."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self._tokens = sorted(tokens)
        self._known: dict[str, Any] = {}
        self._lock = threading.Lock()

    def of(self, token: str) -> Any:
        """Return one resource's inputs."""
        with self._lock:
            if not self._known:
                self._known = self._load()
            return self._known[token]

    def _load(self) -> dict[str, Any]:
        path = here().root / "cache" / f"aws-inputs-{version('pulumi-aws')}.json"
        kept = json.loads(read(path) or "{}")
        if sorted(kept) != self._tokens:
            command = [sys.executable, "-m", "sandbox.aws.plugin.reflect", *self._tokens]
            kept = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=REPOSITORY).stdout)
            write(path, json.dumps(kept))
        return dict(kept)


def faults(node: Any, value: Any, path: str = "") -> Iterator[Failure]:
    """Yield every way in which a value is not of the shape; unknowns are of every shape."""
    if value is UNKNOWN or value is None or node == "any":
        return
    if isinstance(node, str):
        kinds, shape = _PLAIN[node]
        if not isinstance(value, kinds) or (node == "number" and isinstance(value, bool)):
            yield Failure(path, f"expected {shape}, got {_name(value)}")
    elif "list" in node:
        if not isinstance(value, list):
            yield Failure(path, f"expected a list, got {_name(value)}")
            return
        for at, item in enumerate(value):
            yield from faults(node["list"], item, f"{path}[{at}]")
    elif not isinstance(value, dict):
        yield Failure(path, f"expected an object, got {_name(value)}")
    elif "map" in node:
        for key, item in value.items():
            yield from faults(node["map"], item, f"{path}.{key}")
    else:
        yield from _object_faults(node, value, path)


def _object_faults(node: Any, value: dict[str, Any], path: str) -> Iterator[Failure]:
    known = node["object"]
    for key, item in value.items():
        at = f"{path}.{key}" if path else key
        if key in known:
            yield from faults(known[key], item, at)
        else:
            near = difflib.get_close_matches(key, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"choose from {', '.join(sorted(known))}"
            yield Failure(at, f"an argument named {key} is not expected here; {hint}")
    for key in node["required"]:
        if value.get(key) is None:
            yield Failure(f"{path}.{key}" if path else key, "missing required property")


def _name(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a string", bool: "a boolean"}
    return next((name for kind, name in names.items() if isinstance(value, kind)), "a number")
