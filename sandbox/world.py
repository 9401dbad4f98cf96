"""`python -m sandbox.world MODULE`: run one simulated world as a module, and end it when its supervisor is gone.

The supervisor holds the other end of our standard input and never writes; the kernel closes it when the supervisor
dies.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading
import time

#: Seconds that a world may take to end by itself.
GRACE_S = 5.0


def _watch() -> None:
    while os.read(0, 1024):
        pass
    os.killpg(os.getpgrp(), signal.SIGTERM)
    time.sleep(GRACE_S)
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    if os.getpgrp() != os.getpid():
        os.setpgid(0, 0)  # so that ending our group ends no other process
    threading.Thread(target=_watch, daemon=True).start()
    runpy.run_module(sys.argv[1], run_name="__main__", alter_sys=True)
