"""YAML 1.2 text as plain data, with a verdict for any bytes.

The reader is `config/yaml_text.py`. Plain words follow the core schema of YAML 1.2, as the network's own tools read
them: `off`, `yes` and `010` are a word, a word and ten.
"""

from __future__ import annotations

import re
from typing import Any

from ....config import yaml_text
from ....config.yaml_text import EmptyError, TextError
from ....limits import NUMBER_DIGITS as _MAX_DIGITS
from ....limits import SDL_BYTES, SDL_VALUES

__all__ = ["SDL", "TextError", "decode", "lines", "plain", "read"]

Path = tuple[str | int, ...]

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
_EMPTY = "the file is empty; an SDL document has version, services, profiles and deployment"


def plain(word: str) -> Any:
    """Return the value of an unquoted word by the core schema of YAML 1.2."""
    if word in _WORDS:
        return _WORDS[word]
    if word[0] in _NUMERIC and len(word) < _MAX_DIGITS:
        if _INT.fullmatch(word):
            base = {"0o": 8, "0x": 16}.get(word[:2], 10)
            return int(word[2:], base) if base != 10 else int(word)
        if _FLOAT.fullmatch(word):
            return float(word)
    return word


SDL = yaml_text.Dialect(plain, text_keys=False, max_bytes=SDL_BYTES, max_values=SDL_VALUES)


def decode(raw: bytes | str) -> str:
    """Decode bytes as text. Raises TextError if they are too many or not UTF-8."""
    return yaml_text.decode(raw, SDL)


def read(text: str) -> Any:
    """Return the plain data of the one document in `text`. Raises TextError."""
    try:
        return yaml_text.read(text, SDL)
    except EmptyError:
        raise TextError(_EMPTY) from None


def lines(text: str) -> dict[Path, int]:
    """Return the line (from 1) of every path of a document that `read` accepts; a value has its key's line."""
    return yaml_text.lines(text, SDL)
