"""Import a space: read it, write a project, and report what is left to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import ConfigError
from ..notes import Level, Notes
from ..report import Imported
from . import pages, project, space

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def convert(source: Path, out: Path, site_url: str = "", report: Callable[[str], None] = lambda _: None) -> Imported:
    """Make a MkDocs Material project in `out`, an empty or new folder, from the repository of a space.

    `site_url` is where the site is published; links to it become links between pages. `report` gets lines of progress.
    Raises ConfigError when there is no space, or `out` is not empty: existing files are never overwritten.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ConfigError(f"{out}: it is not empty; name a new folder, since an import overwrites nothing")
    if out.resolve().is_relative_to(source.resolve()):
        raise ConfigError(f"{out}: it is inside {source}; name a folder outside of it")
    found = space.read(source, site_url)
    report(f"reading {len(found.pages)} pages")
    pages.parse(found)
    try:
        project.write(found, out, report)
    except OSError as error:
        raise ConfigError(f"{out}: cannot be written: {error.strerror}; remove it, and import again") from None
    _left(found)
    return Imported(found.notes, pages=len(found.pages), files=len(found.used), unlisted=len(space.unlisted(found)))


def _left(found: space.Space) -> None:
    """Note files that are left out because no page uses or names them."""
    notes: Notes = found.notes
    for path in space.unlisted(found):
        notes.add(path, 0, Level.LEFT, f"{found.summary} does not name it, so the vendor does not publish it",
                  "add a line there if you want it", "pages outside the table of contents")  # fmt: skip
    assets = [path for path in found.files.values() if path.startswith(".gitbook/assets/") and path not in found.used]
    for path in assets:
        notes.add(path, 0, Level.LEFT, "no page shows it", "nothing", "files that no page uses")
