"""Write a page's nodes as Markdown for MkDocs Material: one function for each kind of node and block."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from ...text.escape import outside, shown
from ...text.table import table
from ..notes import Level
from . import api, inline, markup
from .html import parse
from .shapes import block, cell, fence, indented, inset

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from .scope import Scope
    from .tree import Node

    Writer = Callable[[Node, Scope], list[str]]

#: GitBook's styles of a hint → types of an admonition.
_HINTS = {"info": "info", "success": "success", "warning": "warning", "danger": "danger", "tip": "tip"}
#: A heading for which the theme makes GitBook's anchor by itself.
_SIMPLE = re.compile(r"[A-Za-z][A-Za-z0-9]*(?: [A-Za-z0-9]+)*")
_WIDTH = re.compile(r"\d+(?:\.\d+)?(?:%|px)?")
_LANGUAGE = re.compile(r"\S*")


def blocks(nodes: Sequence[Node], scope: Scope) -> list[str]:
    """Return nodes as lines, an empty line between two blocks."""
    made: list[str] = []
    for node in nodes:
        lines = (_BLOCKS.get(node.name, _unknown) if node.kind == "block" else _KINDS[node.kind])(node, scope)
        if lines:
            made += ([""] if made else []) + lines
    return made


def _span(node: Node, scope: Scope) -> str:
    return inline.write(node.text, node.tokens, scope, node.line)


def _paragraph(node: Node, scope: Scope) -> list[str]:
    text = _span(node, scope)
    return inline.paragraph(text) if text.strip() else []


def _heading(node: Node, scope: Scope) -> list[str]:
    text = " ".join(_span(node, scope).split())
    if not text:
        return []
    anchor = node.attrs.get("id", "")
    explicit = anchor and not (_SIMPLE.fullmatch(text) and anchor == text.lower().replace(" ", "-"))
    return [f"{'#' * node.level} {text}" + (f" {{ #{anchor} }}" if explicit else "")]


def _list(node: Node, scope: Scope) -> list[str]:
    """Return a list with its content indented by four columns, as Python-Markdown requires."""
    tight = all(
        child.kind == "list" or (child.kind == "paragraph" and child.flag)
        for item in node.children
        for child in item.children
    )
    made: list[str] = []
    for number, item in enumerate(node.children, node.level):
        marker = f"{number}.".ljust(4) if node.flag else "-   "
        marker = marker if marker.endswith(" ") else f"{marker} "
        lines = blocks(item.children, scope)
        if tight:
            lines = [line for line in lines if line]
        elif item.children and item.children[0].kind not in ("paragraph", "heading"):
            lines = [
                "&#8203;",
                "",
                *lines,
            ]  # Python-Markdown wants an item to begin with text; this character has no width.
        made += ([""] if made and not tight else []) + indented(lines, marker)
    return made


def _quote(node: Node, scope: Scope) -> list[str]:
    return [f"> {line}".rstrip() for line in blocks(node.children, scope)]


def _footnote(node: Node, scope: Scope) -> list[str]:
    scope.space.notes.found["annotation"] += 1
    return indented(blocks(node.children, scope), f"[^{node.name}]: ")


def _fence(node: Node, scope: Scope, attrs: Mapping[str, str] | None = None) -> list[str]:
    scope.space.notes.found["code block"] += 1
    language = _LANGUAGE.match(node.name)
    word = language[0] if language else ""
    if word.lower() == "mermaid":
        _diagram(scope, node.line)
    return fence(node.text.rstrip("\n"), word, dict(attrs or {}))


def _table(node: Node, scope: Scope) -> list[str]:
    scope.space.notes.found["table"] += 1
    rows = [[cell(_span(each, scope)) for each in row] for row in node.rows]
    return table(rows[0], rows[1:], node.aligns)


def _html(node: Node, scope: Scope) -> list[str]:
    return markup.write(node.text, scope, node.line)


def _math(node: Node, scope: Scope) -> list[str]:
    scope.space.notes.found["formula"] += 1
    return ["$$", *node.text.splitlines(), "$$"]


def _rule(node: Node, scope: Scope) -> list[str]:  # noqa: ARG001 every writer takes both
    return ["---"]


def _summary(node: Node, scope: Scope) -> list[str]:
    """Return the title of a fold that stands outside a fold."""
    return [f"**{text}**"] if (text := markup.span(parse(node.text), scope, node.line).strip()) else []


_KINDS: Mapping[str, Writer] = {
    "paragraph": _paragraph,
    "heading": _heading,
    "list": _list,
    "quote": _quote,
    "footnote": _footnote,
    "fence": _fence,
    "table": _table,
    "html": _html,
    "math": _math,
    "rule": _rule,
    "summary": _summary,
}


def _counted(name: str) -> Callable[[Writer], Writer]:
    def wrap(writer: Writer) -> Writer:
        def counting(node: Node, scope: Scope) -> list[str]:
            scope.space.notes.found[name] += 1
            return writer(node, scope)

        return counting

    return wrap


@_counted("hint")
def _hint(node: Node, scope: Scope) -> list[str]:
    style = node.attrs.get("style", "info")
    if style not in _HINTS:
        scope.note(
            node.line, Level.CHECK, f"a hint of style {shown(style)}", "it is shown as information", "hint styles"
        )
    return [f"!!! {_HINTS.get(style, 'info')}", "", *inset(blocks(node.children, scope))]


@_counted("tabs")
def _tabs(node: Node, scope: Scope) -> list[str]:
    made: list[str] = []
    for child in node.children:
        if child.name in ("tab", "code-tabs-item"):
            made += ([""] if made else []) + _tab(child, scope, "===" if made else "===!")
        else:
            made += ([""] if made else []) + blocks([child], scope)
    return made


def _tab(node: Node, scope: Scope, mark: str = "===!") -> list[str]:
    title = inline.label(node.attrs.get("title", "") or "Tab").replace('"', "&quot;")
    return [f'{mark} "{title}"', "", *inset(blocks(node.children, scope) or ["&#8203;"])]


@_counted("code title")
def _code(node: Node, scope: Scope) -> list[str]:
    made: list[str] = []
    for child in node.children:
        lines = None
        if child.kind == "fence":
            lines = _fence(child, scope, node.attrs)
        elif child.kind == "html":
            lines = markup.preformatted(child.text, node.attrs, scope)
        made += ([""] if made else []) + (blocks([child], scope) if lines is None else lines)
    return made


def _video(url: str) -> str:
    """Return the address of a video's player; "" if there is no player for it."""
    parts = urlsplit(url)
    host = (parts.hostname or "").removeprefix("www.")
    name = ""
    if host in ("youtube.com", "m.youtube.com", "youtube-nocookie.com"):
        name = parse_qs(parts.query).get("v", [parts.path.rpartition("/")[2]])[0]
    elif host == "youtu.be":
        name = parts.path.strip("/")
    elif host == "vimeo.com":
        number = parts.path.strip("/")
        return f"https://player.vimeo.com/video/{number}" if number.isdigit() else ""
    return f"https://www.youtube-nocookie.com/embed/{name}" if re.fullmatch(r"[\w-]{6,}", name) else ""


