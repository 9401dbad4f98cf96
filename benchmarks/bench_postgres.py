"""A database at two sites: how long a switch freezes writes, what an unplanned one loses, a drill, memory, archiving.

`UNMOOR_BENCH_MB` is the size of the database; 1000 without it.
"""

from __future__ import annotations

import os
import re
import shutil
import statistics
import subprocess
import time
from typing import TYPE_CHECKING, Any

import psutil

from components.postgres.files import Files
from components.postgres.server import programs
from sandbox.pair import world
from sandbox.pair.rows import gap
from tests.stateful import happenings
from tests.stateful.happenings import Run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sandbox.pair.sites import Site

_TTL_S = 30.0
#: Pairs of rounds of inserts with and without an archive. Each round has segments to archive.
_PAIRS, _ROUND_S, _ARCHIVED_S = 8, 15, 10
#: One row has about 1 kB of text that does not compress away.
_FILL = (
    "CREATE TABLE filling AS SELECT n, string_agg(md5(n::text || k::text), '') AS text "
    "FROM generate_series({first}, {last}) AS n, generate_series(1, 30) AS k GROUP BY n; "
)


def main() -> Iterator[dict[str, Any]]:
    """Yield the figures."""
    if not world.installed():
        raise SystemExit("PostgreSQL 15 with amcheck, pgBackRest and Go are needed")
    size = int(os.environ.get("UNMOOR_BENCH_MB", "1000"))
    with world.opened(ttl_s=_TTL_S, archive_timeout_s=60) as made:
        made.begin()
        client = made.client()
        run = Run(made, client)
        try:
            _fill(made, size)
            run.well()
            _caught_up(run)
            filled = time.time()
            yield from _switches(run)
            yield from _drill(run, filled)
            yield from _memory(run)
            yield from _unplanned(run, late=False)
            yield from _unplanned(run, late=True)
            violations = run.violations()
            yield _figure("acknowledged rows that are missing, twice or out of order", len(violations), "rows")
        finally:
            client.close()
    yield from _archiving()


def _figure(name: str, value: float, unit: str, reach: str = "") -> dict[str, Any]:
    return {"name": f"postgres: {name}", "value": round(value, 2), "unit": unit, "reach": reach}


