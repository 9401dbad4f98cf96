"""YAML 1.2 text to plain data, with a verdict for any bytes at all.

libyaml does the scanning; the meaning of plain words follows the core schema of YAML 1.2, as the network's own tools
read them: `off`, `yes` and `010` are a word, a word and ten. Everything is bounded before it is built.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml
from yaml.events import (
    AliasEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    StreamEndEvent,
)

if TYPE_CHECKING:
    from collections.abc import Callable

Path = tuple[str | int, ...]

#: Far above any document for people to read, and low enough that the worst one is refused within a second.
MAX_BYTES = 256 * 1024
MAX_NODES = 10_000
MAX_DEPTH = 64

_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
_NUMERIC = frozenset("0123456789+-.")
_TAG = "tag:yaml.org,2002:"
_CONTAINERS = frozenset((f"{_TAG}map", f"{_TAG}seq", "!"))
_MAX_DIGITS = 400
_TOO_MANY = f"the document has more than {MAX_NODES:,} values, aliases counted"


class TextError(ValueError):
    """The text is not one readable document: a sentence, and the line (from 1) where there is one."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


def plain(word: str) -> Any:
    """Give the value of an unquoted word by the core schema of YAML 1.2."""
    if word in _WORDS:
        return _WORDS[word]
    if word[0] in _NUMERIC and len(word) < _MAX_DIGITS:
        if _INT.fullmatch(word):
            base = {"0o": 8, "0x": 16}.get(word[:2], 10)
            return int(word[2:], base) if base != 10 else int(word)  # noqa: PLR2004
        if _FLOAT.fullmatch(word):
            return float(word)
    return word


_TAGGED: dict[str, Callable[[str], Any]] = {
    "!": str,
    f"{_TAG}str": str,
    f"{_TAG}int": plain,
    f"{_TAG}float": lambda word: float(plain(word)),
    f"{_TAG}bool": plain,
    f"{_TAG}null": plain,
}


def decode(raw: bytes | str) -> str:
    """Give text from bytes, or raise TextError: too large, or not UTF-8."""
    if len(raw) > MAX_BYTES:
        raise TextError(f"the document has {len(raw):,} bytes; at most {MAX_BYTES:,} are read")
    if isinstance(raw, str):
        return raw
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = raw.count(b"\n", 0, fault.start) + 1
        raise TextError(f"this is not text: byte {fault.start} is not UTF-8; save the file as UTF-8", line) from None


def read(text: str) -> Any:
    """Give the plain data of the one document in `text`, or raise TextError."""
    return _Reader(text).document()


def lines(text: str) -> dict[Path, int]:
    """Give the line (from 1) of every path of a document that `read` accepts; a key's line stands for its value."""
    reader = _Reader(text, places={})
    reader.document()
    return reader.places or {}


class _Reader:
    """One pass over the events of libyaml; what is nested or repeated is counted before it is built."""

    def __init__(self, text: str, places: dict[Path, int] | None = None) -> None:
        self.loader = yaml.CSafeLoader(text)
        self.next = self.loader.get_event
        self.places = places
        self.anchors: dict[str, tuple[Any, int]] = {}
        self.nodes = 0

    def document(self) -> Any:
        try:
            return self.stream()
        except yaml.MarkedYAMLError as fault:
            mark = fault.problem_mark or fault.context_mark
            raise TextError(f"this is not YAML: {_sentence(fault)}", mark.line + 1 if mark else None) from None
        except yaml.YAMLError as fault:
            raise TextError(f"this is not YAML: {str(fault).splitlines()[0]}") from None
        finally:
            self.loader.dispose()

    def stream(self) -> Any:
        self.next()
        if type(self.next()) is StreamEndEvent:
            raise TextError("the file is empty; an SDL document has version, services, profiles and deployment")
        data = self.node(self.next(), (), 1)
        self.next()
        event = self.next()
        if type(event) is not StreamEndEvent:
            raise TextError("a second document begins here; one file holds one document", _line(event))
        return data

    def node(self, event: Any, path: Path, depth: int) -> Any:
        kind = type(event)
        before = self.nodes
        self.nodes = before + 1
        if before >= MAX_NODES:
            raise TextError(_TOO_MANY, _line(event))
        if kind is ScalarEvent:
            value = plain(event.value) if event.implicit[0] else self.quoted(event)
        elif kind is AliasEvent:
            return self.alias(event)
        elif depth > MAX_DEPTH:
            raise TextError(f"values are nested more than {MAX_DEPTH} deep", _line(event))
        elif event.tag is not None and event.tag not in _CONTAINERS:
            raise TextError(f"the tag {event.tag} is not read; leave it out", _line(event))
        elif kind is MappingStartEvent:
            value = self.mapping(path, depth + 1)
        else:
            value = self.sequence(path, depth + 1)
        if event.anchor is not None:
            self.anchors[event.anchor] = (value, self.nodes - before)
        return value

    def quoted(self, event: Any) -> Any:
        if event.implicit[1] or event.tag is None:
            return event.value
        try:
            return _TAGGED[event.tag](event.value)
        except (KeyError, ValueError, TypeError):
            raise TextError(f"the tag {event.tag} is not read; leave it out", _line(event)) from None

    def alias(self, event: Any) -> Any:
        if event.anchor not in self.anchors:
            raise TextError(f"the alias *{event.anchor} stands for nothing before it", _line(event))
        value, size = self.anchors[event.anchor]
        self.nodes += size
        if self.nodes > MAX_NODES:
            raise TextError(_TOO_MANY, _line(event))
        return value

    def sequence(self, path: Path, depth: int) -> list[Any]:
        result: list[Any] = []
        event = self.next()
        while type(event) is not SequenceEndEvent:
            here = path
            if self.places is not None:
                here = (*path, len(result))
                self.places[here] = _line(event)
            result.append(self.node(event, here, depth))
            event = self.next()
        return result

    def mapping(self, path: Path, depth: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        seen: dict[str, Any] = {}
        merged: list[dict[str, Any]] = []
        event = self.next()
        while type(event) is not MappingEndEvent:
            if type(event) is not ScalarEvent:
                raise TextError("a key must be a plain word", _line(event))
            key = event.value
            if key in seen:
                first, second = _line(seen[key]), _line(event)
                raise TextError(f"the key {_short(key)!r} stands twice, on line {first} and on line {second}", second)
            seen[key] = event
            here = path
            if self.places is not None:
                here = (*path, key)
                self.places[here] = _line(event)
            value = self.node(self.next(), here, depth)
            if key == "<<" and event.implicit[0]:
                merged += self.merge(value, event)
            else:
                result[key] = value
            event = self.next()
        for extra in merged:
            for key, value in extra.items():
                result.setdefault(key, value)
        return result

    def merge(self, value: Any, event: Any) -> list[dict[str, Any]]:
        values = value if isinstance(value, list) else [value]
        if not all(isinstance(each, dict) for each in values):
            raise TextError("<< takes a mapping, or a list of them", _line(event))
        return values


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."  # noqa: PLR2004


def _sentence(fault: yaml.MarkedYAMLError) -> str:
    problem = fault.problem or "it cannot be parsed"
    if "\\t" in problem or "cannot start any token" in problem:
        return f"{problem}; indent with spaces, never with tabs"
    return f"{fault.context}, {problem}" if fault.context else problem
