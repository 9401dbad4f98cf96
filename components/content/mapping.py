"""Find the page of the new site for an old address: by path, by title, by content. Pure."""

from __future__ import annotations

import posixpath
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING
from urllib.parse import unquote

from .crawl import key
from .facts import Facts, alike, similarity

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from .crawl import Old

#: The share of common words from which two pages are one [estimate], and the lead that the best one needs.
ENOUGH, LEAD = 0.5, 0.1
#: How many folders deep an old site may have stood, and how many addresses must show that.
_DEEPEST, _FEWEST = 3, 3


class How(StrEnum):
    """What an old address and its page have in common."""

    PATH = "path"
    BELOW = "path below a folder"
    REDIRECT = "redirect of the old site"
    TITLE = "title"
    END = "end of the path"
    CONTENT = "content"
    NONE = "nothing"


@dataclass(frozen=True)
class Match:
    """An old address and its new one, "" for none. `lost` are anchors of headings that the new page lacks."""

    old: Old
    new: str
    how: How
    lost: tuple[str, ...] = ()
    doubt: str = ""
    near: Mapping[str, str] = field(default_factory=dict)  #: lost anchor → one of the page that differs in marks alone


def plain(path: str) -> str:
    """Return an address in the form that distinguishes pages: no slash or `.html` at its end, percent signs decoded."""
    return key(unquote(path).removesuffix(".html").removesuffix("/index"))


class Mapper:
    """The pages of the new site, in the orders in which they are searched."""

    def __init__(self, pages: Mapping[str, Facts], files: Collection[str]) -> None:
        self._pages, self._files = pages, files
        self._paths = {plain(at): at for at in pages} | {at: at for at in files}
        self._lower = {path.casefold(): at for path, at in self._paths.items()}
        self._ends: dict[str, list[str]] = defaultdict(list)
        self._titles: dict[str, list[str]] = defaultdict(list)
        for at, facts in pages.items():
            self._ends[posixpath.basename(plain(at)).casefold()].append(at)
            self._titles[_letters(facts.title)].append(at)
        for at in files:
            self._ends[posixpath.basename(at).casefold()].append(at)

    def below(self, found: Iterable[Old]) -> str:
        """Return the folder in which the old site stood, "/home", if most of its addresses are new ones below it."""
        counts: Counter[str] = Counter()
        paths = [plain(old.path) for old in found if old.page and not old.to]
        for path in paths:
            parts = path.split("/")
            for at in range(2, min(len(parts), _DEEPEST + 1) + 1):
                counts["/".join(parts[:at])] += self._at("/" + "/".join(parts[at:])) != ""
        best, count = max(counts.items(), key=lambda row: (row[1], -len(row[0])), default=("", 0))
        plainly = sum(self._at(path) != "" for path in paths)
        return best if count >= _FEWEST and count > plainly and count * 2 > len(paths) else ""

    def _at(self, path: str) -> str:
        return self._paths.get(path) or self._lower.get(path.casefold()) or ""

    def match(self, old: Old, below: str = "", *, followed: bool = False) -> Match:
        """Return the new address of an old one; `below` is the folder in which the old site stood."""
        path = plain(old.path)
        if below and (path == below or path.startswith(f"{below}/")):
            found = self._at(path.removeprefix(below) or "/")
            if found:
                return self._made(old, found, How.BELOW)
        if found := self._at(path):
            return self._made(old, found, How.PATH)
        if old.to and not followed:
            return Match(old, "", How.NONE)
        titled = self._titles.get(_letters(old.facts.title), []) if old.facts.title else []
        ends = self._ends.get(posixpath.basename(plain(old.path)).casefold(), [])
        both = [at for at in titled if at in ends]
        for candidates, how in ((both, How.TITLE), (titled, How.TITLE), (self._likely(old, ends), How.END)):
            if len(candidates) == 1:
                return self._made(old, candidates[0], how)
        close = self._closest(old, both or titled or list(self._pages), 0.0 if titled else ENOUGH)
        return self._made(old, close, How.CONTENT) if close else Match(old, "", How.NONE)

    def _likely(self, old: Old, ends: list[str]) -> list[str]:
        """Return pages whose path ends alike. Of a page that was read, they must share words or a title with it."""
        if not old.page:
            return [at for at in ends if at in self._files]
        if not old.facts.words:
            return [at for at in ends if at in self._pages]
        return [at for at in ends if at in self._pages and similarity(old.facts, self._pages[at]) >= ENOUGH / 2]

    def _closest(self, old: Old, candidates: Iterable[str], enough: float) -> str:
        """Return the page that shares most words, if its lead is clear."""
        if not old.facts.words:
            return ""
        ranked = sorted(((similarity(old.facts, self._pages[at]), at) for at in candidates), reverse=True)[:2]
        if not ranked or ranked[0][0] < enough:
            return ""
        clear = len(ranked) == 1 or ranked[0][0] - ranked[1][0] >= LEAD
        return ranked[0][1] if clear else ""

    def _made(self, old: Old, at: str, how: How) -> Match:
        facts = self._pages.get(at, Facts())
        lost = tuple(each for each in old.facts.anchors if each not in facts.anchors)
        loose = {_letters(each): each for each in facts.anchors}
        near = {each: loose[_letters(each)] for each in lost if _letters(each) in loose}
        differs = bool(old.facts.title and facts.title) and not alike(old.facts.title, facts.title)
        doubt = f"its title was {old.facts.title!r} and is {facts.title!r}" if differs else ""
        return Match(old, at, how, lost, doubt, near)


def _letters(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())


def match(found: Mapping[str, Old], pages: Mapping[str, Facts], files: Collection[str]) -> list[Match]:
    """Match every old address, sorted by path; one that the old site redirected gets its target's match."""
    mapper = Mapper(pages, files)
    below = mapper.below(found.values())
    made: list[Match] = []
    for old in sorted(found.values(), key=lambda old: old.path):
        first = mapper.match(old, below)
        if first.new or not old.to:
            made.append(first)
            continue
        end, seen = old, {key(old.path)}
        while end.to and key(end.to) in found and key(end.to) not in seen:
            seen.add(key(end.to))
            end = found[key(end.to)]
        target = mapper.match(end, below, followed=True)
        made.append(Match(old, target.new, How.REDIRECT if target.new else How.NONE))
    return made
