"""The chapters of the demo, in the order of `make demo-all`; docs/sandbox.md describes how to add one."""

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
#: The chapters of `make demo`.
MAIN: tuple[Chapter, ...] = docs.CHAPTERS
