"""The directory of one site's database: its files, and the atomic changes to them."""

from __future__ import annotations

import os
import re
import shutil
from typing import TYPE_CHECKING

from ..errors import ConfigError
from ..files import write

if TYPE_CHECKING:
    from pathlib import Path

_OURS = frozenset(
    {
        *("pgdata", "incoming", "run", "lock", "log", "spool", "epoch", "leaving"),
        *("pg_hba.conf", "pg_ident.conf", "lost+found"),
    }
)
_KEPT = ("PATH", "HOME", "TZ", "TMPDIR", "LANG")


class Files:
    """The files in the directory of a site."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.data, self.incoming, self.run = root / "pgdata", root / "incoming", root / "run"
        self.hba, self.ident = root / "pg_hba.conf", root / "pg_ident.conf"
        self.signal = self.data / "standby.signal"
        self._epoch = root / "epoch"
        self._leaving = root / "leaving"

    def prepare(self) -> None:
        """Create what is missing. Raises ConfigError if the directory holds anything that is not ours."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            others = sorted(
                each.name
                for each in self.root.iterdir()
                if each.name not in _OURS and not each.name.startswith(("pgbackrest", "."))
            )
            if others:
                raise ConfigError(f"{self.root} holds {others[0]}, which is not ours; choose another directory")
            for each in ("run", "lock", "log", "spool"):
                (self.root / each).mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"{self.root} cannot be used: {error.strerror}") from None

    def admit(self, others: str = "") -> dict[str, str]:
        """Admit this process over the socket, and `others` (lines of `pg_hba.conf`); return the settings for that."""
        write(self.hba, f"local all postgres peer map=agent\n{others}")
        write(self.ident, "agent /^ postgres\n")
        return {"hba_file": str(self.hba), "ident_file": str(self.ident)}

    @property
    def epoch(self) -> int:
        """The epoch that this copy was promoted in; 0 for none."""
        try:
            return int(self._epoch.read_text())
        except (OSError, ValueError):
            return 0

    @epoch.setter
    def epoch(self, value: int) -> None:
        write(self._epoch, f"{value}\n")
        _sync(self.root)

    @property
    def promoted(self) -> float:
        """The time of that promotion, in seconds since 1970; 0 for none."""
        return self._epoch.stat().st_mtime if self._epoch.exists() else 0.0

    @property
    def follows(self) -> bool:
        """Whether the copy is a standby's. A primary that leaves its timeline has the same signal for a while."""
        return self.signal.exists() and not self._leaving.exists()

    def leave(self) -> None:
        """Make a primary's copy recover once more, to leave its timeline. It stays a primary if that is interrupted."""
        self._leaving.touch()
        _sync(self.root)
        self.signal.touch()

    def left(self) -> None:
        """Note that the copy is on a timeline of its own: PostgreSQL has removed the signal."""
        self._leaving.unlink(missing_ok=True)

    def depart(self) -> None:
        """Give up the copy. The next restore reuses the files in it that are equal."""
        shutil.rmtree(self.incoming, ignore_errors=True)
        self._epoch.unlink(missing_ok=True)
        self.left()
        self.data.replace(self.incoming)

    def arrived(self) -> None:
        """Make the content of `incoming` the copy."""
        self.left()
        self._epoch.unlink(missing_ok=True)
        self.incoming.replace(self.data)
        _sync(self.root)

    def waiting(self) -> list[Path]:
        """Return PostgreSQL's `.ready` notes of files to archive: histories first, then in the order of the WAL."""
        notes = (self.data / "pg_wal" / "archive_status").glob("*.ready")
        return sorted(notes, key=lambda note: (not note.stem.endswith(".history"), note.name))

    def archived(self, name: str) -> None:
        """Note that both stores have a file of the WAL."""
        folder = self.data / "pg_wal" / "archive_status"
        (folder / f"{name}.ready").replace(folder / f"{name}.done")

    def history(self, timeline: int) -> str:
        """Return the history of a timeline, empty if it is unknown."""
        try:
            return (self.data / "pg_wal" / f"{timeline:08X}.history").read_text()
        except OSError:
            return ""


def environment() -> dict[str, str]:
    """Return the variables of this process's environment that PostgreSQL gets."""
    return {name: value for name, value in os.environ.items() if name in _KEPT or re.fullmatch(r"LC_[A-Z]+", name)}


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
