"""Tests side by side: continue after a worker crashed, and print where. `-p tests.workers` loads this.

pytest-xdist 3.8.0 does not continue. Its scheduler by file gives out again every file of a crashed worker, also those
whose tests have ended. A worker with such a file and one other test waits for ever, because it begins a test only when
it knows the next one (pytest-xdist issues 1378 and 1327). It also starts the test that crashed again (pull request
1371).
"""

from __future__ import annotations

import faulthandler
import os
from typing import TYPE_CHECKING

from xdist.scheduler import LoadFileScheduling

if TYPE_CHECKING:
    import pytest
    from xdist.workermanage import WorkerController

# pytest's own plugin for this prints every thread, and the one that crashed is lost among them in a long log. The
# standard error is copied because pytest takes it over.
faulthandler.enable(os.dup(2), all_threads=False)


class Files(LoadFileScheduling):
    """The scheduler by file, which survives a crash of a worker."""

    def remove_node(self, node: WorkerController) -> str | None:
        """Remove a worker. Return the test it crashed in, which does not begin again, or None if all had ended."""
        files = self.assigned_work[node].values()
        left = ((file, test) for file in files for test, ended in file.items() if not ended)
        file, crashed = next(left, ({}, None))
        if crashed is not None:
            file[crashed] = True
        super().remove_node(node)
        return crashed

    def _reschedule(self, node: WorkerController) -> None:
        super()._reschedule(node)
        while self.workqueue and not node.shutting_down and self._pending_of(self.assigned_work[node]) < 2:
            self._assign_work_unit(node)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Files:
    """Give xdist this scheduler; its hook."""
    return Files(config, log)
