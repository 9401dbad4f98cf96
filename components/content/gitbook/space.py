"""A space as its repository has it: pages in the order of the table of contents, variables, files, new paths.

GitBook publishes the pages that `SUMMARY.md` names (its documentation, "Content configuration"); so does the import.
"""

from __future__ import annotations

import os
import posixpath
import re
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from ...config.yaml_text import load
from ...errors import ConfigError
from ...limits import SPACE_BYTES
from ...text.escape import outside, shown
from ..notes import Level, Notes
from . import summary
from .text import decode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .summary import Entry
    from .tree import Node

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_SKIPPED = frozenset({".git", "node_modules", ".venv", "__pycache__"})
#: Folders whose Markdown files are not pages.
_OF_TOOLS = (".gitbook/", ".github/")
_CONTENTS = "the table of contents"
#: Folder of `docs/` for pictures and files.
MEDIA = "media"


@dataclass
class Page:
    """A page: its file, its new path, and its parts."""

    source: str  #: path below the space's root
    target: str  #: path below `docs/`
    title: str  #: in the table of contents
    line: int  #: in SUMMARY.md
    meta: dict[str, Any] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)
    anchors: dict[str, str] = field(default_factory=dict)  #: anchor → heading
    anchors_of_headings: set[str] = field(default_factory=set)

    @property
    def variables(self) -> dict[str, Any]:
        """The page's own variables."""
        found = self.meta.get("vars")
        return found if isinstance(found, dict) else {}

    @property
    def hidden(self) -> bool:
        """Whether the page is kept out of the navigation."""
        return self.meta.get("hidden") is True


@dataclass
class Space:
    """A space, read. Files that pages use are collected while the pages are written."""

    top: Path
    root: Path
    site_url: str = ""
    notes: Notes = field(default_factory=Notes)
    contents: list[Entry] = field(default_factory=list)
    pages: dict[str, Page] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    summary: str = "SUMMARY.md"
    files: dict[str, str] = field(default_factory=dict)  #: lower-case path → path, of every file below root
    used: dict[str, str] = field(default_factory=dict)  #: file below root → path below docs/
    documents: dict[str, Any] = field(default_factory=dict)

    def text(self, path: str) -> str:
        """Read a text file of the space, in any encoding, with any line ends; return "" if it cannot be read."""
        try:
            size = (self.root / path).stat().st_size
            raw = (self.root / path).read_bytes() if size <= SPACE_BYTES else b""
            problem = f"it has {size / 1e6:.0f} MB of text" if size > SPACE_BYTES else ""
        except OSError as error:
            raw, problem = b"", f"it cannot be read: {error.strerror}"
        if problem:
            self.notes.add(path, 0, Level.WORK, problem, "carry it by hand", "files that cannot be read")
        text, problem = decode(raw)
        if problem:
            self.notes.add(path, 0, Level.CHECK, problem, "look for characters that are wrong", "encodings")
        return text

    def file(self, path: str) -> str | None:
        """Return a file's name as it is on disk, ignoring case."""
        return self.files.get(path.lower())

    def page(self, path: str) -> Page | None:
        """Return the page that a link names: with or without .md, or a folder for its README."""
        path = "" if path == "." else path
        for name in (path, f"{path}.md", f"{path}/README.md".lstrip("/"), f"{path}/index.md".lstrip("/")):
            file = self.file(name)
            if file is not None and file in self.pages:
                return self.pages[file]
        return None

    def asset(self, path: str) -> str | None:
        """Return the new path of a picture or file, and note that it is used; None if there is no such file."""
        file = self.file(path)
        if file is None and not self._outside(path):
            outer = posixpath.normpath(posixpath.join(self._prefix(), path))
            file = path if (self.top / outer).is_file() else None
        if file is None or file.lower().endswith(".md") or self._outside(file):
            return None
        if file not in self.used:
            self.used[file] = self._free(posixpath.basename(file))
        return self.used[file]

    def _prefix(self) -> str:
        return self.root.relative_to(self.top).as_posix()

    def _outside(self, path: str) -> bool:
        """Return whether a path leaves the repository, by its name or by a symbolic link."""
        try:
            return not (self.root / path).resolve().is_relative_to(self.top.resolve())
        except (OSError, ValueError, RuntimeError):
            return True

    def _free(self, name: str) -> str:
        plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
        stem, suffix = posixpath.splitext(_UNSAFE.sub("-", plain))
        stem = stem.strip("-.") or "file"
        taken = {each.lower() for each in self.used.values()}
        made, number = f"{MEDIA}/{stem}{suffix}", 1
        while made.lower() in taken:
            number += 1
            made = f"{MEDIA}/{stem}-{number}{suffix}"
        return made

    def why_not(self, path: str) -> str:
        """Return why a link leads nowhere."""
        if path.startswith("..") or self._outside(path):
            return "leads out of the space"
        names = (path, f"{path}.md", f"{path}/README.md")
        if any(self.file(name) for name in names):
            return f"leads to a page that {self.summary} does not name, so it is not published"
        return "leads to a file that is not there"

    def only(self, name: str) -> str:
        """Return the one file of this name; "" when there is none, or more than one."""
        found = [path for path in self.files.values() if posixpath.basename(path) == name] if name else []
        return found[0] if len(found) == 1 else ""

    def document(self, source: str) -> Any:
        """Read a specification of the repository by its path below the root; None if it is missing or is none."""
        path = self.file(source)
        if path is None:
            return None
        if path not in self.documents:
            try:
                self.documents[path] = load(self.text(path), path)
            except ConfigError as error:
                self.notes.add(path, 0, Level.WORK, outside(str(error)), "mend the specification", "OpenAPI references")
                self.documents[path] = None
        return self.documents[path]


