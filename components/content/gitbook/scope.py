"""The context of one page while it is written: where links lead, the values of variables, and where notes go."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote as percent
from urllib.parse import unquote, urlsplit

from ...text.escape import shown
from ..notes import Level

if TYPE_CHECKING:
    from .space import Page, Space
    from .tree import Node

#: Schemes that a link may keep.
_SCHEMES = ("http", "https", "mailto", "tel", "ftp", "ipfs", "ipns")
#: The target of GitBook's own links to something that is gone.
_GONE = ("broken-reference", "broken/pages/", "broken/spaces/", "broken-page")


@dataclass(frozen=True)
class Target:
    """Where a link leads in the new project: the destination for Markdown, and a name for the reader."""

    to: str
    title: str
    page: Page | None = None
    external: bool = False


@dataclass(frozen=True)
class Scope:
    """The context of one page. `file` is where its text stands: an included file has its own."""

    space: Space
    page: Page
    file: str
    including: tuple[str, ...] = ()

    def inside(self, file: str) -> Scope:
        """Return the context of a file that this one includes."""
        return replace(self, file=file, including=(*self.including, self.file))

    def note(self, line: int, level: Level, what: str, todo: str, topic: str = "") -> None:
        """Note a place of this file."""
        self.space.notes.add(self.file, line, level, what, todo, topic)

    def variable(self, expression: str) -> str | None:
        """Return the value of an expression; None if it depends on a visitor, or is not defined."""
        scope, _, name = expression.strip().partition(".vars.")
        values = {"space": self.space.variables, "page": self.page.variables}.get(scope, {})
        value = values.get(name)
        return None if value is None else str(value)

    def specification(self, node: Node) -> Any:
        """Return the OpenAPI document of a block; None if the repository does not have it.

        A link to another host names a file of the repository if exactly one file has the same name: GitBook links to
        the place from which the vendor's copy was fetched.
        """
        links = [
            str(each.attrs["href"]) for child in node.children for each in child.tokens if each.type == "link_open"
        ]
        for source in filter(None, [node.attrs.get("src", ""), *links]):
            path = source
            if "://" in source:
                path = self.space.only(source.partition("?")[0].rpartition("/")[2])
            elif not source.startswith("/"):
                path = posixpath.join(posixpath.dirname(self.file), source)
            document = self.space.document(posixpath.normpath(path.lstrip("/"))) if path else None
            if document is not None:
                return document
        return None

    def link(self, href: str, line: int) -> Target | None:
        """Return where a link leads; None, with a note, if it leads nowhere."""
        found, reason = self.find(href)
        if found is None:
            self.note(line, Level.WORK, f"the link {shown(href)} {reason}", "name the right page, or remove the link",
                      "links that lead nowhere")  # fmt: skip
        elif found.page is not None and "#" in href:
            anchor = unquote(href.partition("#")[2])
            if anchor and anchor not in found.page.anchors:
                self.note(line, Level.CHECK, f"{shown(href)} names a heading that its page does not have",
                          "it leads to the page's beginning", "links to missing headings")  # fmt: skip
        return found

    def find(self, href: str) -> tuple[Target | None, str]:
        """Return where a link leads, or why it leads nowhere; note nothing."""
        href = href.strip()
        site = self.space.site_url
        if site and (href == site or href.startswith((f"{site}/", f"{site}#"))):
            href = href.removeprefix(site) or "/"
        try:
            parts = urlsplit(href)
        except ValueError:
            return None, "is not an address"
        if parts.scheme or href.startswith("//"):
            if parts.scheme and parts.scheme.lower() not in _SCHEMES:
                return None, "has a scheme that a page must not have"
            return Target(href.replace(" ", "%20").replace("(", "%28").replace(")", "%29"), href, external=True), ""
        path, _, anchor = href.partition("#")
        path = unquote(path.partition("?")[0])
        if not path:
            return self._on(self.page, anchor), ""
        if path.lstrip("./").startswith(_GONE):
            return None, "was broken at the vendor already"
        return self._inside(path, unquote(anchor))

    def _inside(self, path: str, anchor: str) -> tuple[Target | None, str]:
        """Return a page or a file of the space."""
        base = "" if path.startswith("/") else posixpath.dirname(self.file)
        at = posixpath.normpath(posixpath.join(base, path.lstrip("/")))
        page = self.space.page(at)
        if page is not None:
            return self._on(page, anchor), ""
        asset = self.space.asset(at)
        if asset is not None:
            return Target(self._relative(asset), posixpath.basename(at)), ""
        return None, self.space.why_not(at)

    def _on(self, page: Page, anchor: str) -> Target:
        heading = page.anchors.get(anchor)
        there = "" if page is self.page and heading is not None else self._relative(page.target)
        return Target(there + (f"#{anchor}" if heading is not None else ""), heading or page.title, page)

    def _relative(self, target: str) -> str:
        return percent(posixpath.relpath(target, posixpath.dirname(self.page.target) or "."))
