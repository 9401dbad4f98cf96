"""Remember the version of a folder, so that a plan does not read an unchanged gigabyte.

A folder is identified by the names of its files and their metadata: size, times of change and inode. A file that
changed in the last seconds may change again within one tick of the clock, so such a folder is not remembered. A release
is packed and hashed anew before it is published, which finds what the metadata missed.
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

#: Seconds for which a file must not have changed.
_QUIET_S = 2.0
#: The number of folders that are remembered, the most recently used.
_MOST = 64


def key(files: Iterable[tuple[str, str]], own: Mapping[str, bytes]) -> str | None:
    """Return the key of a folder's state: its files as (path in the site, path on disk), and the rest of its bundle.

    Return None if a file changed just now.
    """
    digest = hashlib.sha256()
    latest = 0.0
    for path, disk in files:
        found = os.stat(disk)  # noqa: PTH116 scandir gives a str; a Path would double the time for 20,000 files
        latest = max(latest, found.st_ctime, found.st_mtime)
        note = (path, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_dev)
        digest.update(repr(note).encode(errors="surrogateescape"))
    for name, data in sorted(own.items()):
        digest.update(repr((name, data)).encode())
    return digest.hexdigest() if time.time() - latest > _QUIET_S else None


class Packed(NamedTuple):
    """The result of packing: the version, the size of the bundle in bytes, and a hash without dates."""

    version: str
    size: int
    undated: str


def published(folder: Path) -> str:
    """Return what this user of this machine published last from a folder."""
    return f"published from {folder.resolve()}"


def recall(key: str) -> Packed | None:
    """Return the result of packing a state before."""
    return _read().get(key)


def keep(key: str, packed: Packed) -> None:
    """Store the result for a state. A failed write is no error: the next plan reads the folder again."""
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
