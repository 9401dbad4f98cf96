"""One replica of a service: a local process in its own group, started again with the back-off of Kubernetes."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from ..images import IMAGES, Image, repository, unpack, well_formed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: Seconds before the n-th restart: at once, then doubling, five minutes at most; reset after ten minutes without a
#: crash.
BACK_OFF = (0, 10, 20, 40, 80, 160, 300)
GOOD_SECONDS = 600.0
#: Seconds between two tries to pull an image (kubelet.go, `imageBackOffPeriod` and `MaxImageBackOff`).
PULL_BACK_OFF = (10, 20, 40, 80, 160, 300)
#: Seconds that a container may take to end after SIGTERM.
GRACE_SECONDS = 30.0
POLL_SECONDS = 0.1
#: The variables that a container gets about the internet; it gets nothing else of this machine's environment.
PASSED = (
    *("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"),
    *("SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "LANG", "UNMOOR_ROUTES"),
)
PORTS = range(21_000, 32_000)  # below the range from which systems assign ports by themselves


class Watchdog:
    """The process that kills every group of ours if the world is killed."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(__file__).with_name("watchdog.py"))],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        self._pipe = self._process.stdin

    def register(self) -> None:
        """Register the calling process as a group's leader; runs in the child, between fork and exec."""
        if self._pipe:
            os.write(self._pipe.fileno(), f"+{os.getpid()}\n".encode())

    def forget(self, group: int) -> None:
        """Remove a group that has ended."""
        if self._pipe:
            with contextlib.suppress(BrokenPipeError):
                os.write(self._pipe.fileno(), f"-{group}\n".encode())

    def close(self) -> None:
        """End it, and every group that is still registered."""
        if self._pipe:
            self._pipe.close()
        self._process.wait()


def free_port() -> int:
    """Return a free port of 127.0.0.1 for both TCP and UDP, because a lease, and unbound, has one number for both."""
    while True:
        port = random.choice(PORTS)
        with socket.socket() as probe, socket.socket(type=socket.SOCK_DGRAM) as datagrams:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                datagrams.bind(("127.0.0.1", port))
                return port


