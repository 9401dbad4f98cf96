"""Decode a page's bytes as text, and its front matter as settings."""

from __future__ import annotations

import codecs
from typing import Any

from ...config.yaml_text import load
from ...errors import ConfigError


def decode(raw: bytes) -> tuple[str, str]:
    """Return text with line feeds as line ends, and what was wrong with its encoding, "" if nothing."""
    problem = ""
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text, problem = raw.decode("utf-16", errors="replace"), "it is UTF-16, not UTF-8"
    else:
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = raw.count(b"\n", 0, error.start) + 1
            problem = f"it is not UTF-8 in line {line}; it was read as Windows-1252"
            text = raw.decode("cp1252", errors="replace")
    if "\0" in text:
        text, problem = text.replace("\0", "\N{REPLACEMENT CHARACTER}"), problem or "it holds NUL characters"
    return text.replace("\r\n", "\n").replace("\r", "\n"), problem


def split(text: str, source: str) -> tuple[dict[str, Any], str, int, str]:
    """Split front matter from a page: settings, the page, its first line, and what was wrong, "" if nothing."""
    if not text.startswith("---\n"):
        return {}, text, 1, ""
    end = text.find("\n---", 3)
    if end < 0 or text[end + 4 : end + 5] not in ("\n", ""):
        return {}, text, 1, ""
    body = text[end + 5 :]
    line = text.count("\n", 0, end + 5) + 1
    try:
        found = load(text[4 : end + 1], source)
    except ConfigError as error:
        return {}, body, line, str(error)
    if found is not None and not isinstance(found, dict):
        return {}, text, 1, ""
    return found or {}, body, line, ""
