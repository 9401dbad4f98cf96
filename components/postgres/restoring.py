"""Restore the newest backup of the archive as a standby, at once or in the background."""

from __future__ import annotations

import shutil
import threading
from typing import TYPE_CHECKING

from ..errors import StepError
from .backrest import restorable

if TYPE_CHECKING:
    from collections.abc import Callable

    from .backrest import Backrest, Backup
    from .files import Files

#: Seconds between a restore that failed and the next try.
_AGAIN_S = 10


class Restore:
    """The restore of one site. `report` receives the reason why one in the background failed."""

    def __init__(self, files: Files, archiver: Backrest, stop: threading.Event, report: Callable[[str], None]) -> None:
        self.files, self.archiver, self.stop, self.report = files, archiver, stop, report
        self._thread: threading.Thread | None = None

    @property
    def runs(self) -> bool:
        """Whether one runs in the background."""
        return self._thread is not None and self._thread.is_alive()

    def begin(self) -> None:
        """Start one in the background."""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.make()
        except (StepError, OSError) as error:
            self.report(str(error))
            self.stop.wait(_AGAIN_S)

    def make(self) -> None:
        """Restore the newest backup as a standby, unless there is a copy. Raises StepError if no store delivers one."""
        if self.files.data.exists():
            return
        backups = restorable(self.archiver.each().values())
        if not backups:
            raise StepError("the archive has no base backup yet")
        newest: dict[str, Backup] = {}
        for each in backups:
            newest.setdefault(each.store, each)
        failed = []
        for backup in newest.values():
            self.files.incoming.mkdir(mode=0o700, exist_ok=True)
            (self.files.incoming / "postmaster.pid").unlink(missing_ok=True)  # of a server that was killed
            try:
                words = ("--type=standby", f"--set={backup.label}")
                self.archiver.run("restore", *words, only=backup.store, data=self.files.incoming)
            except StepError as error:
                failed.append(f"store {backup.store}: {error}")
                if self.stop.is_set():
                    break
                if not (self.files.incoming / "PG_VERSION").exists():
                    shutil.rmtree(self.files.incoming)
                continue
            self.files.arrived()
            return
        raise StepError(f"the copy cannot be restored: {'; '.join(failed)}")
