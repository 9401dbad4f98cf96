"""`_redirects` for old addresses, the list of them for a later check, and old addresses without a counterpart."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote as percent
from urllib.parse import unquote

from ..errors import ConfigError
from ..files import write as write_file
from ..kinds.static import rules as served
from ..kinds.static.routes import OK, Routes
from ..text.escape import outside
from .mapping import How, Match

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

#: The first and last line of our part of `_redirects`; other lines stay as they are.
BEGIN, END = "# unmoor: old addresses, written by `unmoor content redirects`", "# unmoor: end"
#: Characters that a path keeps (RFC 3986), the most redirects that are followed, and lines of each list on a screen.
_PATH, _HOPS, _SHOWN = "/-._~!$&'()*+,;=:@%", 3, 10
#: Characters with another meaning in a rule, or that are never served.
_SPECIAL = re.compile(r"\*|:[A-Za-z]|//|\\|/\.\.?(?:/|$)|[\x00-\x1f\x7f]")


def routes_of(folder: Path) -> Routes:
    """Return the routes of a built site without rules of its own: what its files alone answer."""
    names = ("_redirects", "_headers")
    found = (path for path in folder.rglob("*") if path.is_file())
    files = {path.relative_to(folder).as_posix(): path.stat().st_size for path in found}
    return Routes({name: size for name, size in files.items() if name not in names})


def rules(matches: Sequence[Match], routes: Routes) -> list[str]:
    """Return a rule for each old address that the files of the new site would not answer."""
    return [
        f"{percent(each.old.path, safe=_PATH)} {percent(each.new, safe=_PATH)} 301"
        for each in matches
        if each.new and not _leads(each, routes) and not _SPECIAL.search(unquote(each.old.path))
    ]


def open_ends(matches: Sequence[Match], routes: Routes) -> list[Match]:
    """Return the old addresses that do not lead to their page: without a counterpart, or without a possible rule."""
    return [each for each in matches if not each.new or not _leads(each, routes)]


def _leads(match: Match, routes: Routes) -> bool:
    """Return whether an old address answers the same file as its new address."""
    file = _file(match.new, routes)
    return bool(file) and _file(match.old.path, routes) == file


def _file(path: str, routes: Routes) -> str:
    """Return the file that an address answers, following redirects on the site; "" for none."""
    for _ in range(_HOPS):
        answer = routes.answer(path)
        if not answer.location.startswith("/"):
            return answer.file if answer.status == OK else ""
        path = answer.location
    return ""


def merged(text: str, own: Sequence[str]) -> str:
    """Return a `_redirects` file with our part replaced, in its place or at the end."""
    lines = text.splitlines()
    if (BEGIN in lines) != (END in lines) or (BEGIN in lines and lines.index(BEGIN) > lines.index(END)):
        raise ConfigError(
            f"_redirects: the lines {BEGIN!r} and {END!r} must both stand there, in order; or remove both"
        )
    part = [BEGIN, *own, END] if own else []
    if BEGIN in lines:
        lines[lines.index(BEGIN) : lines.index(END) + 1] = part
    else:
        lines += part
    return "\n".join(lines) + "\n" if lines else ""


def write(path: Path, matches: Sequence[Match], routes: Routes) -> Routes:
    """Write the rules into a file that may hold others; return the routes with all of them.

    Raises ConfigError, before anything is written, if the file would not be served.
    """
    text = merged(path.read_text(encoding="utf-8") if path.exists() else "", rules(matches, routes))
    read, faults = served.redirects(text, routes.files)
    if faults:
        raise ConfigError(f"{path} would not be served", faults)
    write_file(path, text)
    return replace(routes, redirects=read)


def place(path: Path, lines: Sequence[str]) -> bool:
    """Add missing lines at the end of a file of rules; return whether it was written."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    known = set(text.splitlines())
    block = path.name == "_headers"  # its lines belong together
    added = list(lines) if block and not set(lines) <= known else [each for each in lines if each not in known]
    if not added:
        return False
    write_file(path, text + ("" if not text or text.endswith("\n") else "\n") + "\n".join(added) + "\n")
    return True


def addresses(base: str, matches: Sequence[Match]) -> str:
    """Return the list of old addresses as JSON, for `unmoor content check`."""
    rows = [
        {
            "path": m.old.path,
            "title": m.old.facts.title,
            "new": m.new,
            "how": m.how.name.lower(),
            "anchors": m.old.facts.anchors,
        }
        for m in matches
    ]
    return json.dumps({"format": 1, "from": base, "addresses": rows}, indent=1, ensure_ascii=False) + "\n"


def read(path: Path) -> tuple[str, list[dict[str, Any]]]:
    """Read that list: the old site, and a row for each address. Raises ConfigError for any other content."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        rows = [dict(row) for row in data["addresses"]]
        if data["format"] != 1 or not all(isinstance(row["path"], str) and row["path"].startswith("/") for row in rows):
            raise KeyError
        return str(data["from"]), rows
    except FileNotFoundError:
        raise ConfigError(
            f"{path}: there is no such list; make one with `unmoor content redirects --from URL`"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise ConfigError(
            f"{path}: not a list of old addresses; make it again with `unmoor content redirects`"
        ) from None


def screen(matches: Sequence[Match], unread: Sequence[str], routes: Routes) -> Iterator[str]:
    """Yield lines for a person: counts, addresses without a counterpart, doubts, anchors that are gone."""
    counts = Counter(each.how for each in matches)
    yield f"{len(matches)} old addresses: " + ", ".join(f"{counts[how]} by {how}" for how in How if counts[how])
    none = [
        f"{outside(each.old.path)}  {outside(each.old.facts.title)}".rstrip() for each in open_ends(matches, routes)
    ]
    yield from _list("no counterpart; write a rule for each, or let it be gone", none)
    yield from _list(
        "to look at", [f"{outside(m.old.path)} -> {m.new}: {outside(m.doubt)}" for m in matches if m.doubt]
    )
    lost = [
        f"{m.new}: #{outside(anchor)}" + (f", now #{outside(m.near[anchor])}" if anchor in m.near else "")
        for m in matches
        for anchor in m.lost
    ]
    yield from _list("anchors that the new page does not have; a browser shows its beginning", lost)
    yield from _list("not read", list(unread))


def _list(title: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield f"{title}: {len(lines)}"
        yield from (f"  {line}" for line in lines[:_SHOWN])
        if len(lines) > _SHOWN:
            yield f"  and {len(lines) - _SHOWN} more"
