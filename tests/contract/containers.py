"""A container with our web server as a process of this machine: its script under a real shell, with real Caddy."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

import httpx
import pytest

from components.kinds.static import releases
from components.web.caddy.folder import Folder
from components.web.caddy.server import WebServer
from sandbox.engine import resolve
from tests.loopback import PLAIN, Loopback

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from components.web.caddy.server import Behind

T = TypeVar("T")

#: The tools of the image that front.sh uses. All are in Alpine's BusyBox (aports, main/busybox/busyboxconfig); where
#: BusyBox is installed, the container has these and nothing else.
APPLETS = (
    "sh ls wget sha256sum tar od base64 grep sed tr date sleep mkdir mv rm cat head tail sort uniq cut awk xargs cp "
    "touch sync timeout dd tee mkfifo cmp"
)


def free_port() -> int:
    """Find a port without a listener."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(look: Callable[[], T | None], what: str, patience: float = 120) -> T:
    """Poll until there is a result, and return it."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.05)
    pytest.fail(f"{what} did not come in {patience} s")


def tool(name: str) -> Path:
    """Find a tool on PATH or among those already built, or skip the test."""
    if found := shutil.which(name):
        return Path(found)
    if folder := resolve.ready(name):
        return folder / name
    pytest.skip(f"{name} is not on PATH and was not built yet")


class Shelf(Loopback):
    """A store's public side: bytes by path, which a test may take away or damage."""

    def __init__(self) -> None:
        self.content: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.up = True
        #: What is sent without an end, and what begins and then stalls.
        self.endless: set[str] = set()
        self.stalled: set[str] = set()
        shelf = self

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                shelf.asked.append(self.path)
                body = shelf.content.get(self.path)
                self.send_response(200 if body is not None else 404)
                if self.path not in shelf.endless:
                    self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                with contextlib.suppress(OSError):
                    shelf.send(self.path, body or b"", self.wfile)

            def log_message(self, *_: Any) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def send(self, path: str, body: bytes, out: BinaryIO) -> None:
        """Send what a path holds, in the manner that the test asks for."""
        if path in self.stalled:
            out.write(body[: len(body) // 2])
            out.flush()
            while path in self.stalled:
                time.sleep(0.05)
            return
        out.write(body)
        while path in self.endless:
            out.write(b"x" * 65_536)

    def silence(self) -> None:
        """Refuse all further connections."""
        self.up = False
        self.shutdown()
        self.server_close()

    def hold(self, version: str, tar: bytes, workload: str = "docs") -> None:
        """Hold a bundle."""
        self.content[f"/{workload}/{version}.tar"] = tar

    def name(self, number: int, version: str, size: int, workload: str = "docs") -> None:
        """Hold a record."""
        record = releases.Record(workload, number, version, size)
        self.content[f"/{releases.key(workload)}"] = record.content()


def folder_in(*stores: Shelf | str, size: int = 0, number: int = 0) -> Folder:
    """Return the folder of the workload `docs` in stores, each of a vendor of its own."""
    urls = [store if isinstance(store, str) else store.url for store in stores]
    return Folder(tuple((f"vendor{at}", url) for at, url in enumerate(urls)), "docs", size, number)


@dataclass
class Container:
    """One running container."""

    folder: Path
    server: WebServer
    #: Variables of the machine, besides those of the server.
    environment: dict[str, str]
    http_port: int = field(default_factory=free_port)
    https_port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> Container:
        """Run the script as the container runtime does: no shell variables but ours, a folder of its own."""
        for name in ("srv", "data", "bin"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        environment = {
            "PATH": self._path(),
            "HTTP_PORT": str(self.http_port),
            "HTTPS_PORT": str(self.https_port),
            "BIND": "127.0.0.1",
            "POLL": "1",
            "XDG_DATA_HOME": str(self.folder / "data"),
            "XDG_CONFIG_HOME": str(self.folder / "data"),
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
        }
        with (self.folder / "log").open("ab") as log:
            command = self.server.command()
            shell, *words = command["command"]
            self.process = subprocess.Popen(
                [shutil.which(shell, path=environment["PATH"]), *words, *command["args"]],
                cwd=self.folder / "srv",
                env=environment | self.server.environment() | self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self

    def _path(self) -> str:
        bin_ = self.folder / "bin"
        (bin_ / "caddy").unlink(missing_ok=True)
        (bin_ / "caddy").symlink_to(tool("caddy"))
        if busybox := shutil.which("busybox"):
            for applet in APPLETS.split():
                if not (bin_ / applet).exists():
                    (bin_ / applet).symlink_to(busybox)
            # BusyBox's wget knows no NO_PROXY; and Debian builds it without -T, and then it falls over it.
            usage = subprocess.run([busybox, "wget", "--help"], check=False, capture_output=True, text=True).stderr
            words = "$*" if "-T SEC" in usage else "`echo $* | sed 's/-T [0-9]*//'`"
            (bin_ / "wget").unlink(missing_ok=True)
            (bin_ / "wget").write_text(
                f"#!{busybox} sh\ncase $* in *://127.0.0.1:*) unset http_proxy ;; esac\nexec {busybox} wget {words}\n"
            )
            (bin_ / "wget").chmod(0o755)
            return str(bin_)
        return f"{bin_}:{os.environ['PATH']}"

    def get(self, path: str, **more: Any) -> httpx.Response:
        """Ask over plain HTTP, without a proxy; a refused connection is status 0."""
        try:
            with httpx.Client(trust_env=False, verify=PLAIN) as client:
                return client.get(f"http://127.0.0.1:{self.http_port}{path}", timeout=10, **more)
        except httpx.TransportError:
            return httpx.Response(0)

    def ready(self) -> Container:
        """Wait until /healthz answers the version."""
        return self.serves(self.server.version)

    def serves(self, version: str, patience: float = 120) -> Container:
        """Wait until /healthz answers a version."""
        until(lambda: self.health()[0] == version, f"version {version[:12]}; {self.log()[-2000:]}", patience)
        return self

    def health(self) -> tuple[str, str]:
        """Ask /healthz for the version, and for what it remarks; after a failure the version is empty."""
        answer = self.get("/healthz")
        version, _, remark = answer.text.partition("\n")
        return (version, remark) if answer.status_code == 200 else ("", answer.text)

    def lose_volume(self) -> None:
        """Empty the volume of a container that has ended."""
        shutil.rmtree(self.folder / "data")

    def log(self) -> str:
        """Read its log."""
        return (self.folder / "log").read_text()

    def stop(self) -> int:
        """End it and everything it started, and return its exit status."""
        if self.process is None:
            return 0
        self.process.terminate()
        try:
            return self.process.wait(timeout=20)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


#: A mark as sites have it.
MARK = "unmoor-0123456789abcdef"


def web_server(version: str, behind: Behind, scheme: str = "http", **more: Any) -> WebServer:
    """Return the web server of a site."""
    given = {
        "host": "docs.dao.example",
        "site_host": "docs-akash.dao.example",
        "peer": "docs-akash-2.dao.example",
        "acme_directory": "https://acme.example/dir",
    }
    return WebServer(scheme=scheme, version=version, behind=behind, **{**given, **more})


@pytest.fixture
def shelf() -> Iterator[Callable[[], Shelf]]:
    """Make stores, and end them after the test."""
    made: list[Shelf] = []

    def make() -> Shelf:
        made.append(Shelf())
        return made[-1]

    yield make
    for each in made:
        each.endless.clear()
        each.stalled.clear()
        if each.up:
            each.silence()


@pytest.fixture
def shelves(shelf: Callable[[], Shelf]) -> tuple[Shelf, Shelf]:
    """Two stores."""
    return shelf(), shelf()


@pytest.fixture
def container(tmp_path: Path) -> Iterator[Callable[..., Container]]:
    """Make containers, and end them after the test."""
    made: list[Container] = []

    def make(server: WebServer, **environment: str) -> Container:
        made.append(Container(tmp_path / f"container{len(made)}", server, environment))
        return made[-1]

    yield make
    for each in made:
        each.stop()
