"""`SUMMARY.md`, GitBook's table of contents: entries, groups and links to elsewhere, nested."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .grammar import grammar
from .inline import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from markdown_it.token import Token


@dataclass
class Entry:
    """A line of the table of contents: a page (`href`), a link to elsewhere (`href`), or a group (no `href`)."""

    title: str
    href: str
    line: int
    children: list[Entry] = field(default_factory=list)

    def walk(self) -> Iterator[Entry]:
        """Yield this entry and all below it, in the reader's order."""
        yield self
        for child in self.children:
            yield from child.walk()


def read(text: str) -> list[Entry]:
    """Read the file. A heading of level two or more begins a group; a link's title is the name in the sidebar."""
    top: list[Entry] = []
    group = top
    stack: list[list[Entry]] = []
    level, line, in_heading = 0, 0, False
    for token in grammar().parse(text):
        line = token.map[0] + 1 if token.map else line
        if token.type == "heading_open":
            level, in_heading = int(token.tag[1]), True
        elif token.type == "heading_close":
            in_heading = False
        elif token.type == "inline" and in_heading:
            if level > 1:
                top.append(Entry(plain(token.children or []), "", line))
                group = top[-1].children
        elif token.type in ("bullet_list_open", "ordered_list_open"):
            below = stack[-1][-1].children if stack and stack[-1] else group if not stack else stack[-1]
            stack.append(below)
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            stack.pop()
        elif token.type == "inline" and stack:
            stack[-1].append(_entry(token.children or [], line))
    return top


def _entry(tokens: Sequence[Token], line: int) -> Entry:
    link = next((token for token in tokens if token.type == "link_open"), None)
    title = plain(tokens)
    if link is None:
        return Entry(title, "", line)
    return Entry(str(link.attrs.get("title") or title), str(link.attrs["href"]), line)
