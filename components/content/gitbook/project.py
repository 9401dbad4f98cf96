"""The files of a MkDocs Material project: pages with front matter, navigation, settings, old addresses, media."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from ...files import write as write_file
from ...kinds.static import rules
from ...text.escape import shown
from ..notes import Level
from . import inline
from .icons import ICONS
from .scope import Scope
from .space import address_of, settings_of
from .write import blocks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .space import Page, Space
    from .summary import Entry

_FILES = Path(__file__).parent / "project_files"
#: Settings of GitBook's front matter that have a meaning here, or that a reader would not miss.
_KNOWN = frozenset(
    {"title", "description", "icon", "hidden", "vars", "layout", "cover", "coverY", "coverHeight", "tags"}
)
#: A file of more bytes than this is noted, because a reader waits for it.
LARGE = 10_000_000


def page_text(space: Space, page: Page) -> str:
    """Return a page of `docs/`: front matter, title, description, and what the page holds."""
    scope = Scope(space, page, page.source)
    lines = blocks(page.nodes, scope)
    start = next((at for at, node in enumerate(page.nodes) if node.kind == "heading" and node.level == 1), None)
    if start is None:
        lines = [f"# {inline.label(page.title)}", "", *lines]
    lead = _lead(page, scope)
    if lead:
        at = next((at for at, line in enumerate(lines) if line.startswith("# ")), -1) + 1
        lines = [*lines[:at], "", *lead, *lines[at:]]
    settings = _settings(page, scope)
    head = (
        f"---\n{yaml.safe_dump(settings, allow_unicode=True, sort_keys=False, width=10_000)}---\n\n" if settings else ""
    )
    return head + "\n".join(lines).strip("\n") + "\n"


def _lead(page: Page, scope: Scope) -> list[str]:
    """Return what GitBook shows below the title: the cover and the description."""
    made: list[str] = []
    cover = page.meta.get("cover")
    if isinstance(cover, str) and cover:
        target = scope.link(cover, 1)
        made += [f"![]({target.to}){inline.attributes('cover')}", ""] if target else []
    description = page.meta.get("description")
    if isinstance(description, str) and description.strip():
        made += [inline.label(description), "{ .lead }"]
    return made


def _settings(page: Page, scope: Scope) -> dict[str, Any]:
    meta = page.meta
    made: dict[str, Any] = {}
    if meta.get("title"):
        made["title"] = str(meta["title"])
    if isinstance(meta.get("description"), str) and meta["description"].strip():
        made["description"] = " ".join(meta["description"].split())
    icon = str(meta.get("icon") or "").removeprefix("fa-")
    if icon in ICONS:
        made["icon"] = f"fontawesome/{ICONS[icon]}/{icon}"
    elif icon:
        scope.note(1, Level.LEFT, f"the icon {shown(icon)}", "choose one of Material's", "icons")
    if page.hidden:
        made["search"] = {"exclude": True}
    layout = settings_of(meta, "layout")
    parts = {"tableOfContents": "navigation", "outline": "toc"}
    hide = [ours for theirs, ours in parts.items() if settings_of(layout, theirs).get("visible") is False]
    if hide:
        made["hide"] = hide
    if isinstance(meta.get("tags"), list):
        made["tags"] = [str(each) for each in meta["tags"]]
    for key in sorted(set(map(str, meta)) - _KNOWN):
        scope.note(1, Level.LEFT, f"the setting {shown(key)}", "nothing, or a setting of the theme",
                   "front matter")  # fmt: skip
    return made


def navigation(space: Space, entries: Sequence[Entry]) -> list[Any]:
    """Return MkDocs' `nav` for a table of contents; a page with pages below it becomes the first of its section."""
    made: list[Any] = []
    for entry in entries:
        below = navigation(space, entry.children)
        page = space.pages.get(entry.href)
        if page is not None and page.hidden:
            made += below
            continue
        title = entry.title or (page.title if page else "")
        where = page.target if page else entry.href
        if below:
            made.append({title or "…": [*([where] if page else [{title: where}] if where else []), *below]})
        elif where:
            made.append({title or where: where})
    return made


def settings_text(space: Space) -> str:
    """Return `mkdocs.yml`: what the space decides, then what is the same for each."""
    home = next((page for page in space.pages.values() if page.target == "README.md"), None)
    own: dict[str, Any] = {"site_name": (home.title if home else "") or space.top.name}
    if space.site_url:
        own["site_url"] = f"{space.site_url}/"
    own["nav"] = navigation(space, space.contents)
    hidden = [f"/{page.target}" for page in space.pages.values() if page.hidden]
    if hidden:
        own["not_in_nav"] = "\n".join(hidden) + "\n"
    text = yaml.safe_dump(own, allow_unicode=True, sort_keys=False, width=10_000)
    return text + (_FILES / "mkdocs.yml").read_text(encoding="utf-8")


def redirects_text(space: Space) -> str:
    """Return `_redirects` for the redirects in `.gitbook.yaml`."""
    made = []
    for old, new in space.redirects.items():
        page = space.page(new.partition("#")[0].lstrip("./"))
        if page is None:
            what = f"{shown(old)} is redirected to {shown(new)}, which is not a page"
            space.notes.add(".gitbook.yaml", 0, Level.WORK, what, "name a page, or remove it", "redirects")
            continue
        anchor = new.partition("#")[2]
        line = f"/{old.strip('/')} {address_of(page.target)}{f'#{anchor}' if anchor else ''} 301\n"
        faults = rules.redirects(line, {})[1]
        for fault in faults:
            what = f"the redirect of {shown(old)} {fault.message.partition(';')[0]}"
            space.notes.add(".gitbook.yaml", 0, Level.WORK, what, "write another rule", "redirects")
        made += [line] if not faults else []
    return "".join(made)


def write(space: Space, out: Path, report: Callable[[str], None]) -> None:
    """Write the whole project into an empty folder."""
    docs = out / "docs"
    for number, page in enumerate(space.pages.values(), 1):
        if number % 200 == 0:
            report(f"writing page {number} of {len(space.pages)}")
        path = docs / page.target
        write_file(path, page_text(space, page))
    redirects = redirects_text(space)
    if redirects:
        write_file(docs / "_redirects", redirects)
    report(f"copying {len(space.used)} files")
    for source, target in space.used.items():
        _copy(space, source, docs / target)
    write_file(out / "mkdocs.yml", settings_text(space))
    shutil.copyfile(_FILES / "extra.css", docs / "extra.css")
    shutil.copyfile(_FILES / "hooks.py.in", out / "hooks.py")
    shutil.copyfile(_FILES / "requirements.txt", out / "requirements.txt")


def _copy(space: Space, source: str, target: Path) -> None:
    """Copy a picture or a file; one that is large, or cannot be read, is noted."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with (space.root / source).open("rb") as file, target.open("wb") as copy:
            shutil.copyfileobj(file, copy, 1 << 20)
    except PermissionError as error:
        target.unlink(missing_ok=True)
        what = f"it cannot be read: {error.strerror}"
        space.notes.add(source, 0, Level.WORK, what, "carry it by hand", "files that cannot be read")
        return
    size = target.stat().st_size
    if size > LARGE:
        what, todo = f"it has {size / 1e6:.0f} MB", "make it smaller, or link to it"
        space.notes.add(source, 0, Level.CHECK, what, todo, "large files")