@dataclass
class Container:
    """A replica: what to run, where, and its state.

    `ports` maps each port that the container exposes to its local port, `named` the variables by which the process
    learns of them. `volumes` are lease-owned folders by name; the rest of `home` is new at each start, as a container's
    disk is.
    """

    image: str
    command: list[str]
    args: list[str]
    env: Mapping[str, str]
    home: Path
    tools: Path
    log: Path
    volumes: Mapping[str, tuple[str, Path]]
    named: Mapping[str, str]
    watchdog: Watchdog
    #: Whether the registry answers nothing at this moment.
    unreachable: Callable[[], bool] = field(default=lambda: False)
    #: Why its image could not be pulled, in the words of containerd; empty otherwise.
    unpulled: str = ""
    state: str = "Pending"
    restarts: int = 0
    since: float = 0.0
    _process: subprocess.Popen[bytes] | None = None
    _ended: int | None = None
    _task: asyncio.Task[None] | None = None
    _stopping: bool = field(default=False)
    _asked: bool = field(default=False)

    @property
    def exited(self) -> int | None:
        """Return the exit status of its last end, negative for a signal; None before the first."""
        status = self._process.poll() if self._process else None
        return self._ended if status is None else status

    @property
    def available(self) -> bool:
        """Without probes, which an SDL cannot have, a pod is available while its process runs."""
        return self.state == "Running"

    def start(self) -> None:
        """Begin to run, and restart after each end."""
        self._stopping = False
        self._task = asyncio.create_task(self._keep())

    async def _pull(self) -> Image | None:
        """Return the image once its registry answers; None where there is no such image."""
        if not well_formed(self.image):
            self.state = "InvalidImageName"
            return None
        pauses = itertools.chain(PULL_BACK_OFF, itertools.repeat(PULL_BACK_OFF[-1]))
        name, _, digest = self.image.partition("@")
        while self.unreachable():
            registry, _, path = repository(name).partition("/")
            asked = f"https://{registry}/v2/{path}/manifests/{digest or name.rpartition(':')[2]}"
            self.unpulled = f'failed to do request: Head "{asked}": dial tcp: i/o timeout'
            self.state = "ImagePullBackOff"
            await asyncio.sleep(next(pauses))
        image = IMAGES.get(repository(self.image))
        self.unpulled = "" if image else "not found"
        if image is None:
            self.state = "ImagePullBackOff"
        return image

    async def _keep(self) -> None:
        image = await self._pull()
        if image is None:
            return
        try:
            unpack(image, self.tools)
        except FileNotFoundError as missing:
            self.state, self.unpulled = "ImagePullBackOff", "not found"
            self._say(str(missing))
            return
        argv = [*(self.command or image.entrypoint), *(self.args or (() if self.command else image.command))]
        failures = 0
        while True:
            self.since = asyncio.get_running_loop().time()
            await self._once(argv)
            lasted = asyncio.get_running_loop().time() - self.since
            failures = 0 if lasted > GOOD_SECONDS or self._asked else failures
            self._asked = False
            if self._stopping:
                break
            self.restarts += 1
            if wait := BACK_OFF[min(failures, len(BACK_OFF) - 1)]:
                self.state = "CrashLoopBackOff"
                await asyncio.sleep(wait)
            failures += 1
        self.state = "Terminated"

    async def _once(self, argv: list[str]) -> None:
        work = self.home / "srv"
        for fresh in (work, self.home / "root", self.home / "config", self.home / "data"):
            shutil.rmtree(fresh, ignore_errors=True)
            fresh.mkdir(parents=True)
        with self.log.open("ab") as log:
            try:
                self._process = self._spawn(argv, work, log)
            except OSError as wrong:
                self.state = "RunContainerError"
                self._say(f"cannot start {argv[0]}: {wrong}")
                return
            self.state = "Running"
            while self._process.poll() is None:  # noqa: ASYNC110 the portable way to await a process without threads
                await asyncio.sleep(POLL_SECONDS)
            self._ended = self._process.returncode
            self._say(f"exit {self._ended}")
            self.state = "Terminated"
            self._kill()

    def _spawn(self, argv: list[str], work: Path, log: BinaryIO) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            argv,
            cwd=work,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=self.watchdog.register,  # noqa: PLW1509 one write of a few bytes, and no threads
        )

    def _environment(self) -> dict[str, str]:
        data = next((path for mount, path in self.volumes.values() if mount.rstrip("/") == "/data"), None)
        return {
            **{name: os.environ[name] for name in PASSED if name in os.environ},
            **self.env,
            "PATH": str(self.tools),
            "HOME": str(self.home / "root"),
            "TMPDIR": str(self.home / "root"),
            "XDG_CONFIG_HOME": str(self.home / "config"),
            "XDG_DATA_HOME": str(data or self.home / "data"),
            **{f"VOLUME_{name.upper().replace('-', '_')}": str(path) for name, (_, path) in self.volumes.items()},
            **self.named,
        }

    def _say(self, line: str) -> None:
        with self.log.open("a", encoding="utf-8") as log:
            log.write(f"[{self.home.name}] {line}\n")

    def _kill(self) -> None:
        """End what is left of the group: in a container, the first process ends all others with it."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self.watchdog.forget(self._process.pid)

    def restart(self) -> None:
        """Restart at once: the sandbox changed its volume, so the end counts for no back-off."""
        self._asked = True
        self._kill()

    def kill(self) -> None:
        """Kill it at once, for good."""
        self._stopping = True
        self._kill()
        if self._process:
            self._process.wait()
        if self._task:
            self._task.cancel()
        self.state = "Terminated"

    async def stop(self) -> None:
        """End it as Kubernetes does: SIGTERM, the grace period, SIGKILL."""
        self._stopping = True
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            deadline = asyncio.get_running_loop().time() + GRACE_SECONDS
            while self._process.poll() is None and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110 a process has no event
                await asyncio.sleep(POLL_SECONDS)
        self.kill()
