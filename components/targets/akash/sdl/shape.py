"""The check of a document's shape, derived from the classes of `model.py`: fields, types, ranges, words."""

from __future__ import annotations

import difflib
import re
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin

from . import constraint

Path = tuple[str | int, ...]
#: Rule, path and message.
Found = tuple[str, Path, str]
Check = Callable[[Any, Path, list[Found]], None]

_NAMES = {str: "text", bool: "true or false", int: "a whole number", float: "a number"}
#: A value below one of these may be or hold a secret, and no message repeats it.
_SECRET = frozenset(("credentials", "env", "args", "command"))
#: The name of a field in other tools, and what to write here.
_ELSEWHERE = {
    "depends_on": "write `dependencies: [{service: NAME}]`",
    "environment": "write `env: [NAME=value]`",
    "volumes": "write `params: {storage: {NAME: {mount: /PATH}}}`, and the volume under the compute profile",
    "ports": "write `expose: [{port: 80, to: [{global: true}]}]`",
}
_BOOLS_OF_1_1 = frozenset(("yes", "no", "on", "off", "y", "n"))


def shown(value: Any) -> str:
    """Return a short description of a value, for a message."""
    if isinstance(value, str):
        return repr(value if len(value) <= 40 else f"{value[:37]}...")
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "empty"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, dict):
        return "a mapping"
    return str(value)[:40]


def _quoted(value: Any, path: Path) -> str:
    """Return a value as it is written, or only its type where it may be a secret."""
    if not _SECRET.intersection(path) or isinstance(value, list | dict | None):
        return shown(value)
    return _NAMES[type(value)]


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch("[a-z][a-z0-9-]{0,62}", value) is not None


def choices(words: typing.Iterable[Any]) -> str:
    """Join words as in a sentence: a, b or c."""
    *rest, last = (str(word) for word in words)
    return f"{', '.join(rest)} or {last}" if rest else last


@cache
def checker(annotation: Any) -> Check:
    """Return the check of one annotation of the constraint."""
    extras: tuple[Any, ...] = ()
    if hasattr(annotation, "__metadata__"):
        annotation, *metadata = get_args(annotation)
        extras = tuple(metadata)
    origin = get_origin(annotation)
    check: Check
    if annotation is Any:
        return _anything
    if is_dataclass(annotation):
        check = _fields(typing.cast("type", annotation))
    elif origin is tuple:
        check = _items(checker(get_args(annotation)[0]), one=constraint.OneOrMany() in extras)
    elif origin is Mapping:
        check = _entries(*get_args(annotation))
    elif origin is Literal:
        check = _word(get_args(annotation))
    else:
        check = _scalar(get_args(annotation) if origin in {Union, types.UnionType} else (annotation,), extras)
    if constraint.Nullable() in extras:
        return lambda value, path, out: None if value is None else check(value, path, out)
    if constraint.Filled() in extras:
        return _filled(check)
    return check


def _filled(inner: Check) -> Check:
    def check(value: Any, path: Path, out: list[Found]) -> None:
        if value == []:
            out.append(("not-allowed", path, "an empty list is not allowed; leave it out"))
        inner(value, path, out)

    return check


def without_none(annotation: Any) -> Any:
    """Remove the `| None` of a field that may be left out; where it is present it may not be null."""
    if get_origin(annotation) in {Union, types.UnionType} and types.NoneType in get_args(annotation):
        rest = tuple(each for each in get_args(annotation) if each is not types.NoneType)
        return rest[0] if len(rest) == 1 else Union[rest]  # noqa: UP007 the union is built at run time
    return annotation


@cache
def layout(cls: type) -> dict[str, tuple[str, Any, bool]]:
    """Return, for each key of the document, the class's attribute, its annotation, and whether it is required."""
    hints = typing.get_type_hints(cls, include_extras=True)
    return {
        each.metadata.get("key", each.name): (each.name, without_none(hints[each.name]), each.default is MISSING)
        for each in fields(cls)
    }


def _anything(_value: Any, _path: Path, _out: list[Found]) -> None:
    pass


def _fields(cls: type) -> Check:
    known = {key: checker(annotation) for key, (_, annotation, _) in layout(cls).items()}
    required = [key for key, (_, _, needed) in layout(cls).items() if needed]

    def check(value: Any, path: Path, out: list[Found]) -> None:
        if type(value) is not dict:
            write = f"; write {{{next(iter(known))}: {value}}}" if len(known) == 1 and _is_name(value) else ""
            out.append(
                ("wrong-type", path, f"should be a mapping with {', '.join(known)}, is {_quoted(value, path)}{write}")
            )
            return
        for key, item in value.items():
            inner = known.get(key)
            if inner is not None:
                inner(item, (*path, key), out)
            else:
                near = difflib.get_close_matches(str(key)[:40], known, 1)
                hint = f"did you mean {near[0]}?" if near else f"choose from {', '.join(known)}"
                hint = _ELSEWHERE.get(key, hint) if "image" in known else hint
                out.append(("unknown-field", (*path, key), f"no such field; {hint}"))
        out += [
            ("missing-field", (*path, key), "is missing and must be written") for key in required if key not in value
        ]

    return check


