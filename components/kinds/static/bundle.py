"""A folder of static content as one deterministic tar, named by the SHA-256 of its bytes.

The same files give the same bytes on every machine: names sorted, no times, no owners, mode 0644. The format is
GNU tar's and not PAX, because the tar of the Akash container (BusyBox) skips PAX headers, and with them every name
that is long or not ASCII.
"""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING, cast

from ...errors import ConfigError, Fault, StepError
from ...limits import BUNDLE_FILES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from _typeshed import WriteableBuffer

_CHUNK = 1 << 20

#: Names at the top of a site folder that are not content, and what to do instead.
_RESERVED = {
    "healthz": "is the address where a site answers its version; give the file another name",
    ".git": "is a repository, not a built site; name the folder that the site generator writes",
}


@dataclass(frozen=True)
class Entry:
    """One file of a bundle: its path with `/`, where its bytes lie in the tar, and how many (in bytes)."""

    path: str
    offset: int
    size: int


@dataclass(frozen=True)
class Bundle:
    """What is in a tar: its version (64 hex digits), its size in bytes, and its files sorted by path."""

    version: str
    size: int
    entries: tuple[Entry, ...]


class Window(io.RawIOBase):
    """A part of an open file as a file of its own, with its own position: threads can read one file at once."""

    def __init__(self, descriptor: int, offset: int, size: int) -> None:
        self._descriptor, self._offset, self._size, self._at = descriptor, offset, size, 0

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def seekable(self) -> bool:
        """Say that it can be read again, as a request that is sent again needs."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a place in bytes, and return it from the start."""
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Read what fits, and return how many bytes that was."""
        view = memoryview(buffer).cast("B")
        data = os.pread(self._descriptor, min(len(view), max(0, self._size - self._at)), self._offset + self._at)
        view[: len(data)] = data
        self._at += len(data)
        return len(data)


class _Hashed:
    """A file to write into that hashes and counts what passes, and keeps it only if there is a place for it."""

    def __init__(self, out: IO[bytes] | None) -> None:
        self._out = out
        self.digest = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        self.size += len(data)
        if self._out is not None:
            self._out.write(data)
        return len(data)

    def tell(self) -> int:
        return self.size


def key(workload: str, version: str) -> str:
    """Name the object that holds a version of a workload's content, the same in every store."""
    return f"{workload}/{version}.tar"


def version(folder: Path) -> str:
    """Return the version that packing a folder would give, and write nothing.

    Raises ConfigError with every fault of the folder.
    """
    return _pack(folder, None).version


def pack(folder: Path, out: IO[bytes]) -> Bundle:
    """Write a folder as a bundle into `out`, from its start.

    Raises ConfigError with every fault of the folder: missing, empty, no index.html, links, devices, names that cannot
    be served.
    """
    return _pack(folder, out)


def read(tar: IO[bytes]) -> Bundle:
    """Read what is in a bundle, from its start, and check that unpacking it is safe.

    Raises StepError with every fault: not a tar, or it holds links, devices, or names that lead out of the folder.
    """
    tar.seek(0)
    digest, size = hashlib.sha256(), 0
    while chunk := tar.read(_CHUNK):
        digest.update(chunk)
        size += len(chunk)
    tar.seek(0)
    entries: list[Entry] = []
    faults, seen = [], set()
    try:
        with tarfile.open(fileobj=tar, mode="r:") as archive:
            for member in archive:
                fault = _fault_in(member.name) or _fault_of(member, size)
                if fault is None and member.name in seen:
                    fault = "stands in it twice"
                if fault:
                    faults.append(Fault(ascii(member.name)[1:-1], fault))
                if len(entries) >= BUNDLE_FILES:
                    raise StepError(f"this bundle has more than {BUNDLE_FILES:,} files")
                seen.add(member.name)
                entries.append(Entry(member.name, member.offset_data, member.size))
    except (tarfile.TarError, UnicodeDecodeError, EOFError, ValueError) as error:
        raise StepError(f"this is not a bundle: {error}") from None
    folders = {str(parent) for entry in entries for parent in PurePosixPath(entry.path).parents}
    faults.extend(Fault(path, "is a file, and a folder of other files") for path in sorted(seen & folders))
    if faults or not entries:
        raise StepError("this bundle is not safe to unpack" if faults else "this bundle is empty", faults)
    return Bundle(digest.hexdigest(), size, tuple(sorted(entries, key=lambda entry: entry.path.encode())))