def read(source: Path, site_url: str = "") -> Space:
    """Read the frame of a space: configuration, table of contents, and each page's new path.

    Raises ConfigError when there is no space at `source`, or its configuration cannot be read.
    """
    if not source.is_dir():
        raise ConfigError(f"{source}: not a folder; name the repository that GitBook synchronises, or its export")
    top = source.resolve()
    config = _config(top)
    root = (top / str(config.get("root") or ".")).resolve()
    if not root.is_dir() or not root.is_relative_to(top):
        raise ConfigError(f"{source}/.gitbook.yaml: root: {config.get('root')!r} is not a folder of it; name one")
    structure = settings_of(config, "structure")
    space = Space(top, root, site_url.rstrip("/"))
    for path in _files(root):
        other = space.files.setdefault(path.lower(), path)
        if other != path:
            what = f"its name differs from {outside(other)} by upper and lower case alone"
            space.notes.add(path, 0, Level.WORK, what, "rename one of the two", "two files of one name")
    space.summary = posixpath.normpath(str(structure.get("summary") or "SUMMARY.md"))
    space.redirects = {str(key): str(value) for key, value in settings_of(config, "redirects").items()}
    variables = space.file(".gitbook/vars.yaml")
    if variables:
        found = load(space.text(variables), variables)
        space.variables = found if isinstance(found, dict) else {}
    found_summary = space.file(space.summary)
    home = space.file(posixpath.normpath(str(structure.get("readme") or "README.md")))
    if found_summary:
        space.contents = summary.read(space.text(found_summary))
    else:
        space.contents = _inferred(space)
        space.notes.add(space.summary, 0, Level.CHECK, "there is no table of contents",
                        "it is made from the folders; put it in order", _CONTENTS)  # fmt: skip
    if not space.contents:
        raise ConfigError(f"{source}: {space.summary} names no page, and there is no Markdown below {root.name}/")
    _place(space, home)
    return space


