"""The table of kinds; pass your own beside or instead of these."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .static.kind import DOCS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..kind import Kind

KINDS: Mapping[str, Kind] = {kind.name: kind for kind in (DOCS,)}
