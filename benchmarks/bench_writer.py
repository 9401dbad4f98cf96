"""How long nothing runs under a lock after its holder is killed or ends normally: two processes, versitygw."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.histories import stores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[1]
TTL_S = 10
ROUNDS = 6
_WORK = "while :; do date +%s.%N >> $0.$1; sleep 0.05; done"


def main() -> Iterator[dict[str, Any]]:
    """Measure both, a few times each."""
    with stores.opened("versitygw") as open_record, tempfile.TemporaryDirectory() as folder:
        endpoint = open_record("bot.json")._client.meta.endpoint_url  # noqa: SLF001 the processes need it too
        for name, end, reach in (
            ("lock_killed_gap_s", subprocess.Popen.kill, TTL_S + 5),
            ("lock_released_gap_s", subprocess.Popen.terminate, 5),
        ):
            gaps = list(_gaps(endpoint, Path(folder) / name, end))
            yield {"name": name, "value": round(max(gaps), 2), "median": round(statistics.median(gaps), 2)} | {
                "unit": "s", "reach": reach, "ttl_s": TTL_S, "rounds": len(gaps),
            }  # fmt: skip


def _gaps(endpoint: str, log: Path, end: Callable[[subprocess.Popen[bytes]], None]) -> Iterator[float]:
    """End the holder again and again; give the time between the last line of one and the first of the next."""
    holders = [_holder(endpoint, log, 0)]
    try:
        _wait(lambda: bool(_times(log, 0)))
        for n in range(1, ROUNDS + 1):
            holders.append(_holder(endpoint, log, n))
            time.sleep(TTL_S * 0.37 * n % TTL_S + 3)  # at another moment of the renewals each time
            end(holders[n - 1])
            _wait(lambda n=n: bool(_times(log, n)))
            yield _times(log, n)[0] - _times(log, n - 1)[-1]
    finally:
        for each in holders:
            each.kill()
            each.wait()


def _holder(endpoint: str, log: Path, n: int) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "tests.contract.lock_holder", endpoint, f"site-{n}", str(TTL_S)]
    return subprocess.Popen([*words, "sh", "-c", _WORK, str(log), str(n)], cwd=ROOT)


def _times(log: Path, n: int) -> list[float]:
    file = log.with_name(f"{log.name}.{n}")
    return [float(line) for line in file.read_text().splitlines()] if file.exists() else []


def _wait(what: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not what():
        if time.monotonic() > end:
            raise TimeoutError("the lock was not taken in 120 s")
        time.sleep(0.02)
