"""The wheel as a user has it: built from this checkout, installed by uv into an environment of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from sandbox.state import REPOSITORY

_UV = Path(sys.executable).parent / "uv"


def build(folder: Path) -> Path:
    """Build the wheel into a folder, and return its path."""
    _run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder], REPOSITORY)
    (wheel,) = folder.glob("unmoor-*.whl")
    return wheel


def environment(folder: Path) -> Path:
    """Make an empty virtual environment with this Python."""
    _run([_UV, "venv", "--quiet", "--python", sys.executable, folder])
    return folder


def install(into: Path, *requirements: str, options: tuple[str | Path, ...] = (), newest: bool = False) -> None:
    """Install requirements: from uv's cache if all of them are there, else from the index.

    With `newest` the index is asked first, and the cache only where it cannot be reached.
    """
    words = [_UV, "pip", "install", "--quiet", "--system-certs", "--python", into / "bin" / "python"]
    ways: tuple[list[str | Path], list[str | Path]] = (["--offline"], [])
    first, second = reversed(ways) if newest else ways
    try:
        _run([*words, *first, *options, *requirements])
    except RuntimeError:
        _run([*words, *second, *options, *requirements])


def locked(into: Path, wheel: Path, extras: str = "") -> None:
    """Install the wheel with extras, as in `[pulumi]`, and the versions of the lock file."""
    install(into, f"unmoor{extras} @ {wheel.as_uri()}", options=("--constraints", REPOSITORY / "requirements.lock"))


def resolved(into: Path, wheel: Path, resolution: str) -> None:
    """Install the wheel with all extras, its direct dependencies at one end of their ranges, as uv names it."""
    extras = ("--all-extras", "--requirements", REPOSITORY / "pyproject.toml")
    install(into, options=("--resolution", resolution, *extras), newest=True)
    install(into, str(wheel), options=("--no-deps",))


def _run(words: list[str | Path], cwd: Path | None = None) -> None:
    done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{words}: {done.stdout}{done.stderr}")
