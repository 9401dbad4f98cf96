"""The protocol's stubs from the Pulumi SDK, without importing the SDK.

Importing `pulumi` takes half a second, and a plugin needs only the generated stubs, which do not import it. So empty
packages replace those above the stubs while they load; a later `import pulumi` works as usual.
"""

# ruff: noqa: TC004 these names are loaded below, without the packages above them

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, plugin_pb2, provider_pb2, provider_pb2_grpc

__all__ = ["engine_pb2", "engine_pb2_grpc", "plugin_pb2", "provider_pb2", "provider_pb2_grpc"]

_SHELLS = {"pulumi": "", "pulumi.runtime": "runtime", "pulumi.runtime.proto": "runtime/proto"}


def _load() -> None:
    found = importlib.util.find_spec("pulumi")
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError("pulumi", name="pulumi")
    root = Path(found.submodule_search_locations[0])
    shells = {} if "pulumi" in sys.modules else _SHELLS
    for package, folder in shells.items():
        shell = ModuleType(package)
        shell.__path__ = [str(root / folder)]
        sys.modules[package] = shell
    try:
        for name in __all__:
            globals()[name] = importlib.import_module(f"pulumi.runtime.proto.{name}")
    finally:
        for package in shells:
            del sys.modules[package]


_load()
