"""Run Python programs for Pulumi's engine, in place of the official language host, which is not available as a module.

The engine starts `pulumi-language-python ENGINE_ADDRESS`, reads a port from its first line, and speaks
`pulumirpc.LanguageRuntime` to it. The program itself is run by the SDK's own `pulumi-language-python-exec`. It makes an
environment as the official host does (`InstallDependencies` in pip.go of the SDK's Python toolchain): only one that is
missing or empty, and from requirements.txt alone. It cannot prove toolchains other than pip.
"""

# ruff: noqa: N802, D102  the protocol names and describes the methods

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import types
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf import empty_pb2

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: The program that runs a Python program; it lies next to the engine, which is on PATH.
EXEC = "pulumi-language-python-exec"
#: The exit code of a program whose message has been shown.
ALREADY_SHOWN = 32
#: Seconds that a cancelled program may take to end.
GRACE_S = 5.0


def _stubs() -> tuple[Any, Any, Any]:
    """Return the protocol's stubs out of the SDK without running the SDK's own start, which takes half a second."""
    spec = importlib.util.find_spec("pulumi")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("the Pulumi SDK is not installed here; run `make setup`", name="pulumi")
    root = Path(spec.submodule_search_locations[0])
    for name, folder in (("pulumi", root), ("pulumi.runtime", root / "runtime")):
        package = types.ModuleType(name)
        package.__path__ = [str(folder)]
        sys.modules.setdefault(name, package)
    from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

    return language_pb2, language_pb2_grpc, plugin_pb2


lang, lang_grpc, plugin = _stubs()


class NoInterpreter(Exception):  # noqa: N818 the name is the situation
    """The program's Python does not exist."""


def interpreter(root: Path, options: Mapping[str, Any]) -> Path:
    """Return the Python of a program: its `runtime.options.virtualenv` (under uv `.venv` if unsaid), else `python3`."""
    virtualenv = options.get("virtualenv") or (".venv" if options.get("toolchain") == "uv" else None)
    if virtualenv is None:
        return Path(shutil.which("python3") or sys.executable)
    python = root / str(virtualenv) / "bin" / "python"
    if not python.exists():
        raise NoInterpreter(f"the virtual environment {virtualenv} of the program is not there; run `make setup`")
    return python


def arguments(request: Any, engine: str) -> list[str]:
    """Return the options of `pulumi-language-python-exec` for a RunRequest, program last."""
    options = {
        "monitor": request.monitor_address,
        "engine": engine,
        "project": request.project,
        "stack": request.stack,
        "pwd": request.pwd,
        "dry_run": "true" if request.dryRun else "false",
        "parallel": str(request.parallel),
        "organization": request.organization,
        "root_directory": request.info.root_directory,
    }
    program = os.path.normpath(Path(request.info.program_directory) / request.info.entry_point)
    return [word for name, value in options.items() if value for word in (f"--{name}", value)] + [
        program,
        *request.args,
    ]


def environment(request: Any, python: Path) -> dict[str, str]:
    """Return the environment of the program: ours, its virtual environment first, and the stack's configuration."""
    return {
        **os.environ,
        "PATH": f"{python.parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "VIRTUAL_ENV": str(python.parent.parent),
        "PULUMI_CONFIG": json.dumps(dict(request.config)),
        "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
    }


def missing(root: Path, options: Mapping[str, Any]) -> Path | None:
    """Return the folder of a program's virtual environment if the official host would make it: missing or empty."""
    if not options.get("virtualenv") or options.get("toolchain") not in (None, "pip"):
        return None
    folder = root / str(options["virtualenv"])
    return None if folder.exists() and any(folder.iterdir()) else folder


