"""A chapter of the demo, and the stage of most chapters."""

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
#: The end of a chapter that leaves lines in the stack file with which no other chapter begins.
CHANGED = "changed"


def committed() -> str:
    """Return the stack file of the sandbox."""
    return (REPOSITORY / "stacks" / "Pulumi.sandbox.yaml").read_text(encoding="utf-8")


#: A site that is built from this repository's manual.
DOCS = Stage("docs", "docs.dao.example", front.HEALTH_PATH, committed)


@dataclass(frozen=True)
class Chapter:
    """One part of the demo, which can also be shown alone.

    `begins` and `ends` are the state of the stack: NOTHING, a mode, or CHANGED for a state with which no chapter
    begins. If the state is another one, an update without claims makes it the state of `begins` first. `figures` are
    the fields that the chapter writes into `demo.json`. `needs` are programs that not every machine has: without them
    the chapter is left out, and that is printed. `get` downloads what the chapter needs, once, before the sandbox runs,
    because the sandbox's internet does not have it.
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
        """The programs of `needs` that this machine does not have."""
        return [name for name in self.needs if not shutil.which(name)]
