"""The disk, memory and CPU that the container of a release needs.

The next release is unpacked next to the one that serves, so there is space for two. Sizes are rounded up to powers of
two, because a lease cannot be resized: a site that grows within its class keeps its lease.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...errors import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...release import Release

MIB = 1 << 20
#: The most bytes that a file takes on a disk beyond its own: the rest of its last block, and its share of folders.
_A_FILE = 4096 + 128
#: Certificates, keys, logs, and files that an earlier release served under hashed names, in bytes.
_BESIDE = 128 * MIB
#: The smallest disk and the largest, in MiB: the chain takes volumes up to 32 TiB (rule `size-limit`).
SMALLEST_MIB, LARGEST_MIB = 512, 32 << 20
#: Caddy with a few hundred types and the rules of a small site; measured at 57 MB under load.
_MEMORY_MIB = 128
#: Caddy's additional bytes of memory for one byte of rules; measured: 664 kB of rules take 22 MB.
_MEMORY_A_BYTE_OF_RULES = 40
#: Unpacking takes 8 CPU-seconds a GB (wget, dd, tee, sha256sum, tar; measured), and should take 25 s at most.
_CPU_SECONDS_A_GB, _UNPACK_S = 8, 25
_CPU = (100, 200, 400, 800, 1600, 3200)


@dataclass(frozen=True)
class Sizes:
    """What to rent: disk and memory in MiB, CPU in thousandths of a core."""

    disk_mib: int
    memory_mib: int
    cpu_m: int


def of(release: Release) -> Sizes | None:
    """Return what a release needs; None if its size is not known, because only the stores have it."""
    needed: Sizes | None = release.data.needed if release.data is not None else None
    return needed


def sizes(bundle_bytes: int, files: int, rules_bytes: int = 0) -> Sizes:
    """Return what a release needs, from the size of its bundle, its number of files and the size of its rules."""
    two = 2 * (bundle_bytes + files * _A_FILE) + _BESIDE
    memory = _MEMORY_MIB * MIB + rules_bytes * _MEMORY_A_BYTE_OF_RULES
    seconds = bundle_bytes / 1e9 * _CPU_SECONDS_A_GB
    wanted = 1000 * seconds / _UNPACK_S
    return Sizes(
        _class(two, SMALLEST_MIB),
        _class(memory, _MEMORY_MIB),
        next((step for step in _CPU if step >= wanted), _CPU[-1]),
    )


def refused(bundle_bytes: int, files: int) -> Iterator[Fault]:
    """Yield a fault if no lease has room for a release."""
    needed = sizes(bundle_bytes, files).disk_mib
    if needed > LARGEST_MIB:
        yield Fault(
            "site",
            f"has {bundle_bytes / 1e9:.1f} GB in {files} files, so two releases need {needed >> 10} GiB of disk; a "
            f"volume has {LARGEST_MIB >> 10} GiB at most, move large files to a store of their own",
        )


def _class(needed: int, smallest: int) -> int:
    """Return the smallest power of two times `smallest`, in MiB, that holds `needed` bytes."""
    found = smallest
    while found * MIB < needed:
        found *= 2
    return found
