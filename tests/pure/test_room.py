"""Free space for an update: checked before it begins, and reserved for the state until the disk is full."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from components.doctor import room
from components.errors import ConfigError
from components.limits import RESERVE_BYTES, ROOM_BYTES
from components.needs import State

MIB = 1 << 20


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a project with its state in one folder and temporary files in another."""
    for name in ("state", "tmp"):
        (tmp_path / name).mkdir()
    (tmp_path / "Pulumi.yaml").write_text("name: dao\nruntime: python\nbackend: {url: 'file://./state'}\n")
    monkeypatch.delenv("PULUMI_BACKEND_URL", raising=False)
    monkeypatch.setattr(room.tempfile, "gettempdir", lambda: str(tmp_path / "tmp"))
    return tmp_path


def disks(monkeypatch: pytest.MonkeyPatch, **free: int) -> dict[str, int]:
    """Set the free bytes of folders, by their last names."""

    def statvfs(place: Path) -> SimpleNamespace:
        return SimpleNamespace(f_bavail=free[Path(place).name] // 4096, f_frsize=4096)

    monkeypatch.setattr(room.os, "statvfs", statvfs)
    return free


@pytest.mark.parametrize(
    ("full", "what"),
    [
        ("state", "for the state, which a full disk truncates; make room on that disk"),
        ("tmp", "for temporary files; make room on that disk, or set TMPDIR to a folder with room"),
    ],
)
def test_no_update_begins_on_a_disk_without_room(
    folder: Path, monkeypatch: pytest.MonkeyPatch, full: str, what: str
) -> None:
    free = disks(monkeypatch, state=ROOM_BYTES, tmp=ROOM_BYTES)
    room.demand(folder)
    free[full] = ROOM_BYTES - MIB
    with pytest.raises(ConfigError) as caught:
        room.demand(folder)
    assert f"{folder / full} has 31 MiB free, and an update needs 32 MiB {what}" in str(caught.value)
    assert sorted(each.state for each in room.look(folder)) == [State.NOT_READY, State.READY]


def test_a_state_that_is_in_no_folder_needs_no_room(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disks(monkeypatch, tmp=ROOM_BYTES)
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://dao-state")
    room.demand(folder)
    assert room.state_folder(folder) is None
    room.hold_for(folder, pytest.fail)


def test_the_folder_of_a_login_is_found(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "Pulumi.yaml").write_text("name: dao\nruntime: python\n")
    monkeypatch.setenv("PULUMI_HOME", str(folder))
    assert room.state_folder(folder) is None
    (folder / "credentials.json").write_text(json.dumps({"current": f"file://{folder / 'state'}"}))
    assert room.state_folder(folder) == folder / "state"


@pytest.mark.skipif(sys.platform != "linux", reason="open files are looked at in /proc")
def test_room_is_held_until_the_disk_is_full_and_then_given_back(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    held: list[int] = []
    real = os.statvfs

    def statvfs(place: Path) -> SimpleNamespace:
        held.append(_open_bytes(folder / "state"))
        return SimpleNamespace(f_bavail=len(held) < 3, f_frsize=RESERVE_BYTES)

    monkeypatch.setattr(room.os, "statvfs", statvfs)
    room.hold(folder / "state", said.append).join(60)
    monkeypatch.setattr(room.os, "statvfs", real)
    assert held == [RESERVE_BYTES] * 3
    assert _open_bytes(folder / "state") == 0
    (sentence,) = said
    assert sentence.startswith(f"{folder / 'state'}: no space left on this disk but 8 MiB that were held back")


def _open_bytes(folder: Path) -> int:
    """Return the bytes of this process's open files in a folder, including deleted ones."""
    found = 0
    for each in Path("/proc/self/fd").iterdir():
        try:
            if str(each.readlink()).startswith(f"{folder}/"):
                found += each.stat().st_size
        except FileNotFoundError:
            continue
    return found


def test_nothing_is_left_of_it_when_the_process_is_killed(folder: Path) -> None:
    program = (
        "import os, pathlib, signal, sys\n"
        "from components.doctor import room\n"
        "room.hold(pathlib.Path(sys.argv[1]), print)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    words = [sys.executable, "-c", program, str(folder / "state")]
    done = subprocess.run(words, cwd=Path(__file__).parents[2], check=False)
    assert done.returncode == -9
    assert list((folder / "state").iterdir()) == []


def test_a_folder_that_cannot_be_written_stops_nothing(folder: Path) -> None:
    (folder / "state").rmdir()
    room.hold_for(folder, pytest.fail)


def test_a_state_finds_room_on_a_full_disk_at_a_later_try(tmp_path: Path) -> None:
    """The engine tries for half a minute to write a state again after a full disk."""
    words = ["mount", "-t", "tmpfs", "-o", f"size={4 * RESERVE_BYTES}", "unmoor", str(tmp_path)]
    if os.geteuid() != 0 or subprocess.run(words, check=False, capture_output=True).returncode:
        pytest.skip("this user may not mount a disk")
    said: list[str] = []
    try:
        watch = room.hold(tmp_path, said.append)
        with pytest.raises(OSError, match="No space left"):
            (tmp_path / "filler").write_bytes(bytes(4 * RESERVE_BYTES))
        watch.join(30)
        (tmp_path / "prod.json").write_bytes(bytes(RESERVE_BYTES // 2))
        assert len(said) == 1
    finally:
        subprocess.run(["umount", "-l", str(tmp_path)], check=True)
