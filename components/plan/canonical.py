"""A plan as plain data with a stable order, and the hash that signers agree to."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from ..config.signed import WHEN_SET
from ..release import Release

if TYPE_CHECKING:
    from ..topology import Topology

#: Stands for a release that the stack file does not name: its content needs no vote.
NOT_PINNED = "as it is"


def canonical(value: Any, *, signed_only: bool = True) -> Any:
    """Return a topology, or a part of one, as dictionaries, lists and scalars.

    With `signed_only` fields marked `signed: False` are left out (prose, prices, actions), and a release that the stack
    file does not name is a constant. Raises TypeError for anything that is not plain data.
    """
    match value:
        case Release(pinned=False) if signed_only:
            return NOT_PINNED
        case Enum():
            return value.value
        case None | str() | int() | float():
            return value
        case BaseModel():
            items: Iterable[tuple[str, Any]] = [
                (name, each)
                for name, field in type(value).model_fields.items()
                if (each := getattr(value, name)) or not signed_only or WHEN_SET not in field.metadata
            ]
        case Mapping():
            items = [(str(key), value[key]) for key in sorted(value, key=str)]
        case list() | tuple():
            return [canonical(each, signed_only=signed_only) for each in value]
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            pairs = [(f, getattr(value, f.name)) for f in dataclasses.fields(value)]
            items = [(f.name, each) for f, each in pairs if not signed_only or _is_signed(f, each)]
        case _:
            raise TypeError(f"{type(value).__name__} is not plain data, so a plan cannot hold it")
    return {name: canonical(each, signed_only=signed_only) for name, each in items}


def _is_signed(field: dataclasses.Field[Any], value: Any) -> bool:
    kept = field.metadata.get("signed", True)
    return bool(value) if kept == WHEN_SET else bool(kept)


def signed(topology: Topology) -> dict[str, Any]:
    """Return what signers agree to: everything that determines what is built, workloads and sites by name."""
    tree: dict[str, Any] = canonical(topology)
    tree["workloads"] = {
        plan["name"]: plan | {"sites": [site["name"] for site in plan["sites"]], "everywhere": _named(plan)}
        for plan in tree["workloads"]
    }
    return tree


def _named(plan: dict[str, Any]) -> dict[str, Any]:
    return {site["name"]: site for site in plan["everywhere"]}


def plan_hash(topology: Topology) -> str:
    """Return the SHA-256 (hex) over what signers agree to."""
    text = json.dumps(signed(topology), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
