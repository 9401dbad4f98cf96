"""The edge's cache: responses by distribution and path, until they expire or are invalidated."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .distribution import invalidates

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .wire import Response

#: The most bytes of bodies that are kept; above that the least recently used are dropped.
ROOM = 16_000_000
#: A single body larger than this is not kept.
LARGEST = 2_000_000

Key = tuple[str, str]


@dataclass(frozen=True)
class Kept:
    """A response, when it was requested, and when it expires (seconds on the monotonic clock)."""

    response: Response
    asked: float
    ends: float


class Cache:
    """Keeps responses by (distribution id, path with query)."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Key, Kept] = OrderedDict()
        self._size = 0
        self._swept: dict[str, float] = {}

    def get(self, key: Key) -> Kept | None:
        """Return what is kept under a key and not too old."""
        kept = self._kept.get(key)
        if kept is None or kept.ends <= time.monotonic():
            return None
        self._kept.move_to_end(key)
        return kept

    def put(self, key: Key, response: Response, asked: float, lifetime: float) -> None:
        """Keep a response, unless the distribution was invalidated after it was asked for."""
        self._drop(key)
        if lifetime <= 0 or len(response.body) > LARGEST or self._swept.get(key[0], 0) > asked:
            return
        self._kept[key] = Kept(response, asked, asked + lifetime)
        self._size += len(response.body)
        while self._size > ROOM:
            self._drop(next(iter(self._kept)))

    def invalidate(self, distribution: str, patterns: Iterable[str]) -> None:
        """Forget what an invalidation's paths cover."""
        self._swept[distribution] = time.monotonic()
        paths = list(patterns)
        for key in list(self._kept):
            if key[0] == distribution and any(invalidates(path, key[1]) for path in paths):
                self._drop(key)

    def _drop(self, key: Key) -> None:
        if kept := self._kept.pop(key, None):
            self._size -= len(kept.response.body)
