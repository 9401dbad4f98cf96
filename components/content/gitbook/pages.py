"""Pages of a space, parsed: includes inserted, titles found, anchors made as GitBook makes them."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from ...limits import INCLUDE_DEPTH as _DEEPEST
from ...text.escape import outside
from ..notes import Level
from . import anchors, inline, tree
from .scope import Scope
from .text import split

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .space import Page, Space
    from .tree import Node

_OPENAPI = ("openapi", "openapi-operation")


def parse(space: Space) -> None:
    """Read every page; afterwards links can be resolved, because each page has its title and its anchors."""
    for page in space.pages.values():
        text = space.text(page.source)
        page.meta, body, first, problem = split(text, page.source)
        if problem:
            space.notes.add(page.source, 1, Level.CHECK, outside(problem), "mend the front matter", "front matter")
        page.nodes = _nodes(space, page.source, body, first, ())
    for page in space.pages.values():
        _name(space, page)
    _adopt(space)


def _nodes(space: Space, source: str, body: str, first: int, above: tuple[str, ...]) -> list[Node]:
    """Parse one file and what it includes."""

    def noted(line: int, level: Level, what: str, todo: str, topic: str) -> None:
        space.notes.add(source, line, level, what, todo, topic)

    nodes = tree.read(body, first, noted)
    for node in (each for top in nodes for each in top.walk()):
        if node.kind != "block" or node.name != "include":
            continue
        named = node.attrs.get("", "").strip("\"'")
        path = space.file(posixpath.normpath(posixpath.join(posixpath.dirname(source), named)))
        if path is None or path in (*above, source) or len(above) >= _DEEPEST:
            continue
        node.attrs["file"] = path
        _, inner, line, _ = split(space.text(path), path)
        node.children = _nodes(space, path, inner, line, (*above, source))
    return nodes


def _walk(nodes: Sequence[Node]) -> Iterator[Node]:
    return (each for node in nodes for each in node.walk())


def _name(space: Space, page: Page) -> None:
    """Set the page's title, and give its headings their anchors."""
    taken = anchors.Taken()
    first = True
    for node in _walk(page.nodes):
        if node.kind == "heading":
            text = inline.plain(node.tokens)
            own = inline.anchor(node.tokens)
            if first and node.level == 1:
                page.title = text or page.title
                first = False
        elif node.kind == "block" and node.name in ("api-method", "swagger", *_OPENAPI):
            text, own = _call(space, page, node), ""
        else:
            continue
        node.attrs["id"] = taken.give(own or anchors.slug(text))
        page.anchors[node.attrs["id"]] = text
        if own:
            page.anchors_of_headings.add(own)
    title = page.meta.get("title")
    page.title = str(title) if title else page.title or posixpath.basename(page.source).removesuffix(".md")
    for node in _walk(page.nodes):
        for token in node.tokens:
            if token.type == "html_inline" and (named := inline.anchor([token])):
                page.anchors.setdefault(named, "")


def _call(space: Space, page: Page, node: Node) -> str:
    """Return the heading of a call of an API."""
    if node.name == "api-method":
        part = next((each for each in node.walk() if each.name == "api-method-summary"), None)
        return " ".join(inline.plain(each.tokens) for each in (part.walk() if part else ()) if each.tokens)
    if node.name == "swagger":
        return node.attrs.get("summary", "")
    document: Any = Scope(space, page, page.source).specification(node)
    try:
        return str(document["paths"][node.attrs["path"]][node.attrs["method"].lower()].get("summary", ""))
    except (KeyError, TypeError, AttributeError):
        return ""


def _adopt(space: Space) -> None:
    """Take a heading's anchor from the links that lead to it: GitBook wrote them, so they show its anchors."""
    for page in space.pages.values():
        scope = Scope(space, page, page.source)
        for node in _walk(page.nodes):
            for token in [*node.tokens]:
                href = str(token.attrs.get("href", "")) if token.type == "link_open" else ""
                _, _, anchor = href.partition("#")
                target = scope.find(href)[0] if anchor else None
                if target is not None and target.page is not None:
                    _rename(target.page, unquote(anchor))


def _rename(page: Page, anchor: str) -> None:
    if anchor in page.anchors:
        return
    for node in _walk(page.nodes):
        own = node.attrs.get("id", "")
        if (
            node.kind == "heading"
            and own not in page.anchors_of_headings
            and anchors.loose(own) == anchors.loose(anchor)
        ):
            page.anchors[anchor] = page.anchors.pop(own)
            page.anchors_of_headings.add(anchor)
            node.attrs["id"] = anchor
            return
