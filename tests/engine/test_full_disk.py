"""The disk of the one who runs `up` is full, at every step: a sentence, no harm, and with room again it settles.

State, cache and temporary files lie on a small disk, which is filled when a step begins. Only root may mount one.
"""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from sandbox.drive import EngineFailed, Run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .docs_stack import Docs

pytestmark = pytest.mark.timeout(600)


@dataclass
class Disk:
    """A small disk, and the step at which it is filled next."""

    place: Path
    at: str = ""
    filled: str = ""

    def look(self, line: str) -> None:
        """Fill the disk when the engine prints that the step begins."""
        if self.at and not self.filled and re.search(rf"\s{re.escape(self.at)} creating", line):
            self.fill()
            self.filled = self.at

    def fill(self) -> None:
        """Take all the room there is."""
        with (self.place / "filler").open("wb", buffering=0) as file:
            for size in (1 << 20, 4096, 1):
                try:
                    while True:
                        file.write(b"x" * size)
                except OSError:
                    continue

    def free(self) -> None:
        """Give the room back."""
        (self.place / "filler").unlink(missing_ok=True)
        self.at = self.filled = ""


@pytest.fixture(scope="module")
def disk(docs: Docs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Disk]:
    """Mount a small disk, and have the stack's state, cache and temporary files on it."""
    place = tmp_path_factory.mktemp("disk")
    words = ["mount", "-t", "tmpfs", "-o", "size=24m", "unmoor", str(place)]
    if os.geteuid() != 0 or subprocess.run(words, check=False, capture_output=True).returncode:
        pytest.skip("this user may not mount a disk")
    try:
        for name in ("state", "tmp", "cache"):
            (place / name).mkdir()
        made = Disk(place)
        docs.pulumi.environment = {
            **docs.pulumi.environment, "PULUMI_BACKEND_URL": f"file://{place / 'state'}", "TMPDIR": str(place / "tmp"),
            "XDG_CACHE_HOME": str(place / "cache"),
        }  # fmt: skip
        docs.pulumi.on_line = made.look
        docs.pulumi.init()
        yield made
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


#: A step of each sort: a program with a bundle, what AWS makes, what costs money, files, and what visitors follow.
STEPS = ("docs-keep", "docs-aws-bucket", "docs-akash", "docs-aws-publish", "docs.dao.example/primary")


@pytest.fixture(scope="module")
def runs(docs: Docs, disk: Disk) -> dict[str, Run]:
    """Update to two sites, with the disk full from another step on in each run; then once with room."""
    docs.write(mode="active-standby")
    made = {}
    for step in STEPS:
        disk.at = step
        try:
            made[step] = docs.pulumi.up()
        except EngineFailed as failed:
            made[step] = failed.run
        assert disk.filled == step, made[step].output
        disk.free()
    made["room"] = docs.pulumi.up()
    return made


@pytest.mark.parametrize("step", STEPS)
def test_a_full_disk_is_a_sentence(runs: dict[str, Run], step: str) -> None:
    """The state cannot be written either, so no such run can succeed."""
    output = runs[step].output
    assert "no space left on device" in output.lower(), output
    assert [word for word in ("Traceback", "panic:", "goroutine ") if word in output] == [], output


def test_with_room_again_it_settles_and_nothing_stands_twice(runs: dict[str, Run], docs: Docs, disk: Disk) -> None:
    assert runs["room"].output
    assert len(docs.leases()) == 1
    for site in ("docs-aws", "docs-akash"):
        assert docs.site_serves(site) == docs.version()
    assert docs.again().changes() == {}
    assert list((disk.place / "cache" / "unmoor").glob(".*")) == []