def unpack(tar: IO[bytes], bundle: Bundle, into: Path) -> None:
    """Write a bundle's files below `into`, an empty folder of ours that nobody else writes to."""
    for entry in bundle.entries:
        path = into / entry.path
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as out:
            tar.seek(entry.offset)
            left = entry.size
            while left:
                chunk = tar.read(min(_CHUNK, left))
                if not chunk:
                    raise StepError(f"the bundle ends in the middle of {entry.path}")
                out.write(chunk)
                left -= len(chunk)


def _pack(folder: Path, out: IO[bytes] | None) -> Bundle:
    files, faults = _walk(folder)
    if faults:
        whole = [fault.message for fault in faults if not fault.path]
        raise ConfigError(f"{folder} {whole[0]}") if whole else ConfigError(f"{folder} cannot be served", faults)
    sink = _Hashed(out)
    entries = []
    # tarfile asks its target for nothing but write() and tell().
    with tarfile.TarFile(
        fileobj=cast("IO[bytes]", sink), mode="w", format=tarfile.GNU_FORMAT, encoding="utf-8", copybufsize=_CHUNK
    ) as archive:
        for path, source in files:
            try:
                size = _add(archive, path, source)
            except OSError as error:
                raise ConfigError(f"{source} cannot be read, or changed while it was: {error}") from None
            blocks = -(-size // tarfile.BLOCKSIZE)
            entries.append(Entry(path, archive.offset - blocks * tarfile.BLOCKSIZE, size))
    return Bundle(sink.digest.hexdigest(), sink.size, tuple(entries))


def _add(archive: tarfile.TarFile, path: str, source: str) -> int:
    """Add one file to an archive and return its size."""
    with open(source, "rb") as content:  # noqa: PTH123 a str from scandir; a Path would double the time of 2,000 files
        info = tarfile.TarInfo(path)
        info.size, info.mode, info.mtime = os.fstat(content.fileno()).st_size, 0o644, 0
        archive.addfile(info, content)
    return info.size


def _walk(folder: Path) -> tuple[list[tuple[str, str]], list[Fault]]:
    """List a folder's files as (path in the bundle, path on disk), sorted, with every fault."""
    if not folder.is_dir():
        what = "is not a folder" if folder.exists() else "does not exist"
        return [], [Fault("", f"{what}; build the site first, or name the folder that the site generator writes")]
    files, faults = [], []
    for path, entry in _entries(str(folder), ""):
        fault = _fault_in(path) or _RESERVED.get(path)
        if fault is None and entry.is_symlink():
            fault = "is a link; put the file itself there"
        if fault is None and not entry.is_file() and not entry.is_dir():
            fault = "is neither a file nor a folder; remove it"
        if fault:
            faults.append(Fault(path.encode(errors="backslashreplace").decode(), fault))
        elif entry.is_file():
            files.append((path, entry.path))
    if not files and not faults:
        faults.append(Fault("", "is empty; build the site first"))
    elif not faults and not any(path == "index.html" for path, _ in files):
        faults.append(Fault("index.html", "is missing; name the folder that holds the site's first page"))
    return sorted(files, key=lambda file: file[0].encode()), faults


def _entries(folder: str, prefix: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
    with os.scandir(folder) as found:
        for entry in sorted(found, key=lambda e: e.name):
            path = f"{prefix}{entry.name}"
            yield path, entry
            if entry.is_dir(follow_symlinks=False) and path not in _RESERVED:
                yield from _entries(entry.path, f"{path}/")


def _fault_in(path: str) -> str | None:
    """Say what is wrong with a file's name in a bundle, if anything is."""
    if path.startswith("/") or any(part in {"", ".", ".."} for part in path.split("/")):
        return "leads out of the folder"
    if not path.isprintable() or "\\" in path:
        return "has a character in its name that no address can carry; rename it"
    return None


def _fault_of(member: tarfile.TarInfo, size: int) -> str | None:
    if not 0 <= member.size <= size - member.offset_data:
        return "is not whole"
    if member.type not in {tarfile.REGTYPE, tarfile.AREGTYPE} or member.issparse():
        return "is not a plain file"
    return None
