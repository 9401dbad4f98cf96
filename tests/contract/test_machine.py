"""The machine underneath: folders with any name, locales, other users, folders that cannot be written, signals."""

from __future__ import annotations

import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from components.config import held
from components.errors import StepError
from sandbox import supervisor
from sandbox.akash import container
from sandbox.state import REPOSITORY, VARIABLE, State


def _written_by_setup() -> str:
    """Return the program by which setup.sh lets Python find the checkout."""
    found = re.search(r"\.venv/bin/python -c '(import os, pathlib.*?)' \"\$\(pwd -P\)\"", _setup(), re.DOTALL)
    assert found
    return found[1]


def _setup() -> str:
    return (REPOSITORY / "setup.sh").read_text()


@pytest.mark.parametrize("locale", ["C", "POSIX", "C.UTF-8"])
def test_a_checkout_is_found_for_any_name_of_its_folder_and_the_locale(tmp_path: Path, locale: str) -> None:
    checkout = tmp_path / "né dir's"
    checkout.mkdir()
    (checkout / "here.py").write_text("FOUND = 'found'\n")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", checkout / ".venv"], check=True)
    python = checkout / ".venv" / "bin" / "python"
    subprocess.run([python, "-c", _written_by_setup(), checkout], check=True)
    for utf8 in ({}, {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}):
        done = subprocess.run(
            [python, "-c", "import here; print(here.FOUND)"], cwd="/", capture_output=True, text=True, check=False,
            env={"LC_ALL": locale, **utf8},
        )  # fmt: skip
        assert (done.stdout, done.stderr) == ("found\n", "")


def test_a_sandbox_is_for_the_one_who_runs_it(tmp_path: Path) -> None:
    state = State(tmp_path / "S")
    state.root.mkdir(mode=0o755)
    with supervisor.alone(state):
        state.prepare()
        assert stat.S_IMODE(state.root.stat().st_mode) == 0o700


@pytest.mark.parametrize("root", ["/dev/null/S", "/proc/S"])
def test_a_folder_that_cannot_be_written_is_a_sentence(root: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sandbox", "up"], cwd=REPOSITORY, capture_output=True, text=True, check=False,
        env={**os.environ, VARIABLE: root},
    )  # fmt: skip
    assert done.returncode == 1
    assert re.fullmatch(
        rf"sandbox: {root} cannot be written \(.*\); set UNMOOR_SANDBOX to a folder that can\n", done.stderr
    )


#: The demo with a child in place of its sandbox; the child notes its process id and, after a signal, that it ended.
DEMO = """
import signal, subprocess, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell that starts the tests in the background ignores it
from sandbox import demo
start = subprocess.Popen
child = '''
import os, pathlib, signal, sys, time
folder = pathlib.Path(sys.argv[1])
def end(*_):
    (folder / "ended").touch()
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
(folder / "started").write_text(str(os.getpid()))
time.sleep(60)
'''
demo.subprocess.Popen = lambda words, **more: start([sys.executable, "-c", child, sys.argv[1]], **more)
demo.main([])
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_demo_that_is_terminated_ends_its_sandbox(tmp_path: Path, number: signal.Signals) -> None:
    """The child's session is its own: nothing but the demo ends it."""
    demo = subprocess.Popen(
        [sys.executable, "-c", DEMO, tmp_path], cwd=REPOSITORY, env={**os.environ, VARIABLE: str(tmp_path / "S")},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    until = time.monotonic() + 60
    while not (tmp_path / "started").exists() and time.monotonic() < until and demo.poll() is None:
        time.sleep(0.05)
    time.sleep(0.2)
    demo.send_signal(number)
    printed = demo.communicate(timeout=60)[0]
    code = 130 if number == signal.SIGINT else 128 + number
    assert (demo.returncode, (tmp_path / "ended").exists()) == (code, True), printed


#: Mounts the checkout over itself so that nothing can be written there, in a name space that ends with the program.
READ_ONLY = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && cd "$1" && ! touch x 2>/dev/null && exec $2'


@pytest.mark.parametrize(
    "words", ["./unmoor plan --stack example", "./unmoor review --base HEAD", "./unmoor sdl check sdl/docs.yaml"]
)
def test_a_checkout_that_cannot_be_written_is_as_good_as_any(words: str) -> None:
    trying = subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False)
    if os.geteuid() != 0 or trying.returncode:
        pytest.skip("this user may not mount")
    subprocess.run(["./setup.sh"], cwd=REPOSITORY, check=True)  # else it would have to write
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", READ_ONLY, "sh", str(REPOSITORY), words], capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr


