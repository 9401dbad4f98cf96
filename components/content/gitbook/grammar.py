"""GitBook's Markdown as a grammar of markdown-it: CommonMark, tables, `{% blocks %}`, `$$ TeX $$`, `{{ expressions }}`.

Inline tokens carry the span of source they were read from (`meta["span"]`), so that a writer can change links and leave
every other character unchanged. Syntax: GitBook's documentation, "Blocks" and "Markdown"; repositories that GitBook
itself has written.
"""

from __future__ import annotations

import html
import re
from functools import cache
from typing import TYPE_CHECKING, Any

from markdown_it import MarkdownIt
from markdown_it.rules_inline import autolink, backtick, html_inline, image, link
from mdit_py_plugins.footnote import footnote_plugin

if TYPE_CHECKING:
    from collections.abc import Callable

    from markdown_it.ruler import RuleOptionsType
    from markdown_it.rules_block import StateBlock
    from markdown_it.rules_inline import StateInline

    Rule = Callable[[StateInline, bool], bool]

#: Types of the tokens that this grammar adds.
TAG, EXPRESSION, MATH = "gitbook_tag", "gitbook_expression", "gitbook_math"
#: A name in `{% name key="value" %}`; integrations begin with @.
_NAME = re.compile(r"\s*(@?[\w/.-]+)\s*")
_KEY = re.compile(r"\s*([\w-]+)\s*=\s*")
_BARE = re.compile(r"[^\s\"']+")
#: What follows the quote that ends a value: the next key, or the end. Any other quote belongs to the value.
_AFTER_VALUE = re.compile(r"\s*(?:\Z|[\w-]+\s*=)")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")


def attributes(text: str) -> tuple[dict[str, str], str]:
    """Read `key="value"` pairs; return them and the rest when no further pair begins."""
    found: dict[str, str] = {}
    at = 0
    while key := _KEY.match(text, at):
        value, at = _value(text, key.end())
        found[key[1]] = html.unescape(_ESCAPED.sub(r"\1", value))
    return found, text[at:].strip()


def _value(text: str, at: int) -> tuple[str, int]:
    """Read one value, quoted or bare; GitBook does not escape quotes inside the code of diagrams."""
    quote = text[at : at + 1]
    if quote not in ('"', "'"):
        bare = _BARE.match(text, at)
        return (bare[0], bare.end()) if bare else ("", at + 1)
    end = at + 1
    while (end := text.find(quote, end)) >= 0:
        if _AFTER_VALUE.match(text, end + 1):
            return text[at + 1 : end], end + 1
        end += 1
    return text[at + 1 :], len(text)


def tag(inner: str) -> dict[str, Any] | None:
    """Read the text between `{%` and `%}`: name, whether it closes, attributes, and the rest."""
    name = _NAME.match(inner)
    if name is None:
        return None
    closes = name[1].startswith("end") and len(name[1]) > len("end")
    found, rest = attributes(inner[name.end() :])
    return {"name": name[1].removeprefix("end") if closes else name[1], "closes": closes, "attrs": found, "rest": rest}


def _tag_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001 markdown-it calls it
    """Read a `{% tag %}` that stands alone on its line or lines."""
    begin = state.bMarks[start] + state.tShift[start]
    if state.is_code_block(start) or not state.src.startswith("{%", begin):
        return False
    stop = state.src.find("%}", begin)
    if stop < 0 or stop >= state.eMarks[end - 1]:
        return False
    last = next(line for line in range(start, end) if state.eMarks[line] >= stop)
    read = tag(state.src[begin + 2 : stop])
    if read is None or state.src[stop + 2 : state.eMarks[last]].strip():
        return False
    if not silent:
        token = state.push(TAG, "", 0)
        token.map = [start, last + 1]
        token.meta = {**read, "raw": state.src[begin : stop + 2]}
        state.line = last + 1
    return True


def _math_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001 markdown-it calls it
    """Read a formula between `$$` and `$$`, on lines of its own."""
    begin = state.bMarks[start] + state.tShift[start]
    if state.is_code_block(start) or not state.src.startswith("$$", begin):
        return False
    stop = state.src.find("$$", begin + 2)
    if stop < 0 or stop >= state.eMarks[end - 1]:
        return False
    last = next(line for line in range(start, end) if state.eMarks[line] >= stop)
    if state.src[stop + 2 : state.eMarks[last]].strip():
        return False
    if not silent:
        token = state.push(MATH, "", 0)
        token.map = [start, last + 1]
        token.content = state.src[begin + 2 : stop].strip()
        state.line = last + 1
    return True


def _between(opening: str, closing: str, kind: str) -> Rule:
    """Return an inline rule for text between two marks."""

    def rule(state: StateInline, silent: bool) -> bool:  # noqa: FBT001 markdown-it calls it
        if not state.src.startswith(opening, state.pos):
            return False
        stop = state.src.find(closing, state.pos + len(opening), state.posMax)
        inner = state.src[state.pos + len(opening) : stop]
        if stop < 0 or not inner.strip() or (kind == TAG and tag(inner) is None):
            return False
        if not silent:
            token = state.push(kind, "", 0)
            token.content = inner.strip()
            token.meta = {"span": (state.pos, stop + len(closing))} | ((tag(inner) or {}) if kind == TAG else {})
            token.meta["raw"] = state.src[state.pos : stop + len(closing)]
        state.pos = stop + len(closing)
        return True

    return rule


def _spanned(rule: Rule, kinds: tuple[str, ...], label: int | None = None) -> Rule:
    """Let a rule of markdown-it record where in the source its first token was read.

    With `label`, the offset of the label's `[`, `meta["label"]` is where the label begins and ends.
    """

    def wrapped(state: StateInline, silent: bool) -> bool:  # noqa: FBT001 markdown-it calls it
        start, count = state.pos, len(state.tokens)
        if not rule(state, silent):
            return False
        if not silent:
            token = next((token for token in state.tokens[count:] if token.type in kinds), None)
            if token is not None:
                token.meta["span"] = (start, state.pos)
                if label is not None:
                    at = start + label
                    token.meta["label"] = (at + 1, state.md.helpers.parseLinkLabel(state, at, label == 0))
        return True

    return wrapped


@cache
def grammar() -> MarkdownIt:
    """Return the parser; it keeps no state between two texts."""
    md = MarkdownIt("commonmark", {"html": True, "maxNesting": 100}).enable(["table", "strikethrough"])
    md.use(footnote_plugin, inline=False, move_to_end=False, always_match_refs=True)
    ends: RuleOptionsType = {"alt": ["paragraph", "reference", "blockquote", "list", "table"]}
    md.block.ruler.before("table", TAG, _tag_block, ends)
    md.block.ruler.before("table", MATH, _math_block, ends)
    md.inline.ruler.at("link", _spanned(link, ("link_open",), 0))
    md.inline.ruler.at("image", _spanned(image, ("image",), 1))
    md.inline.ruler.at("autolink", _spanned(autolink, ("link_open",)))
    md.inline.ruler.at("html_inline", _spanned(html_inline, ("html_inline",)))
    md.inline.ruler.at("backticks", _spanned(backtick, ("code_inline",)))
    for opening, closing, kind in (("{%", "%}", TAG), ("{{", "}}", EXPRESSION), ("$$", "$$", MATH)):
        md.inline.ruler.before("escape", kind, _between(opening, closing, kind))
    # A destination is a path in a repository here; the writer decides whether it is safe after resolving it.
    md.validateLink = lambda url: True  # type: ignore[method-assign]  # noqa: ARG005 the parameter has the library's name
    md.normalizeLink = lambda url: url  # type: ignore[method-assign]
    return md