def _ask(made: world.World, sql: str) -> str:
    site = made.sites[made.holder() or "aws"]
    words = [str(programs(15) / "psql"), "-XqAt", "-h", "127.0.0.1", "-p", str(site.port), "-U", "forum"]
    environment = {**os.environ, "PGPASSWORD": world.SECRETS["FORUM_PASSWORD"]}
    done = subprocess.run(
        [*words, "-d", "forum", "-c", sql], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def _fill(made: world.World, megabytes: int) -> None:
    _ask(made, _FILL.format(first=1, last=megabytes * 900))
    _ask(made, "ALTER TABLE filling ADD PRIMARY KEY (n)")


def _caught_up(run: Run) -> None:
    """Wait until the standby has what the writer has by now."""
    number = run.client.acks[-1].number
    world.until(lambda: run.world.has(run.other, number), "the standby has all", 900)


def _switches(run: Run) -> Iterator[dict[str, Any]]:
    frozen = []
    for _ in range(2):
        begun = time.monotonic()
        happenings.planned(run)
        frozen.append(gap(run.client.acks, begun))
        _caught_up(run)
    held = int(_ask(run.world, "SELECT pg_database_size('forum')")) / 1e6
    for number, each in enumerate(frozen, 1):
        yield _figure(
            f"writes frozen in planned switch {number}, {held:.0f} MB, 50 rows/s", each, "s", "≤ 10 s at 1 GB"
        )


def _drill(run: Run, since: float) -> Iterator[dict[str, Any]]:
    """Restore a backup that was counted since `since` (seconds since 1970), because an older one has less data."""
    world.until(lambda: run.world.backed_up(since), "counted backups", 900)
    done = run.world.ran("drill", "forum", "--store", "first")
    found = re.search(r"([\d,.]+) MB restored in ([\d.]+) s and checked in ([\d.]+) s", done.stdout)
    if found is None:
        raise SystemExit(done.stdout)
    megabytes, restored, checked = (float(each.replace(",", "")) for each in found.groups())
    yield _figure(f"restore of {megabytes:.0f} MB in a drill", restored, "s", "≤ 60 s at 1 GB, with the checks")
    yield _figure(f"checks of {megabytes:.0f} MB in a drill", checked, "s")


def _memory(run: Run) -> Iterator[dict[str, Any]]:
    process = run.world.sites[run.writer].process
    if process is not None:
        full = psutil.Process(process.pid).memory_full_info()
        yield _figure("memory of the agent (USS)", full.uss / 1e6, "MB", "≤ 60 MB")


def _unplanned(run: Run, *, late: bool) -> Iterator[dict[str, Any]]:
    """Lose the writer's site right after a renewal of the record; promote at once, or after the time-to-live."""
    writer, to = run.writer, run.other
    run.acknowledged(100)
    _renewed(run)
    run.world.kill(writer)
    gone = time.monotonic()
    if late:
        time.sleep(_TTL_S + 5)
    decided = max(time.monotonic(), gone + _TTL_S)
    if not happenings.move(run, to, lossy=True):
        raise SystemExit(run.notes[-1])
    moved = time.monotonic() - decided
    run.acknowledged()
    run.world.start(writer)
    run.well()
    oldest = min((ack.at for ack in happenings.give_up(run, writer, gone)), default=gone)
    yield _figure("writes lost by an unplanned promotion, archive_timeout 60 s", gone - oldest, "s", "≤ 65 s")
    after = "the decision" if late else f"the end of the time-to-live of {_TTL_S:g} s"
    yield _figure(f"promoted after {after}", moved, "s", "≤ 5 s")


def _renewed(run: Run) -> None:
    """Wait until the holder renews the record, which begins its time-to-live again."""
    before = run.world.record()
    world.until(lambda: (now := run.world.record()) and before and now.beat > before.beat, "a renewal")


def _archiving() -> Iterator[dict[str, Any]]:
    """Compare inserts with and without archiving in pairs of rounds, on two servers with the same settings.

    The stores have a core of their own, because they are other machines in reality. PostgreSQL, the agent, pgBackRest
    and the clients share another one. Each second pair is the other way round. What waits for a store is archived
    before the next round begins.
    """
    cores = os.sched_getaffinity(0)
    if len(cores) < 2:
        raise SystemExit("two cores are needed: one for the database, and one for its stores")
    own, other = sorted(cores)[:2]
    os.sched_setaffinity(0, {other})
    try:
        with world.opened(archive_timeout_s=_ARCHIVED_S) as made:
            os.sched_setaffinity(0, {own})
            yield from _rounds(made)
    finally:
        os.sched_setaffinity(0, cores)


def _rounds(made: world.World) -> Iterator[dict[str, Any]]:
    made.begin(both=False)
    site = made.sites["aws"]
    plain = _Plain(made.folder / "plain")
    try:
        _ask(made, "CREATE TABLE bench (n bigserial PRIMARY KEY, text text)")
        rates: dict[int, list[float]] = {plain.port: [], site.port: []}
        waiting = []
        for number in range(_PAIRS):
            for port in sorted(rates, key=lambda port: (port == site.port) ^ number % 2):
                world.until(lambda: not _waiting(site), "what waits is archived", 300)
                rates[port].append(_inserts(made.folder, port))
                waiting.append(_waiting(site))
    finally:
        plain.close()
    yield _figure("inserts without archiving", statistics.median(rates[plain.port]), "a second")
    yield _figure("inserts with archiving to two stores", statistics.median(rates[site.port]), "a second")
    yield _figure("segments that wait for a store after a round, at most", max(waiting), "segments")
    costs = [100 * (1 - a / b) for a, b in zip(rates[site.port], rates[plain.port], strict=True)]
    lower, middle, upper = statistics.quantiles(costs, n=4)
    yield _figure(f"cost of archiving, median of {_PAIRS} pairs of rounds", middle, "%", "≤ 5 %")
    yield _figure("the same, lower quartile", lower, "%")
    yield _figure("the same, upper quartile", upper, "%")


def _waiting(site: Site) -> int:
    """Return how many segments wait for a store."""
    return len(Files(site.root).waiting())


def _inserts(folder: Path, port: int) -> float:
    script = folder / "insert.sql"
    script.write_text("INSERT INTO bench (text) VALUES (repeat('x', 200));\n")
    words = [str(programs(15) / "pgbench"), "-n", "-h", "127.0.0.1", "-p", str(port), "-U", "forum", "-c", "4"]
    environment = {**os.environ, "PGPASSWORD": world.SECRETS["FORUM_PASSWORD"]}
    done = subprocess.run(
        [*words, "-T", str(_ROUND_S), "-f", str(script), "forum"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    return float(found[1]) if found else 0.0


class _Plain:
    """A PostgreSQL of the same settings that archives nothing, without an agent."""

    def __init__(self, folder: Path) -> None:
        self.port = world.free_port()
        folder.mkdir()
        (folder / "run").mkdir()
        script = (
            f"initdb -D {folder}/data -U postgres --data-checksums -E UTF8 --locale=C.UTF-8 --auth=trust >/dev/null && "
            f"exec postgres -D {folder}/data -c port={self.port} -c unix_socket_directories={folder}/run"
        )
        if os.geteuid() == 0:
            for each in (folder, folder / "run"):
                shutil.chown(each, "postgres", "postgres")
        environment = {**os.environ, "PATH": f"{programs(15)}:{os.environ['PATH']}"}
        words = [*world.unprivileged(), "sh", "-c", script]
        self.process = subprocess.Popen(words, env=environment, stderr=subprocess.DEVNULL)
        psql = [str(programs(15) / "psql"), "-Xq", "-h", "127.0.0.1", "-p", str(self.port), "-U"]
        world.until(lambda: self._done([*psql, "postgres", "-d", "postgres", "-c", _ROLE]), "a plain server")
        self._done([*psql, "postgres", "-d", "postgres", "-c", "CREATE DATABASE forum OWNER forum"])
        self._done([*psql, "forum", "-d", "forum", "-c", "CREATE TABLE bench (n bigserial PRIMARY KEY, text text)"])

    def _done(self, words: list[str]) -> bool:
        return subprocess.run(words, capture_output=True, check=False).returncode == 0

    def close(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait()


_ROLE = "CREATE ROLE forum LOGIN"
