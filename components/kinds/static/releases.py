"""Name the newest release of a workload in every store, so that a running container finds it without a restart.

A record is one line of text under one key of each store: `unmoor1 WORKLOAD NUMBER SHA256 BYTES`. A container accepts a
release when the stores of two vendors hold the same line and its number is higher than that of the release it serves.
So one store alone can withhold a release, but cannot choose one, and an old line that is put back changes nothing.

Numbers are Unix seconds, raised where they would not grow. So they grow even if a store was emptied or this machine's
clock is behind, and no counter has to be kept elsewhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...errors import ConfigError, Fault
from ...limits import RELEASE_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: The most seconds by which the number of a record may be ahead of this machine's clock.
AHEAD_S = 86_400
#: How many vendors must hold the same record.
VENDORS = 2

_MARK = "unmoor1"
_LINE = re.compile(
    rf"{_MARK} (?P<workload>[A-Za-z0-9._/-]+) (?P<number>[1-9][0-9]{{0,11}}) "
    r"(?P<release>[0-9a-f]{64}) (?P<size>[1-9][0-9]{0,11})"
)


@dataclass(frozen=True)
class Record:
    """A release of a workload: its number, the SHA-256 of its bundle in hex, and the bundle's size in bytes."""

    workload: str
    number: int
    release: str
    size: int

    def __str__(self) -> str:
        """Return the line without its end."""
        return f"{_MARK} {self.workload} {self.number} {self.release} {self.size}"

    def content(self) -> bytes:
        """Return the content for a store."""
        return f"{self}\n".encode("ascii")


def key(workload: str) -> str:
    """Name the object that holds a workload's record, the same in every store."""
    return f"{workload}/newest"


def read(content: bytes, workload: str) -> Record | None:
    """Read the content of a store; return None if it is no record of this workload."""
    line = content[:RELEASE_BYTES].decode("ascii", errors="replace").partition("\n")[0]
    found = _LINE.fullmatch(line)
    if found is None or found["workload"] != workload:
        return None
    return Record(workload, int(found["number"]), found["release"], int(found["size"]))


def several_vendors(vendors: Iterable[str]) -> bool:
    """Return whether a container can learn of a release from these stores, given the vendor of each.

    With fewer than two vendors one party could choose what is served, so a new release goes through the manifest.
    """
    return len(set(vendors)) >= VENDORS


def next_record(held: Mapping[str, Record | None], workload: str, release: str, size: int, now: int) -> Record:
    """Return the record that every store should hold, from what each holds now, by name of the store.

    `now` is the time in Unix seconds. A record that names this release already and is the newest is kept, so that an
    interrupted run ends with the number that it began with. Raises ConfigError if a number is ahead of the clock by
    more than AHEAD_S: the clock is wrong, or another party put the object there.
    """
    known = {store: record for store, record in held.items() if record}
    if faults := [
        Fault(
            f"stores.{store}",
            f"the record {key(workload)} holds release number {record.number}, and by the clock of this machine it "
            f"cannot be higher than {now + AHEAD_S}; set the clock, or delete that object if it is not yours",
        )
        for store, record in known.items()
        if record.number > now + AHEAD_S
    ]:
        raise ConfigError("the order of releases is not known", faults)
    newest = max(known.values(), key=lambda record: record.number, default=None)
    if newest is None:
        return Record(workload, now, release, size)
    agreed = {record for record in known.values() if record.number == newest.number}
    if agreed == {Record(workload, newest.number, release, size)}:
        return newest
    return Record(workload, max(now, newest.number + 1), release, size)
