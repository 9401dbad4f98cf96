"""HTML blocks of a page as Markdown: figures, tables, cards, preformatted code; other blocks become text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ...text.escape import outside
from ...text.table import table
from ..notes import Level
from . import inline
from .html import Element, parse
from .shapes import block, cell, fence, indented

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from .scope import Scope

_HEADING = re.compile(r"h[1-6]")
_LANGUAGE = re.compile(r"lang(?:uage)?-([\w+#.-]+)")
#: Elements of which only the content is kept.
_UNWRAPPED = frozenset({"div", "center", "section", "article", "main", "span", "p", "tbody", "thead", "summary"})
_BLOCKS = _UNWRAPPED - {"span"} | {"figure", "table", "pre", "ul", "ol", "blockquote", "hr", "dl"}
#: Elements of which only the text is kept within a line.
_SILENT = frozenset({"picture", "source", "figcaption", "figure", "font", "td", "th", "input"})
_MARKS = {"strong": "**", "b": "**", "em": "*", "i": "*", "del": "~~", "s": "~~"}


def write(text: str, scope: Scope, line: int) -> list[str]:
    """Return an HTML block as lines of Markdown."""
    if text.lstrip().startswith("<!--"):
        scope.note(line, Level.LEFT, "a comment of HTML", "nothing: readers never saw it", "comments")
        return []
    return _blocks(parse(text), scope, line)


def _blocks(root: Element, scope: Scope, line: int) -> list[str]:
    """Return the children of an element as blocks; text and inline elements between them are paragraphs."""
    made: list[str] = []
    run: list[Element | str] = []

    def flush() -> None:
        text = span(Element("", children=list(run)), scope, line).strip()
        run.clear()
        made.extend([*([""] if made and text else []), *(inline.paragraph(text) if text else [])])

    for child in root.children:
        if isinstance(child, str) or not (child.name in _BLOCKS or _HEADING.fullmatch(child.name)):
            run.append(child)
            continue
        flush()
        lines = _block(child, scope, line + child.line)
        if lines:
            made += ([""] if made else []) + lines
    flush()
    return made


def _block(element: Element, scope: Scope, line: int) -> list[str]:
    if _HEADING.fullmatch(element.name):
        return [f"{'#' * int(element.name[1])} {span(element, scope, line)}"]
    return _WRITERS.get(element.name, _blocks)(element, scope, line)


def _quote(element: Element, scope: Scope, line: int) -> list[str]:
    return [f"> {each}".rstrip() for each in _blocks(element, scope, line)]


def _rule(element: Element, scope: Scope, line: int) -> list[str]:  # noqa: ARG001 every writer takes all three
    return ["---"]


def figure(element: Element, scope: Scope, line: int) -> list[str]:
    """Return a figure: its pictures, and its caption as a caption."""
    scope.space.notes.found["figure"] += 1
    pictures = [child for child in element.children if isinstance(child, str) or child.name != "figcaption"]
    shown = [_span(child, scope, line).strip().removesuffix("<br>") for child in pictures]
    body = [" ".join(filter(None, shown))]
    caption = element.first("figcaption")
    text = span(caption, scope, line).strip().removesuffix("<br>") if caption is not None else ""
    if not text:
        return body if body[0] else []
    return block("figure", [*body, "", *block("figcaption", [text])])


def span(element: Element, scope: Scope, line: int) -> str:
    """Return the content of an element as one line of Markdown."""
    return re.sub(r"[ \t]*\n\s*", " ", "".join(_span(child, scope, line) for child in element.children))


def _span(child: Element | str, scope: Scope, line: int) -> str:
    if isinstance(child, str):
        return _text(child, scope, line)
    if child.name in _SPANS:
        return _SPANS[child.name](child, scope, line)
    text = span(child, scope, line)
    if child.name in inline.KEPT:
        return f"{inline.opening(child)}{text}</{child.name}>"
    if child.name in _UNWRAPPED or child.name in _SILENT:
        return text
    what = f"the element <{outside(child.name)}> is not one that a page keeps"
    scope.note(line, Level.CHECK, what, "its text stays; write Markdown for it", "HTML")
    return inline.label(child.attrs.get("src", "")) + text


def _broken(child: Element, scope: Scope, line: int) -> str:
    """Return a paragraph in a cell: its text, and a break after it."""
    return "<br>" if child.name == "br" else f"{span(child, scope, line).strip()}<br>"


def _code(child: Element, scope: Scope, line: int) -> str:
    if child.attrs.get("class") == "expr":
        return _text("{{" + child.text + "}}", scope, line)
    return f"`` {child.text} ``" if "`" in child.text else f"`{child.text}`" if child.text else ""


def _marked(child: Element, scope: Scope, line: int) -> str:
    """Return emphasis with marks; `<i>` with a class of Font Awesome is an icon."""
    icon = next((each for each in child.attrs.get("class", "").split() if each.startswith("fa-")), "")
    if icon:
        return inline.icon(icon, scope, line)
    text = span(child, scope, line)
    mark = _MARKS[child.name]
    return f"{mark}{text.strip()}{mark}" + (" " if text.endswith(" ") else "") if text.strip() else text


def _items(child: Element, scope: Scope, line: int) -> str:
    """Return a list for a cell, in which no list of Markdown can stand."""
    items = [span(item, scope, line).strip().removesuffix("<br>") for item in child]
    return "<br>".join(f"{at}\\. {text}" if child.name == "ol" else f"• {text}" for at, text in enumerate(items, 1))


def _text(text: str, scope: Scope, line: int) -> str:
    """Return text of HTML for Markdown: marks are escaped, expressions are replaced by their values."""
    pieces = re.split(r"\{\{(.*?)\}\}", text)
    made = []
    for at, piece in enumerate(pieces):
        value = scope.variable(piece) if at % 2 else None
        if at % 2 and value is None:
            what = f"the expression {outside(piece)} has no value here"
            scope.note(line, Level.WORK, what, "write what it stood for", "expressions")
        made.append(piece if value is None else value)
    return "".join(made).translate({ord(char): f"\\{char}" for char in "\\*_[]<`{|"})


def _link(element: Element, scope: Scope, line: int) -> str:
    text = span(element, scope, line).strip()
    href = element.attrs.get("href", "")
    if not text or not href:
        named = element.attrs.get("id", "")
        return f'<a id="{inline.label(named)}"></a>' if named else text
    target = scope.link(href, line)
    if target is None:
        return text
    classes = element.attrs.get("class", "").split()
    if "button" not in classes:
        return f"[{text}]({target.to})"
    scope.space.notes.found["button"] += 1
    return (
        f"[{text}]({target.to}){inline.attributes('md-button', 'md-button--primary' if 'primary' in classes else '')}"
    )


def _pre(element: Element, attrs: dict[str, str], scope: Scope) -> list[str]:
    """Return preformatted code; a line that is wholly strong is highlighted, as GitBook shows it."""
    code = element.first("code") or element
    language = _LANGUAGE.search(f"{element.attrs.get('class', '')} {code.attrs.get('class', '')}")
    text, marked = "", []
    for child in code.children:
        piece = child if isinstance(child, str) else "".join(child._texts())  # noqa: SLF001 the text with its spaces
        if not isinstance(child, str) and child.name in ("strong", "b"):
            first = text.count("\n") + 1
            marked += [str(at) for at in range(first, first + max(1, piece.rstrip("\n").count("\n") + 1))]
        text += piece
    scope.space.notes.found["code block"] += 1
    return fence(text.rstrip("\n").lstrip("\n"), language[1] if language else "", attrs, marked)


def preformatted(text: str, attrs: dict[str, str], scope: Scope) -> list[str] | None:
    """Return the code of a `<pre>` with the title of the block around it; None if it is something else."""
    element = parse(text).first("pre")
    return None if element is None else _pre(element, attrs, scope)


def _list(element: Element, scope: Scope, line: int) -> list[str]:
    made: list[str] = []
    for number, item in enumerate(element, 1):
        marker = "-   " if element.name == "ul" else f"{number}.".ljust(4)
        made += indented(_blocks(item, scope, line), marker)
    return made


def _rows(element: Element) -> Iterator[list[Element]]:
    for row in element.all("tr"):
        yield [each for each in row if each.name in ("td", "th")]


def _table(element: Element, scope: Scope, line: int) -> list[str]:
    """Return a table of data, or cards; GitBook hides columns and heads by attributes."""
    if element.attrs.get("data-view") == "cards":
        return cards(element, scope, line)
    scope.space.notes.found["table"] += 1
    rows = list(_rows(element))
    if not rows:
        return _blocks(element, scope, line)
    head = rows[0] if all(each.name == "th" for each in rows[0]) else []
    hidden = {at for at, each in enumerate(head) if "data-hidden" in each.attrs}
    kinds = [each.attrs.get("data-type", "") for each in head]
    if hidden:
        scope.note(line, Level.LEFT, f"{len(hidden)} hidden column(s) of a table", "nothing: readers never saw them",
                   "hidden columns")  # fmt: skip

    def text(each: Element, at: int) -> str:
        if at < len(kinds) and kinds[at] == "checkbox":
            return "✓" if each.text == "true" else "-"
        return cell(span(each, scope, line))

    def shown(row: list[Element]) -> list[str]:
        return [text(each, at) for at, each in enumerate(row) if at not in hidden]

    titles = [cell(span(each, scope, line)) for at, each in enumerate(head) if at not in hidden]
    body = [shown(row) for row in (rows[1:] if head else rows)]
    return table(titles or [""] * max(map(len, body)), body)


def cards(element: Element, scope: Scope, line: int) -> list[str]:
    """Return a table that GitBook shows as cards: each row a card with a cover, its cells, and where it leads."""
    scope.space.notes.found["cards"] += 1
    rows = list(_rows(element))
    head = rows[0] if rows and all(each.name == "th" for each in rows[0]) else []
    made: list[str] = []
    for row in rows[1:] if head else rows:
        cover, target, body = "", None, []
        for at, each in enumerate(row):
            attrs = head[at].attrs if at < len(head) else {}
            href = next((a.attrs.get("href", "") for a in each.all("a")), "")
            source = href or next((img.attrs.get("src", "") for img in each.all("img")), "")
            if "data-card-target" in attrs:
                target = scope.link(href, line) if href else None
            elif "data-card-cover" in attrs:
                cover = inline.image(Element("img", {"src": source}), scope, line) if source else ""
            elif "data-hidden" in attrs or any(key.startswith("data-card-cover") for key in attrs):
                continue
            elif text := span(each, scope, line).strip().removesuffix("<br>"):
                body.append(text)
        if target is not None and body and "](" not in body[0]:
            body[0] = f"[{body[0]}]({target.to})"
        elif target is not None:
            body.append(f"[{inline.label(target.title)}]({target.to})")
        parts = [part for text in filter(None, (cover, *body)) for part in ("", text)][1:]
        made += [*indented(parts, "-   "), ""] if parts else []
    return block("div.grid.cards", made[:-1]) if made else []


_WRITERS: Mapping[str, Callable[[Element, Scope, int], list[str]]] = {
    "figure": figure,
    "table": _table,
    "pre": lambda element, scope, _: _pre(element, {}, scope),
    "ul": _list,
    "ol": _list,
    "blockquote": _quote,
    "hr": _rule,
}
_SPANS: Mapping[str, Callable[[Element, Scope, int], str]] = {
    "img": inline.image,
    "picture": lambda child, scope, line: inline.picture(child, scope, line) or span(child, scope, line),
    "br": _broken,
    "p": _broken,
    "div": _broken,
    "li": _broken,
    "code": _code,
    "a": _link,
    "ul": _items,
    "ol": _items,
    **dict.fromkeys(_MARKS, _marked),
}
