"""A process that holds a lock and runs a program under it: `lock_holder ENDPOINT SITE TTL_S WORD...`."""

from __future__ import annotations

import signal
import sys
import threading

from components.errors import UnmoorError
from components.stores.writer import Lock, Program, Records
from tests.histories import stores


def main(endpoint: str, site: str, ttl_s: str, *words: str) -> int:
    """Hold the lock until SIGTERM or the program's end; exit with the program's code, 0 if there is none."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    lock = Lock(Records("witness", stores.settings(endpoint), "bot.json", stores.WORKLOAD), site, float(ttl_s))
    try:
        return lock.hold(Program(words), stop) or 0
    except UnmoorError as error:
        sys.stderr.write(f"{error}\n")
        return 3


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
