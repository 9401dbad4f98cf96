"""Data as text: changes are written into the text that was read, so that comments and order stay."""

from __future__ import annotations

import difflib
import io
from typing import Any

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from . import text


def written(data: dict[str, Any], source: str, *, quote: bool = False) -> str:
    """Return data as YAML, based on the text `source` if there is one.

    New values are written so that every tool reads them alike; with `quote`, old values too. A text that libyaml reads
    and the library that keeps comments does not (a tab within a word) is formatted anew.
    """
    if not source:
        return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    language = YAML()
    language.width = 4096
    language.preserve_quotes = True
    try:
        ground = language.load(source)
    except (YAMLError, ValueError):  # ruamel raises ValueError for a word that does not fit the type of its tag.
        return written(data, "")
    if _shared(ground, set()):
        return written(data, "")
    _settle(ground, data)
    if quote:
        _quote(ground)
    sequence, offset = _indents(source)
    language.indent(mapping=2, sequence=sequence, offset=offset)
    out = io.StringIO()
    language.dump(ground, out)
    return out.getvalue()


def mended(data: dict[str, Any], source: str) -> str:
    """Write data into the text that it was read from, and change only the lines whose meaning differs.

    Words that some tool reads differently are quoted. Where a line cannot be found again, the whole text is formatted
    anew.
    """
    after, before = written(data, source, quote=True), written(text.read(source), source)
    if after == before:
        return source
    made = _transplanted(source, before.splitlines(), after.splitlines())
    try:
        return made if made is not None and text.read(made) == text.read(after) else after
    except text.TextError:
        return after


def _transplanted(source: str, before: list[str], after: list[str]) -> str | None:
    """Apply the changes between two formatted texts to the original; return None where a changed line is not found.

    `before` is the same text as `source`, formatted by the library; they differ in white space alone.
    """
    lines = source.splitlines(keepends=True)
    if max(len(lines), len(after)) > _MOST_LINES:
        return None
    bare, there = ([" ".join(line.split()) for line in each] for each in (before, lines))
    place = {
        block.a + step: block.b + step
        for block in difflib.SequenceMatcher(None, bare, there, autojunk=False).get_matching_blocks()
        for step in range(block.size)
    }
    end = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
    made, done = [], 0
    for kind, first, last, new, new_last in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        anchor = first if first < last else first - 1
        if any(each not in place for each in (anchor, *range(first, last))):
            return None
        start = place[first] if first < last else place[anchor] + 1
        # Text that follows a list item is indented to its first word, not to its dash.
        column = _indent if after[new:new_last] and after[new].lstrip().startswith("- ") else _word_column
        shift = column(lines[place[anchor]]) - column(before[anchor])
        made += lines[done:start]
        if made and not made[-1].endswith("\n"):
            made[-1] += end
        made += [" " * max(0, _indent(line) + shift) + line.lstrip() + end for line in after[new:new_last]]
        done = place[last - 1] + 1 if first < last else start
    return "".join([*made, *lines[done:]])


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _word_column(line: str) -> int:
    return len(line) - len(line.lstrip(" -"))


def quoted(word: str) -> bool:
    """Return whether a word must be quoted because some tool reads it as a number, a boolean or null."""
    return text.plain(word) is not word or _OF_1_1.resolve(yaml.ScalarNode, word, (True, False)) != _STR


#: A longer text is formatted anew, because finding its lines again would take long.
_MOST_LINES = 2_000
_STR = "tag:yaml.org,2002:str"
_OF_1_1: Any = yaml.SafeLoader("")


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 the library's interface
        return True


def _represent(dumper: _Dumper, value: str) -> yaml.ScalarNode:
    style = '"' if quoted(value) else "|" if "\n" in value else None
    return dumper.represent_scalar(_STR, value, style=style)


_Dumper.add_representer(str, _represent)


def _plain(value: Any) -> Any:
    if isinstance(value, str) and quoted(value):
        return DoubleQuotedScalarString(value)
    if isinstance(value, dict):
        made = CommentedMap()
        made.update({key: _plain(item) for key, item in value.items()})
        return made
    if isinstance(value, list):
        return CommentedSeq(_plain(item) for item in value)
    return value


def _settle(ground: Any, data: Any) -> None:
    """Make ruamel's tree equal to the data, touching only what differs."""
    if isinstance(data, dict):
        _rename(ground, data)
        for key in [key for key in ground if key not in data]:
            del ground[key]
        items: Any = data.items()
    else:
        del ground[len(data) :]
        ground.extend(_plain(item) for item in data[len(ground) :])
        items = enumerate(data)
    for key, item in items:
        here = ground.get(key) if isinstance(data, dict) else ground[key]
        if (isinstance(item, dict) and isinstance(here, dict)) or (isinstance(item, list) and isinstance(here, list)):
            _settle(here, item)
        elif (
            (key not in ground and isinstance(data, dict))
            or here != item
            or isinstance(here, bool) != isinstance(item, bool)
        ):
            ground[key] = _plain(item)


def _quote(ground: Any) -> None:
    for key, item in list(ground.items() if isinstance(ground, dict) else enumerate(ground)):
        if type(item) is str and quoted(item):
            ground[key] = DoubleQuotedScalarString(item)
        elif isinstance(item, dict | list):
            _quote(item)


def _rename(ground: CommentedMap, data: dict[str, Any]) -> None:
    """Rename a key in place: a key that disappeared while another appeared keeps its value's comments."""
    gone, come = [key for key in ground if key not in data], [key for key in data if key not in ground]
    if len(gone) == len(come):
        for old, new in zip(gone, come, strict=True):
            place = list(ground).index(old)
            comment = ground.ca.items.pop(old, None)
            ground.insert(place, new, ground.pop(old))
            if comment is not None:
                ground.ca.items[new] = comment


def _shared(node: Any, seen: set[int]) -> bool:
    """Return whether a node stands in two places: an alias cannot be changed in one of them alone."""
    if not isinstance(node, dict | list):
        return False
    if id(node) in seen:
        return True
    seen.add(id(node))
    return any(_shared(item, seen) for item in (node.values() if isinstance(node, dict) else node))


def _indents(source: str) -> tuple[int, int]:
    """Return how a text indents its lists, so that untouched lines stay as they are."""
    before = 0
    for line in source.splitlines():
        bare = line.lstrip()
        if bare.startswith("- ") and not line.startswith("#"):
            offset = len(line) - len(bare) - before
            return (offset + 2, offset) if offset >= 0 else (2, 0)
        if bare and not bare.startswith("#"):
            before = len(line) - len(bare)
    return 4, 2
