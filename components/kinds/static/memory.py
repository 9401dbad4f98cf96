"""Remember the version of a folder, so that a plan does not read a gigabyte that nothing has changed.

A folder is known by the names of its files and what the system notes of each: size, times of change and inode. A file
that changed in the last seconds may change again within one tick of the clock, so such a folder is not remembered. A
release is packed and hashed anew before it is published, which finds what these notes did not.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ... import files as files_

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: Seconds for which a file has to be left alone.
_QUIET_S = 2.0
#: Folders that are remembered; the ones asked for last.
_MOST = 64


def key(files: Iterable[tuple[str, str]], own: Mapping[str, bytes]) -> str | None:
    """Name a folder's state: its files as (path in the site, path on disk), and what else is in its bundle.

    None if a file changed just now.
    """
    digest = hashlib.sha256()
    latest = 0.0
    for path, disk in files:
        found = os.stat(disk)  # noqa: PTH116 a str from scandir; a Path would double the time of 20,000 files
        latest = max(latest, found.st_ctime, found.st_mtime)
        note = (path, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_dev)
        digest.update(repr(note).encode(errors="surrogateescape"))
    for name, data in sorted(own.items()):
        digest.update(repr((name, data)).encode())
    return digest.hexdigest() if time.time() - latest > _QUIET_S else None


class Packed(NamedTuple):
    """What a folder gave: the version, the size of its bundle in bytes, and a hash that does not know of dates."""

    version: str
    size: int
    undated: str


def published(folder: Path) -> str:
    """Name what was published last from a folder by this user of this machine."""
    return f"published from {folder.resolve()}"


def recall(key: str) -> Packed | None:
    """Return what a state gave that was packed before."""
    return _read().get(key)


def keep(key: str, packed: Packed) -> None:
    """Note what a state gave. Failing to write is no error: the next plan reads the folder again."""
    known = _read()
    known.pop(key, None)
    known[key] = packed
    text = json.dumps(dict(list(known.items())[-_MOST:]))
    with contextlib.suppress(OSError):
        files_.write(_file(), text)


def _read() -> dict[str, Packed]:
    try:
        known = json.loads(_file().read_text(encoding="utf-8"))
        return {name: Packed(str(version), int(size), str(undated)) for name, (version, size, undated) in known.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _file() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "unmoor" / "versions.json"
