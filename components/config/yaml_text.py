"""Read YAML text as plain data, bounded before it is built, with the meaning that Pulumi's engine gives it.

libyaml does the scanning. The meaning of a plain word depends on the other readers of the file, so a `Dialect` defines
it: `STACK` for stack files, which the engine reads too (gopkg.in/yaml.v3, then once more after writing it back; pulumi
sdk/v3 go/common/workspace/loaders.go), `TEXT` for our own files, where a date stays text, and one for SDL.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
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

from ..errors import ConfigError
from ..limits import KEY_CHARS as _KEY_CHARS
from ..limits import NUMBER_DIGITS as _MAX_DIGITS
from ..limits import YAML_BYTES, YAML_DEPTH, YAML_VALUES
from ..text.escape import shown

if TYPE_CHECKING:
    from pathlib import Path

Place = tuple[str | int, ...]
Word = Callable[[str], Any]

_TAG = "tag:yaml.org,2002:"
_CONTAINERS = frozenset((f"{_TAG}map", f"{_TAG}seq", "!"))


class TextError(ValueError):
    """The text is not one readable document: a sentence, and the line (from 1) if there is one."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


class EmptyError(TextError):
    """The text has no document."""


@dataclass(frozen=True)
class Dialect:
    """The meaning of plain words, whether other keys than text are refused, and a document's most bytes and values.

    `word` raises ValueError with a sentence for a word that must be quoted.
    """

    word: Word
    text_keys: bool
    max_bytes: int
    max_values: int


_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_INT = re.compile(r"([-+]?)(?:0([xX][0-9a-fA-F]+|[bB][01]+|[oO]?[0-7]+)|(0|[1-9][0-9]*))")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_POINT_FIRST = re.compile(r"\.[0-9]+(_[0-9]+)*([eE][-+]?[0-9]+(_[0-9]+)*)?")
#: The layouts of yaml.v3's parseTimestamp; Go takes a fraction of seconds after any of them.
_TIME = re.compile(
    r"(\d{4})-(\d\d?)-(\d\d?)(?:([Tt ])(\d\d?):(\d\d?):(\d\d?)(?:[.,](\d+))?(Z|[-+]\d\d:\d\d)?)?", re.ASCII
)
_BASES = {"x": 16, "b": 2, "o": 8}
_NUMERIC = frozenset("0123456789+-.")
_INTEGRAL_BELOW = 1e21
#: Stands for the year 0, which Python does not have; both have a 29 February.
_LEAP = 2000


def engine_word(word: str) -> Any:
    """Return the value of an unquoted word of a stack file in a Pulumi program. Raises ValueError if it has none.

    Numbers have the form of the engine's JSON: 1.0 is 1. A timestamp is the text that Go makes of it.
    """
    found = _TIME.fullmatch(word)
    return text_word(word) if found is None else _moment(word, found)


def text_word(word: str) -> Any:
    """Return the value of an unquoted word in a file that only we read: as in the engine, but a date stays text."""
    if word in _WORDS:
        return _WORDS[word]
    if word[0] not in _NUMERIC or _TIME.fullmatch(word):
        return word
    if _NOT_FINITE.fullmatch(word):
        raise ValueError(f"{word} is not a number here; write an amount")
    # yaml.v3 drops all underscores, except in a number that begins with a point, where they stand between digits.
    digits = word if word[0] == "." and not _POINT_FIRST.fullmatch(word) else word.replace("_", "")
    if len(digits) > _MAX_DIGITS:
        raise ValueError(f"a number of {len(digits):,} digits; quote it if it is text")
    whole = _whole(digits)
    if whole is not None:
        return whole
    if _FLOAT.fullmatch(digits):
        number = float(digits)
        if number in {float("inf"), float("-inf")}:
            return word
        return _digits(number) if number.is_integer() and abs(number) < _INTEGRAL_BELOW else number
    return word


def _whole(digits: str) -> int | None:
    """Return the value of Go's 64-bit integer literals; None for anything else, larger ones included."""
    found = _INT.fullmatch(digits)
    if not found:
        return None
    sign, prefixed, plain = found.groups()
    if prefixed:
        base = _BASES.get(prefixed[0].lower())
        number = int(prefixed[1:], base) if base else int(prefixed, 8)
    else:
        number = int(plain)
    number = -number if sign == "-" else number
    if -(2**63) <= number < 2**63:
        return number
    # The engine first reads 64 bits without a sign, and later writes a floating-point number.
    return _digits(float(number)) if not sign and number < 2**64 else None


def _digits(number: float) -> int:
    """Return a whole number as Go's JSON writes it: the shortest digits that identify it, then zeros."""
    return int(Decimal(repr(number)))


