"""Make text from outside safe to show: cut it, escape what a terminal or a reader would obey, and escape Markdown.

Text of providers, Consoles, stores, pull requests and inventories passes through here before a person sees it.
"""

from __future__ import annotations

import json
import re
from typing import Any

from ..limits import QUOTE_CHARS, VALUE_CHARS

#: C0 and C1 controls, line separators, lone surrogates, interlinear marks, the blank of Braille, and what is shown as
#: nothing: Default_Ignorable_Code_Point of Unicode's DerivedCoreProperties.txt, which has the marks that reorder text.
_UNSAFE = (
    "\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u2028\\u2029\\ud800-\\udfff\\ufff0-\\ufffb\\u2800"
    "\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u202a-\\u202e"
    "\\u2060-\\u206f\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\U0001bca0-\\U0001bca3\\U0001d173-\\U0001d17a"
    "\\U000e0000-\\U000e0fff"
)
_LINES = re.compile(f"[{_UNSAFE}]")
_ONE_LINE = re.compile(f"[{_UNSAFE}\\t\\n]")
_MARKS = re.compile(r"([\\`*_\[\]|~#])")
#: What makes a line of Markdown a list, a heading's underline or a rule: a sign, or a number with its point.
_LEADS = re.compile(r"^(\d*)([+=-](?<!\d.)|(?<=\d)[.)])")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;"})
#: GitHub turns bare addresses into links, unless their punctuation is a character reference.
_LINKS = re.compile(r"(?i)\b(https?|ftp|mailto|xmpp|www)([:.])")
_DEPTH, _ITEMS = 3, 6


def printable(text: str) -> str:
    """Escape every character that a terminal obeys or a reader cannot see; tabs and line ends stay."""
    return _LINES.sub(_escaped, text)


def cut(text: str, limit: int = QUOTE_CHARS) -> str:
    """Keep the first `limit` characters of a text, followed by the number of those left out."""
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text) - limit:,} characters more)"


def bounded(text: str, limit: int) -> str:
    """Escape a text and keep at most `limit` characters, followed by the number of those left out; see `printable`."""
    safe, more = printable(text[:limit]), len(text) - limit
    if more <= 0 and len(safe) <= limit:
        return safe
    return f"{safe[:limit]}… ({max(more, len(safe) - limit):,} characters more)"


def as_json(text: str) -> str:
    """Escape what `printable` escapes as JSON does, so that a JSON document stays valid and keeps its meaning."""
    return _LINES.sub(lambda found: json.dumps(found[0])[1:-1], text)


def outside(text: object, limit: int = QUOTE_CHARS) -> str:
    """Return text from outside as one line to quote in a sentence: white space joined, escaped and cut.

    Bytes are read as UTF-8. `limit` counts characters before escaping.
    """
    whole = text if isinstance(text, str | bytes) else str(text)
    # Of a text that is much too long only the beginning is processed.
    head = whole[: 8 * limit] if isinstance(whole, str) else whole[: 4 * limit].decode(errors="replace")
    left = len(whole) - (8 if isinstance(whole, str) else 4) * limit
    joined = " ".join(head.split())
    more = max(len(joined) - limit, 0) + max(left, 0)
    return _ONE_LINE.sub(_escaped, joined[:limit] + (f"… ({more:,} characters more)" if more else ""))


def shown(value: Any, limit: int = VALUE_CHARS) -> str:
    """Return a value of a file or an answer as Python writes it, in about `limit` characters and little memory.

    Only as much of the value is visited as is written, so an expanded alias costs nothing.
    """
    written = "".join(_pieces(value, _DEPTH, limit))
    return written if isinstance(value, str) else cut(written, limit)


def _pieces(value: Any, depth: int, limit: int) -> list[str]:
    if isinstance(value, str):
        more = f"… ({len(value):,} characters)" if len(value) > limit else ""
        return [_ONE_LINE.sub(_escaped, repr(value[:limit])) + more]
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 8 * limit:
        return [f"a number of {value.bit_length():,} bits"]
    if not isinstance(value, dict | list | tuple):
        return [cut(repr(value), limit)]
    left, right = "{}" if isinstance(value, dict) else "[]" if isinstance(value, list) else "()"
    if depth == 0 and value:
        return [f"{left}…{right}"]
    inner: list[str] = []
    for count, item in enumerate(value.items() if isinstance(value, dict) else value):
        if count == _ITEMS or sum(map(len, inner)) > limit:
            inner.append(f"… ({len(value) - count:,} more)")
            break
        parts = item if isinstance(value, dict) else (item,)
        inner.append(": ".join("".join(_pieces(part, depth - 1, limit)) for part in parts))
    return [left, ", ".join(inner), right]


def markdown(text: object, *, code: bool = False) -> str:
    """Keep text from being read as Markdown or HTML, on one line; bare addresses do not become links.

    With `code`, text between two backticks stays code; use that for our own sentences with values in them.
    """
    one_line = _ONE_LINE.sub(_escaped, " ".join(str(text).split()))
    pieces = one_line.split("`") if code else [one_line]
    if len(pieces) % 2 == 0:
        pieces = [one_line.replace("`", "'")]
    return _LEADS.sub(r"\1\\\2", "`".join(piece if at % 2 else _marked(piece) for at, piece in enumerate(pieces)))


def _marked(piece: str) -> str:
    marked = _MARKS.sub(r"\\\1", piece).translate(_ENTITIES)
    return _LINKS.sub(lambda found: f"{found[1]}&#{ord(found[2])};", marked)


def tree(value: Any) -> Any:
    """Return plain data with every text in it made printable."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {tree(key): tree(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [tree(item) for item in value]
    return value


def ascii_only(error: UnicodeError) -> tuple[str, int]:
    """Escape what a device cannot write as JSON does, so that JSON stays valid; for `codecs.register_error`."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    short = {9: "\\t", 10: "\\n", 13: "\\r"}.get(code)
    return short or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")
