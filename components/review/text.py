"""Values from stack files and pull requests as Markdown that shows them and obeys nothing in them."""

from __future__ import annotations

import json
import unicodedata
from typing import TYPE_CHECKING, Any

from .diff import ABSENT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: The most characters of a value in a table, and of a sentence.
_VALUE, _SENTENCE = 60, 300
_SPECIAL = str.maketrans({char: f"\\{char}" for char in "\\`*_[]|#~"} | {"&": "&amp;", "<": "&lt;", ">": "&gt;"})
#: A mention or a bare address would notify people or become a link; a character reference does neither.
_ADDRESSES = (("@", "&#64;"), ("://", "&#58;//"), ("www.", "www&#46;"))


def cell(text: object, limit: int = _SENTENCE) -> str:
    """Keep text from being read as Markdown or HTML, on one line and cut."""
    visible = "".join(_visible(char) for char in str(text)[: limit + 1])
    short = " ".join(visible.split())
    short = short if len(str(text)) <= limit else f"{short[:limit]}…"
    short = short.translate(_SPECIAL)
    for sign, instead in _ADDRESSES:
        short = short.replace(sign, instead)
    return short


def _visible(char: str) -> str:
    """Write controls, and marks that hide or reorder text (UAX #9), as their code."""
    if char in "\t\n\r ":
        return " "
    return f"\\u{ord(char):04x}" if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"} else char


def pair(old: Any, new: Any) -> tuple[str, str]:
    """Write both values of a change; of long ones the part where they begin to differ."""
    left, right = plain(old), plain(new)
    if max(len(left), len(right)) <= _VALUE:
        return left, right
    same = next((at for at, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right)))
    return _around(left, same), _around(right, same)


def _around(text: str, at: int) -> str:
    start = max(0, min(at - _VALUE // 3, len(text) - _VALUE))
    end = start + _VALUE
    return f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"


def plain(value: Any) -> str:
    """Write a value as text."""
    if value is ABSENT:
        return "none"
    if value is None:
        return "not set"
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value) or "none"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value if isinstance(value, str) else json.dumps(value)


def money(usd: float) -> str:
    """Write USD a month: `$2.62`."""
    return f"-${-usd:,.2f}" if usd < 0 else f"${usd:,.2f}"


def some(names: Sequence[str], most: int = 4) -> str:
    """Write names: the first few, and how many more there are."""
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


def gathered(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Return the names that each sentence is about, in the order in which sentences come first."""
    found: dict[str, list[str]] = {}
    for name, sentence in pairs:
        found.setdefault(sentence, []).append(name)
    return found
