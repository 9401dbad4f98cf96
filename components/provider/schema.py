"""The schema of the `unmoor` package, `schema.json`: the one place that lists properties, defaults and descriptions.

The engine and the code generators of other languages read it (`GetSchema`), the plugin checks inputs against it, and
`classes.py` writes the Python classes and the manual's tables from it. Resources use Python's names of properties; only
the wire uses the schema's.
"""

from __future__ import annotations

import functools
import json
import re
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path as File
from typing import TYPE_CHECKING, Any

from . import wire
from .resource import Failure

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from google.protobuf import struct_pb2

    from .wire import Path

_FILE = File(__file__).with_name("schema.json")
#: A schema's type in a sentence, and in Python. In Python bool is an int; here it is no number.
_TYPES: Mapping[str, tuple[str, tuple[type, ...]]] = {
    "string": ("a string", (str,)),
    "boolean": ("true or false", (bool,)),
    "integer": ("a whole number", (int,)),
    "number": ("a number", (int, float)),
    "array": ("a list", (list,)),
    "object": ("a map", (dict,)),
}


@functools.cache
def package() -> dict[str, Any]:
    """Return the schema as data; its version is filled in where it is served."""
    found: dict[str, Any] = json.loads(_FILE.read_text(encoding="utf-8"))
    return found


def resource(token: str) -> dict[str, Any]:
    """Return a resource's part of the schema."""
    found: dict[str, Any] = package()["resources"][token]
    return found


def python_name(name: str) -> str:
    """Return the Python name of a property: `hostUri` is `host_uri`."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


@dataclass(frozen=True)
class Names:
    """The names of a resource's properties in Python and on the wire, both ways, and which outputs are secret.

    Only the properties themselves are renamed, nothing inside them; a name without an entry is the same in both.
    """

    python: Mapping[str, str] = field(default_factory=dict)
    wire: Mapping[str, str] = field(default_factory=dict)
    secret: frozenset[str] = frozenset()

    @classmethod
    def of(cls, described: Mapping[str, Any]) -> Names:
        """Read the names from a resource's part of the schema."""
        properties = {**described.get("inputProperties", {}), **described.get("properties", {})}
        python = {name: python_name(name) for name in properties}
        secret = frozenset(python[name] for name, each in described.get("properties", {}).items() if each.get("secret"))
        return cls(python, {value: key for key, value in python.items()}, secret)

    def decode(self, struct: struct_pb2.Struct) -> tuple[dict[str, Any], frozenset[Path]]:
        """Decode as `wire.decode` does, with Python's names."""
        document, secrets = wire.decode(struct)
        return (
            {self.python.get(name, name): value for name, value in document.items()},
            frozenset((self.python.get(str(path[0]), path[0]), *path[1:]) for path in secrets),
        )

    def encode(self, document: Mapping[str, Any], secrets: Iterable[Path] = ()) -> struct_pb2.Struct:
        """Encode as `wire.encode` does, with the wire's names."""
        return wire.encode(
            {self.wire.get(name, name): value for name, value in document.items()},
            {(self.wire.get(str(path[0]), path[0]), *path[1:]) for path in secrets},
        )

    def path(self, path: str) -> str:
        """Return the path of a property, such as `host_uri` or `sdl.services[0]`, with the wire's name for it."""
        name = re.split(r"[.\[]", path, maxsplit=1)[0]
        return self.wire.get(name, name) + path[len(name) :]


def outputs(token: str) -> tuple[str, ...]:
    """Return the Python names of the properties that are not inputs: those that only the provider knows."""
    of = resource(token)
    return tuple(python_name(name) for name in of["properties"] if name not in of["inputProperties"])


def blank(token: str) -> dict[str, Any]:
    """Return an empty value of its type for each output that only the provider knows."""
    empty: dict[str, Any] = {"array": [], "object": {}, "string": "", "number": 0.0, "integer": 0, "boolean": False}
    of = resource(token)["properties"]
    return {python_name(name): copy(empty[of[name]["type"]]) for name in of if python_name(name) in outputs(token)}


def defaults(token: str) -> dict[str, Any]:
    """Return the value of each input that may be left out: its default, or an empty list or map."""
    of = resource(token)
    empty: dict[str, Any] = {"array": [], "object": {}}
    found = {}
    for name, each in of["inputProperties"].items():
        if "default" in each:
            found[python_name(name)] = each["default"]
        elif each.get("type") in empty and name not in of["requiredInputs"]:
            found[python_name(name)] = empty[each["type"]].copy()
    return found


def faults(token: str, news: Mapping[str, Any]) -> list[Failure]:
    """Return faults of inputs that are missing, unknown to the schema, or of another type; unknown values are no fault.

    Properties have Python's names; nested ones are named by their path, as in `avoid[1]`.
    """
    of = resource(token)
    known = {python_name(name): (name, each) for name, each in of["inputProperties"].items()}
    found = [Failure(name, f"no such setting; choose from {', '.join(known)}") for name in sorted({*news} - {*known})]
    for python, (name, each) in known.items():
        if news.get(python) is None:
            if name in of["requiredInputs"]:
                found.append(Failure(python, f"is required; give {_advice(each)}"))
        else:
            found += _mistyped(python, news[python], each, _advice(each))
    return found


def _mistyped(path: str, value: Any, of: Mapping[str, Any], advice: str) -> Iterator[Failure]:
    if value is wire.UNKNOWN or "$ref" in of:  # the only reference in use, `pulumi.json#/Any`, accepts everything
        return
    words, types = _TYPES[of["type"]]
    if not isinstance(value, types) or (isinstance(value, bool) and of["type"] != "boolean"):
        yield Failure(path, f"must be {words}, not {_word(value)}; give {advice}")
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _mistyped(f"{path}[{index}]", each, of["items"], advice)
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _mistyped(f"{path}.{key}", each, of["additionalProperties"], advice)


def _advice(of: Mapping[str, Any]) -> str:
    """Return the first clause of a description, to follow the word "give"."""
    text = re.split(r"[.:;](?:\s|$)", of["description"], maxsplit=1)[0]
    return text[:1].lower() + text[1:]


def _word(value: Any) -> str:
    """Return the word for the type of a value, as far as the schema has one."""
    kinds = {type(None): "null", bool: "true or false", int: "a number", float: "a number"}
    return kinds.get(type(value)) or next((words for words, types in _TYPES.values() if type(value) in types), "this")
