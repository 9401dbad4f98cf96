"""The registry of this world: which image carries which tools, as a folder to put on PATH."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml

SANDBOX = Path(__file__).parent
HERE = SANDBOX / "akash" / "image"
#: The variable that names a file with more images.
VARIABLE = "UNMOOR_SANDBOX_IMAGES"
#: The files of `programs/` that stand for programs of images.
_OWN = {"unmoor-postgres": "database.py", "board": "board.py"}
#: Applets of BusyBox that every host has under the same name, and `wget`, which is a file of `programs/`.
BUSYBOX = (
    "sh ls cat cp mv rm mkdir rmdir ln chmod touch date sleep echo printf test true false env expr id kill "
    "ps head tail cut tr sort uniq wc sed grep awk find xargs tee sha256sum md5sum base64 od tar "
    "gzip gunzip nc hostname dd mkfifo sync cmp timeout"
)


@dataclass(frozen=True)
class Image:
    """What an image carries in addition to busybox, and what it runs when the SDL names no command."""

    tools: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ("sh",)


def _images() -> dict[str, Image | None]:
    """Return the table, with the one that a project adds; None is an image that cannot be pulled."""
    files = [SANDBOX / "images.yaml", *map(Path, filter(None, [os.environ.get(VARIABLE)]))]
    return {
        name: given
        if given is None
        else Image(
            tuple(given.get("tools") or ()),
            tuple(
                word.replace("{sandbox}", str(SANDBOX)).replace("{python}", sys.executable)
                for word in given.get("entrypoint") or ()
            ),
            tuple(given.get("command", Image.command)),
        )
        for file in files
        for name, given in yaml.safe_load(file.read_text(encoding="utf-8")).items()
    }


def repository(image: str) -> str:
    """Return the full name of an image's repository, without tag and digest."""
    name = image.partition("@")[0]
    head, slash, last = name.rpartition("/")
    name = head + slash + last.partition(":")[0]
    first = name.partition("/")[0]
    if "/" not in name:
        return f"docker.io/library/{name}"
    return name if "." in first or ":" in first or first == "localhost" else f"docker.io/{name}"


def well_formed(image: str) -> bool:
    """Return whether an image reference is valid."""
    return bool(re.fullmatch(r"[a-z0-9][\w./:-]*(@sha256:[0-9a-f]{64})?", image))


def find_caddy() -> str | None:
    """Find Caddy: by the variable CADDY, on PATH, or where the sandbox keeps what it built."""
    if named := os.environ.get("CADDY"):
        return named
    if found := shutil.which("caddy"):
        return found
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "unmoor"
    built = sorted(cache.glob("**/caddy")) if cache.is_dir() else []
    return next((str(each) for each in built if os.access(each, os.X_OK) and each.is_file()), None)


def unpack(image: Image, into: Path) -> None:
    """Put an image's tools into a folder, which becomes the whole PATH of its container."""
    into.mkdir(parents=True, exist_ok=True)
    for tool in BUSYBOX.split():
        if found := shutil.which(tool):
            _link(into / tool, found)
    _script(into / "wget", [sys.executable, "-I", "-S", str(HERE / "wget.py")])
    if not shutil.which("sha256sum") and (shasum := shutil.which("shasum")):
        _script(into / "sha256sum", [shasum, "-a", "256"])
    if not shutil.which("timeout"):
        limit = "import subprocess, sys; sys.exit(subprocess.run(sys.argv[2:], timeout=float(sys.argv[1])).returncode)"
        _script(into / "timeout", [sys.executable, "-I", "-S", "-c", limit])
    for tool in image.tools:
        if tool in _OWN:
            _script(into / tool, [sys.executable, str(SANDBOX / "programs" / _OWN[tool])])
            continue
        found = {"caddy": find_caddy(), "python3": sys.executable}.get(tool) or shutil.which(tool)
        if found is None:
            raise FileNotFoundError(f"the image carries {tool}, and this machine has none: set {tool.upper()}=/path")
        _link(into / tool, found)
        if tool == "python3":
            _link(into / "python", found)


def _script(place: Path, command: list[str]) -> None:
    if not place.exists():
        fresh = place.with_name(f".{place.name}.{os.getpid()}")
        fresh.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
        fresh.chmod(0o755)
        fresh.replace(place)


def _link(place: Path, target: str) -> None:
    if not place.is_symlink():
        place.symlink_to(target)


def unknown(image: str) -> str:
    """Return why an image cannot be run here; empty where a program stands for it."""
    if not well_formed(image) or repository(image) in IMAGES:
        return ""
    return f"sandbox: no program stands for the image {repository(image)}; add it to sandbox/images.yaml"


#: Repository → image. A repository that is not listed cannot be pulled.
IMAGES = _images()