def test_a_file_of_a_checkout_that_cannot_be_written_is_a_sentence() -> None:
    if os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount")
    words = "./unmoor assess --out report"
    subprocess.run(["./setup.sh"], cwd=REPOSITORY, check=True)  # else it would have to write
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", READ_ONLY, "sh", str(REPOSITORY), words], capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (1, "report: Read-only file system\n")


@pytest.mark.parametrize("words", [["assess", "--date", "2026-11-26"], ["plan", "--stack", "example"], ["--help"]])
def test_a_command_works_without_a_terminal_in_the_plainest_locale(words: list[str]) -> None:
    """ASCII alone, as under cron; what is no ASCII is escaped, and nothing else differs."""
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}
    shown = [
        subprocess.run(
            [sys.executable, "-m", "components", *words], cwd=REPOSITORY, stdin=subprocess.DEVNULL,
            capture_output=True, check=False, env={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], **more},
        )
        for more in (plain, {"LC_ALL": "C.UTF-8"})
    ]  # fmt: skip
    assert [each.returncode for each in shown] == [0, 0], shown[0].stderr
    assert shown[0].stdout.isascii()
    assert re.sub(rb"\\u[0-9a-f]{4}", b"?", shown[0].stdout) == re.sub(
        rb"[\xc0-\xff][\x80-\xbf]+", b"?", shown[1].stdout
    )


def test_a_port_that_is_taken_is_given_to_no_container(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every other listener of the sandbox asks for port 0 and takes what it is given."""
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.create_server(("127.0.0.1", 0)) as other:
        free = other.getsockname()[1]
        other.close()
        monkeypatch.setattr(container, "PORTS", [taken.getsockname()[1], free])
        assert {container.free_port() for _ in range(40)} == {free}


@pytest.mark.parametrize(
    "ref", ["--output=made", "-h", "--upload-pack=touch made", "$(touch made)", "`touch made`", "; touch made", "a..b",
            "HEAD^{tree}", "refs/heads/../../x", "@{-1000}", "\x1b[2J", ""],
)  # fmt: skip
def test_what_a_review_compares_with_is_never_an_option_or_a_command(ref: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "components", "review", f"--base={ref}"], cwd=REPOSITORY,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    assert "no such branch, tag or commit here" in done.stderr
    assert "\x1b" not in done.stderr
    assert not (REPOSITORY / "made").exists()


#: The files that name a path in the folder of temporary files, which users of a machine share, and the reason.
SHARED = {
    "components/config/held.py": 1,  # a folder that only its user can open
    "sandbox/pair/world.py": 1,  # a folder with a random name: a socket's path has 107 bytes
    "components/doctor/room.py": 1, "components/files.py": 1,  # a message about the folder itself
}  # fmt: skip


def test_two_users_of_a_machine_never_meet_in_the_folder_of_temporary_files() -> None:
    shared = re.compile(r"gettempdir\(\)|[\"'](?:/tmp|/var/tmp|/dev/shm)\b")
    found = {
        path.relative_to(REPOSITORY).as_posix(): len(named)
        for folder in ("components", "sandbox")
        for path in (REPOSITORY / folder).rglob("*.py")
        if (named := shared.findall(path.read_text()))
    }
    assert {name: min(count, 1) for name, count in found.items()} == SHARED


def test_a_folder_that_another_user_can_write_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held.tempfile, "gettempdir", lambda: str(tmp_path))
    folder = held.own_folder()
    assert (folder, folder.stat().st_mode & 0o777) == (tmp_path / f"unmoor-{os.getuid()}", 0o700)
    folder.chmod(0o777)
    with pytest.raises(StepError, match="is open to other users of this machine; remove it"):
        held.own_folder()
    folder.rmdir()
    folder.symlink_to(tmp_path)
    with pytest.raises(StepError, match="is open to other users of this machine; remove it"):
        held.own_folder()


@pytest.mark.parametrize("home", ["/dev/null/x", "/dev/null", "/proc"])
def test_a_home_that_cannot_be_used_keeps_nothing_from_being_planned(home: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "components", "plan", "--stack", "example"], cwd=REPOSITORY, capture_output=True,
        text=True, check=False, env={"HOME": home, "PATH": os.environ["PATH"]},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
