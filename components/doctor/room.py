"""Free space on the disks that an update writes to: check it before, and reserve some for the state meanwhile.

A full disk truncates a state in a folder: the engine renames the part that was written (gocloud.dev `blob/fileblob`,
Close after a failed Write). It keeps the whole state in memory and writes it again for half a minute (`saveCheckpoint`
of v3.259.0, `pkg/backend/diy/state.go`), so nothing is lost if space is released in time.
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

#: Seconds between two checks of the free space.
_EVERY_S = 0.1


def state_folder(folder: Path) -> Path | None:
    """Return the folder in which Pulumi keeps the state of the project in `folder`; None if it is not in a folder."""
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
    """Yield the check of a project's disks."""
    yield Check("room", functools.partial(look, folder))


def look(folder: Path) -> Iterator[Finding]:
    """Check the free space where an update writes its state and temporary files."""
    wanted = {Path(tempfile.gettempdir()): ("temporary files", ", or set TMPDIR to a folder with room")}
    if (state := state_folder(folder)) is not None:
        wanted[state] = ("the state, which a full disk truncates", "")
    for place, (what, otherwise) in wanted.items():
        free = _free(place)
        shown = f"{place} has {free >> 20} MiB free"
        if free < ROOM_BYTES:
            yield not_ready(
                f"{shown}, and an update needs {ROOM_BYTES >> 20} MiB for {what}", f"make room on that disk{otherwise}"
            )
        else:
            yield ready(shown)


def demand(folder: Path) -> None:
    """Raise ConfigError if a disk has too little space for an update."""
    faults = [Fault("", f"{each.sentence}; {each.mend}") for each in look(folder) if each.mend]
    if faults:
        raise ConfigError("the update does not begin on a full disk", faults)


def hold(state: Path, report: Callable[[str], None]) -> threading.Thread:
    """Reserve RESERVE_BYTES on a state's disk until no other space is left, or this process ends; return the thread.

    The file has no name, so the system removes it however the process ends. Raises OSError if it cannot be written.
    """
    file = tempfile.TemporaryFile(dir=state)  # noqa: SIM115 the watch closes it
    try:
        file.write(os.urandom(RESERVE_BYTES))  # zeros take no space on a disk that compresses
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
    """Reserve space for the state of the project in `folder`, if the state is in a writable folder."""
    if (state := state_folder(folder)) is not None:
        with contextlib.suppress(OSError):
            hold(state, report)


def _free(place: Path) -> int:
    found = os.statvfs(place)
    return found.f_bavail * found.f_frsize
