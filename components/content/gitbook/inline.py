"""The text of a line: links, images and vendor's marks are rewritten, every other character stays."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ...text.escape import outside, shown
from ..notes import Level
from .grammar import EXPRESSION, MATH, TAG
from .html import Element, parse
from .icons import ICONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from markdown_it.token import Token

    from .scope import Scope

    Edit = tuple[int, int, str]

#: Elements that a page may keep as HTML, and the attributes that they keep.
KEPT = frozenset(
    (
        "abbr",
        "b",
        "br",
        "cite",
        "code",
        "del",
        "dfn",
        "em",
        "i",
        "ins",
        "kbd",
        "mark",
        "q",
        "s",
        "samp",
        "small",
        "span",
        "strong",
        "sub",
        "sup",
        "u",
        "var",
        "wbr",
    )
)
_KEPT_ATTRS = frozenset({"class", "title", "style", "id"})
#: A style that a page may keep: colours, and nothing that could load or move something.
_STYLE = re.compile(r"(?:\s*(?:background-)?color\s*:[\w#(),.%\s-]+(?:;|$))+\s*")
#: Elements that only contain others.
_WRAPPERS = frozenset({"p", "div", "figure", "center", "picture", "font", "a", "source"})
#: The density or width after an address in a `srcset`; GitBook writes one address, with its spaces.
_DENSITY = re.compile(r"\s+[\d.]+[wx]\s*$")
#: `{` after such a character would be read as a list of attributes.
_BRACE = re.compile(r"\\.|(?<=[^\s\w{\\])\{", re.DOTALL)
#: Beginnings of a line that are markup in Python-Markdown and text in CommonMark.
_LINE = re.compile(r"(?=#|!!! |\?\?\?|=== |===! |/{3,} |\d+[.)] )")
_NUMBER = re.compile(r"(\d+)([.)] )")


def write(text: str, tokens: Sequence[Token], scope: Scope, line: int) -> str:
    """Return the source of one or more lines, rewritten. `line` is where it begins in its file."""
    made: list[str] = []
    at = 0
    for start, end, new in sorted(_edits(text, tokens, scope, line), key=lambda edit: edit[:2]):
        if start < at:
            continue
        made += [_plain(text, at, start), new]
        at = end
    return "".join((*made, _plain(text, at, len(text))))


def paragraph(text: str) -> list[str]:
    """Return the lines of a paragraph, changed so that none of them begins another block in Python-Markdown."""
    lines = [line.lstrip() for line in text.split("\n")]
    return [_escape_start(line) if line else line for line in lines]


def _escape_start(line: str) -> str:
    if not _LINE.match(line):
        return line
    number = _NUMBER.match(line)
    return f"{number[1]}\\{number[2]}{line[number.end() :]}" if number else f"\\{line}"


def plain(tokens: Sequence[Token]) -> str:
    """Return the visible text of a line, without marks, for titles and anchors."""
    made = []
    for token in tokens:
        if token.type in ("text", "code_inline", "text_special"):
            made.append(token.content)
        elif token.type in ("softbreak", "hardbreak"):
            made.append(" ")
        elif token.type == "image":
            made.append(plain(token.children or []))
    return " ".join("".join(made).split())


def anchor(tokens: Sequence[Token]) -> str:
    """Return the anchor that an author or GitBook gave a heading, `<a href="#x" id="x"></a>`; "" if none."""
    for token in tokens:
        if token.type == "html_inline" and token.content.startswith("<a"):
            element = parse(token.content).first("a")
            if element is not None and (named := element.attrs.get("id") or element.attrs.get("name")):
                return named
    return ""


def label(text: str) -> str:
    """Return text for the label of a link or a title."""
    return " ".join(text.split()).translate({ord(char): f"\\{char}" for char in "\\[]*_`<>{}"})


def attributes(*classes: str, **values: str) -> str:
    """Return an attribute list of Python-Markdown; values that cannot stand in one are left out."""
    inner = [f".{name}" for name in classes if name]
    inner += [f'{key}="{value}"' for key, value in values.items() if value and re.fullmatch(r"[\w.%-]+", value)]
    return f"{{ {' '.join(inner)} }}" if inner else ""


def _plain(text: str, start: int, end: int) -> str:
    """Return a piece of a line unchanged, except for a brace that would be read as a list of attributes."""
    made, at = [], start
    for found in _BRACE.finditer(text, start, end):
        made += [text[at : found.start()], found[0] if found[0].startswith("\\") else "\\{"]
        at = found.end()
    return "".join((*made, text[at:end]))


def _edits(text: str, tokens: Sequence[Token], scope: Scope, line: int) -> Iterator[Edit]:
    """Yield the changes; the caller ignores one that begins inside an earlier one."""
    skip = 0
    for at, token in enumerate(tokens):
        start, end = token.meta.get("span", (0, 0))
        if end == 0 or start < skip:
            continue
        here = line + text.count("\n", 0, start)
        if token.type in _TEXTS:
            yield start, end, _TEXTS[token.type](token, text[start:end], scope, here)
            continue
        for edit in (_link if token.type == "link_open" else _html)(text, tokens[at:], scope, here):
            skip = max(skip, edit[1] if edit[0] == start and token.type != "link_open" else 0)
            yield edit


def _tag(token: Token, raw: str, scope: Scope, line: int) -> str:  # noqa: ARG001 every writer takes all four
    scope.note(
        line, Level.WORK, f"{outside(raw)} stands inside a line", "write what it stood for", "blocks inside a line"
    )
    return label(raw)


def _link(text: str, rest: Sequence[Token], scope: Scope, line: int) -> Iterator[Edit]:
    token = rest[0]
    start, end = token.meta["span"]
    href = str(token.attrs["href"])
    if "label" not in token.meta:  # an address in angle brackets
        yield start, end, text[start:end]
        return
    first, last = token.meta["label"]
    target = scope.link(href, line)
    if token.attrs.get("title") == "mention":
        scope.space.notes.found["mention"] += 1
        inside = rest[: next((at for at, each in enumerate(rest) if each.type == "link_close"), len(rest))]
        name = target.title if target is not None and not target.external else plain(inside)
        yield start, end, label(name) if target is None else f"[{label(name)}]({target.to})"
    elif target is None:
        yield from ((start, first, ""), (last, end, ""))
    else:
        title = str(token.attrs.get("title", "")).replace('"', "&quot;")
        yield last, end, f"]({target.to}" + (f' "{title}")' if title else ")")


def _image(src: str, alt: str, scope: Scope, line: int, **values: str) -> str:
    """Return an image; a missing one is noted, and its text stays."""
    target = scope.link(src, line)
    text = label(alt)
    if target is None:
        return text or "(a picture that is not there)"
    if target.external:
        scope.note(line, Level.CHECK, f"the picture {shown(src)} is on another host", "copy it into docs/assets/",
                   "pictures on other hosts")  # fmt: skip
    kind = values.pop("kind", "")
    return f"![{text}]({target.to}{values.pop('scheme', '')})" + attributes(kind, **values)


def image(element: Element, scope: Scope, line: int, scheme: str = "") -> str:
    """Return an `<img>` as Markdown, with its width and GitBook's data about its size."""
    attrs = element.attrs
    kind = "inline" if attrs.get("data-size") == "line" else ""
    return _image(attrs.get("src", ""), attrs.get("alt", ""), scope, line, kind=kind, scheme=scheme,
                  width=attrs.get("width", ""), height=attrs.get("height", ""))  # fmt: skip


