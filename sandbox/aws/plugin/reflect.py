"""Prints, as JSON, which inputs the `pulumi_aws` classes have, at every depth: `python -m sandbox.aws.plugin.reflect`.

It runs in a process of its own and once for each sandbox, because importing `pulumi_aws` takes a second and 100 MB.
"""

from __future__ import annotations

import importlib
import inspect
import json
import sys
import typing
from collections import abc
from typing import Any

Node = Any  # "str" | "bool" | "number" | "any" | {"list": Node} | {"map": Node} | {"object": {...}, "required": [...]}


def resource_class(token: str) -> type:
    """Return the args class of a resource token: `aws:s3/bucket:Bucket` is `pulumi_aws.s3.BucketArgs`."""
    _, module, name = token.split(":")
    found = importlib.import_module(f"pulumi_aws.{module.split('/')[0]}")
    resource = getattr(found, name)
    names = inspect.getmodule(resource).__dict__
    # Where a property's type has the name already, the resource's own is called InitArgs (`s3.BucketVersioning`).
    args: type = names.get(f"{name}InitArgs") or names[f"{name}Args"]
    return args


def node(of: Any, seen: tuple[type, ...] = ()) -> Node:
    """Return the shape of a type, without the wrappers that make it an input."""
    from pulumi import _types

    origin = typing.get_origin(of)
    if origin is typing.Union:
        return node(typing.get_args(of)[0], seen)
    if origin in (list, abc.Sequence):
        return {"list": node(typing.get_args(of)[0], seen)}
    if origin in (dict, abc.Mapping):
        return {"map": node(typing.get_args(of)[1], seen)}
    if of in seen or not isinstance(of, type):
        return "any"
    if _types.is_input_type(of):
        names = _types.input_type_py_to_pulumi_names(of)
        types = _types.input_type_types(of)
        parameters = inspect.signature(of).parameters
        return {
            "object": {name: node(types[name], (*seen, of)) for name in names.values()},
            "required": sorted(names[own] for own, one in parameters.items() if one.default is inspect.Parameter.empty),
        }
    plain = {str: "str", bool: "bool", int: "number", float: "number"}
    return next((name for kind, name in plain.items() if issubclass(of, kind)), "any")


def main() -> None:
    """Read the tokens from the command line."""
    json.dump({token: node(resource_class(token)) for token in sys.argv[1:]}, sys.stdout)


if __name__ == "__main__":
    main()
