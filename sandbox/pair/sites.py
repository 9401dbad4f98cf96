"""Two sites of one database as processes that can be killed, cut off and observed."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psutil
import yaml

from components.postgres import agent

from .ground import ROOT, SITES, NotSeen, free_port, unprivileged, until
from .stores import Stores

if TYPE_CHECKING:
    from pathlib import Path

    from components.stores.record import Record

    from .relay import Way


@dataclass
class Site:
    """One site: its files, its ports, and the agent's process if it runs."""

    name: str
    root: Path
    ways: dict[str, Way]
    port: int = field(default_factory=free_port)
    http: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def file(self) -> Path:
        """The file with its settings."""
        return self.root.with_suffix(".yaml")

    @property
    def log(self) -> str:
        """The output of its agent and of PostgreSQL."""
        return self.root.with_suffix(".log").read_text(errors="replace")


class Sites(Stores):
    """The sites' processes. `close` ends them, and the stores."""

    def __init__(self, folder: Path, ttl_s: float, changed: dict[str, Any]) -> None:
        self.sites: dict[str, Site] = {}
        super().__init__(folder, ttl_s, changed)
        self.sites = {name: self._site(name) for name in SITES}
        self.records = agent.records(self.settings)

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
        """Kill with signal 9: only the `agent`, only its `postgres`, or the whole `site`."""
        family = self.family(name)
        if what == "postgres":
            family = [each for each in family if _is_postmaster(each)]
        elif what == "agent":
            family = family[:1]
        for each in family:  # all stop before the first ends, so that none reacts to the end of another
            with contextlib.suppress(psutil.Error):
                each.suspend()
        for each in family:
            with contextlib.suppress(psutil.Error):
                each.kill()
        if what != "postgres":
            self._reap(name)

    def stop(self, name: str) -> int:
        """Stop an agent with SIGTERM; return its exit code."""
        process, self.sites[name].process = self.sites[name].process, None
        if process is None:
            raise NotSeen(f"{name} does not run")
        process.send_signal(signal.SIGTERM)
        return process.wait(90)

    def _reap(self, name: str) -> None:
        process = self.sites[name].process
        if process is not None:
            process.wait(60)
        self.sites[name].process = None

    def lose(self, name: str) -> None:
        """Empty the volume of a site whose agent does not run."""
        for each in self.sites[name].root.iterdir():
            shutil.rmtree(each) if each.is_dir() else each.unlink()

    def cut(self, site: str, store: str, *, cut: bool = True) -> None:
        """Cut a site off from a store, or reconnect it."""
        self.reach([self.sites[site].ways[store]], cut=cut)

    def record(self) -> Record | None:
        """Return the record; None if it cannot be read."""
        with contextlib.suppress(Exception):
            return self.records.read()[0]
        return None

    def holder(self) -> str | None:
        """Return the holder of the record; None if it cannot be read."""
        record = self.record()
        return record.holder if record else None

    def writes(self, name: str, epoch: int = 1) -> bool:
        """Return whether a site is the writer, in that epoch or a later one."""
        record = self.record()
        return bool(record and record.holder == name and record.state == "writing" and record.epoch >= epoch)

    def answer(self, name: str, path: str = "/role") -> dict[str, Any]:
        """Ask an agent over HTTP; {} if it does not answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.sites[name].http, timeout=5)
        with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException, ValueError):
            connection.request("GET", path)
            found: dict[str, Any] = json.loads(connection.getresponse().read())
            return found
        return {}

    def follows(self, name: str) -> bool:
        """Return whether a site's copy follows."""
        return self.answer(name).get("role") == "standby"

    def down(self, store: str, *, down: bool = True) -> None:
        """Cut all sites and the operator off from a store, or reconnect them."""
        self.reach([ways[store] for ways in (self.ways, *(site.ways for site in self.sites.values()))], cut=down)

    def other(self) -> str:
        """Return the site that does not hold the record."""
        writer = until(self.holder, "a record")
        return next(name for name in SITES if name != writer)

    def well(self) -> bool:
        """Return whether one site writes, no move is in progress, and the other site follows."""
        record = self.record()
        if not record or record.state != "writing" or record.order:
            return False
        other = next(name for name in SITES if name != record.holder)
        return self.answer(record.holder).get("role") == "primary" and self.follows(other)

    def change(self, *, bucket: tuple[str, str], **changed: Any) -> None:
        """Change the settings of both sites and of the operator, and make another bucket for one store."""
        name, new = bucket
        self.changed |= changed
        self.buckets[name] = new
        self.settings = self._settings(self.ways)
        for site in self.sites.values():
            site.file.write_text(yaml.safe_dump(self._document(site.ways)))
        self._bucket(name)

    def close(self) -> None:
        """End everything."""
        for name, site in self.sites.items():
            if site.process is not None:
                self.kill(name)
        super().close()


def _is_postmaster(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        words = process.cmdline()
        return bool(words) and words[0].endswith("/postgres") and "-D" in words
    return False