def picture(element: Element, scope: Scope, line: int) -> str:
    """Return a `<picture>`: one image for the light scheme and one for the dark, as Material shows them."""
    light = element.first("img")
    if light is None:
        return ""
    dark = next(
        (each.attrs.get("srcset", "") for each in element.all("source") if "dark" in each.attrs.get("media", "")), ""
    )
    if not dark:
        return image(light, scope, line)
    other = Element("img", {**light.attrs, "src": _DENSITY.sub("", dark)})
    return image(light, scope, line, "#only-light") + image(other, scope, line, "#only-dark")


def icon(name: str, scope: Scope, line: int) -> str:
    """Return an icon of Font Awesome as Material has it; one that Material lacks is left out."""
    name = name.removeprefix("fa-")
    if name not in ICONS:
        scope.note(line, Level.LEFT, f"the icon {shown(name)}", "choose one of Material's", "icons")
        return ""
    return f":fontawesome-{ICONS[name]}-{name}:"


def _expression(content: str, raw: str, scope: Scope, line: int) -> str:
    value = scope.variable(content)
    scope.space.notes.found["variable"] += 1
    if value is not None:
        return label(value)
    scope.note(line, Level.WORK, f"the expression {outside(raw)} has no value here", "write what it stood for",
               "expressions")  # fmt: skip
    return label(raw)


