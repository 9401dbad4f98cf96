"""HTML in pages as a small tree, read by the standard library's parser, with open elements closed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ...limits import TAG_DEPTH as _DEEPEST
from ..parser import Parser

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Elements that have no content (HTML, "Void elements").
VOID = frozenset(("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"))
#: Elements that are ended by the next one of their kind (HTML, "Optional tags").
_ENDS_ITSELF = frozenset({"li", "p", "td", "th", "tr", "option", "dt", "dd"})
#: The parents of such elements: the search for an open one of the same name ends there.
_SCOPE = frozenset({"ul", "ol", "table", "thead", "tbody", "tr", "dl", "div", "details", "blockquote"})


@dataclass
class Element:
    """One element: its name in lower case, its attributes, and its content: elements and text, in order."""

    name: str
    attrs: dict[str, str] = field(default_factory=dict)
    children: list[Element | str] = field(default_factory=list)
    line: int = 0

    def __iter__(self) -> Iterator[Element]:
        return (child for child in self.children if isinstance(child, Element))

    def all(self, name: str) -> Iterator[Element]:
        """Yield every element of a name below this one, in order."""
        for child in self:
            if child.name == name:
                yield child
            yield from child.all(name)

    def first(self, name: str) -> Element | None:
        """Return the first element of a name below this one."""
        return next(self.all(name), None)

    @property
    def text(self) -> str:
        """All text below, with spaces as a browser shows them."""
        return " ".join("".join(self._texts()).split())

    def _texts(self) -> Iterator[str]:
        for child in self.children:
            if isinstance(child, str):
                yield child
            elif child.name == "br":
                yield " "
            else:
                yield from child._texts()  # noqa: SLF001 the same class
                if child.name in ("p", "li", "td", "div"):
                    yield " "


class _Builder(Parser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Element("")
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _ENDS_ITSELF:
            for at in range(len(self.open) - 1, 0, -1):
                if self.open[at].name == tag:
                    del self.open[at:]
                    break
                if self.open[at].name in _SCOPE:
                    break
        element = Element(tag, {key: value or "" for key, value in attrs}, line=self.getpos()[0] - 1)
        self.open[-1].children.append(element)
        if tag not in VOID and len(self.open) < _DEEPEST:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if self.open[-1].name == tag:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        for at in range(len(self.open) - 1, 0, -1):
            if self.open[at].name == tag:
                del self.open[at:]
                return

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def parse(text: str) -> Element:
    """Return an element without a name that contains what the text does; broken markup gives a tree too."""
    builder = _Builder()
    builder.read(text)
    return builder.root


class _Marks(Parser):
    """Finds where `details` and `summary` begin and end in a piece of source."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._starts = [0]
        for line in text.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))
        self.found: list[tuple[int, str, dict[str, str]]] = []
        self.read(text)

    def _at(self) -> int:
        line, column = self.getpos()
        return self._starts[line - 1] + column

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("details", "summary"):
            self.found.append((self._at(), tag, {key: value or "" for key, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if tag in ("details", "summary"):
            self.found.append((self._at(), f"/{tag}", {}))


def folds(text: str) -> list[tuple[str, dict[str, str], str]]:
    """Split source at `<details>`, `<summary>` and their ends: (name or "", attributes, source up to the next)."""
    marks = _Marks(text).found
    if not marks:  # a tag that is cut off, or stands in a comment
        return [("", {}, text)]
    pieces: list[tuple[str, dict[str, str], str]] = []
    if text[: marks[0][0]].strip():
        pieces.append(("", {}, text[: marks[0][0]]))
    ends = [at for at, _, _ in marks[1:]] + [len(text)]
    for (at, name, attrs), end in zip(marks, ends, strict=True):
        begin = text.find(">", at)
        pieces.append((name, attrs, text[begin + 1 : end] if begin >= 0 else ""))
    return pieces
