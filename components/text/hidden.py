"""Quote a program's log: mask values that must not be shown, keep a few lines, cut and escape each."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from ..limits import LOG_LINES, QUOTE_CHARS
from .escape import outside

if TYPE_CHECKING:
    from collections.abc import Iterable

#: The text in place of a value.
_MASK = "***"
#: The least characters of a value, and of a spelling of one, that is masked: a shorter one occurs by chance.
SHORTEST, _SHORTEST_SPELLING = 8, 4


def spellings(value: str) -> tuple[str, ...]:
    """Return the spellings of a value in texts: plain, in a URL, in JSON, and in base64 at any offset."""
    coded = []
    for before in range(3):
        text = base64.b64encode(b"\0" * before + value.encode()).decode().rstrip("=")
        inner = text[-(-before * 8 // 6) :]
        coded.append(inner[: len(inner) - 1])
    forms = {value, quote(value, safe=""), json.dumps(value)[1:-1], *coded, *(each.replace("+", "-") for each in coded)}
    return tuple(sorted((each for each in forms if len(each) >= _SHORTEST_SPELLING), key=len, reverse=True))


def hide(text: str, values: Iterable[str]) -> str:
    """Mask values in a text: whole, line by line, and the passwords of those that are URLs. Short ones stay."""
    parts = {part for value in values for part in (value, *value.splitlines(), _password(value))}
    found = {each for part in parts if len(part) >= SHORTEST for each in spellings(part)}
    for spelling in sorted(found, key=len, reverse=True):
        text = text.replace(spelling, _MASK)
    return text


def last(lines: Iterable[str], values: Iterable[str], limit: int = QUOTE_CHARS) -> list[str]:
    """Return the last lines of a log that are not empty, masked, cut to `limit` characters and escaped."""
    shown = [line for line in lines if line.strip()][-LOG_LINES:]
    hidden = hide("\n".join(line[: 8 * limit] for line in shown), values)
    return [outside(line, limit) for line in hidden.split("\n") if line]


def _password(value: str) -> str:
    try:
        return urlsplit(value).password or ""
    except ValueError:
        return ""
