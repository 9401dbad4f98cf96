"""Keep what passes between this process and the outside, where a variable asks for it, scrubbed before it is written.

`unmoor record` sets the variable for a command and all that it starts: the program, the plug-in, each step.
"""

from __future__ import annotations

import os

#: The path of the run's settings (`settings.Settings`).
VARIABLE = "UNMOOR_RECORDING"


def begin() -> None:
    """Hook into the doors of this process if it is recorded. Does nothing else, and never raises."""
    if path := os.environ.get(VARIABLE):
        from . import doors

        doors.hook(path)
