"""The progress of a chapter, kept on disk, because a flip changes the plan that its own chapter was written from."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from .. import files
from ..errors import ConfigError
from .chapter import Chapter, Check, Step

if TYPE_CHECKING:
    from pathlib import Path

#: The folder of journals in the repository's root; git ignores it.
FOLDER = ".runbook"


def name(stack: str, workload: str, chapter: str) -> str:
    """Return the file name of a chapter's journal."""
    return f"{stack}.{workload}.{chapter}.json"


def write(path: Path, chapter: Chapter) -> None:
    """Write a chapter's progress: the commands of its steps, which hold no secrets."""
    files.write(path, json.dumps(asdict(chapter), indent=1) + "\n")


def read(path: Path) -> Chapter | None:
    """Return the chapter that was interrupted, or nothing. Raises ConfigError for a file that is not ours."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        return Chapter(**{**kept, "steps": tuple(_step(step) for step in kept["steps"])})
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ConfigError(f"{path} is not a chapter's journal ({error}); remove it and start anew") from None


def _step(kept: dict[str, Any]) -> Step:
    return Step(**{**kept, "do": _check(kept["do"]), "verify": _check(kept["verify"])})


def _check(kept: dict[str, Any]) -> Check:
    return Check(**{**kept, "shows": tuple(kept["shows"])})