def installation(folder: Path, root: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield (message, command) of each step that makes an environment; without requirements.txt it stays empty."""
    install = [str(folder / "bin" / "python"), "-m", "pip", "install"]
    yield "Creating virtual environment...", [os.environ.get("PULUMI_PYTHON_CMD", "python3"), "-m", "venv", str(folder)]
    yield (
        "Updating pip, setuptools, and wheel in virtual environment...",
        [*install, "--upgrade", "pip", "setuptools", "wheel"],
    )
    if (root / "requirements.txt").exists():
        yield "Installing dependencies in virtual environment...", [*install, "-r", "requirements.txt"]


def required(python: Path) -> Iterator[tuple[str, str]]:
    """Yield (name, version) of each plugin that the packages of an interpreter's environment need.

    As the official host finds them (`determinePulumiPackages` of its main.go): a distribution whose name begins with
    `pulumi-`, or that has a pulumi-plugin.json; that file's `resource: false` means that there is none.
    """
    for folder in sorted(python.parent.parent.glob("lib/python*/site-packages/*.dist-info")):
        name, _, version = folder.name.removesuffix(".dist-info").rpartition("-")
        file = folder.parent / name / "pulumi-plugin.json"
        if name != "pulumi_policy" and (name.startswith("pulumi_") or file.exists()):
            described: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {"resource": True}
            if described.get("resource"):
                yield described.get("name") or name.removeprefix("pulumi_"), described.get("version") or version


def dependencies(python: Path) -> list[tuple[str, str]]:
    """Return (name, version) of everything installed with an interpreter, by the folders' names."""
    found = python.parent.parent.glob("lib/python*/site-packages/*.dist-info")
    pairs = (folder.name.removesuffix(".dist-info").rpartition("-") for folder in found)
    return sorted((name, version) for name, _, version in pairs)


class LanguageHost(lang_grpc.LanguageRuntimeServicer):  # type: ignore[name-defined,misc]
    """The protocol's servicer; one program at a time, in a process group of its own."""

    def __init__(self, engine: str) -> None:
        self.engine = engine
        self.program: subprocess.Popen[bytes] | None = None
        self.cancelled = False
        self._lock = threading.Lock()

    def Handshake(self, request: Any, _context: Any) -> Any:
        self.engine = request.engine_address or self.engine
        return lang.LanguageHandshakeResponse()

    def GetPluginInfo(self, _request: Any, _context: Any) -> Any:
        return plugin.PluginInfo(version="1.0.0")

    def GetRequiredPackages(self, request: Any, context: Any) -> Any:
        for _ in self._install(request.info, request.info.root_directory, context):
            pass
        found = required(self._interpreter(request.info, context))
        return lang.GetRequiredPackagesResponse(
            packages=[
                plugin.PackageDependency(name=name, kind="resource", version=f"v{version.removeprefix('v')}")
                for name, version in found
            ]
        )

    def InstallDependencies(self, request: Any, context: Any) -> Any:
        """Install what `pulumi install` asks for; the installer's output goes to the operator."""
        yield from self._install(request.info, request.directory, context)

    def GetRequiredPlugins(self, _request: Any, _context: Any) -> Any:
        return lang.GetRequiredPluginsResponse()

    def About(self, request: Any, context: Any) -> Any:
        python = self._interpreter(request.info, context)
        version = subprocess.run([python, "--version"], capture_output=True, text=True, check=True).stdout
        return lang.AboutResponse(executable=str(python), version=version.removeprefix("Python").strip())

    def GetProgramDependencies(self, request: Any, context: Any) -> Any:
        found = dependencies(self._interpreter(request.info, context))
        return lang.GetProgramDependenciesResponse(
            dependencies=[lang.DependencyInfo(name=name, version=version) for name, version in found]
        )

    def Run(self, request: Any, context: Any) -> Any:
        """Run the program to its end; what it prints goes where the engine listens."""
        python = self._interpreter(request.info, context)
        runner = shutil.which(EXEC)
        if runner is None:
            return lang.RunResponse(error=f"{EXEC} is not on PATH; it belongs next to `pulumi`: run `make setup`")
        with self._lock:
            if self.cancelled:
                return lang.RunResponse(bail=True)
            self.program = subprocess.Popen(
                [python, "-u", runner, *arguments(request, self.engine)],
                cwd=request.pwd or None,
                env=environment(request, python),
                stdin=subprocess.DEVNULL,
                process_group=0,
            )
        code = self.program.wait()
        if code == 0:
            return lang.RunResponse()
        if code == ALREADY_SHOWN or self.cancelled:
            return lang.RunResponse(bail=True)
        ended = f"was ended by signal {-code}" if code < 0 else f"exited with code {code}"
        return lang.RunResponse(error=f"the program {ended}")

    def Cancel(self, _request: Any, _context: Any) -> Any:
        self.end()
        return empty_pb2.Empty()

    def end(self) -> None:
        """End the program, if one runs, and all that it started."""
        with self._lock:
            self.cancelled = True
        if self.program is None or self.program.poll() is not None:
            return
        os.killpg(self.program.pid, signal.SIGTERM)
        try:
            self.program.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            os.killpg(self.program.pid, signal.SIGKILL)

    def _install(self, info: Any, directory: str, context: Any) -> Iterator[Any]:
        folder = missing(Path(info.root_directory), _options(info))
        for message, words in installation(folder, Path(directory)) if folder else ():
            yield lang.InstallDependenciesResponse(stdout=f"{message}\n".encode())
            done = subprocess.run(
                words, cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
            )
            if done.returncode:
                context.abort(grpc.StatusCode.UNKNOWN, f"`{' '.join(words)}` failed: {done.stdout.strip()}")

    def _interpreter(self, info: Any, context: Any) -> Path:
        try:
            return interpreter(Path(info.root_directory), _options(info))
        except NoInterpreter as error:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
            raise  # abort has raised already; this is for the reader of types


def _options(info: Any) -> dict[str, str]:
    return {name: value.string_value for name, value in info.options.fields.items()}


def main(words: list[str]) -> int:
    """Serve until asked to end (SIGINT, SIGTERM) or until the engine is gone; the port is the first line printed."""
    addresses = [word for word in words if not word.startswith("-")]
    host = LanguageHost(addresses[0] if addresses else "")
    server = grpc.server(ThreadPoolExecutor(max_workers=8), options=[("grpc.max_receive_message_length", 400 << 20)])
    lang_grpc.add_LanguageRuntimeServicer_to_server(host, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()

    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    print(port, flush=True)  # noqa: T201 the protocol asks for it

    parent = os.getppid()
    while not over.wait(1.0) and os.getppid() == parent:
        pass
    host.end()
    server.stop(grace=1.0).wait()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
