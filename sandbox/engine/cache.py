"""Folders in the user's cache that are made once and then kept: complete or absent, after any interruption."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import hashlib
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from components.errors import UnmoorError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

#: The file in a finished folder with the hashes of all others.
SUMS = "SHA256SUMS"
#: How often progress is reported without a terminal, in seconds.
REPORT_EVERY_S = 30.0


class NotMade(UnmoorError):  # noqa: N818 the name is the situation
    """A download or a build did not succeed; the sentence names its log."""


def root() -> Path:
    """Return the folder of unmoor in the user's cache: XDG_CACHE_HOME, else the platform's own."""
    if named := os.environ.get("XDG_CACHE_HOME"):
        return Path(named).absolute() / "unmoor"
    return Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "unmoor"


def key(name: str, version: str) -> str:
    """Return the folder's name for a version of something on this kind of machine."""
    return f"{name}-{version}-{platform.system().lower()}-{platform.machine()}"


def log(folder: str) -> Path:
    """Return the file that the making of a folder writes to."""
    return root() / "log" / f"{folder}.log"


def report(message: str) -> None:
    """Report progress to the operator."""
    print(message, file=sys.stderr, flush=True)  # noqa: T201 progress belongs on stderr


def made(folder: str, make: Callable[[Path], None]) -> Path:
    """Return a folder of the cache, made by `make(new folder)` if it does not exist yet.

    Of two processes that want it, one waits for the other; an interrupt leaves no folder that looks finished.
    """
    final = root() / folder
    if final.is_dir() and _as_made(final):
        return final
    with _alone(folder):
        _as_made.cache_clear()  # the previous holder of the lock may have made it
        if final.is_dir() and _as_made(final):
            return final
        if final.is_dir():
            report(f"{final} is not what was made there; making it again")
            _remove(final)
        for left in root().glob(f".{folder}.*"):
            _remove(left)
        new = Path(tempfile.mkdtemp(prefix=f".{folder}.", dir=root()))
        try:
            make(new)
            (new / SUMS).write_text(_sums(new), encoding="utf-8")
            new.chmod(0o755)
            new.rename(final)
            _as_made.cache_clear()
        finally:
            _remove(new)
    return final


@functools.cache
def _as_made(folder: Path) -> bool:
    """Return whether a folder still holds what its making put there; checked once per process, before it is used."""
    try:
        return (folder / SUMS).read_text(encoding="utf-8") == _sums(folder)
    except OSError:
        return False


def _sums(folder: Path) -> str:
    """Return the SHA-256 of every file of a folder, as `sha256sum -c` reads it, and where each link leads."""
    lines = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.is_symlink():
            lines.append(f"# {name} -> {path.readlink()}\n")
        elif path.is_file() and name.as_posix() != SUMS:
            with path.open("rb") as file:
                lines.append(f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {name}\n")
    return "".join(lines)


def run(
    words: Sequence[str | Path],
    *,
    title: str,
    takes: str,
    to: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    limit_s: float = 3600,
) -> None:
    """Run one command of a making: output into the log, progress on stderr.

    Raises NotMade if it fails or takes too long.
    """
    to.parent.mkdir(parents=True, exist_ok=True)
    started, reported, live = time.monotonic(), 0.0, sys.stderr.isatty()
    report(f"{title}, once; {takes} (log: {to})")
    with to.open("ab") as out:
        child = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=env, cwd=cwd, process_group=0
        )
        try:
            while child.poll() is None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.wait(0.5)
                passed = time.monotonic() - started
                if passed > limit_s:
                    raise NotMade(f"{title}: not done after {limit_s:.0f} s; see {to}")
                if passed - reported >= (1.0 if live else REPORT_EVERY_S):
                    reported = passed
                    print(f"  {passed:4.0f} s", end="\r" if live else "\n", file=sys.stderr, flush=True)  # noqa: T201 progress of a program
        finally:
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
    if child.returncode != 0:
        raise NotMade(f"{title}: failed ({_last_line(to)}); see {to}")


@contextlib.contextmanager
def _alone(folder: str) -> Iterator[None]:
    """Hold the lock of a folder; a process that dies releases it."""
    try:
        root().mkdir(mode=0o700, parents=True, exist_ok=True)
        if root().stat().st_mode & 0o022 or root().stat().st_uid not in {0, os.geteuid()}:
            raise NotMade(
                f"others can write to {root()}, and what is in it is run; chmod go-w it, or set XDG_CACHE_HOME"
            )
        file = (root() / f".{folder}.lock").open("w")
    except OSError as error:
        raise NotMade(f"the cache folder cannot be written ({error}); set XDG_CACHE_HOME to one that can") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report(f"{folder}: another process is making it; waiting for that")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _remove(path: Path) -> None:
    """Remove a folder that may contain read-only ones, as Go's module cache does."""
    if path.is_dir():
        for folder, _, _ in os.walk(path):
            Path(folder).chmod(0o755)
        shutil.rmtree(path, ignore_errors=True)


def _last_line(path: Path) -> str:
    lines = [line for line in path.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1].strip() if lines else "it printed nothing"