def _moment(word: str, found: re.Match[str]) -> Any:
    year, month, day, between, hour, minute, second, fraction, zone = found.groups()
    if (between in {"T", "t"}) != bool(zone):
        return word
    try:
        parts = [int(part or 0) for part in (month, day, hour, minute, second)]
        moment = datetime(int(year) or _LEAP, *parts)  # type: ignore[arg-type]  # noqa: DTZ001 it is UTC
    except ValueError:
        return word
    if zone not in {None, "Z"}:
        raise ValueError(f"{word} is a moment that the engine writes in its machine's time zone; quote it")
    fine = (fraction or "")[:9].rstrip("0")
    return f"{year}-{moment:%m-%d %H:%M:%S}{fine and '.'}{fine} +0000 UTC"


STACK = Dialect(engine_word, text_keys=True, max_bytes=YAML_BYTES, max_values=YAML_VALUES)
TEXT = Dialect(text_word, text_keys=True, max_bytes=YAML_BYTES, max_values=YAML_VALUES)


def load(text: str | bytes, source: str, dialect: Dialect = TEXT) -> Any:
    """Load one YAML document, nothing as None; `source` names it in errors. Raises ConfigError."""
    try:
        return read(decode(text, dialect), dialect)
    except EmptyError:
        return None
    except TextError as error:
        where = f"{source}:{error.line}" if error.line else source
        raise ConfigError(f"{where}: {error.message}") from None


def load_file(path: Path, dialect: Dialect = TEXT) -> Any:
    """Load one YAML file, nothing as None. Raises FileNotFoundError, and ConfigError when it cannot be read."""
    return load(file_text(path, dialect), str(path), dialect)


def file_text(path: Path, dialect: Dialect = TEXT) -> str:
    """Return a file's text with its line ends, reading no more than its dialect allows."""
    try:
        with path.open("rb") as file:
            return decode(file.read(dialect.max_bytes + 1), dialect)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except TextError as error:
        raise ConfigError(f"{path}:{error.line or 1}: {error.message}") from None


def decode(raw: bytes | str, dialect: Dialect) -> str:
    """Decode bytes as text without the byte-order mark. Raises TextError if they are too many, or not UTF-8."""
    if len(raw) > dialect.max_bytes:
        raise TextError(f"the document is larger than {dialect.max_bytes:,} bytes; at most that much is read")
    if isinstance(raw, str):
        return raw.removeprefix("\ufeff")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = raw.count(b"\n", 0, fault.start) + 1
        raise TextError(f"this is not text: byte {fault.start} is not UTF-8; save the file as UTF-8", line) from None


def read(text: str, dialect: Dialect) -> Any:
    """Return the plain data of the one document in `text`. Raises TextError."""
    return _Reader(text, dialect).document()


def lines(text: str, dialect: Dialect) -> dict[Place, int]:
    """Return the line (from 1) of every path of a document that `read` accepts; a value has its key's line."""
    places: dict[Place, int] = {}
    _Reader(text, dialect, places).document()
    return places