def _items(inner: Check, *, one: bool) -> Check:
    def check(value: Any, path: Path, out: list[Found]) -> None:
        if type(value) is list:
            for index, item in enumerate(value):
                inner(item, (*path, index), out)
        elif one and type(value) is dict:
            inner(value, path, out)
        else:
            out.append(("wrong-type", path, f"should be a list, is {_quoted(value, path)}"))

    return check


def _entries(key: Any, item: Any) -> Check:
    inner, keys = checker(item), checker(key)

    def check(value: Any, path: Path, out: list[Found]) -> None:
        if type(value) is not dict:
            out.append(("wrong-type", path, f"should be a mapping, is {_quoted(value, path)}"))
            return
        for name, entry in value.items():
            here = (*path, name)
            keys(name, here, out)
            inner(entry, here, out)

    return check


def _word(words: tuple[str, ...]) -> Check:
    def check(value: Any, path: Path, out: list[Found]) -> None:
        if type(value) is str and value in words:
            return
        if type(value) is not str and f"{value}" in words:
            out.append(("wrong-type", path, f'should be text, is the number {value}; quote it: "{value}"'))
        else:
            out.append(("not-allowed", path, f"{shown(value)} is not allowed; choose {choices(words)}"))

    return check


def _scalar(kinds: tuple[type, ...], extras: tuple[Any, ...]) -> Check:
    exact = frozenset(kinds)
    integral = int in exact and float not in exact
    wanted = choices(dict.fromkeys(_NAMES[kind] for kind in kinds if not (kind is int and float in exact)))
    texts = [
        ("not-allowed", _text_rule(extra))
        for extra in extras
        if isinstance(extra, constraint.Pattern | constraint.Length)
    ]
    numbers = [
        (getattr(extra, "rule", "not-allowed"), _number_rule(extra))
        for extra in extras
        if isinstance(extra, constraint.Between | constraint.Above)
    ]

    def check(value: Any, path: Path, out: list[Found]) -> None:
        kind = type(value)
        if kind not in exact and not (integral and kind is float and value.is_integer()):
            hint = "; quote it" if str in exact and kind in {int, float, bool} else ""
            if bool in exact and kind is str and value.lower() in _BOOLS_OF_1_1:
                hint = "; write true or false"
            out.append(("wrong-type", path, f"should be {wanted}, is {_quoted(value, path)}{hint}"))
            return
        for rule in texts if kind is str else numbers if kind is not bool else ():
            fault = rule[1](value)
            if fault:
                what = "this value" if _SECRET.intersection(path) else shown(value)
                out.append((rule[0], path, f"{what} is not allowed; {fault}"))

    return check


def _text_rule(extra: Any) -> Callable[[str], str | None]:
    if isinstance(extra, constraint.Length):
        return lambda value: None if len(value) >= extra.low else f"write at least {extra.low} character(s)"
    fits = re.compile(extra.regex, re.DOTALL).fullmatch
    return lambda value: None if fits(value) else f"choose {extra.choose}"


def _number_rule(extra: Any) -> Callable[[float], str | None]:
    if isinstance(extra, constraint.Above):
        return lambda value: None if extra.low < value < float("inf") else f"choose a number above {extra.low:g}"
    high = extra.high if extra.high is not None else 2**53
    top = f"from {extra.low} to {extra.high}" if extra.high is not None else f"of {extra.low} or more"
    return lambda value: None if extra.low <= value <= high else f"choose a number {top}"


def build(annotation: Any, value: Any) -> Any:
    """Build the typed value of an annotation from plain data that the check has accepted."""
    if hasattr(annotation, "__metadata__"):
        annotation = get_args(annotation)[0]
    if value is None:
        return None
    if is_dataclass(annotation):
        made = layout(typing.cast("type", annotation))
        return typing.cast("type", annotation)(
            **{made[key][0]: build(made[key][1], item) for key, item in value.items()}
        )
    origin = get_origin(annotation)
    if origin is tuple:
        items = value if isinstance(value, list) else [value]
        return tuple(build(get_args(annotation)[0], item) for item in items)
    if origin is Mapping:
        return types.MappingProxyType({key: build(get_args(annotation)[1], item) for key, item in value.items()})
    return int(value) if annotation is int else value
