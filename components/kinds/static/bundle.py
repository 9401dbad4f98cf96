"""A folder of static content as one deterministic tar, named by the SHA-256 of its bytes.

The same files and settings give the same bytes on every machine: names sorted, no owners, mode 0644. In place of a time
stands the CRC-32 of the content, from which web servers make an ETag that is a file's own. The format is GNU tar's and
not PAX, because the tar of the Akash container (BusyBox) skips PAX headers, and with them every name that is long or
not ASCII. Below `.unmoor/` are the rules of the site and the list of its immutable files.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
import zlib
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING, Self, cast

from ...errors import ConfigError, Fault, StepError
from ...limits import BUNDLE_BYTES, BUNDLE_FILES
from . import dates, front, memory, rules
from . import folder as folders
from .folder import MOST_KEY_BYTES, Options, fault_in, shown
from .routes import HASHED_FILE, OWN, RULES_FILE, Routes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from _typeshed import WriteableBuffer

_CHUNK = 1 << 20
#: Files up to this many bytes are read once and kept in memory; larger ones are read twice.
_SMALL = 8 << 20
#: Headers that tarfile reads more of the tar for. Of those, `_pack` writes that of a long name alone.
_NEVER_WRITTEN = frozenset(
    (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGLINK, tarfile.GNUTYPE_SPARSE)
)
_UNSAFE, _NOT_WHOLE = "this bundle is not safe to unpack", "is not whole"


@dataclass(frozen=True)
class Entry:
    """One file of a bundle: its path with `/`, the offset of its bytes in the tar, and their number."""

    path: str
    offset: int
    size: int


@dataclass(frozen=True)
class Bundle:
    """The content of a tar: its version (64 hex digits), its size in bytes, its files by path, and their routes."""

    version: str
    size: int
    entries: tuple[Entry, ...]
    routes: Routes = field(default_factory=lambda: Routes({}))
    #: Unmoor's own files in it, which no address leads to.
    own: tuple[Entry, ...] = ()
    #: The hash of its files without the dates in them; "" where it was not packed here.
    undated: str = field(default="", compare=False)


class Window(io.RawIOBase):
    """A part of an open file as a file of its own, with its own position, so that threads can read one file at once."""

    def __init__(self, descriptor: int, offset: int, size: int) -> None:
        self._descriptor, self._offset, self._size, self._at = descriptor, offset, size, 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True, which a retried request needs."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to an offset in bytes, and return it from the start."""
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Read as much as fits, and return the number of bytes."""
        view = memoryview(buffer).cast("B")
        data = os.pread(self._descriptor, min(len(view), max(0, self._size - self._at)), self._offset + self._at)
        view[: len(data)] = data
        self._at += len(data)
        return len(data)


class _Header(tarfile.TarInfo):
    """A header of a tar that is read, refused before tarfile follows it where `_pack` never writes such a one.

    tarfile takes a time that grows as the square of a PAX header's length.
    """

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """Read a block. Raises StepError for a header that no bundle has."""
        made = super().frombuf(buf, encoding, errors)
        long_name = made.type == tarfile.GNUTYPE_LONGNAME
        if made.type in _NEVER_WRITTEN or (long_name and made.size > MOST_KEY_BYTES + 1):
            raise StepError(f"this is not a bundle: unmoor writes no such header of type {made.type.decode()}")
        if not 0 <= made.size <= BUNDLE_BYTES:
            raise StepError(_UNSAFE, [Fault(shown(made.name), _NOT_WHOLE)])
        return made


class _Hashed:
    """A file for writing that hashes and counts its bytes, and stores them only if it was given a place."""

    def __init__(self, out: IO[bytes] | None) -> None:
        self._out = out
        self.digest, self.undated = hashlib.sha256(), hashlib.sha256()
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


def version(folder: Path, options: Options | None = None) -> str:
    """Return the version that packing a folder would give, without writing.

    Raises ConfigError with every fault of the folder.
    """
    return survey(folder, options).version


def survey(folder: Path, options: Options | None = None) -> Bundle:
    """Return what packing a folder would give, without the offsets of its files; errors as in `pack`.

    A folder that has not changed since the last call is not read again (`memory`).
    """
    site = _site(folder, options or Options())
    own = _own(site)
    key = memory.key(site.files, own)
    known = memory.recall(key) if key else None
    if known:
        return Bundle(known.version, known.size, (), site.routes, undated=known.undated)
    made = _pack(site, own, None)
    if key:
        memory.keep(key, memory.Packed(made.version, made.size, made.undated))
    return made


def pack(folder: Path, out: IO[bytes], options: Options | None = None) -> Bundle:
    """Write a folder as a bundle into `out`, from its start."""
    site = _site(folder, options or Options())
    return _pack(site, _own(site), out)


def read(tar: IO[bytes]) -> Bundle:
    """Return the content of a bundle, read from its start, and check that unpacking it is safe."""
    tar.seek(0)
    digest, size = hashlib.sha256(), 0
    while chunk := tar.read(_CHUNK):
        digest.update(chunk)
        size += len(chunk)
    tar.seek(0)
    entries: list[Entry] = []
    faults, seen = [], set()
    try:
        with tarfile.open(fileobj=tar, mode="r:", tarinfo=_Header) as archive:
            for member in archive:
                fault = fault_in(member.name) or _fault_of(member, size)
                if fault is None and member.name in seen:
                    fault = "stands in it twice"
                if fault:
                    faults.append(Fault(shown(member.name), fault))
                if len(entries) >= BUNDLE_FILES:
                    raise StepError(f"this bundle has more than {BUNDLE_FILES:,} files")
                seen.add(member.name)
                entries.append(Entry(member.name, member.offset_data, member.size))
    except (tarfile.TarError, EOFError, ValueError, OverflowError, RecursionError) as error:
        raise StepError(f"this is not a bundle: {error}") from None
    folders = {str(parent) for entry in entries for parent in PurePosixPath(entry.path).parents}
    faults.extend(Fault(path, "is a file, and a folder of other files") for path in sorted(seen & folders))
    if faults or not entries:
        raise StepError(_UNSAFE if faults else "this bundle is empty", faults)
    entries.sort(key=lambda entry: entry.path.encode())
    return _bundle(digest.hexdigest(), size, entries, _rules_in(tar, entries))


def unpack(tar: IO[bytes], bundle: Bundle, into: Path) -> None:
    """Write a bundle's files below `into`, an empty folder of ours, with the rules as the site wrote them."""
    sources = {OWN + name: name for name in (rules.REDIRECTS, rules.HEADERS)}
    for entry in (*bundle.entries, *(own for own in bundle.own if own.path in sources)):
        path = into / sources.get(entry.path, entry.path)
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