@_counted("embed")
def _embed(node: Node, scope: Scope) -> list[str]:
    url = node.attrs.get("url", "").strip()
    target = scope.link(url, node.line) if url else None
    caption = blocks(node.children, scope)
    text = " ".join(caption) if len(caption) == 1 else inline.label(node.attrs.get("caption", ""))
    more = ["", *caption] if len(caption) > 1 else []
    if target is None:
        return [text or inline.label(url), *more]
    text = text if text and "](" not in text else inline.label(url.removeprefix("https://"))
    link = f"[{text}]({target.to}){inline.attributes('embed')}"
    player = _video(url)
    if not player:
        return [link, *more]
    frame = f'<iframe class="player" src="{player}" title="Video" loading="lazy" allowfullscreen></iframe>'
    return [frame, "", link, *more]


@_counted("file")
def _file(node: Node, scope: Scope) -> list[str]:
    target = scope.link(node.attrs.get("src", ""), node.line)
    caption = blocks(node.children, scope) or [inline.label(node.attrs.get("caption", ""))]
    if target is None:
        return caption
    link = f"[{inline.label(target.title)}]({target.to}){inline.attributes('file')}"
    return [link, "", *caption] if caption != [""] else [link]


@_counted("page reference")
def _reference(node: Node, scope: Scope) -> list[str]:
    href = node.attrs.get("url") or node.attrs.get("page") or ""
    target = scope.link(href, node.line)
    written = " ".join(inline.plain(each.tokens) for each in node.children if each.tokens)
    if target is None:
        return [inline.label(written or href)]
    name = target.title if not target.external or not written else written
    return [f"[{inline.label(name)}]({target.to}){inline.attributes('reference')}"]


@_counted("expandable")
def _details(node: Node, scope: Scope) -> list[str]:
    summary = next((each for each in node.children if each.kind == "summary"), None)
    title = markup.span(parse(summary.text), scope, node.line).strip() if summary else ""
    mark = "???+" if "open" in node.attrs else "???"
    quoted = title.replace('"', "&quot;") or "Details"
    inside = [each for each in node.children if each is not summary]
    return [f'{mark} note "{quoted}"', "", *inset(blocks(inside, scope) or ["&#8203;"])]


