"""How soon a container serves a release of 1 GB, and what it adds to a page against a bare file server.

The container is front.sh under a real shell with real Caddy, as tests/contract has it; a store is another Caddy on this
machine. What a lease's share of a CPU would make of it is not measured here.
"""

from __future__ import annotations

import http.client
import io
import os
import statistics
import subprocess
import tarfile
import tempfile
import time
import zlib
from hashlib import file_digest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from components.kinds.static import bundle
from components.kinds.static.routes import Routes
from tests.contract.containers import Container, folder_in, free_port, tool, until, web_server

if TYPE_CHECKING:
    from collections.abc import Iterator

FILES, BYTES, REQUESTS = 50_000, 1_000_000_000, 2_000
PAGE = "page.html"


def main() -> Iterator[dict[str, Any]]:
    """Unpack a large release, then ask it and a bare file server for the same page in turn."""
    with tempfile.TemporaryDirectory() as root:
        store, bare = Path(root) / "store", Path(root) / "bare"
        for folder in (store / "docs", bare):
            folder.mkdir(parents=True)
        page = os.urandom(5_000).hex().encode()
        (bare / PAGE).write_bytes(page)
        tar = store / "docs" / "new.tar"
        with tar.open("w+b") as file:
            pack(file, page)
            version = file_digest(file.seek(0) or file, "sha256").hexdigest()
        size = tar.stat().st_size
        tar.rename(tar.with_name(f"{version}.tar"))
        at, plain = serve(store), serve(bare)
        made = Container(Path(root) / "container", web_server(version, folder_in(at.url, size=size)), {})
        try:
            begun = time.perf_counter()
            made.start().serves(version, 300)
            yield {
                "name": "container_ready_1gb_s",
                "value": round(time.perf_counter() - begun, 1),
                "unit": "s",
                "reach": 30,
            }
            ours, theirs = compare(made.http_port, plain.port)
            cost = {"ours_ms": round(ours, 3), "bare_ms": round(theirs, 3)}
            yield {
                "name": "container_page_over_bare_ms",
                "value": round(ours - theirs, 3),
                "unit": "ms",
                "reach": 1,
            } | cost
            caddy = next(each for each in psutil.Process(made.process.pid).children() if each.name() == "caddy")
            resident = caddy.memory_info().rss / 1e6
            yield {"name": "container_caddy_resident_mb", "value": round(resident), "unit": "MB", "reach": 128}
        finally:
            made.stop()
            at.process.kill()
            plain.process.kill()


class Bare:
    """A bare Caddy before a folder."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [tool("caddy"), "file-server", "--root", folder, "--listen", f"127.0.0.1:{self.port}"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def serve(folder: Path) -> Bare:
    """Start a bare file server, and wait until it answers."""
    made = Bare(folder)
    until(lambda: ask(made.port, "/none"), "a file server")
    return made


def pack(file: Any, page: bytes) -> None:
    """Write a bundle of small files, one of which is the page."""
    names = {f"folder{number % 500}/file{number}.bin": BYTES // FILES for number in range(FILES)}
    content = os.urandom(BYTES // FILES)
    own = bundle.own_files(Routes(names | {"index.html": len(page), PAGE: len(page)}))
    with tarfile.TarFile(fileobj=file, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for path, data in (own | {"index.html": page, PAGE: page}).items():
            add(archive, path, data)
        for path in names:
            add(archive, path, content)


def add(archive: tarfile.TarFile, path: str, data: bytes) -> None:
    """Add a file as a bundle has it."""
    info = tarfile.TarInfo(path)
    info.size, info.mode, info.mtime = len(data), 0o644, zlib.crc32(data)
    archive.addfile(info, io.BytesIO(data))


def compare(ours: int, theirs: int) -> tuple[float, float]:
    """Return the median of a page in ms at each port; they are asked in turn, so that both see the same machine."""
    took: dict[int, list[float]] = {ours: [], theirs: []}
    lines = {port: http.client.HTTPConnection("127.0.0.1", port) for port in took}
    for _ in range(REQUESTS):
        for port, line in lines.items():
            begun = time.perf_counter()
            line.request("GET", f"/{PAGE}")
            answer = line.getresponse()
            body = answer.read()
            took[port].append(time.perf_counter() - begun)
            if (answer.status, len(body)) != (200, 10_000):
                raise SystemExit(f"port {port} answers {answer.status} with {len(body)} bytes")
    return statistics.median(took[ours]) * 1000, statistics.median(took[theirs]) * 1000


def ask(port: int, path: str) -> int:
    """Return a status, 0 if nothing answers."""
    try:
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        line.request("GET", path)
        return line.getresponse().status
    except OSError:
        return 0
