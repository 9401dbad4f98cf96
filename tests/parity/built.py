"""Small sites built by the generators that people use, made once and kept by the hash of what they are made of.

A generator that takes long to get is used where its site is kept already, or where SITES is set, as by
`python -m tests sites`.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.kinds.static.kind import StaticOptions

if TYPE_CHECKING:
    from collections.abc import Mapping

HERE = Path(__file__).parent / "builds"
REPOSITORY = Path(__file__).parents[2]
#: Set where every site is to be made, however long that takes.
SITES = "TESTS_SITES"
#: Seconds for one command of a generator.
PATIENCE_S = 900
NPM = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")


class Missing(Exception):  # noqa: N818 the name is the situation
    """A generator cannot be had on this machine."""


@dataclass(frozen=True)
class Build:
    """How a site is made in a copy of a folder below HERE, and where it is then.

    `tool` is what has to be on PATH, `part` a folder of `out` where that holds several sites, and `assets` are folders
    whose files have hashes in their names. A `quick` one is made by every run of the tests that finds none.
    """

    folder: str
    tool: str
    commands: tuple[tuple[str, ...], ...]
    out: str
    part: str = ""
    options: StaticOptions = field(default_factory=StaticOptions)
    assets: tuple[str, ...] = ()
    quick: bool = False

    @property
    def digest(self) -> str:
        """The hash of everything that the site is made of."""
        found = hashlib.sha256(repr([words[1:] for words in self.commands]).encode())
        for path in sorted((HERE / self.folder).rglob("*")):
            if path.is_file():
                found.update(path.relative_to(HERE).as_posix().encode() + b"\0" + path.read_bytes())
        return found.hexdigest()[:16]


def _npm(folder: str, *commands: str, out: str, **more: Any) -> Build:
    words = (("npx", "--no-install", *command.split()) for command in commands)
    return Build(folder, "npm", (NPM, *words), out, **more)


def _docusaurus(setting: str) -> Build:
    """Make all three at once, because most of the time goes into getting and loading the generator."""
    each = [("env", f"TRAILING_SLASH={one}", "npx", "--no-install", "docusaurus", "build") for one in DOCUSAURUS]
    outs = [(*words, "--out-dir", f"build/{one}") for words, one in zip(each, DOCUSAURUS, strict=True)]
    return Build("docusaurus", "npm", (NPM, *outs), "build", part=setting, assets=("assets",))


#: What Docusaurus' setting `trailingSlash` may be.
DOCUSAURUS = ("unset", "true", "false")
_PIP = "pip install --system-certs --quiet --require-hashes --target lib -r requirements.lock"
_HASHED = {"assets": ("assets",), "quick": True}
BUILDS: Mapping[str, Build] = {
    "vite": _npm("vite", "vite build", out="dist", options=StaticOptions(fallback="index.html"), **_HASHED),
    "vitepress": _npm("vitepress", "vitepress build", out=".vitepress/dist", **_HASHED),
    "mkdocs": Build("mkdocs", "", ((sys.executable, "-m", "mkdocs", "build", "--quiet"),), "site", **_HASHED),
    "sphinx": Build(
        "sphinx",
        "uv",
        (("uv", *_PIP.split()), ("env", "PYTHONPATH=lib", sys.executable, "-m", "sphinx", "-q", ".", "out")),
        "out",
    ),
    "astro": _npm("astro", "astro build", out="dist", assets=("_astro",)),
    "next": _npm("next", "next build", out="out", assets=("_next/static",)),
    **{f"docusaurus, trailingSlash {one}": _docusaurus(one) for one in DOCUSAURUS},
    "hugo": Build(
        "hugo", "go", (("go", "build", "-o", "hugo", "github.com/gohugoio/hugo"), ("./hugo", "--quiet")), "public"
    ),
}


def site(name: str) -> Path:
    """Return the folder of a built site; make it if that is quick or SITES is set. Raises Missing."""
    build = BUILDS[name]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "unmoor"
    place = cache / f"site-{build.folder}-{build.digest}"
    if place.is_dir():
        return place / build.part
    if not build.quick and not os.environ.get(SITES):
        raise Missing(f"{name}: not made on this machine yet; `python -m tests sites` makes it")
    if build.tool and not _tool(build.tool):
        raise Missing(f"{name}: {build.tool} is not on PATH")
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as root:
        made = Path(root) / build.folder
        shutil.copytree(HERE / build.folder, made)
        for words in build.commands:
            _run(name, words, made)
        # Another worker may have been quicker; then its folder is as good.
        with contextlib.suppress(OSError):
            (made / build.out).rename(place)
    return place / build.part


def _tool(name: str) -> str | None:
    return shutil.which(name, path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")


def _run(name: str, words: tuple[str, ...], where: Path) -> None:
    given = {**os.environ, "CI": "1", "ASTRO_TELEMETRY_DISABLED": "1", "NEXT_TELEMETRY_DISABLED": "1"}
    words = (_tool(words[0]) or words[0], *words[1:])
    done = subprocess.run(words, cwd=where, env=given, check=False, capture_output=True, text=True, timeout=PATIENCE_S)
    if done.returncode:
        said = (done.stderr or done.stdout).strip()[-300:]
        raise Missing(f"{name}: `{' '.join(words[:3])}` failed: {said}")
