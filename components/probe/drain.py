"""Wait until no resolver keeps an answer that leads to the site that is removed next."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: Seconds between two sentences of progress.
_EVERY = 5.0


def take(
    given: Mapping[str, Any],
    report: Callable[[str], None],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> dict[str, Any]:
    """Wait `ttl` seconds if `wait` is set; without it nothing was removed yet, so there is nothing to wait for."""
    if not given.get("wait"):
        return {"waited_s": 0}
    ttl = float(given["ttl"])
    end = clock() + ttl
    while (left := end - clock()) > 0:
        report(f"draining: {left:.0f} s until no resolver keeps the old answer")
        sleep(min(left, _EVERY))
    return {"waited_s": round(ttl)}
