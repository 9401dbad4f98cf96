"""Convert values on Pulumi's wire (a protobuf Struct) to plain Python and back: unknowns, secrets, whole numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NoReturn

from google.protobuf import struct_pb2

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: The place of a value in its document: the keys and indexes on the way to it.
Path = tuple[str | int, ...]

_SIGNATURE = "4dabf18193072939515e22adb298388d"  # sdk/go/common/resource/sig: marks a map that is not a map
_SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 the mark of a secret, not one
_UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"  # pulumi.runtime.rpc.UNKNOWN


class Unknown:
    """The type of `UNKNOWN`, a value that is known only during the deployment. Only `is UNKNOWN` may be asked."""

    def __bool__(self) -> NoReturn:
        raise TypeError("an unknown value is neither true nor false: ask `is UNKNOWN` first")

    def __copy__(self) -> Unknown:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Unknown:
        return self

    def __repr__(self) -> str:
        return "UNKNOWN"


#: The one unknown value.
UNKNOWN: Final = Unknown()


def decode(struct: struct_pb2.Struct) -> tuple[dict[str, Any], frozenset[Path]]:
    """Return the document in plain Python (whole numbers as int, secrets opened), and the paths that arrived secret."""
    secrets: set[Path] = set()
    return _decode_fields(struct, (), secrets), frozenset(secrets)


def _decode_fields(struct: struct_pb2.Struct, path: Path, secrets: set[Path]) -> dict[str, Any]:
    return {key: _decode(value, (*path, key), secrets) for key, value in struct.fields.items()}


def _decode(value: struct_pb2.Value, path: Path, secrets: set[Path]) -> Any:  # noqa: PLR0911 a return for each kind
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return UNKNOWN if value.string_value == _UNKNOWN else value.string_value
    if kind == "bool_value":
        return value.bool_value
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    if kind == "list_value":
        return [_decode(item, (*path, at), secrets) for at, item in enumerate(value.list_value.values)]
    if kind == "struct_value":
        fields = value.struct_value.fields
        if _SIGNATURE in fields and fields[_SIGNATURE].string_value == _SECRET:
            secrets.add(path)
            return _decode(fields["value"], path, secrets)
        return _decode_fields(value.struct_value, path, secrets)
    return None


def encode(document: Mapping[str, Any], secrets: Iterable[Path] = ()) -> struct_pb2.Struct:
    """Return the document for the wire; values at secret paths are wrapped again.

    A secret that has moved (a list shrank) makes its whole property secret: rather too much than too little.
    """
    marked = {path if _reaches(document, path) else path[:1] for path in secrets}
    return struct_pb2.Struct(fields={key: _encode(value, (key,), marked) for key, value in document.items()})


def _reaches(document: Any, path: Path) -> bool:
    for key in path:
        try:
            document = document[key]
        except (KeyError, IndexError, TypeError):
            return False
    return True


def _encode(value: Any, path: Path, secrets: set[Path]) -> struct_pb2.Value:  # noqa: PLR0911 one for each kind
    if path in secrets:
        inner = _encode(value, path, secrets - {path})
        mark = struct_pb2.Value(string_value=_SECRET)
        return struct_pb2.Value(struct_value=struct_pb2.Struct(fields={_SIGNATURE: mark, "value": inner}))
    match value:
        case Unknown():
            return struct_pb2.Value(string_value=_UNKNOWN)
        case None:
            return struct_pb2.Value(null_value=struct_pb2.NULL_VALUE)
        case bool():
            return struct_pb2.Value(bool_value=value)
        case int() | float():
            return struct_pb2.Value(number_value=value)
        case str():
            return struct_pb2.Value(string_value=value)
        case list() | tuple():
            items = [_encode(item, (*path, at), secrets) for at, item in enumerate(value)]
            return struct_pb2.Value(list_value=struct_pb2.ListValue(values=items))
        case dict():
            fields = {key: _encode(item, (*path, key), secrets) for key, item in value.items()}
            return struct_pb2.Value(struct_value=struct_pb2.Struct(fields=fields))
    raise TypeError(f"{'.'.join(map(str, path))}: a {type(value).__name__} cannot go over the wire")


def holds_unknown(value: Any) -> bool:
    """Return whether a value contains an unknown."""
    if isinstance(value, dict):
        return any(holds_unknown(item) for item in value.values())
    if isinstance(value, list | tuple):
        return any(holds_unknown(item) for item in value)
    return value is UNKNOWN
