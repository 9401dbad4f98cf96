"""The chapters of the demo, in the order in which `make demo-all` shows them; docs/sandbox.md has how to add one."""

from __future__ import annotations

from . import account, docs, forum, names, redirects, service
from .chapter import Chapter

__all__ = ["CHAPTERS", "MAIN", "Chapter"]

CHAPTERS: tuple[Chapter, ...] = (
    *docs.CHAPTERS,
    docs.SWAP,
    account.CHAPTER,
    redirects.CHAPTER,
    service.CHAPTER,
    names.CHAPTER,
    forum.CHAPTER,
)
#: What `make demo` plays.
MAIN: tuple[Chapter, ...] = docs.CHAPTERS