class _Reader:
    """One pass over the events of libyaml; nesting and repetition are counted before anything is built."""

    def __init__(self, text: str, dialect: Dialect, places: dict[Place, int] | None = None) -> None:
        try:
            self.loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
        except (yaml.YAMLError, UnicodeEncodeError) as fault:
            raise TextError(f"not YAML: {str(fault).splitlines()[0]}") from None
        self.next = self.loader.get_event
        self.dialect = dialect
        self.places = places
        self.anchors: dict[str, tuple[Any, int]] = {}
        self.nodes = 0

    def document(self) -> Any:
        try:
            return self.stream()
        except yaml.MarkedYAMLError as fault:
            mark = fault.problem_mark or fault.context_mark
            raise TextError(f"not YAML: {_sentence(fault)}", mark.line + 1 if mark else None) from None
        except yaml.YAMLError as fault:
            raise TextError(f"not YAML: {str(fault).splitlines()[0]}") from None
        finally:
            self.loader.dispose()

    def stream(self) -> Any:
        self.next()
        if type(self.next()) is StreamEndEvent:
            raise EmptyError("the file is empty")
        data = self.node(self.next(), (), 1)
        self.next()
        event = self.next()
        if type(event) is not StreamEndEvent:
            raise TextError("a second document begins here; one file holds one document", _line(event))
        return data

    def node(self, event: Any, path: Place, depth: int) -> Any:
        kind = type(event)
        before = self.nodes
        self.count(1, event)
        if kind is ScalarEvent:
            value = self.scalar(event)
        elif kind is AliasEvent:
            return self.alias(event)
        elif depth > YAML_DEPTH:
            raise TextError(f"values are nested more than {YAML_DEPTH} deep", _line(event))
        elif event.tag is not None and event.tag not in _CONTAINERS:
            raise TextError(f"the tag {shown(event.tag)} is not read; leave it out", _line(event))
        elif kind is MappingStartEvent:
            value = self.mapping(path, depth + 1)
        else:
            value = self.sequence(path, depth + 1)
        if event.anchor is not None:
            self.anchors[event.anchor] = (value, self.nodes - before)
        return value

    def count(self, nodes: int, event: Any) -> None:
        self.nodes += nodes
        if self.nodes > self.dialect.max_values:
            most = self.dialect.max_values
            raise TextError(f"the document has more than {most:,} values, aliases counted", _line(event))

    def scalar(self, event: Any) -> Any:
        plain = event.implicit[0]
        if event.tag is None or (plain and event.tag == "!"):
            if not plain:
                return event.value
            try:
                return self.dialect.word(event.value)
            except ValueError as fault:
                raise TextError(str(fault), _line(event)) from None
        return self.tagged(event)

    def tagged(self, event: Any) -> Any:
        kinds = _TAGGED.get(event.tag)
        if kinds == (str,):
            return event.value
        try:
            value = self.dialect.word(event.value)
        except ValueError:
            kinds = None
        if kinds is None or type(value) not in kinds:
            raise TextError(f"the tag {shown(event.tag)} is not read here; leave it out", _line(event))
        return float(value) if kinds == _FLOATS and not self.dialect.text_keys else value

    def alias(self, event: Any) -> Any:
        if event.anchor not in self.anchors:
            raise TextError(
                f"the alias *{shown(event.anchor)[1:-1]} stands for nothing before it; define it above, or take it out",
                _line(event),
            )
        value, size = self.anchors[event.anchor]
        self.count(size, event)
        return value

    def sequence(self, path: Place, depth: int) -> list[Any]:
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

    def mapping(self, path: Place, depth: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        seen: dict[str, Any] = {}
        merged: list[dict[str, Any]] = []
        event = self.next()
        while type(event) is not MappingEndEvent:
            key = self.key(event)
            if key in seen:
                first, second = _line(seen[key]), _line(event)
                message = f"holds {shown(key, _KEY_CHARS)} twice, in lines {first} and {second}; keep one"
                raise TextError(message, second)
            seen[key] = event
            here = path
            if self.places is not None:
                here = (*path, key)
                self.places[here] = _line(event)
            following = self.next()
            value = self.node(following, here, depth)
            if key == "<<" and event.implicit[0]:
                merged += self.merge(value, following)
            else:
                result[key] = value
            event = self.next()
        for extra in merged:
            for key, value in extra.items():
                result.setdefault(key, value)
        return result

    def key(self, event: Any) -> str:
        if type(event) is not ScalarEvent:
            raise TextError("a key is a list, a mapping or an alias; write it as a plain word", _line(event))
        if event.anchor is not None:
            self.anchors[event.anchor] = (event.value, 1)
        merge = event.value == "<<"
        if self.dialect.text_keys and (not event.implicit[0] if merge else self.scalar(event) != event.value):
            # A decimal comma in braces ends the value and makes a key of the decimals: {usd: 225,50}
            comma = ", or write decimals after a point" if event.value.isdigit() else ""
            raise TextError(
                f"the key {shown(event.value, _KEY_CHARS)[1:-1]} is not text; quote it{comma}", _line(event)
            )
        return str(event.value)

    def merge(self, value: Any, event: Any) -> list[dict[str, Any]]:
        # To yaml.v3 an alias of a list is no list.
        values = value if isinstance(value, list) and type(event) is not AliasEvent else [value]
        if not all(isinstance(each, dict) for each in values):
            raise TextError("<< takes a mapping, or a list of them", _line(event))
        return values


_FLOATS = (int, float)
_TAGGED: dict[str, tuple[type, ...]] = {
    "!": (str,),
    f"{_TAG}str": (str,),
    f"{_TAG}int": (int,),
    f"{_TAG}float": _FLOATS,
    f"{_TAG}bool": (bool,),
    f"{_TAG}null": (type(None),),
}


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _sentence(fault: yaml.MarkedYAMLError) -> str:
    problem = fault.problem or "it cannot be parsed"
    if "\\t" in problem or "cannot start any token" in problem:
        return f"{problem}; indent with spaces, never with tabs"
    return f"{fault.context}, {problem}" if fault.context else problem
