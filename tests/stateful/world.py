"""Stores, and two sites as processes of their own: what a test starts, hurts, and looks at."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import yaml

from components.errors import UnmoorError
from components.postgres import agent, server
from components.postgres.settings import Settings
from components.stores import s3
from components.stores.record import Record
from components.writer import switch
from sandbox.engine import resolve
from tests.histories.stores import _certificate

from .client import Client
from .relay import Relay, Way

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parents[2]
SITES = ("aws", "akash")
#: Two makes of store for the archive, and one more process for the record.
STORES = {"first": "versitygw", "second": "moto", "witness": "versitygw"}
SECRETS = {
    "FIRST_KEY": "first-access",
    "FIRST_SECRET": "first-secret-value",
    "SECOND_KEY": "second-access",
    "SECOND_SECRET": "second-secret-value",
    "WITNESS_KEY": "witness-access",
    "WITNESS_SECRET": "witness-secret-value",
    "FORUM_PASSWORD": "forum's password",
    "ARCHIVE_CIPHER": "a pass phrase for the archive",
}
TTL_S = 6.0


def until(condition: Callable[[], Any], what: str = "the condition", within_s: float = 120) -> Any:
    """Wait until a condition gives something, and return it."""
    end = time.monotonic() + within_s
    while not (found := condition()):
        assert time.monotonic() < end, f"{what} did not come in {within_s:g} s"
        time.sleep(0.1)
    return found


def free_port() -> int:
    """Return a port that nothing uses now, and no outgoing connection is given (ip(7): those begin at 32768)."""
    while True:
        port = random.randrange(12_000, 30_000)
        with socket.socket() as each, contextlib.suppress(OSError):
            each.bind(("127.0.0.1", port))
            return port


@dataclass
class Site:
    """One site: its files, ports, and the agent's process while there is one."""

    name: str
    root: Path
    ways: dict[str, Way]
    port: int = field(default_factory=free_port)
    http: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def file(self) -> Path:
        """Its settings."""
        return self.root.with_suffix(".yaml")

    @property
    def log(self) -> str:
        """What its agent and PostgreSQL have printed."""
        return self.root.with_suffix(".log").read_text(errors="replace")


