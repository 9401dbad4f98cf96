"""What a chapter of the demo is, and the stage that most of them are about."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from components.web import http as front

from ..state import REPOSITORY
from ..story import NOTHING, Stage

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..story import Story

__all__ = ["CENTRALIZED", "CHANGED", "DECENTRALIZED", "DOCS", "NOTHING", "STANDBY", "Chapter", "Stage", "committed"]

CENTRALIZED, STANDBY, DECENTRALIZED = "centralized", "active-standby", "decentralized"
#: Where a chapter ends that leaves lines in the stack file with which no other chapter begins.
CHANGED = "changed"


def committed() -> str:
    """Return the stack file of the sandbox."""
    return (REPOSITORY / "stacks" / "Pulumi.sandbox.yaml").read_text(encoding="utf-8")


#: A site that is built from this repository's manual.
DOCS = Stage("docs", "docs.dao.example", front.HEALTH_PATH, committed)


@dataclass(frozen=True)
class Chapter:
    """One thing that is shown, and can be shown alone.

    `begins` and `ends` are what stands then: NOTHING, a mode, or CHANGED for what no chapter begins with. A chapter
    that is shown alone, or after one that ends otherwise, is brought to where it begins by an update without claims.
    `figures` are the fields that it writes into `demo.json`. `needs` are programs that not every machine has: without
    them the chapter is left out, which is printed. `get` gets what it downloads, once, before the sandbox runs, whose
    internet has none of it.
    """

    name: str
    shows: str
    play: Callable[[Story], None]
    begins: str
    ends: str
    stage: Stage = DOCS
    figures: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    get: Callable[[], object] | None = None

    @property
    def missing(self) -> list[str]:
        """What it needs and this machine does not have."""
        return [name for name in self.needs if not shutil.which(name)]
