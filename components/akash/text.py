"""YAML 1.2 text to plain data, with a verdict for any bytes at all.

libyaml does the scanning; the meaning of plain words follows the core schema of YAML 1.2, as the network's own tools
read them: `off`, `yes` and `010` are a word, a word and ten. Everything is bounded before it is built.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from yaml.events import Event

Path = tuple[str | int, ...]

#: A document is code for a machine of a few services: the largest of 383 published ones has 24 kB.
MAX_BYTES = 256 * 1024
MAX_NODES = 20_000
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
_MAX_DIGITS = 400


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


def _bool(word: str) -> Any:
    return plain(word)


_TAGGED: dict[str, Callable[[str], Any]] = {
    "!": str,
    f"{_TAG}str": str,
    f"{_TAG}int": plain,
    f"{_TAG}float": lambda word: float(plain(word)),
    f"{_TAG}bool": plain,
    f"{_TAG}null": plain,
}


def decode(raw: bytes | str) -> str:
    """Give text from bytes, or raise TextError: too large, not UTF-8, or with characters YAML does not know."""
    if len(raw) > MAX_BYTES:
        raise TextError(f"the document has {len(raw):,} bytes; at most {MAX_BYTES:,} are read")
    if isinstance(raw, bytes):
        try:
            raw = raw.decode("utf-8-sig")
        except UnicodeDecodeError as fault:
            line = raw[: fault.start].count(b"\n") + 1
            raise TextError(f"this is not text: byte {fault.start} is not UTF-8; save the file as UTF-8", line) from None
    return raw


def read(text: str) -> Any:
    """Give the plain data of the one document in `text`, or raise TextError."""
    return _Reader(text).document()


def lines(text: str) -> dict[Path, int]:
    """Give the line (from 1) of every path of a document that `read` accepts; a key's line stands for its value."""
    reader = _Reader(text, places={})
    reader.document()
    return reader.places or {}


class _Reader:
    """One pass over the events of libyaml, without recursion into what was not yet bounded."""

    def __init__(self, text: str, places: dict[Path, int] | None = None) -> None:
        self.text = text
        self.places = places
        self.anchors: dict[str, tuple[Any, int]] = {}
        self.nodes = 0

    def document(self) -> Any:
        try:
            events = self.events()
            return self.stream(events)
        except yaml.MarkedYAMLError as fault:
            mark = fault.problem_mark or fault.context_mark
            raise TextError(f"this is not YAML: {_sentence(fault)}", mark.line + 1 if mark else None) from None
        except yaml.YAMLError as fault:
            raise TextError(f"this is not YAML: {str(fault).splitlines()[0]}") from None

    def events(self) -> Iterator[Event]:
        loader = yaml.CSafeLoader(self.text)
        try:
            while loader.check_event():
                yield loader.get_event()
        finally:
            loader.dispose()

    def stream(self, events: Iterator[Event]) -> Any:
        next(events)
        event = next(events)
        if isinstance(event, yaml.StreamEndEvent):
            raise TextError("the file is empty; an SDL document has version, services, profiles and deployment")
        data = self.node(next(events), events, (), 1)
        next(events)
        event = next(events)
        if not isinstance(event, yaml.StreamEndEvent):
            raise TextError("a second document begins here; one file holds one document", event.start_mark.line + 1)
        return data

    def node(self, event: Event, events: Iterator[Event], path: Path, depth: int) -> Any:
        kind = type(event)
        before = self.nodes
        self.nodes = before + 1
        if before >= MAX_NODES:
            raise TextError(f"the document has more than {MAX_NODES:,} values, aliases counted", _line(event))
        if kind is yaml.ScalarEvent:
            value = self.scalar(event)
        elif kind is yaml.AliasEvent:
            return self.alias(event)
        elif depth > MAX_DEPTH:
            raise TextError(f"values are nested more than {MAX_DEPTH} deep", _line(event))
        elif event.tag is not None and event.tag not in {f"{_TAG}map", f"{_TAG}seq", "!"}:
            raise TextError(f"the tag {event.tag} is not read; leave it out", _line(event))
        elif kind is yaml.MappingStartEvent:
            value = self.mapping(events, path, depth)
        else:
            value = self.sequence(events, path, depth)
        if event.anchor is not None:
            self.anchors[event.anchor] = (value, self.nodes - before)
        return value

    def scalar(self, event: Any) -> Any:
        if event.implicit[0]:
            return plain(event.value)
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
            raise TextError(f"the document has more than {MAX_NODES:,} values, aliases counted", _line(event))
        return value

    def sequence(self, events: Iterator[Event], path: Path, depth: int) -> list[Any]:
        result: list[Any] = []
        places = self.places
        for event in events:
            if type(event) is yaml.SequenceEndEvent:
                break
            here = path
            if places is not None:
                here = (*path, len(result))
                places[here] = event.start_mark.line + 1
            result.append(self.node(event, events, here, depth + 1))
        return result

    def mapping(self, events: Iterator[Event], path: Path, depth: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        seen: dict[str, int] = {}
        merged: list[dict[str, Any]] = []
        places = self.places
        for event in events:
            if type(event) is yaml.MappingEndEvent:
                break
            if type(event) is not yaml.ScalarEvent:
                raise TextError("a key must be a plain word", _line(event))
            key = event.value
            self.nodes += 1
            line = event.start_mark.line + 1
            if key in seen:
                raise TextError(f"the key {_short(key)!r} stands twice, on line {seen[key]} and on line {line}", line)
            seen[key] = line
            here = path
            if places is not None:
                here = (*path, key)
                places[here] = line
            value = self.node(next(events), events, here, depth + 1)
            if key == "<<" and event.implicit[0]:
                merged += self.merge(value, line)
            else:
                result[key] = value
        for extra in merged:
            for key, value in extra.items():
                result.setdefault(key, value)
        return result

    def merge(self, value: Any, line: int) -> list[dict[str, Any]]:
        values = value if isinstance(value, list) else [value]
        if not all(isinstance(each, dict) for each in values):
            raise TextError("<< takes a mapping, or a list of them", line)
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
