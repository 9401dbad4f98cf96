"""Values from stack files and pull requests as Markdown that shows them and obeys nothing in them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ..limits import QUOTE_CHARS
from ..text.escape import cut, markdown
from .diff import ABSENT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: The most characters of a value in a list.
_VALUE = 60


def cell(text: object, limit: int = QUOTE_CHARS) -> str:
    """Keep text from being read as Markdown or HTML, on one line and cut."""
    return markdown(cut(str(text), limit))


def pair(old: Any, new: Any) -> tuple[str, str]:
    """Return both values of a change; of long ones, the part where they begin to differ."""
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
    """Return a value as text."""
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
    """Return USD a month: `$2.62`."""
    return f"-${-usd:,.2f}" if usd < 0 else f"${usd:,.2f}"


def some(names: Sequence[str], most: int = 4) -> str:
    """Return names: the first few, and the number of the others."""
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


def gathered(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Return the names that each sentence is about, in the order of the sentences' first appearance."""
    found: dict[str, list[str]] = {}
    for name, sentence in pairs:
        found.setdefault(sentence, []).append(name)
    return found