def _wrapped(selector: str, child: str, item: str) -> Writer:
    """Return a writer of a block that contains blocks of one name."""

    def write(node: Node, scope: Scope) -> list[str]:
        made: list[str] = []
        for each in node.children:
            width = each.attrs.get("width", "")
            style = f'[style="flex: 0 1 {width}"]' if each.name == "column" and _WIDTH.fullmatch(width) else ""
            lines = blocks(each.children, scope) if each.name == child else blocks([each], scope)
            held = block(item + style, lines, mode="block" if item == "li" else "") if each.name == child else lines
            made += ([""] if made else []) + held
        return block(selector, made)

    return write


@_counted("update")
def _update(node: Node, scope: Scope) -> list[str]:
    date = node.attrs.get("date", "")
    return block("div.update", [*([f"*{inline.label(date)}*", ""] if date else []), *blocks(node.children, scope)])


def _through(node: Node, scope: Scope) -> list[str]:
    return blocks(node.children, scope)


@_counted("include")
def _include(node: Node, scope: Scope) -> list[str]:
    file = node.attrs.get("file", "")
    if not file:
        scope.note(node.line, Level.WORK, f"{outside(node.text)} includes a file that is not there, or itself",
                   "put the text in its place", "includes")  # fmt: skip
        return [inline.label(node.text)]
    return blocks(node.children, scope.inside(file))


@_counted("condition")
def _condition(node: Node, scope: Scope) -> list[str]:
    scope.note(node.line, Level.WORK, f"{outside(node.text)} shows its content to some visitors only",
               "it is left out; put it in if everyone may read it", "conditions")  # fmt: skip
    return []


def _operation(operation: api.Operation, node: Node) -> list[str]:
    return list(operation.lines(node.attrs.get("id", "")))


@_counted("API method")
def _method(node: Node, scope: Scope) -> list[str]:
    return _operation(api.method(node, lambda nodes: blocks(nodes, scope)), node)


@_counted("API method")
def _swagger(node: Node, scope: Scope) -> list[str]:
    return _operation(api.swagger(node, lambda nodes: blocks(nodes, scope)), node)


@_counted("OpenAPI reference")
def _openapi(node: Node, scope: Scope) -> list[str]:
    """Return one operation from a specification in the repository; otherwise a reference to it."""
    attrs = node.attrs
    verb, path = attrs.get("method", ""), attrs.get("path", "")
    written = blocks(node.children, scope)
    operation = api.specified(scope.specification(node), path, verb) if path and verb else None
    if operation is not None:
        return _operation(operation, node)
    scope.note(node.line, Level.WORK, f"{outside(node.text)} is drawn by the vendor from a specification",
               "keep the file here, and choose a plugin that draws it", "OpenAPI references")  # fmt: skip
    what = (
        f"**{inline.label(verb.upper())}** `{path}`"
        if path
        else inline.label(attrs.get("spec", "") or attrs.get("src", "") or "OpenAPI")
    )
    return [what, *(["", *written] if written else [])]


def _diagram(scope: Scope, line: int) -> None:
    scope.note(line, Level.CHECK, "a diagram of Mermaid", "put mermaid.min.js into docs/ and name it under "
               "extra_javascript, or browsers fetch it from unpkg.com", "Mermaid diagrams")  # fmt: skip


@_counted("diagram")
def _mermaid(node: Node, scope: Scope) -> list[str]:
    _diagram(scope, node.line)
    return fence(node.attrs.get("content", "").strip("\n"), "mermaid", {})


def _unknown(node: Node, scope: Scope) -> list[str]:
    """Keep what a block without a counterpart shows: its content, its address, or its text."""
    scope.space.notes.found["other block"] += 1
    scope.note(node.line, Level.WORK, f"the block {outside(node.text)} has no counterpart", "write what it showed",
               f"block {outside(node.name)}")  # fmt: skip
    url = node.attrs.get("url", "")
    target = scope.link(url, node.line) if url else None
    shown = [f"[{inline.label(url)}]({target.to})"] if target else [] if node.children else [f"`{node.text}`"]
    body = blocks(node.children, scope)
    return shown + ([""] if shown and body else []) + body


_BLOCKS: Mapping[str, Writer] = {
    "hint": _hint,
    "tabs": _tabs,
    "tab": _tab,
    "code-tabs": _tabs,
    "code-tabs-item": _tab,
    "code": _code,
    "embed": _embed,
    "file": _file,
    "content-ref": _reference,
    "page-ref": _reference,
    "details": _details,
    "stepper": _counted("stepper")(_wrapped("ol.steps", "step", "li")),
    "columns": _counted("columns")(_wrapped("div.columns", "column", "div.column")),
    "step": _through,
    "column": _through,
    "updates": _through,
    "update": _update,
    "include": _include,
    "if": _condition,
    "api-method": _method,
    "swagger": _swagger,
    "openapi": _openapi,
    "openapi-operation": _openapi,
    "openapi-schemas": _openapi,
    "openapi-webhook": _openapi,
    "@mermaid/diagram": _mermaid,
    "prompt": _hint,
}