def _config(top: Path) -> dict[str, Any]:
    path = next((top / name for name in (".gitbook.yaml", ".gitbook.yml") if (top / name).is_file()), None)
    if path is None:
        return {}
    found = load(decode(path.read_bytes())[0], str(path))
    if not isinstance(found, dict):
        raise ConfigError(f"{path}: it holds no settings; write `root: ./`, or remove it")
    return found


def settings_of(config: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return a section of settings; a missing one, or one that is not a section, is empty."""
    found = config.get(key)
    return found if isinstance(found, dict) else {}


def _files(root: Path) -> Iterator[str]:
    """Yield the path of every file below root, sorted, without folders of tools and links that lead outside."""
    inside = root.resolve()
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in _SKIPPED)
        at = Path(folder).relative_to(root).as_posix()
        for name in sorted(names):
            path = Path(folder, name)
            if not path.is_symlink() or (path.exists() and path.resolve().is_relative_to(inside)):
                yield name if at == "." else f"{at}/{name}"


def _inferred(space: Space) -> list[Entry]:
    """Make a table of contents from the folders, as GitBook does without one."""

    def order(path: str) -> tuple[str, bool, str]:
        folder, _, name = path.lower().rpartition("/")
        return folder, name != "readme.md", path

    pages = (path for path in space.files.values() if path.lower().endswith(".md"))
    return [summary.Entry("", path, 0) for path in sorted(pages, key=order) if not path.startswith(_OF_TOOLS)]


def _place(space: Space, home: str | None) -> None:
    """Set the path of each page of the table of contents; no two pages get one address."""
    taken: dict[str, str] = {}
    for entry in (each for top in space.contents for each in top.walk()):
        if not entry.href or "://" in entry.href:
            continue
        path = space.file(posixpath.normpath(unquote(entry.href.partition("#")[0]).lstrip("/")))
        if path is None or not path.lower().endswith(".md"):
            what = f"{shown(entry.href)} is not a page of the space"
            space.notes.add(space.summary, entry.line, Level.WORK, what, "remove the line, or add the page", _CONTENTS)
            entry.href = ""
            continue
        entry.href = path
        if path in space.pages:
            what, todo = f"{outside(path)} is named twice", "it has one address, and two places in the navigation"
            space.notes.add(space.summary, entry.line, Level.CHECK, what, todo, _CONTENTS)
            continue
        target = _free_target("README.md" if path == home else _target(path), path, taken, space.notes)
        taken[address_of(target).lower()] = path
        space.pages[path] = Page(path, target, entry.title, entry.line)


def _free_target(target: str, path: str, taken: Mapping[str, str], notes: Notes) -> str:
    """Return a path whose address no other page has, and note if it is not the one that the file's name gives."""
    address = address_of(target)
    other = taken.get(address.lower())
    if other is None:
        return target
    stem = target.removesuffix("/README.md") if target.endswith("/README.md") else target.removesuffix(".md")
    number = 2
    while address_of(f"{stem}-{number}.md").lower() in taken:
        number += 1
    made = f"{stem}-{number}.md"
    what, todo = (
        f"its address {address} is that of {outside(other)}",
        f"it is at {address_of(made)}; rename one of the two",
    )
    notes.add(path, 0, Level.CHECK, what, todo, "two pages with one address")
    return made


def _target(path: str) -> str:
    folder, name = posixpath.split(path)
    name = "README.md" if name.lower() == "readme.md" else name
    return posixpath.join(folder.lstrip("."), name)


def address_of(target: str) -> str:
    """Return the address of a page of `docs/` in MkDocs."""
    stem = target.removesuffix(".md")
    folder, name = posixpath.split(stem)
    stem = folder if name in ("README", "index") else stem
    return f"/{stem}/" if stem else "/"


def unlisted(space: Space) -> list[str]:
    """Return the repository's Markdown files that the table of contents does not name."""
    return [
        path
        for path in space.files.values()
        if path.lower().endswith(".md")
        and path not in space.pages
        and path != space.summary
        and not path.startswith(_OF_TOOLS)
    ]
