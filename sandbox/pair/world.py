"""A database at two sites on one machine: its stores, its sites, and the acts of an operator and the application."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.errors import UnmoorError
from components.postgres import backups, proofs, server
from components.stores import s3
from components.writer import switch

from ..engine import resolve
from .ground import BEGIN_S, ROOT, SECRETS, SITES, TTL_S, NotSeen, free_port, unprivileged, until
from .rows import Client
from .sites import Sites

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ROOT", "SECRETS", "SITES", "NotSeen", "World", "free_port", "installed", "opened", "unprivileged", "until"]


#: Variables that lead a client to the sandbox's or an operator's clouds, which do not have these stores.
_ELSEWHERE = re.compile(r"(?i)(https?|all|no)_proxy|SSL_CERT_FILE|AWS_.*")


class World(Sites):
    """Both sites, the stores and the operator on one machine; made and ended by `opened`."""

    def __init__(self, folder: Path, *, ttl_s: float = TTL_S, **changed: Any) -> None:
        self._open: dict[tuple[str, str], s3.OpenStore] = {}
        super().__init__(folder, ttl_s, changed)

    def begin(self, first: str = "aws", *, both: bool = True) -> None:
        """Wait until one site writes, both stores have a backup, and the other site follows."""
        switch.create(self.records, self.settings.workload, first)
        self.start(*(SITES if both else (first,)))
        until(lambda: self.writes(first), f"{first} writes", BEGIN_S)
        until(self.backed_up, "the first backups", BEGIN_S)
        if both:
            other = next(name for name in SITES if name != first)
            until(lambda: self.follows(other), f"{other} follows", BEGIN_S)

    def backed_up(self, since: float = 0.0) -> bool:
        """Return whether both stores have a backup that was counted since then."""
        for name in self.settings.archive:
            content = None
            with contextlib.suppress(Exception):
                content = self._opened(name).read(f"{self.settings.prefix}/counted.json", 1 << 20)
            if content is None or json.loads(content)["at"] < since:
                return False
        return True

    def _opened(self, name: str) -> s3.OpenStore:
        """Return the client of an archive's store, one for each bucket, because making a client of boto3 takes long."""
        key = (name, self.buckets[name])
        if key not in self._open:
            self._open[key] = s3.OpenStore(name, self.settings.stores[name])
        return self._open[key]

    def client(self, every_s: float = 0.02) -> Client:
        """Start a client that writes."""
        return Client(
            str(server.programs(15) / "psql"),
            {name: site.port for name, site in self.sites.items()},
            SECRETS["FORUM_PASSWORD"],
            every_s,
        )

    def asked(self, sql: str) -> str:
        """Run SQL at the writer's site as the application; return its rows, with `|` between columns."""
        record = until(lambda: (found := self.record()) and found.state == "writing" and found, "a writer")
        words = [str(server.programs(15) / "psql"), "-XqAt", "-h", "127.0.0.1", "-U", "forum", "-d", "forum"]
        words += ["-p", str(self.sites[record.holder].port), "-c", sql]
        environment = {**os.environ, "PGPASSWORD": SECRETS["FORUM_PASSWORD"]}

        def answer() -> str | None:
            done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
            return None if done.returncode else done.stdout

        return str(until(lambda: (found := answer()) is not None and f"{found}\n", "an answer"))[:-1]

    def superuser(self, sql: str) -> None:
        """Run SQL in the application's database at the writer's site, over the agent's socket."""
        subprocess.run([*self.console(until(self.holder, "a record")), "-c", sql], capture_output=True, check=True)

    def console(self, name: str) -> list[str]:
        """Return the words of a client at a site, as the superuser over the agent's socket."""
        site = self.sites[name]
        words = [*unprivileged(), str(server.programs(15) / "psql"), "-XqAt", "-h", str(site.root / "run")]
        return [*words, "-p", str(site.port), "-U", "postgres", "-d", "forum"]

    def postgres(self, name: str) -> server.Server:
        """Return the PostgreSQL of a site, to ask it as its agent does."""
        site = self.sites[name]
        return server.Server(server.programs(15), site.root / "pgdata", site.root / "run", site.port, {})

    def reported(self, name: str) -> None:
        """Wait until the last report in the stores, which may be some seconds old, shows that a site follows."""
        until(lambda: f"{name:<12} standby" in self.ran("status", "forum").stdout, f"a report that {name} follows")

    def count(self, store: str) -> None:
        """Count the rows at the writer's site for a store, as its agent does after a backup."""
        site, name = until(self.holder, "a record"), f"{self.settings.prefix}/{backups.COUNTED}"
        before = json.loads(self._opened(store).read(name, 1 << 20) or b"{}")
        found = backups.count(self.settings, self.postgres(site))
        if found is None:
            raise NotSeen("a moment without writes")
        proofs.put(self.settings, [store], backups.COUNTED, replace(found, backup=before["backup"]))

    def dump(self, to: Path, schema: str) -> None:
        """Dump a schema at the writer's site, as an operator does."""
        to.parent.mkdir(exist_ok=True)
        self._client("pg_dump", "-Fc", "-n", schema, "-f", str(to))

    def restore(self, dump: Path) -> None:
        """Restore a dump at the writer's site, as the manual describes."""
        self._client("pg_restore", "--no-owner", "--no-privileges", "--exit-on-error", "--role", "forum", str(dump))

    def _client(self, name: str, *words: str) -> None:
        port = str(self.sites[until(self.holder, "a record")].port)
        line = [str(server.programs(15) / name), "-h", "127.0.0.1", "-p", port, "-U", "forum", "-d", "forum", *words]
        subprocess.run(line, env={**os.environ, "PGPASSWORD": SECRETS["FORUM_PASSWORD"]}, check=True)

    def rows(self) -> list[tuple[int, int, str]]:
        """Return the rows at the writer's site: id, number, and the site that accepted it, by id."""
        lines = self.asked("SELECT id, number, site FROM posts ORDER BY id").splitlines()
        return [(int(a), int(b), c) for a, b, c in (line.split("|") for line in lines)]

    def has(self, name: str, number: int) -> bool:
        """Return whether a site's copy has a row, by a query over the agent's socket."""
        words = [*self.console(name), "-c", f"SELECT count(*) FROM posts WHERE number = {number}"]  # noqa: S608 a number
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        return done.stdout.strip() == "1"

    # the command line

    def unmoor(self, *words: str, **environment: str) -> subprocess.Popen[str]:
        """Start the command line in the folder of `postgres/forum.yaml`, with errors in its output."""
        folder = self.folder / "project"
        (folder / "postgres").mkdir(parents=True, exist_ok=True)
        (folder / "postgres" / "forum.yaml").write_text(json.dumps(self._document(self.ways)))
        if os.geteuid() == 0:
            folder.chmod(0o755)
        return subprocess.Popen(
            [*unprivileged(), sys.executable, "-m", "components", *words],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(self.folder), **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def ran(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run the command line to its end."""
        process = self.unmoor(*words, **environment)
        try:
            printed = process.communicate(timeout=300)[0]
        finally:
            process.kill()
            process.wait()
        return subprocess.CompletedProcess(words, process.returncode, printed)

    def switching(self, to: str) -> subprocess.Popen[str]:
        """Start the command of a planned switch."""
        return self.unmoor("switch", "forum", "--to", to)

    def proved(self) -> None:
        """Run a drill if a store has no proof of a restore."""
        kept = proofs.kept(self.settings)[0]
        if proofs.refused(kept.values(), self.settings.archive, time.time(), self.settings.proof_max_age_days):
            until(self.backed_up, "counted backups", BEGIN_S)
            until(self._drilled, "a proof of a restore from each store", BEGIN_S)

    def _drilled(self) -> bool:
        """Return whether a drill succeeds; False right after a promotion that gave up what the last backup counted."""
        drill = self.ran("drill", "forum")
        if drill.returncode and "try again after the next backup" not in drill.stdout:
            raise NotSeen(drill.stdout)
        return not drill.returncode


def installed() -> bool:
    """Return whether the programs are installed and can run: root needs a tool to run them as another user."""
    try:
        server.programs(15)
        resolve.tool(resolve.VERSITYGW)
    except UnmoorError:
        return False
    able = os.geteuid() != 0 or bool(shutil.which("setpriv"))
    return able and bool(shutil.which("pgbackrest"))


@contextlib.contextmanager
def opened(**given: Any) -> Iterator[World]:
    """Yield a world in a new folder, with the secrets in the environment, and end it after the block."""
    kept = dict(os.environ)
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))  # a socket's path has at most 107 bytes
    folder.chmod(0o755)
    if os.geteuid() == 0:
        pwd.getpwnam("postgres")
    for name in [each for each in os.environ if _ELSEWHERE.fullmatch(each)]:
        del os.environ[name]
    os.environ.update(SECRETS, AWS_CA_BUNDLE=str(folder / "ca.pem"))
    world = None
    try:
        world = World(folder, **given)
        yield world
    finally:
        try:
            if world is not None:
                world.close()
        finally:
            os.environ.clear()
            os.environ.update(kept)
            if not os.environ.get("STATEFUL_KEEP"):
                shutil.rmtree(folder, ignore_errors=True)
