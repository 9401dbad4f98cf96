"""Elements of Python-Markdown that contain others: indentation, generic blocks, fences, pipe tables."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_SLASHES = re.compile(r"\s*(/{3,})")
_TICKS = re.compile(r"`{3,}")
_LANGUAGE = re.compile(r"[\w+#.-]+")
_PIPE = re.compile(r"(`+)(.+?)\1|\\.|\|", re.DOTALL)


def indented(lines: Sequence[str], marker: str = "    ") -> list[str]:
    """Indent lines by four columns, the first one behind a marker."""
    if not lines:
        return [marker.rstrip()]
    rest = [f"    {line}" if line else "" for line in lines[1:]]
    return [f"{marker}{lines[0]}" if lines[0] else marker.rstrip(), *rest]


def inset(lines: Sequence[str]) -> list[str]:
    """Indent all lines by four columns."""
    return [f"    {line}" if line else "" for line in lines]


def block(selector: str, lines: Sequence[str], *, mode: str = "") -> list[str]:
    """Wrap lines into an element by a generic block, which unlike HTML may stand inside anything else.

    `mode` is `block` for an element that would otherwise hold a line only, such as a list's item.
    """
    longest = max((len(found[1]) for found in map(_SLASHES.match, lines) if found), default=2)
    mark = "/" * (longest + 1)
    return [f"{mark} html | {selector}", *([f"    markdown: {mode}"] if mode else []), "", *lines, "", mark]


def fence(code: str, language: str, attrs: dict[str, str], marked: Iterable[str] = ()) -> list[str]:
    """Return a fence with the title, line numbers and highlighted lines that Material shows."""
    ticks = "`" * max(3, *(len(found) + 1 for found in _TICKS.findall(code)), 3)
    options = [language if _LANGUAGE.fullmatch(language) else ""]
    title = attrs.get("title", "").replace('"', "'")
    options += [f'title="{title}"'] if title else []
    options += ['linenums="1"'] if attrs.get("lineNumbers") == "true" else []
    lines = " ".join(marked)
    options += [f'hl_lines="{lines}"'] if lines else []
    if len(options) > 1 and not options[0]:
        options[0] = "text"
    return [
        f"{ticks} {' '.join(options)}".rstrip() if len(options) > 1 else f"{ticks}{options[0]}",
        *code.split("\n"),
        ticks,
    ]


def cell(text: str) -> str:
    """Return text that may stand in a cell of a pipe table: one line, its pipes escaped outside of code."""
    line = re.sub(r"\s*\n\s*", " ", text).strip()
    while line.endswith("<br>"):
        line = line[:-4].rstrip()
    return _PIPE.sub(lambda found: "\\|" if found[0] == "|" else found[0], line)
