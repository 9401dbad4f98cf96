"""Record exchanges between this process and the outside, if a variable asks for it, scrubbed before they are written.

`unmoor record` sets the variable for a command and everything that it starts: the program, the plug-in, each step.
"""

from __future__ import annotations

import os

#: The path of the run's settings (`settings.Settings`).
VARIABLE = "UNMOOR_RECORDING"


def begin() -> None:
    """Install hooks in the doors of this process if it is recorded; otherwise do nothing. Never raises."""
    if path := os.environ.get(VARIABLE):
        from . import doors

        doors.hook(path)
