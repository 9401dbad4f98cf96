"""A page as a tree: tokens of markdown-it nested, with every block paired with its end.

Nothing is dropped: a block that never closes ends before the next heading; an end without a beginning is noted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ...limits import BLOCK_DEPTH as _DEEPEST
from ...text.escape import outside
from ..notes import Level
from .grammar import MATH, TAG, grammar
from .html import folds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from markdown_it.token import Token

    Noted = Callable[[int, Level, str, str, str], None]

#: Blocks that always have an end, as GitBook writes them.
PAIRED = frozenset(
    (
        "hint",
        "tabs",
        "tab",
        "code",
        "stepper",
        "step",
        "columns",
        "column",
        "updates",
        "update",
        "if",
        "details",
        "prompt",
        "code-tabs",
        "code-tabs-item",
        "carousel",
        "swagger",
        "swagger-description",
        "swagger-parameter",
        "swagger-response",
        "api-method",
        "api-method-summary",
        "api-method-description",
        "api-method-spec",
        "api-method-request",
        "api-method-response",
        "api-method-path-parameters",
        "api-method-query-parameters",
        "api-method-headers",
        "api-method-body-parameters",
        "api-method-form-data-parameters",
        "api-method-cookies",
        "api-method-parameter",
        "api-method-response-example",
        "api-method-response-example-description",
    )
)
#: Blocks that contain only blocks of one name: the next one ends an open one.
_NEXT_ENDS = frozenset(
    {"tab", "code-tabs-item", "step", "column", "update", "api-method-parameter", "swagger-parameter"}
)
_HOLDS = {
    "bullet_list_open": "list",
    "ordered_list_open": "list",
    "list_item_open": "item",
    "blockquote_open": "quote",
    "footnote_reference_open": "footnote",
}


@dataclass
class Node:
    """A piece of a page. `line` counts from 1 in the file; `kind` determines which fields are set."""

    kind: str
    line: int
    text: str = ""
    name: str = ""
    attrs: dict[str, str] = field(default_factory=dict)
    children: list[Node] = field(default_factory=list)
    tokens: list[Token] = field(default_factory=list)
    level: int = 0  #: of a heading; the first number of a list
    flag: bool = False  #: an ordered list; an end tag; a tight paragraph
    rows: list[list[Node]] = field(default_factory=list)
    aligns: list[str] = field(default_factory=list)

    def walk(self) -> Iterator[Node]:
        """Yield this node and every node below it."""
        yield self
        for child in self.children:
            yield from child.walk()
        for row in self.rows:
            yield from row


def read(text: str, first_line: int, noted: Noted) -> list[Node]:
    """Parse a page's Markdown, which begins at `first_line` of its file, into nodes."""
    return _pair(_nest(grammar().parse(text), first_line, noted), (), noted)[0]


def _nest(tokens: Sequence[Token], first: int, noted: Noted) -> list[Node]:
    """Turn the flat list of tokens into nested nodes."""
    root = Node("root", first)
    stack = [root]
    line = first
    for at, token in enumerate(tokens):
        line = token.map[0] + first if token.map else line
        kind = token.type
        if kind in _HOLDS:
            node = Node(_HOLDS[kind], line, flag=kind == "ordered_list_open", name=token.meta.get("label", ""))
            node.level = int(token.attrs.get("start", 1)) if node.flag else 0
            stack[-1].children.append(node)
            stack.append(node)
        elif kind.removesuffix("_close") + "_open" in _HOLDS and len(stack) > 1:
            stack.pop()
        elif kind == "table_open":
            stack[-1].children.append(Node("table", line))
        elif kind == "tr_open":
            stack[-1].children[-1].rows.append([])
        elif kind == "html_block":
            stack[-1].children += _html(token.content, line, noted)
        elif kind == "inline":
            _inline(stack[-1], tokens[at - 1], token, line, noted)
        else:
            leaf = _leaf(token, line)
            if leaf is not None:
                stack[-1].children.append(leaf)
    return root.children


def _leaf(token: Token, line: int) -> Node | None:
    """Return the node of a token that contains no others."""
    kind = token.type
    if kind == "fence":
        return Node("fence", line, token.content, token.info.strip())
    if kind == "code_block":
        return Node("fence", line, token.content)
    if kind == "hr":
        return Node("rule", line)
    if kind == MATH:
        return Node("math", line, token.content)
    if kind == TAG:
        meta = token.meta
        return Node("tag", line, meta["raw"], meta["name"], meta["attrs"] | {"": meta["rest"]}, flag=meta["closes"])
    return None


def _html(content: str, line: int, noted: Noted) -> list[Node]:
    """Return a piece of HTML.

    It ends at a tag of GitBook, although CommonMark would continue to the next empty line.
    """
    lines = content.splitlines(keepends=True)
    at = next((at for at, text in enumerate(lines) if text.lstrip().startswith("{%")), len(lines))
    rest = "".join(lines[at:])
    made = [Node("html", line, "".join(lines[:at]))] if at else []
    return made + (_nest(grammar().parse(rest), line + at, noted) if rest.strip() else [])


