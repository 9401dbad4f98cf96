"""The operator's disk becomes full during `up`: nothing is lost, and an update with free space completes.

State and temporary files are on a small disk, which is filled when a step begins. Only root can mount one.
"""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from components.limits import RESERVE_BYTES, ROOM_BYTES
from sandbox.drive import EngineFailed, Run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .docs_stack import Docs

pytestmark = pytest.mark.timeout(600)
DISK = ROOM_BYTES + RESERVE_BYTES + (24 << 20)


@dataclass
class Disk:
    """A small disk, and the step at which it is filled next."""

    place: Path
    at: str = ""
    filled: str = ""

    def look(self, line: str) -> None:
        """Fill the disk when the engine prints that the step begins."""
        if self.at and not self.filled and re.search(rf"\s{re.escape(self.at)} (creating|updating|replacing)", line):
            self.fill()
            self.filled = self.at

    def fill(self, leave: int = 0) -> None:
        """Fill the disk except for `leave` bytes."""
        with (self.place / "filler").open("ab", buffering=0) as file:
            for size in (1 << 20, 4096, 1):
                try:
                    while leave < self.room():
                        file.write(b"x" * size)
                except OSError:
                    continue

    def room(self) -> int:
        found = os.statvfs(self.place)
        return found.f_bavail * found.f_frsize + 1

    def free(self) -> None:
        """Free the disk."""
        (self.place / "filler").unlink(missing_ok=True)
        self.at = self.filled = ""


@pytest.fixture(scope="module")
def disk(docs: Docs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Disk]:
    """Mount a small disk, and move the stack's state and temporary files to it."""
    place = tmp_path_factory.mktemp("disk")
    words = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "unmoor", str(place)]
    if os.geteuid() != 0 or subprocess.run(words, check=False, capture_output=True).returncode:
        pytest.skip("this user may not mount a disk")
    try:
        for name in ("state", "tmp"):
            (place / name).mkdir()
        made = Disk(place)
        onto = {"PULUMI_BACKEND_URL": f"file://{place / 'state'}", "TMPDIR": str(place / "tmp")}
        docs.pulumi.environment = {**docs.pulumi.environment, **onto}
        docs.pulumi.on_line = made.look
        docs.pulumi.init()
        yield made
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


#: A step of each sort, and the edit that causes it: a program with a bundle, a resource at AWS, one that costs money,
#: files, and a record that visitors follow.
STEPS = {
    "docs-keep": {"mode": "centralized"},
    "docs-akash": {"mode": "active-standby"},
    "docs-aws-publish": {},
    "docs.dao.example/primary": {"active": "decentralized"},
}


def attempt(docs: Docs, **workload: str) -> Run:
    try:
        return docs.up(**workload)
    except EngineFailed as failed:
        return failed.run


def test_no_update_begins_without_room(docs: Docs, disk: Disk) -> None:
    disk.fill(leave=RESERVE_BYTES)
    run = attempt(docs, mode="centralized")
    disk.free()
    assert re.search(
        r"the update does not begin on a full disk.*MiB free, and an update needs 32 MiB", run.output, re.DOTALL
    )
    assert "Traceback" not in run.output
    assert [name for _, name in run.started() if name.startswith("docs")] == []


#: A run without TESTS_KILLS tries only one step.
TRIED = STEPS if os.environ.get("TESTS_KILLS") else ("docs-akash",)


@pytest.mark.parametrize("step", TRIED)
def test_a_disk_that_becomes_full_at_a_step_loses_nothing(docs: Docs, disk: Disk, step: str) -> None:
    docs.page(f"the page of {step.replace('/', ' ')}")
    disk.at = step
    run = attempt(docs, **STEPS[step])
    assert disk.filled == step, run.output
    disk.free()
    assert [word for word in ("Traceback", "panic:", "goroutine ") if word in run.output] == [], run.output
    assert "held back for the state; make room on it now" in run.output
    # Nothing fails if space comes back in time. On a busy machine it may be too late, and the update is run again.
    docs.up()
    assert docs.again().changes() == {}


def test_nothing_stands_twice(docs: Docs, disk: Disk) -> None:
    assert len(docs.leases()) == 1
    for site in ("docs-aws", "docs-akash"):
        assert docs.site_serves(site) == docs.version()
    assert [each.name for each in disk.place.glob("*/.tmp*")] == []