def own_files(routes: Routes) -> dict[str, bytes]:
    """Return unmoor's own files of a release, by path; each depends on the routes alone."""
    decided = json.dumps(routes.data(), sort_keys=True, separators=(",", ":"))
    for_front = front.lines(routes)
    return {
        HASHED_FILE: "".join(f"{path}\n" for path in routes.hashed()).encode(),
        RULES_FILE: f"{decided}\n".encode(),
        **({front.FILE: for_front.encode()} if for_front else {}),
    }


def _site(folder: Path, options: Options) -> folders.Site:
    site, faults = folders.read(folder, options)
    if faults or site is None:
        whole = [fault.message for fault in faults if not fault.path]
        raise ConfigError(f"{folder} {whole[0]}") if whole else ConfigError(f"{folder} cannot be served", faults)
    return site


def _own(site: folders.Site) -> dict[str, bytes]:
    """Return every file of a bundle that is not one of the site's, by path."""
    return own_files(site.routes) | {OWN + name: data for name, data in site.sources.items()}


def _pack(site: folders.Site, own: Mapping[str, bytes], out: IO[bytes] | None) -> Bundle:
    sink = _Hashed(out)
    entries = []
    # tarfile calls only write() and tell() of its target.
    with tarfile.TarFile(
        fileobj=cast("IO[bytes]", sink), mode="w", format=tarfile.GNU_FORMAT, encoding="utf-8", copybufsize=_CHUNK
    ) as archive:
        # Unmoor's own files come first, so that a container has the rules before the files.
        for path, data in sorted(own.items()):
            _member(archive, path, io.BytesIO(data), len(data), zlib.crc32(data))
            sink.undated.update(repr((path, data)).encode())
            entries.append(_entry(archive, path, len(data)))
        for path, source in site.files:
            try:
                size, undated = _add(archive, path, source)
            except OSError as error:
                raise ConfigError(f"{source} cannot be read, or changed while it was: {error}") from None
            sink.undated.update(repr((path, undated)).encode())
            entries.append(_entry(archive, path, size))
    made = _bundle(sink.digest.hexdigest(), sink.size, entries, site.routes)
    return replace(made, undated=sink.undated.hexdigest())


def _entry(archive: tarfile.TarFile, path: str, size: int) -> Entry:
    """Return the entry of the file that was added last."""
    blocks = -(-size // tarfile.BLOCKSIZE)
    return Entry(path, archive.offset - blocks * tarfile.BLOCKSIZE, size)


def _bundle(version: str, size: int, entries: list[Entry], routes: Routes) -> Bundle:
    """Return a bundle; its routes get the sizes of the packed files, which may have changed in between."""
    files = {entry.path: entry.size for entry in entries if not entry.path.startswith(OWN)}
    return Bundle(
        version,
        size,
        tuple(entry for entry in entries if entry.path in files),
        Routes(files, routes.settings, routes.redirects, routes.header_rules),
        tuple(entry for entry in entries if entry.path not in files),
    )


def _rules_in(tar: IO[bytes], entries: list[Entry]) -> Routes:
    """Read the rules in a bundle; a bundle from before there were rules has the defaults."""
    found = next((entry for entry in entries if entry.path == RULES_FILE), None)
    if found is None:
        return Routes({})
    tar.seek(found.offset)
    try:
        return Routes.read(json.loads(tar.read(found.size)), {})
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise StepError(
            f"the rules in this bundle cannot be read: {error}; publish it with the unmoor that made it"
        ) from None


def _add(archive: tarfile.TarFile, path: str, source: str) -> tuple[int, int]:
    """Add one file to an archive; return its size, and a checksum without its dates if it is small."""
    with open(source, "rb") as content:  # noqa: PTH123 scandir gives a str; a Path would double the time for 2,000 files
        size = os.fstat(content.fileno()).st_size
        if size <= _SMALL:
            data = content.read()
            _member(archive, path, io.BytesIO(data), size, zlib.crc32(data))
            return size, dates.crc(path, data)
        crc = 0
        while chunk := content.read(_CHUNK):
            crc = zlib.crc32(chunk, crc)
        content.seek(0)
        _member(archive, path, content, size, crc)
    return size, crc


def _member(archive: tarfile.TarFile, path: str, content: IO[bytes], size: int, crc: int) -> None:
    info = tarfile.TarInfo(path)
    # Caddy makes no ETag for the times 0 and 1.
    info.size, info.mode, info.mtime = size, 0o644, max(crc, 2)
    archive.addfile(info, content)


def _fault_of(member: tarfile.TarInfo, size: int) -> str | None:
    if member.size > size - member.offset_data:
        return _NOT_WHOLE
    if member.type not in {tarfile.REGTYPE, tarfile.AREGTYPE}:
        return "is not a plain file"
    return None