def _inline(parent: Node, opener: Token, token: Token, line: int, noted: Noted) -> None:
    """Add a paragraph, a heading or a cell; a paragraph is split where a block's tag stands in it."""
    children = token.children or []
    if opener.type in ("th_open", "td_open"):
        table = parent.children[-1]
        table.rows[-1].append(Node("cell", line, token.content, tokens=children))
        if len(table.rows) == 1:
            table.aligns.append(str(opener.attrs.get("style", "")).removeprefix("text-align:"))
        return
    level = int(opener.tag[1]) if opener.type == "heading_open" else 0
    start = 0
    for tag in (child for child in children if child.type == TAG):
        begin, end = tag.meta["span"]
        _text(parent, token.content[start:begin], line + token.content.count("\n", 0, start), level, noted)
        meta = tag.meta
        at = line + token.content.count("\n", 0, begin)
        rest = meta["attrs"] | {"": meta["rest"]}
        parent.children.append(Node("tag", at, meta["raw"], meta["name"], rest, flag=meta["closes"]))
        start = end
    if start:
        _text(parent, token.content[start:], line + token.content.count("\n", 0, start), 0, noted)
    elif children:
        kind = "heading" if level else "paragraph"
        parent.children.append(
            Node(kind, line, token.content, tokens=children, level=level, flag=bool(opener.hidden) and not level)
        )


def _text(parent: Node, source: str, line: int, level: int, noted: Noted) -> None:
    """Add the text between two tags of one paragraph, parsed again as blocks of its own."""
    if not source.strip():
        return
    if level:
        tokens = grammar().parseInline(source.strip())[0].children or []
        parent.children.append(Node("heading", line, source.strip(), tokens=tokens, level=level))
    else:
        lead = len(source) - len(source.lstrip("\n"))
        parent.children += _nest(grammar().parse(source.strip("\n")), line + lead, noted)


def _pair(nodes: Sequence[Node], outer: tuple[str, ...], noted: Noted) -> tuple[list[Node], list[Node]]:
    """Pair blocks with their ends; return the nodes, and ends that belong to a block of `outer`."""
    pairing = _Pairing(list(_unfolded(nodes)), outer, noted)
    pairing.run()
    return pairing.out, pairing.hoisted


class _Pairing:
    """The open blocks while the nodes of one container are read in order."""

    def __init__(self, nodes: list[Node], outer: tuple[str, ...], noted: Noted) -> None:
        self.out: list[Node] = []
        self.hoisted: list[Node] = []
        self._stack: list[Node] = []
        self._waiting = nodes[::-1]
        self._outer, self._noted = outer, noted

    @property
    def _into(self) -> list[Node]:
        return self._stack[-1].children if self._stack else self.out

    def run(self) -> None:
        """Read every node; a block that is still open at the end is noted."""
        while self._waiting:
            node = self._waiting.pop()
            if node.kind == "tag":
                (self._close if node.flag else self._open)(node)
                continue
            if node.kind == "heading":
                self._end_before_heading()
            elif node.kind in ("list", "item", "quote", "footnote"):
                names = self._outer + tuple(each.name for each in self._stack)
                node.children, ends = _pair(node.children, names, self._noted)
                self._waiting += reversed(ends)
            self._into.append(node)
        for each in self._stack:
            if not any(end.name == each.name for end in self.hoisted):
                self._left_open(each, "it ends with what holds it; close it where it should")

    def _left_open(self, node: Node, todo: str) -> None:
        topic = "a block that never closes"
        self._noted(node.line, Level.CHECK, f"{outside(node.text)} is never closed", todo, topic)

    def _open(self, node: Node) -> None:
        if self._stack and node.name in _NEXT_ENDS and self._stack[-1].name == node.name:
            self._left_open(self._stack.pop(), "it ends before the next one")
        block = Node("block", node.line, node.text, node.name, node.attrs)
        self._into.append(block)
        if len(self._stack) >= _DEEPEST:
            what = f"{outside(node.text)} stands in {_DEEPEST} other blocks"
            self._noted(node.line, Level.CHECK, what, "its content follows it; nest less", "deep nesting")
        elif node.name in PAIRED or self._ends(node.name):
            self._stack.append(block)

    def _ends(self, name: str) -> bool:
        """Return whether an end comes before the next block of the same name."""
        return next((node.flag for node in reversed(self._waiting) if node.kind == "tag" and node.name == name), False)

    def _close(self, node: Node) -> None:
        """End the innermost open block of this name, and all blocks left open inside."""
        if node.name in (each.name for each in self._stack):
            while (left := self._stack.pop()).name != node.name:
                what = f"{outside(left.text)} is still open at {outside(node.text)}"
                self._noted(left.line, Level.CHECK, what, "it ends there; put its end before", "broken nesting")
        elif node.name in self._outer:
            self.hoisted.append(node)
        else:
            todo = "remove it, or open the block before it"
            self._noted(node.line, Level.CHECK, f"{outside(node.text)} ends nothing", todo, "broken nesting")

    def _end_before_heading(self) -> None:
        """End blocks without an end of their own, so that one missing line does not swallow the rest of the page."""
        while self._stack and self._stack[-1].children:
            name = self._stack[-1].name
            if any(node.kind == "tag" and node.flag and node.name == name for node in self._waiting):
                return
            self._left_open(self._stack.pop(), "it ends before the next heading; close it where it should")


def _unfolded(nodes: Sequence[Node]) -> Iterator[Node]:
    """Turn HTML's `<details>` and `<summary>` into tags in GitBook's form."""
    for node in nodes:
        if node.kind != "html" or not any(mark in node.text.lower() for mark in ("<details", "</details", "<summary")):
            yield node
            continue
        title, waiting_for_title = "", False
        opened: Node | None = None
        for name, attrs, rest in folds(node.text):
            if name == "details":
                opened = Node("tag", node.line, "<details>", "details", attrs)
                yield opened
            elif name == "/details":
                yield Node("tag", node.line, "</details>", "details", flag=True)
            if name == "summary":
                title, waiting_for_title = rest.strip(), True
                yield Node("summary", node.line, title)
                continue
            if waiting_for_title:
                waiting_for_title = False
            if rest.strip():
                yield Node("html", node.line, rest)
