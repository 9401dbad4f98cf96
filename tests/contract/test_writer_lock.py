"""A lock between processes: never two programs at once, though its holder is killed or paused."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from components.errors import ConfigError
from components.stores import guard
from components.stores.writer import Lock, Program
from tests.histories import stores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from components.stores.writer import Records

ROOT = Path(__file__).parents[2]
TTL_S = 3
#: Writes its epoch and side all the time, and a line when it is asked to end.
LOOP = "while :; do echo $UNMOOR_EPOCH $1 >> $0; sleep 0.05; done"
WORK = f'trap "echo $UNMOOR_EPOCH bye >> $0; exit 0" TERM; {LOOP}'


class Site:
    """A side that wants the lock."""

    def __init__(self, name: str, endpoint: str, log: Path) -> None:
        words = [sys.executable, "-m", "tests.contract.lock_holder", endpoint, name, str(TTL_S)]
        environment = os.environ | stores._KEYS
        self.name = name
        self.process = subprocess.Popen([*words, "sh", "-c", WORK, log, name], cwd=ROOT, env=environment)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    file = tmp_path / "log"
    file.touch()
    return file


@pytest.fixture
def site(moto_url: str, clouds: object, log: Path) -> Iterator[Callable[[str], Site]]:
    """Start a side; it is killed with the test, and its program with it."""
    with stores.bucket(moto_url):
        started: list[Site] = []

        def start(name: str) -> Site:
            started.append(Site(name, moto_url, log))
            return started[-1]

        yield start
        for each in started:
            each.process.kill()
            each.process.wait()


def lines(log: Path) -> list[str]:
    return log.read_text().splitlines()


def until(what: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not what():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.05)


def writes(log: Path, name: str) -> bool:
    """Return whether a side's program is the last that wrote."""
    return bool(lines(log)) and lines(log)[-1].endswith(f" {name}")


def epochs(log: Path) -> list[tuple[int, str]]:
    """List who wrote in which epoch, in order; fails where an earlier epoch comes back."""
    seen: list[tuple[int, str]] = []
    for line in lines(log):
        epoch, name = line.split()
        if name != "bye" and (int(epoch), name) not in seen[-1:]:
            seen.append((int(epoch), name))
    assert seen == sorted(seen, key=lambda each: each[0])
    assert len({epoch for epoch, _ in seen}) == len(seen)
    return seen


def test_a_killed_holder_is_followed_by_another(site: Callable[[str], Site], log: Path) -> None:
    first = site("aws")
    until(lambda: writes(log, "aws"))
    site("akash")
    first.process.kill()
    until(lambda: writes(log, "akash"))
    assert epochs(log) == [(1, "aws"), (2, "akash")]


def test_a_paused_holder_does_not_write_and_comes_back_last(site: Callable[[str], Site], log: Path) -> None:
    first = site("aws")
    until(lambda: writes(log, "aws"))
    second = site("akash")
    first.process.send_signal(signal.SIGSTOP)
    until(lambda: writes(log, "akash"))
    first.process.send_signal(signal.SIGCONT)
    second.process.terminate()
    assert second.process.wait(60) == 0
    until(lambda: writes(log, "aws"))
    assert epochs(log) == [(1, "aws"), (2, "akash"), (3, "aws")]


def test_a_holder_that_ends_lets_its_program_end_and_releases(site: Callable[[str], Site], log: Path) -> None:
    first = site("aws")
    until(lambda: writes(log, "aws"))
    first.process.terminate()
    assert first.process.wait(60) == 0
    assert lines(log)[-1] == "1 bye"
    site("akash")
    until(lambda: writes(log, "akash"))
    assert epochs(log) == [(1, "aws"), (2, "akash")]


@pytest.fixture
def record() -> Iterator[Records]:
    with stores.opened("memory") as opener:
        yield opener("bot.json")


def test_a_program_that_ends_by_itself_ends_the_holding(record: Records) -> None:
    lock = Lock(record, "aws", ttl_s=1)
    assert lock.hold(Program(["sh", "-c", "exit 7"]), threading.Event()) == 7
    assert lock.hold(Program(["sh", "-c", "kill -9 $$"]), threading.Event()) == 128 + 9


def test_a_program_finds_its_epoch_and_not_the_keys_of_the_store(record: Records, log: Path) -> None:
    Lock(record, "aws", ttl_s=1).hold(Program(["sh", "-c", "env > $0", str(log)]), threading.Event())
    assert "UNMOOR_EPOCH=1" in lines(log)
    assert "HISTORIES" not in log.read_text()


def test_a_store_that_ignores_conditions_holds_no_lock(record: Records) -> None:
    record._client = stores.Careless(record._client)
    with pytest.raises(ConfigError, match="ignores If-Match"):
        Lock(record, "aws").hold(Program(["true"]), threading.Event())


def test_a_program_that_ignores_the_request_is_killed_when_its_time_is_over(log: Path) -> None:
    program = Program(["sh", "-c", f'trap "" TERM; {LOOP}', str(log), "aws"], grace_s=0.1)
    program.permit(1, guard.clock() + 600)
    until(lambda: bool(lines(log)))
    program.permit(1, guard.clock() + 0.5)
    until(lambda: not program.runs)
    written = len(lines(log))
    time.sleep(0.3)
    assert (program.code, len(lines(log))) == (None, written)


def test_a_program_is_not_started_when_its_time_is_over_already(log: Path) -> None:
    program = Program(["sh", "-c", WORK, str(log), "aws"])
    program.permit(1, guard.clock() - 1)
    until(lambda: not program.runs)
    assert lines(log) == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux kills a program with its guard")
def test_a_program_is_killed_with_its_guard(log: Path) -> None:
    program = Program(["sh", "-c", WORK, str(log), "aws"])
    program.permit(1, guard.clock() + 600)
    until(lambda: bool(lines(log)))
    assert program._guard is not None
    program._guard.kill()
    until(lambda: not program.runs)
    time.sleep(0.3)
    written = len(lines(log))
    time.sleep(0.3)
    assert len(lines(log)) == written


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux gives a guard the orphans of its program")
def test_what_a_program_starts_in_a_session_of_its_own_ends_with_it(log: Path) -> None:
    program = Program(["sh", "-c", f'setsid sh -c \'{LOOP}\' "$0" "$1" & wait', str(log), "aws"], grace_s=0.1)
    program.permit(1, guard.clock() + 600)
    until(lambda: bool(lines(log)))
    program.stop()
    written = len(lines(log))
    time.sleep(0.3)
    assert len(lines(log)) == written


def test_a_program_gets_the_signal_that_it_understands_and_the_time_that_it_needs(log: Path) -> None:
    script = "trap 'sleep 0.5; echo bye > $0; exit' INT; echo up > $0.up; while :; do sleep 0.05; done"
    program = Program(["sh", "-c", script, str(log)], 0.1, signal.SIGINT)
    program.permit(1, guard.clock() + 600)
    until(lambda: Path(f"{log}.up").exists())
    program.stop(30)
    assert lines(log) == ["bye"]
