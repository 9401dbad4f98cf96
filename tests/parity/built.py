"""Small sites built by the generators that people use, made once and kept by the hash of what they are made of."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent / "builds"
#: How each generator is called in a copy of HERE, and where it writes.
NODE = {
    "vitepress": (["npx", "--no-install", "vitepress", "build", "vitepress"], "vitepress/.vitepress/dist"),
    "vite": (["npx", "--no-install", "vite", "build", "vite"], "vite/dist"),
}


class Missing(Exception):  # noqa: N818 it says what it is
    """A generator cannot be had on this machine."""


def site(name: str) -> Path:
    """Return the folder of a built site. Raises Missing."""
    return _kept("mkdocs", _mkdocs) / "site" if name == "mkdocs" else _kept("node", _node) / NODE[name][1]


def _kept(name: str, make: object) -> Path:
    """Return what `make` writes into a folder, from the cache if the sources and the lock file are the same."""
    digest = hashlib.sha256()
    for path in sorted(HERE.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(HERE).as_posix().encode() + b"\0" + path.read_bytes())
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "unmoor"
    place = cache / f"builds-{name}-{digest.hexdigest()[:16]}"
    if not place.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as root:
            new = Path(root) / "new"
            make(new)  # type: ignore[operator]
            # Another worker may have been quicker; then its folder is as good.
            with contextlib.suppress(OSError):
                new.rename(place)
    return place


def _node(into: Path) -> None:
    if not shutil.which("npm"):
        raise Missing("Node and npm are not on PATH")
    shutil.copytree(HERE, into)
    _run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], into)
    for words, _ in NODE.values():
        _run(words, into)
    shutil.rmtree(into / "node_modules")


def _mkdocs(into: Path) -> None:
    """Build with Material for MkDocs, which the development environment has."""
    shutil.copytree(HERE / "mkdocs", into)
    _run([sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(into / "site")], into)


def _run(words: list[str], where: Path) -> None:
    done = subprocess.run(words, cwd=where, check=False, capture_output=True, text=True, timeout=600)
    if done.returncode:
        raise Missing(f"{' '.join(words[:3])} failed: {(done.stderr or done.stdout)[-500:]}")
