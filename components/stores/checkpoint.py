"""A stack's state in a folder, and what a killed engine may leave of it (backend `file://` of v3.259.0).

The engine's blob store writes a state to a temporary file and renames it, but writes the note about it
(`NAME.json.attrs`) in place (gocloud.dev `blob/fileblob/attrs.go`, setAttrs). A kill in between leaves an empty note;
every command then ends with `failed to load checkpoint: EOF`, although the state itself is whole. A machine that loses
its power, or a full disk (`doctor/room.py`), may leave a truncated state. Before each change the engine copies the last
state to `NAME.json.bak`, and after each update to `backups` (`pkg/backend/diy/state.go`).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from .. import files
from ..errors import StepError

if TYPE_CHECKING:
    from collections.abc import Iterator

_SCHEME = "file://"
_NOTE = ".attrs"


def folder(url: str) -> Path | None:
    """Return the folder of a backend's URL, with `~` expanded; None where the state is not in a folder."""
    if not url.startswith(_SCHEME):
        return None
    return Path(url.removeprefix(_SCHEME).partition("?")[0] or ".").expanduser()


def mend(root: Path, project: str, stack: str) -> list[str]:
    """Make the state of a stack readable again. Return what was done, one sentence each; nothing if it was whole.

    A note that is not JSON is removed, because the engine works without it. A state that is not JSON is kept as
    `.broken`, and the newest whole copy takes its place: what was made since then is found again by its name. Call it
    only while no other process works on the stack. Raises StepError where the state has no whole copy.
    """
    stacks = root / ".pulumi" / "stacks" / project
    done = []
    for note in sorted((*stacks.glob(f"{stack}.json*{_NOTE}"), root / ".pulumi" / f"meta.yaml{_NOTE}")):
        if note.exists() and not _whole(note):
            note.unlink()
            done.append(f"{note.name} was cut off and is removed; it holds nothing that the engine needs")
    state = stacks / f"{stack}.json"
    if state.exists() and not _whole(state):
        done.append(_replaced(state, _copies(root, project, stack)))
    return done


def _copies(root: Path, project: str, stack: str) -> Iterator[Path]:
    yield root / ".pulumi" / "stacks" / project / f"{stack}.json.bak"
    kept = (root / ".pulumi" / "backups" / project / stack).glob(f"{stack}.*.json")
    yield from sorted(kept, key=lambda path: path.name, reverse=True)


def _replaced(state: Path, copies: Iterator[Path]) -> str:
    copy = next((each for each in copies if _whole(each)), None)
    if copy is None:
        raise StepError(f"{state} is cut off and no copy of it is whole; restore it from a backup of your own")
    new = state.with_suffix(".json.new")
    files.write(new, copy.read_bytes())
    state.replace(state.with_suffix(".json.broken"))
    new.replace(state)
    state.with_name(state.name + _NOTE).unlink(missing_ok=True)
    return f"{state.name} was cut off; {copy.name} takes its place, and {state.stem}.json.broken keeps what there was"


def _whole(path: Path) -> bool:
    try:
        return isinstance(json.loads(path.read_bytes()), dict)
    except (OSError, ValueError):
        return False