class World:
    """Everything on one machine; `opened` makes one, and ends all that it started."""

    def __init__(self, folder: Path, *, ttl_s: float = TTL_S, **changed: Any) -> None:
        self.folder, self.ttl_s, self.changed = folder, ttl_s, changed
        self.relay = Relay()
        self.stores: dict[str, tuple[subprocess.Popen[bytes], int]] = {}
        self.certificate, self.key = _certificate(folder)
        Path(self.key).chmod(0o600)
        Path(self.certificate).chmod(0o644)
        self.sites: dict[str, Site] = {}
        try:
            for name, make in STORES.items():
                self.stores[name] = self._store(name, make)
            self.ways = self._ways()
            self.settings = self._settings(self.ways)
            self.sites = {name: self._site(name) for name in SITES}
            for name in STORES:
                self._bucket(name)
            self.records = agent.records(self.settings)
        except BaseException:
            self.close()
            raise

    # stores

    def _store(self, name: str, make: str) -> tuple[subprocess.Popen[bytes], int]:
        port = free_port()
        upper = name.upper()
        if make == "moto":
            words = [str(Path(sys.executable).parent / "moto_server"), "-H", "127.0.0.1", "-p", str(port)]
        else:
            for each in ("data", "meta"):
                (self.folder / f"{name}-{each}").mkdir(exist_ok=True)
            program = resolve.tool(resolve.VERSITYGW) / "versitygw"
            words = [str(program), "--port", f"127.0.0.1:{port}", "--cert", self.certificate, "--key", self.key]
            words += ["--quiet", "--access", SECRETS[f"{upper}_KEY"], "--secret", SECRETS[f"{upper}_SECRET"], "posix"]
            words += ["--sidecar", str(self.folder / f"{name}-meta"), str(self.folder / f"{name}-data")]
        with (self.folder / f"{name}.log").open("wb") as log:
            return subprocess.Popen(words, stdout=log, stderr=log), port

    def _ways(self) -> dict[str, Way]:
        tls = {name: (self.certificate, self.key) if make == "moto" else None for name, make in STORES.items()}
        return {name: self.relay.way(port, tls[name]) for name, (_, port) in self.stores.items()}

    def _bucket(self, name: str) -> None:
        client = s3.client(self.settings.stores[name])

        def made() -> bool:
            with contextlib.suppress(Exception):
                client.create_bucket(Bucket="forum-archive")
                return True
            return False

        until(made, f"bucket of {name}")

    def _document(self, ways: dict[str, Way]) -> dict[str, Any]:
        return {
            "workload": "dao/prod/forum",
            "sites": list(SITES),
            "database": "forum",
            "user": "forum",
            "password": "FORUM_PASSWORD",
            "cipher": "ARCHIVE_CIPHER",
            "stores": {
                name: {
                    "vendor": f"vendor-{name}",
                    "bucket": "forum-archive",
                    "endpoint": f"https://localhost:{ways[name].port}",
                    "region": "us-east-1",
                    "access_key": f"{name.upper()}_KEY",
                    "secret_key": f"{name.upper()}_SECRET",
                }
                for name in STORES
            },
            "archive": ["first", "second"],
            "witness": {"store": "witness", "ttl_s": self.ttl_s, "hand_over_s": 30},
            "archive_timeout_s": 2,
            **self.changed,
        }

    def _settings(self, ways: dict[str, Way]) -> Settings:
        return Settings.model_validate(self._document(ways))

    # sites

    def _site(self, name: str) -> Site:
        site = Site(name, self.folder / name, self._ways())
        site.file.write_text(yaml.safe_dump(self._document(site.ways)))
        site.root.mkdir()
        site.root.with_suffix(".log").touch()
        if os.geteuid() == 0:
            shutil.chown(site.root, "postgres", "postgres")
        return site

    def start(self, *names: str, **environment: str) -> None:
        """Start the agents of sites."""
        for name in names or SITES:
            site = self.sites[name]
            words = [*unprivileged(), sys.executable, "-m", "components.postgres", str(site.file), "--site", name]
            words += ["--data", str(site.root), "--port", str(site.port), "--http", f"127.0.0.1:{site.http}"]
            with site.root.with_suffix(".log").open("ab") as log:
                site.process = subprocess.Popen(
                    words,
                    stdout=log,
                    stderr=log,
                    cwd=ROOT,
                    env={**os.environ, "HOME": str(self.folder), **environment},
                    start_new_session=True,
                )

    def family(self, name: str) -> list[psutil.Process]:
        """Return a site's processes, the agent first."""
        process = self.sites[name].process
        if process is None or process.poll() is not None:
            return []
        top = psutil.Process(process.pid)
        return [top, *top.children(recursive=True)]

    def kill(self, name: str, what: str = "site") -> None:
        """Kill with signal 9: the `agent` alone, its `postgres` alone, or the whole `site` at once."""
        family = self.family(name)
        if what == "postgres":
            family = [each for each in family if _is_postmaster(each)]
        elif what == "agent":
            family = family[:1]
        for each in family:  # first nothing runs, then everything ends
            with contextlib.suppress(psutil.Error):
                each.suspend()
        for each in family:
            with contextlib.suppress(psutil.Error):
                each.kill()
        if what != "postgres":
            self._reap(name)

    def stop(self, name: str) -> int:
        """End an agent in order; return its exit code."""
        process = self.sites[name].process
        assert process is not None
        process.send_signal(signal.SIGTERM)
        code = process.wait(90)
        self.sites[name].process = None
        return code

    def _reap(self, name: str) -> None:
        process = self.sites[name].process
        if process is not None:
            process.wait(60)
        self.sites[name].process = None

    def lose(self, name: str) -> None:
        """Have a site's volume empty; its agent is not running."""
        for each in self.sites[name].root.iterdir():
            shutil.rmtree(each) if each.is_dir() else each.unlink()

    def cut(self, site: str, store: str, *, cut: bool = True) -> None:
        """Cut the way of a site to a store, or restore it."""
        self.relay.set(self.sites[site].ways[store], cut=cut)

    def down(self, store: str, *, down: bool = True) -> None:
        """Have a store out of reach of all."""
        for ways in (self.ways, *(site.ways for site in self.sites.values())):
            self.relay.set(ways[store], cut=down)

    # what there is

    def record(self) -> Record | None:
        """Read the record; None where that cannot be."""
        with contextlib.suppress(Exception):
            return self.records.read()[0]
        return None

    def holder(self) -> str | None:
        """Return who holds the record; None where that cannot be read."""
        record = self.record()
        return record.holder if record else None

    def has(self, name: str, number: int) -> bool:
        """Whether a site's copy has a row, asked over the socket that the agent uses."""
        site = self.sites[name]
        words = [*unprivileged(), str(server.programs(15) / "psql"), "-XqAt", "-h", str(site.root / "run")]
        words += ["-p", str(site.port), "-U", "postgres", "-d", "forum", "-c"]
        words.append(f"SELECT count(*) FROM posts WHERE number = {number}")
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        return done.stdout.strip() == "1"

    def writes(self, name: str, epoch: int = 1) -> bool:
        """Whether a site is the writer, in that epoch or a later one."""
        record = self.record()
        return bool(record and record.holder == name and record.state == "writing" and record.epoch >= epoch)

    def answer(self, name: str, path: str = "/role") -> dict[str, Any]:
        """Ask an agent over HTTP; {} if it does not answer."""
        import httpx

        try:
            found: dict[str, Any] = httpx.get(f"http://127.0.0.1:{self.sites[name].http}{path}", timeout=5).json()
        except (httpx.HTTPError, ValueError):
            return {}
        return found

    def follows(self, name: str) -> bool:
        """Whether a site's copy follows."""
        return self.answer(name).get("role") == "standby"

    def begin(self, first: str = "aws", *, both: bool = True) -> None:
        """Have one site write, a backup in both stores, and the other site follow."""
        switch.create(self.records, self.settings.workload, first)
        self.start(*(SITES if both else (first,)))
        until(lambda: self.writes(first), f"{first} writes")
        until(self.backed_up, "the first backups")
        if both:
            other = next(name for name in SITES if name != first)
            until(lambda: self.follows(other), f"{other} follows")

    def backed_up(self, since: float = 0.0) -> bool:
        """Whether both stores have a backup that was counted since then."""
        for name in self.settings.archive:
            content = None
            with contextlib.suppress(Exception):
                content = s3.OpenStore(name, self.settings.stores[name]).read(
                    f"{self.settings.prefix}/counted.json", 1 << 20
                )
            if content is None or json.loads(content)["at"] < since:
                return False
        return True

    def client(self, every_s: float = 0.02) -> Client:
        """Start a client that writes."""
        return Client(
            str(server.programs(15) / "psql"),
            {name: site.port for name, site in self.sites.items()},
            SECRETS["FORUM_PASSWORD"],
            every_s,
        )

    def rows(self) -> list[tuple[int, int, str]]:
        """Return what the writer has: the row's id, its number, and the site that took it, by id."""
        record = until(lambda: (found := self.record()) and found.state == "writing" and found, "a writer")
        port = self.sites[record.holder].port
        words = [str(server.programs(15) / "psql"), "-XqAt", "-h", "127.0.0.1", "-p", str(port), "-U", "forum"]
        words += ["-d", "forum", "-c", "SELECT id, number, site FROM posts ORDER BY id"]
        environment = {**os.environ, "PGPASSWORD": SECRETS["FORUM_PASSWORD"]}

        def asked() -> str | None:
            done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
            return None if done.returncode else done.stdout

        lines = until(asked, "the rows").splitlines()
        return [(int(a), int(b), c) for a, b, c in (line.split("|") for line in lines)]

    def damage(self, store: str) -> int:
        """Change bytes in the middle of every archived segment of a store of files; return how many."""
        found = 0
        for path in (self.folder / f"{store}-data").rglob("*.lz4"):
            if re.match(r"[0-9A-F]{24}-", path.name):
                content = bytearray(path.read_bytes())
                middle = len(content) // 2
                content[middle : middle + 64] = bytes(64)
                path.write_bytes(content)
                found += 1
        return found

    def close(self) -> None:
        """End everything."""
        for name, site in self.sites.items():
            if site.process is not None:
                self.kill(name)
        for process, _ in self.stores.values():
            process.kill()
            process.wait()
        self.relay.close()


def _is_postmaster(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        words = process.cmdline()
        return bool(words) and words[0].endswith("/postgres") and "-D" in words
    return False


def installed() -> bool:
    """Whether the programs are here, and may be run: root needs the user `postgres`, and a tool to become it."""
    try:
        server.programs(15)
        resolve.tool(resolve.VERSITYGW)
    except UnmoorError:
        return False
    able = os.geteuid() != 0 or bool(shutil.which("setpriv"))
    return able and bool(shutil.which("pgbackrest"))


def unprivileged() -> list[str]:
    """Return what starts a program as the user `postgres`, which PostgreSQL demands of root, and can read this tree."""
    if os.geteuid() != 0:
        return []
    words = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    return [*words, "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]


@contextlib.contextmanager
def opened(**given: Any) -> Iterator[World]:
    """Make a world in a folder of its own, with the secrets in the environment, and end it."""
    kept = dict(os.environ)
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))  # a socket's path has 107 bytes
    folder.chmod(0o755)
    if os.geteuid() == 0:
        pwd.getpwnam("postgres")
    os.environ.update(SECRETS, AWS_CA_BUNDLE=str(folder / "cert.pem"))
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
