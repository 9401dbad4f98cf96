"""The identity of a page, read from its HTML: title, anchors of headings, words, and targets of its links."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from sys import intern
from typing import TYPE_CHECKING

from .parser import Parser

if TYPE_CHECKING:
    from pathlib import Path

_HEADING = re.compile(r"h[1-6]")
#: Elements whose text is not part of the page.
_SILENT = frozenset({"script", "style", "nav", "header", "footer", "aside", "template", "svg", "noscript", "button"})
_VOID = frozenset(
    {"br", "img", "hr", "input", "meta", "link", "source", "col", "wbr", "area", "base", "embed", "track"}
)
_WORD = re.compile(r"\w{4,}")
#: Marks that themes put after a heading.
_MARKS = "¶#\N{ZERO WIDTH SPACE} "
#: The number of a page's words that are kept, which is enough to distinguish two pages.
_MOST_WORDS = 600


@dataclass(frozen=True)
class Facts:
    """A page: its title, the anchors of its headings, its words, and the addresses of its links as written."""

    title: str = ""
    anchors: tuple[str, ...] = ()
    words: frozenset[str] = frozenset()
    links: tuple[str, ...] = ()


@dataclass
class _Reading:
    heading: str = ""
    document: list[str] = field(default_factory=list)
    anchors: list[str] = field(default_factory=list)
    words: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)


class _Reader(Parser):
    def __init__(self) -> None:
        super().__init__()
        self.made = _Reading()
        self._silent: list[str] = []
        self._heading: list[str] | None = None
        self._in = ""
        self._title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {key: value or "" for key, value in attrs}
        if tag == "a" and values.get("href"):
            self.made.links.append(values["href"])
        elif tag == "title" and not self._silent:
            self._title = True
        if tag in _SILENT and tag not in self._silent:
            self._silent.append(tag)
        elif _HEADING.fullmatch(tag):
            self._heading, self._in = [], tag
        if self._heading is not None and values.get("id"):
            self.made.anchors.append(values["id"])

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag == "title":
            self._title = False
        elif tag in self._silent:
            del self._silent[self._silent.index(tag) :]
        elif self._heading is not None and tag == self._in:
            text = " ".join("".join(self._heading).split()).strip(_MARKS)
            if tag == "h1" and not self.made.heading:
                self.made.heading = text
            self._heading = None

    def handle_data(self, data: str) -> None:
        if self._title:
            self.made.document.append(data)
        elif self._heading is not None:
            self._heading.append(data)
        if not self._silent and not self._title and len(self.made.words) < _MOST_WORDS:
            self.made.words.update(intern(word.casefold()) for word in _WORD.findall(data))


def read(text: str) -> Facts:
    """Read a page; of broken HTML, what can be read."""
    reader = _Reader()
    reader.read(text)
    made = reader.made
    title = made.heading or " ".join("".join(made.document).split())
    return Facts(title, tuple(dict.fromkeys(made.anchors)), frozenset(made.words), tuple(made.links))


def alike(one: str, other: str) -> bool:
    """Return whether two titles are the same to a reader: letters and digits, case ignored."""
    first, second = (re.sub(r"[\W_]+", "", text).casefold() for text in (one, other))
    return bool(first) and first == second


def similarity(one: Facts, other: Facts) -> float:
    """Return the share of words that two pages have in common, 0 to 1."""
    union = one.words | other.words
    return len(one.words & other.words) / len(union) if union else 0.0


def site(folder: Path) -> tuple[dict[str, Facts], frozenset[str]]:
    """Read a built site: the facts of each page by its address, and the addresses of its other files."""
    pages: dict[str, Facts] = {}
    files = set()
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        at = "/" + path.relative_to(folder).as_posix()
        if path.suffix not in (".html", ".htm"):
            files.add(at)
        elif at != "/404.html":
            pages[address(at)] = read(path.read_text(encoding="utf-8", errors="replace"))
    return pages, frozenset(files)


def address(path: str) -> str:
    """Return the address at which a file of a site is published: `/a/index.html` at `/a/`, `/a.html` at `/a`."""
    return path.removesuffix("index.html") if path.endswith("/index.html") else path.removesuffix(".html")