def _until(tokens: Sequence[Token], name: str) -> int:
    """Return the index of the end tag of an element; 0 if it has none on this line."""
    depth = 0
    for at, token in enumerate(tokens):
        if token.type == "html_inline":
            depth += bool(re.match(rf"<{name}\b", token.content)) - token.content.startswith(f"</{name}")
            if depth == 0 and at:
                return at
    return 0


def _html(text: str, tokens: Sequence[Token], scope: Scope, line: int) -> Iterator[Edit]:
    """Rewrite one HTML tag, or an element that GitBook gave a meaning."""
    token = tokens[0]
    start, end = token.meta["span"]
    if token.content.startswith("<!--"):
        yield start, end, ""
        return
    closing = token.content.startswith("</")
    element = next(iter(parse(token.content.replace("</", "<", 1))), Element(""))
    last = 0 if closing else _until(tokens, element.name)
    stop = tokens[last].meta["span"][1] if last else end
    inner = text[end : tokens[last].meta["span"][0]] if last else ""
    if element.name == "a" and last:
        yield from _anchor(element, (start, end), tokens[last].meta["span"], inner, scope, line)
        return
    known = _meaning(element, text[start:stop], inner, scope, line) if not closing else None
    if known is not None:
        yield start, stop, known
    elif element.name == "figcaption":
        yield start, end, "" if closing else "<br>"
    elif element.name in KEPT:
        yield start, end, f"</{element.name}>" if closing else opening(element)
    elif element.name in _WRAPPERS:
        yield start, end, ""
    else:
        yield start, end, token.content.replace("&", "&amp;").replace("<", "&lt;")
        if not closing:
            scope.note(line, Level.CHECK, f"{outside(token.content)} is not an element that a page keeps",
                       "it is shown as text; write Markdown for it", "HTML")  # fmt: skip


def _meaning(element: Element, source: str, inner: str, scope: Scope, line: int) -> str | None:
    """Return the replacement of an element that stands for a picture, an icon or a value; None for any other."""
    if element.name == "img":
        return image(element, scope, line)
    if element.name == "picture" and inner:
        return picture(parse(source), scope, line)
    classes = element.attrs.get("class", "").split()
    name = next((each for each in classes if each.startswith("fa-")), "")
    if element.name == "i" and name:
        return icon(name, scope, line)
    if element.name == "code" and classes == ["expr"] and inner:
        return _expression(parse(inner).text, inner, scope, line)
    return None


def _anchor(
    element: Element, opens: tuple[int, int], closes: tuple[int, int], inner: str, scope: Scope, line: int
) -> Iterator[Edit]:
    """Rewrite a link of HTML: a button, a link, or the anchor of a heading."""
    href = element.attrs.get("href", "")
    if not inner.strip() or not href:
        named = element.attrs.get("id") or element.attrs.get("name") or ""
        keep = named and named not in scope.page.anchors_of_headings
        yield opens[0], opens[1], f'<a id="{label(named)}"></a>' if keep else ""
        yield *closes, ""
        return
    target = scope.link(href, line)
    classes = element.attrs.get("class", "").split()
    look = ""
    if "button" in classes:
        scope.space.notes.found["button"] += 1
        look = attributes("md-button", "md-button--primary" if "primary" in classes else "")
    yield *opens, "[" if target else ""
    yield *closes, f"]({target.to}){look}" if target else ""


def opening(element: Element) -> str:
    """Return the opening tag of an element that a page keeps, without forbidden attributes."""
    attrs = {key: value for key, value in element.attrs.items() if key in _KEPT_ATTRS}
    if not _STYLE.fullmatch(attrs.get("style", "color:red")):
        del attrs["style"]
    made = "".join(f' {key}="{value.replace("&", "&amp;").replace(chr(34), "&quot;")}"' for key, value in attrs.items())
    return f"<{element.name}{made}>"


_TEXTS: Mapping[str, Callable[[Token, str, Scope, int], str]] = {
    "code_inline": lambda _token, raw, _scope, _line: raw,
    "image": lambda token, _raw, scope, line: _image(str(token.attrs["src"]), token.content, scope, line),
    MATH: lambda token, _raw, _scope, _line: f"\\({token.content}\\)",
    EXPRESSION: lambda token, raw, scope, line: _expression(token.content, raw, scope, line),
    TAG: _tag,
}
