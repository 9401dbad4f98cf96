"""Room on the disks that an update writes to: looked at before it begins, and held back for its state meanwhile.

A write that finds no room cuts a state in a folder off: the engine puts in place what was written so far (gocloud.dev
`blob/fileblob`, Close after a failed Write). It has the whole state in memory and writes it again for half a minute
(`saveCheckpoint` of v3.259.0, `pkg/backend/diy/state.go`), so room that is given back in time loses nothing.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ConfigError, Fault
from ..limits import RESERVE_BYTES, ROOM_BYTES
from ..needs import Check, not_ready, ready
from ..stores import checkpoint
from . import project

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..needs import Finding

#: How often room is looked for, in seconds.
_EVERY_S = 0.1


def state_folder(folder: Path) -> Path | None:
    """Return the folder in which Pulumi keeps the state of the project in `folder`; None where it is in no folder."""
    place = checkpoint.folder(project.backend(project.settings(folder)) or _logged_in())
    return None if place is None else folder / place


def _logged_in() -> str:
    """Return the backend that `pulumi login` chose (sdk v3 `go/common/workspace/creds.go`), empty for none."""
    home = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
    try:
        return str(json.loads((home / "credentials.json").read_bytes())["current"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def checks(folder: Path) -> Iterator[Check]:
    """Return the look at the disks of a project."""
    yield Check("room", functools.partial(look, folder))


def look(folder: Path) -> Iterator[Finding]:
    """Look for room where an update writes its state and temporary files."""
    wanted = {Path(tempfile.gettempdir()): ("temporary files", ", or set TMPDIR to a folder with room")}
    if (state := state_folder(folder)) is not None:
        wanted[state] = ("the state, which the engine cuts off where there is none", "")
    for place, (what, otherwise) in wanted.items():
        free = _free(place)
        shown = f"{place} has {free >> 20} MiB of room"
        if free < ROOM_BYTES:
            yield not_ready(
                f"{shown}, and an update wants {ROOM_BYTES >> 20} MiB for {what}", f"make room on that disk{otherwise}"
            )
        else:
            yield ready(shown)


def demand(folder: Path) -> None:
    """Raise ConfigError where an update would find no room."""
    faults = [Fault("", f"{each.sentence}; {each.mend}") for each in look(folder) if each.mend]
    if faults:
        raise ConfigError("the update does not begin on a full disk", faults)


def hold(state: Path, report: Callable[[str], None]) -> threading.Thread:
    """Hold RESERVE_BYTES on the disk of a state until there is no other room, or this process ends; return the watch.

    The file has no name, so nothing is left of it, however the process ends. Raises OSError where it cannot be made.
    """
    file = tempfile.TemporaryFile(dir=state)  # noqa: SIM115 the watch closes it
    try:
        file.write(os.urandom(RESERVE_BYTES))  # zeros need no room on a disk that compresses
        file.flush()
    except OSError:
        file.close()
        raise

    def watch() -> None:
        with file:
            while _free(state) >= RESERVE_BYTES // 8:
                time.sleep(_EVERY_S)
        report(
            f"{state}: no space left on this disk but {RESERVE_BYTES >> 20} MiB that were held back for the state; "
            "make room on it now: the update goes on, and a full disk cuts the state off"
        )

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    return thread


def hold_for(folder: Path, report: Callable[[str], None]) -> None:
    """Hold room for the state of the project in `folder`, if it is in a folder that can be written."""
    if (state := state_folder(folder)) is not None:
        with contextlib.suppress(OSError):
            hold(state, report)


def _free(place: Path) -> int:
    found = os.statvfs(place)
    return found.f_bavail * found.f_frsize
